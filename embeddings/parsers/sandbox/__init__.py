"""Parses untrusted files in a separate process, which can be killed.

This side starts the process, asks it for one thing after the other, and says why it ended. That side (`child`) bounds
itself, then lets the parser of the file's kind work.

The process gets no setting, no key and no open file of this one. It may take so much memory and processor time, and say
so much, and no more; whatever happens to it, the next file goes on.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, cast

import msgspec

import embeddings
from embeddings.types import RawArticle, Rejected

# --- What the reading process is asked and what it answers: one JSON value a line, in either direction
Kind = str
"""Names a parser: see `child.PARSERS`."""

_SECONDS, _SECONDS_PER_MEGABYTE = 7.0, 1.0


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A file to read."""

    kind: Kind
    path: str
    folder: str
    """An empty folder for what a container holds."""
    seconds: float
    """Processor time for each thing it gives."""


class Member(msgspec.Struct, frozen=True, kw_only=True, tag="member"):
    """A file that a container holds, unpacked so that it can be read like any other."""

    name: str
    """What the container calls it."""
    path: str
    url: str | None = None
    """Where it was fetched from, for a page that does not say it."""


class FoundArticle(msgspec.Struct, frozen=True, tag="found"):
    """An article."""

    article: RawArticle


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """A file, or a piece of it, that is no article."""

    rejected: Rejected


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag="ended"):
    """The file has nothing more."""

    worn: bool
    """The process has grown and should not read another one."""


class Broke(msgspec.Struct, frozen=True, kw_only=True, tag="broke"):
    """The parser ran out of memory."""


Frame = Member | FoundArticle | Refused | Ended | Broke


def seconds_for(size: int) -> float:
    """Processor time that a file of so many bytes may take for each thing it gives.

    >>> seconds_for(0), seconds_for(10_000_000)
    (7.0, 17.0)
    """
    return _SECONDS + _SECONDS_PER_MEGABYTE * size / 1e6


_PROGRAM: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from embeddings.parsers.sandbox.child import main; main()"
)
_ROOT: Final = str(Path(embeddings.__file__).parents[1])
_LONGEST_FRAME: Final = 64_000_000
"""In bytes: the longest text accepted has 20 million, and may say of itself as much again."""
_OUTPUT_FREE: Final = 200_000_000
_OUTPUT_RATIO: Final = 50
"""All that a file gives may be `_OUTPUT_FREE` bytes plus this many times its size."""
_AHEAD: Final = 16
"""So many things it may say before the first of them is heard."""
_BLOCK: Final = 1 << 20
_PATIENCE: Final = 900.0
"""Seconds by the clock for each step: processor time ends what calculates, this what sleeps."""
_DECODER = msgspec.json.Decoder(Frame)
_MEMORY: Final = "reading it takes more than 512 MB of memory; split it up"
_idle: list[_Child] = []
"""At most one process that has nothing to do."""


def read(path: Path, kind: Kind) -> Iterator[RawArticle | Rejected | Member]:
    """Give what a file holds, and at the end why no more of it was read, if so. A member is gone after use."""
    size = path.stat().st_size
    with tempfile.TemporaryDirectory(prefix="qa-") as folder:
        task = Task(kind=kind, path=str(path.resolve()), folder=folder, seconds=seconds_for(size))
        child = _idle_one() or _Child()
        try:
            child.begin(task)
            while not isinstance(frame := child.next(most=_OUTPUT_FREE + _OUTPUT_RATIO * size), Ended):
                yield _named(frame, path, resolved=task.path)
                if isinstance(frame, Member):
                    Path(frame.path).unlink(missing_ok=True)
            if not frame.worn and not _idle:
                _idle.append(child)
        except _EndedEarly as ended:
            yield Rejected(origin=f"{path}:1", reason=str(ended))
        finally:
            if child not in _idle:
                child.end()


def _named(frame: Member | FoundArticle | Refused, path: Path, *, resolved: str) -> RawArticle | Rejected | Member:
    """What a frame holds, its origin under the name that the caller knows the file by."""
    match frame:
        case Member():
            return frame
        case FoundArticle():
            origin = f"{path}{frame.article.origin.removeprefix(resolved)}"
            return msgspec.structs.replace(frame.article, origin=origin)
        case Refused():
            origin = f"{path}{frame.rejected.origin.removeprefix(resolved)}"
            return msgspec.structs.replace(frame.rejected, origin=origin)


def _idle_one() -> _Child | None:
    """A process that waits for work, if there is one and nobody has ended it meanwhile."""
    try:
        child = _idle.pop()
    except IndexError:
        return None
    if child.is_alive():
        return child
    child.end()
    return None


class _EndedEarly(Exception):
    """The process was ended, or ended itself; says why."""


class _Child:
    """A reading process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            # -P: else the folder it starts in is where it looks for modules first, and others may write there.
            [sys.executable, "-P", "-c", _PROGRAM, _ROOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd=tempfile.gettempdir(),
            env={"PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1", "PATH": ""},
        )
        self._asks, self._tells = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)
        self._poll = select.poll()
        self._poll.register(self._tells.fileno(), select.POLLIN)
        self._heard = bytearray()
        self._searched = 0
        self._said = 0
        self._seconds = 0.0

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def begin(self, task: Task) -> None:
        """Hand it a file. Raises _EndedEarly."""
        self._said, self._seconds = 0, task.seconds
        self._write(msgspec.json.encode(task) + b"\n" + b"\n" * _AHEAD)

    def next(self, *, most: int) -> Member | FoundArticle | Refused | Ended:
        """Give what it says next. Raises _EndedEarly where it ended, or has said more than `most` bytes."""
        line = self._line(most=min(most - self._said, _LONGEST_FRAME))
        self._said += len(line)
        with suppress(_EndedEarly):  # what it said before it ended is still to be read
            self._write(b"\n")
        frame: Frame = _DECODER.decode(line)
        if isinstance(frame, Broke):
            raise _EndedEarly(_MEMORY)
        return frame

    def _line(self, *, most: int) -> bytes:
        """Wait for a whole line."""
        until = time.monotonic() + _PATIENCE
        while (end := self._heard.find(b"\n", self._searched)) < 0:
            self._searched = len(self._heard)
            if self._searched > most:
                raise _EndedEarly(f"it gives more than {max(most, 0):,} bytes of text; split it up")
            if not self._poll.poll(max(0.0, until - time.monotonic()) * 1000):
                raise _EndedEarly(f"it was not read within {_PATIENCE:,.0f} seconds; try again, or convert it")
            heard = os.read(self._tells.fileno(), _BLOCK)
            if not heard:
                raise _EndedEarly(self._why())
            self._heard += heard
        line = bytes(self._heard[: end + 1])
        del self._heard[: end + 1]
        self._searched = 0
        if len(line) > most:
            raise _EndedEarly(f"it gives more than {max(most, 0):,} bytes of text; split it up")
        return line

    def end(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        for pipe in (self._asks, self._tells):
            with suppress(BrokenPipeError):
                pipe.close()
        self._process.wait()

    def _write(self, line: bytes) -> None:
        try:
            self._asks.write(line)
            self._asks.flush()
        except BrokenPipeError:
            raise _EndedEarly(self._why()) from None

    def _why(self) -> str:
        code = self._process.wait()
        if code == -signal.SIGPROF:
            return (
                f"reading it takes more than {self._seconds:,.0f} seconds of the processor; convert it, or split it up"
            )
        if code in {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGILL, -signal.SIGTRAP, -signal.SIGFPE}:
            return "it broke the program that reads it, or takes more than 512 MB of memory; save it again"
        return f"the program that reads it ended (code {code}); save it again, or convert it"


@atexit.register
def _end_idle() -> None:
    while _idle:
        _idle.pop().end()
