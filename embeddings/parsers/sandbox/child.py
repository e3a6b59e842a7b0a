"""The parsing process: takes tasks on standard input, and gives a frame of results for each empty line.

It bounds itself before it reads anything: memory, size of files written, processor time of each step. Going over the
last ends it at once (SIGPROF), whatever C code it is in.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from embeddings.errors import UnreadableFile
from embeddings.parsers.sandbox import Broke, Ended, FoundArticle, Frame, Kind, Member, Refused, Task
from embeddings.types import RawArticle, Rejected

MAX_MEMORY: Final = 512_000_000
"""Of address space, so of everything."""
_LARGEST_FILE: Final = 1_000_000_000
_MOST_REFUSED: Final = 1_000
"""After so many refusals, and more than there are articles, a file is not read on."""
_WORN_BYTES: Final = 200_000_000

PARSERS: Final[dict[Kind, str]] = {
    "csv": "embeddings.parsers.csv_rows",
    "docx": "embeddings.parsers.docx",
    "eml": "embeddings.parsers.mail",
    "epub": "embeddings.parsers.epub",
    "html": "embeddings.parsers.html",
    "json": "embeddings.parsers.json_documents",
    "pdf": "embeddings.parsers.pdf",
    "text": "embeddings.parsers.text",
    "warc": "embeddings.parsers.warc",
    "xml": "embeddings.parsers.feeds",
    "zip": "embeddings.parsers.zipped",
}
"""Where the `read` of each kind is; imported when it is first needed."""

_Item = RawArticle | Rejected | Member
_Read = Callable[[Path, Path], Iterator[_Item]]


def main() -> None:
    """Serve until the input ends."""
    frames = os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 1)  # what a library prints is no frame
    _bound()
    decoder = msgspec.json.Decoder(Task)
    while line := sys.stdin.buffer.readline():
        # A blank line is leave to say something more of a file that had nothing more.
        if line.strip() and not _serve(decoder.decode(line), sys.stdin.buffer, frames):
            return


def _bound() -> None:
    for limit, most in (
        (resource.RLIMIT_AS, MAX_MEMORY),
        (resource.RLIMIT_FSIZE, _LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))


def _serve(task: Task, asked: BinaryIO, frames: BinaryIO) -> bool:
    """Read one file; say whether the process may go on."""
    steps = _steps(task)
    while asked.readline():
        signal.setitimer(signal.ITIMER_PROF, task.seconds)
        frame = next(steps)
        signal.setitimer(signal.ITIMER_PROF, 0)
        frames.write(msgspec.json.encode(frame) + b"\n")
        frames.flush()
        if isinstance(frame, Ended | Broke):
            return isinstance(frame, Ended) and not frame.worn
    return False


def _framed(item: _Item) -> Frame:
    match item:
        case RawArticle():
            return FoundArticle(item)
        case Rejected():
            return Refused(item)
        case Member():
            return item


def _steps(task: Task) -> Iterator[Frame]:
    try:
        read: _Read = import_module(PARSERS[task.kind]).read
        refused = used = 0
        for item in read(Path(task.path), Path(task.folder)):
            yield _framed(item)
            refused, used = refused + isinstance(item, Rejected), used + isinstance(item, RawArticle | Member)
            if refused >= _MOST_REFUSED and refused > used:
                raise UnreadableFile(f"{refused:,} items of it cannot be read, and the rest was not looked at")
    except MemoryError:
        yield Broke()
    except UnreadableFile as error:
        yield Refused(Rejected(origin=f"{task.path}:1", reason=str(error)))
    except Exception as error:  # noqa: BLE001  parsers of other people's files: no file may stop the others
        reason = f"it cannot be read ({type(error).__name__}: {str(error)[:200]}); it may be damaged, save it again"
        yield Refused(Rejected(origin=f"{task.path}:1", reason=reason))
    yield Ended(worn=_has_grown())


def _has_grown() -> bool:
    """Whether this process holds much, or that cannot be told. (`ru_maxrss` begins at what the parent holds.)"""
    try:
        held = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return True
    return held * resource.getpagesize() > _WORN_BYTES


if __name__ == "__main__":
    main()
