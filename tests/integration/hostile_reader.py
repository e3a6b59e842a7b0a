"""Reads and cleans the files named on standard input, one a line, and tells of each what it took."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from embeddings import parsers
from embeddings.cleaning.article import clean_with_notes
from embeddings.errors import InputError
from embeddings.types import Rejected

_SECONDS = 30
"""A file that takes longer ends the process: three times what is allowed."""
_BYTES = 3_000_000_000
"""So much may be asked for before the system says no: an endless one must not take the machine with it."""


def taken(path: Path) -> tuple[int, list[str]]:
    """How many articles a file gives, and the first reasons why others are none."""
    articles, reasons = 0, list[str]()
    for found in parsers.read(path):
        try:
            reason = found.reason if isinstance(found, Rejected) else None
            if not isinstance(found, Rejected):
                clean_with_notes(found)
                articles += 1
        except InputError as error:
            reason = str(error)
        if reason is not None and len(reasons) < 3:
            reasons.append(reason)
    return articles, reasons


def main() -> None:
    """Read until the input ends; every answer is one line of JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, _SECONDS)
        _forget_peaks()
        began, of_child = time.process_time(), _child_seconds()
        articles, reasons = taken(Path(line.rstrip("\n")))
        told = {
            "articles": articles,
            "reasons": reasons,
            "seconds": time.process_time() - began + _child_seconds() - of_child,
            "megabytes": max(_peak_megabytes(), *map(_peak_megabytes, _children())),
        }
        sys.stdout.write(f"{json.dumps(told)}\n")
        sys.stdout.flush()


def _children() -> list[str]:
    """The processes that read for this one."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split() or ["self"]


def _forget_peaks() -> None:
    """Let what is held now be the most that was held, so that each file is told what it took itself.

    Where the system does not, a file is told what the most of those before it took.
    """
    with suppress(OSError):
        for process in {"self", *_children()}:
            Path(f"/proc/{process}/clear_refs").write_text("5", encoding="ascii")


def _child_seconds() -> float:
    """Processor time of the processes that read for this one, those that have ended included."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    stats = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in _children() if one != "self"]
    running = sum(int(one[11]) + int(one[12]) for one in stats) / os.sysconf("SC_CLK_TCK")
    return ended.ru_utime + ended.ru_stime + running


def _peak_megabytes(process: str = "self") -> float:
    """Most memory a program held. `ru_maxrss` would begin at what its parent held when it started it."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1e3


if __name__ == "__main__":
    main()
