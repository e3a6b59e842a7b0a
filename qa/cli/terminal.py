"""What the commands share: settings, encoder, corpus, and text that is safe to print on a terminal."""

from __future__ import annotations

import gzip
import logging
import os
import re
import signal
import sys
import time
import unicodedata
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, BinaryIO, cast

import rich_click as click

if TYPE_CHECKING:
    from types import FrameType

    from rich.console import Console

    from embeddings.encoders import Encoder
    from embeddings.ingest import IngestProgress
    from embeddings.opening import KeptCorpus
    from qa.evaluation import Prediction
    from qa.settings import Settings
    from qa.sources.delivery import Delivered

_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # window title, links, strings
    r"|\x1b[ -/]*[0-~]?"
)
_TURNS_TEXT_ROUND = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str) -> str:
    """Take out escape sequences, control characters and direction overrides: what is left can only be read.

    >>> plain("\\x1b[31mred\\x1b[0m \\x07bell")
    'red bell'
    """
    text = _ESCAPE_SEQUENCE.sub("", text)
    return "".join(
        character
        for character in text
        if character in "\n\t" or not (unicodedata.category(character) == "Cc" or character in _TURNS_TEXT_ROUND)
    )


def shortened(text: str, length: int) -> str:
    """One line of at most `length` characters, cut between words.

    >>> shortened("one two  three", 9)
    'one two …'
    """
    words = plain(text).split()
    line = " ".join(words)
    return line if len(line) <= length else line[: length - 1].rpartition(" ")[0] + " …"


def console(*, stderr: bool = False) -> Console:
    """Where to print rich text; into a file or a pipe it goes without colours and without line breaks of ours."""
    from rich.console import Console

    interactive = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, highlight=False, emoji=False, markup=False, soft_wrap=not interactive)


def print_json(value: object) -> None:
    """Print a value as JSON, on one line."""
    import msgspec

    click.echo(msgspec.json.encode(value))


def waiting(what: str) -> AbstractContextManager[object]:
    """Show on a terminal that something takes its time; loading a model takes seconds."""
    return console(stderr=True).status(what) if sys.stderr.isatty() else nullcontext()


_SECONDS_BETWEEN_LINES = 5.0
_WINDOW_SECONDS = 120.0
_LEAST_SECONDS = 1.0
_FEWEST_POINTS = 2
_LINE_EVERY = 25
_LOOKED_AT = 64_000_000
"""Of a longer file, and of an archive that holds more, this much is counted and the rest inferred."""
_BLOCK = 1 << 20


@contextmanager
def ingest_shown(*, total: int) -> Iterator[Callable[[IngestProgress], None]]:
    """Show progress towards about `total` articles; call what this gives with every step."""
    if sys.stderr.isatty():
        with _ingest_bar(total) as step:
            yield step
    else:
        yield lines(total=total)


def lines(
    *,
    total: int,
    write: Callable[[str], None] = lambda line: click.echo(line, err=True),
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[IngestProgress], None]:
    """Write a line every few seconds, and none at all for what is done before that."""
    last, pace = clock(), _Pace(clock)

    def step(progress: IngestProgress) -> None:
        nonlocal last
        pace.told(progress)
        now = clock()
        if now - last < _SECONDS_BETWEEN_LINES:
            return
        last = now
        most = max(total, progress.read, progress.items)
        line = f"{progress.items:,} of {most:,} articles stored"
        if progress.read > progress.items:
            line += f", {progress.read - progress.items:,} under way"
        line += f", {progress.passages:,} passages"
        rate, left = pace.rate(), pace.seconds_left(most, progress)
        line += "" if rate is None else f", {rate:,.1f} passages/s"
        write(line + ("" if not left else f", about {_span(left)} left"))

    return step


class _Pace:
    """How fast passages are encoded of late, and so how long the rest will take.

    Time before the first ones are done (reading, loading the model) is no part of it, nor are articles that need none.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._points: deque[tuple[float, IngestProgress]] = deque()

    def told(self, progress: IngestProgress) -> None:
        """Hear how far it is."""
        points = self._points
        if progress.passages and (not points or progress.passages > points[-1][1].passages):
            points.append((self._clock(), progress))
        while len(points) > _FEWEST_POINTS and points[-1][0] - points[1][0] > _WINDOW_SECONDS:
            points.popleft()

    def rate(self) -> float | None:
        """Passages a second; None before there is anything to go by."""
        if len(self._points) < _FEWEST_POINTS:
            return None
        (first, before), (last, after) = self._points[0], self._points[-1]
        return (after.passages - before.passages) / (last - first) if last - first >= _LEAST_SECONDS else None

    def seconds_left(self, total: int, progress: IngestProgress) -> float | None:
        """Time for the passages that are cut, and for as many of each article to come as those read of late had."""
        rate, to_come = self.rate(), max(0, total - progress.read)
        if rate is None:
            return None
        before, after = self._points[0][1], self._points[-1][1]
        articles = after.read - before.read
        if to_come and not articles:
            return None
        cut = after.passages + after.waiting - before.passages - before.waiting
        return (progress.waiting + to_come * cut / max(1, articles)) / rate


@contextmanager
def _ingest_bar(total: int) -> Iterator[Callable[[IngestProgress], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    columns = ("articles", BarColumn(), MofNCompleteColumn(), "{task.fields[pace]}", TimeElapsedColumn())
    pace = _Pace(time.monotonic)
    with Progress(*columns, console=console(stderr=True)) as bar:
        task = bar.add_task("", total=total, pace="")

        def step(progress: IngestProgress) -> None:
            pace.told(progress)
            most = max(total, progress.read, progress.items)
            rate, left = pace.rate(), pace.seconds_left(most, progress)
            shown = f"{progress.passages:,} passages" if rate is None else f"{rate:.1f} passages/s"
            shown += f", about {_span(left)} left" if left else ""
            bar.update(task, completed=progress.items, total=most, pace=shown)

        yield step


def _span(seconds: float) -> str:
    """A rough time: `40 s`, `12 min`, `3 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


@contextmanager
def questions_shown(*, total: int, done: int = 0) -> Iterator[Callable[[Prediction], None]]:
    """Show progress towards `total` questions, of which some were done before; call what this gives with each."""
    if sys.stderr.isatty():
        with _question_bar(total, done) as step:
            yield step
        return
    failed, count = 0, done

    def line(prediction: Prediction) -> None:
        nonlocal failed, count
        failed, count = failed + (prediction.failure is not None), count + 1
        if count % _LINE_EVERY == 0:
            click.echo(f"{count:,} of {total:,} questions, {failed:,} failed", err=True)

    yield line


@contextmanager
def _question_bar(total: int, done: int) -> Iterator[Callable[[Prediction], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

    counts = (BarColumn(), MofNCompleteColumn(), "{task.fields[failed]} failed")
    columns = ("questions", *counts, TimeElapsedColumn(), "left", TimeRemainingColumn())
    failed = 0
    with Progress(*columns, console=console(stderr=True)) as bar:
        task = bar.add_task("", total=total, completed=done, failed=0)

        def step(prediction: Prediction) -> None:
            nonlocal failed
            failed += prediction.failure is not None
            bar.update(task, advance=1, failed=failed)

        yield step


def expected(file: Path) -> int:
    """How many articles a file is likely to hold: one a line of JSON Lines, one of anything else."""
    from embeddings.parsers import suffix_of, unreadable

    name = file.name.lower()
    if unreadable(file) or suffix_of(name) not in {".jsonl", ".jsonl.gz"}:
        return 1
    try:
        with file.open("rb") as packed:
            lines = cast(BinaryIO, gzip.GzipFile(fileobj=packed)) if name.endswith(".gz") else packed
            return _count(lines, packed, size=file.stat().st_size)
    except (OSError, EOFError, zlib.error):  # the reader says what is wrong with it
        return 1


def _count(lines: BinaryIO, packed: BinaryIO, *, size: int) -> int:
    seen = count = 0
    last = b"\n"
    while seen < _LOOKED_AT:
        block = lines.read(_BLOCK)
        if not block:
            return count + (last != b"\n")
        seen += len(block)
        count += block.count(b"\n")
        last = block[-1:]
    return max(1, round(count * size / max(1, packed.tell())))


# --- What commands work with: settings, encoder and corpus, log lines for the operator, and an end when asked for
def read_settings() -> Settings:
    """Read the QA_* variables, warning of those that nothing reads. Raises SettingsError."""
    from qa.settings import from_environment, unknown_variables

    for name in unknown_variables(os.environ):
        click.echo(f"qa: warning: nothing reads {name}; see docs/configuration.md", err=True)
    return from_environment(os.environ)


def load_encoder(settings: Settings) -> Encoder:
    """The encoder of the settings, see `qa.settings.load_encoder`; --help need not import what settings are made of."""
    from qa.settings import load_encoder as load

    return load(settings)


@contextmanager
def opened(settings: Settings, encoder: Encoder, *, read_only: bool = False) -> Iterator[KeptCorpus]:
    """Open the corpus and close it in the end. Raises StoreError."""
    from embeddings.opening import open_corpus

    corpus = open_corpus(settings.place, identity=encoder.identity, read_only=read_only)
    try:
        yield corpus
    finally:
        corpus.close()


def store_exists(settings: Settings) -> bool:
    """Whether anything was ever put into the store; one that is there and unreadable exists."""
    from embeddings.opening import exists

    return exists(settings.place)


@contextmanager
def until_stopped(
    by: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM), *, saying: str = ""
) -> Iterator[Event]:
    """Give an event that Ctrl-C or SIGTERM sets; a second one ends the process at once."""
    stop = Event()

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what a signal handler is given
        stop.set()
        for one in by:
            signal.signal(one, signal.default_int_handler if one == signal.SIGINT else signal.SIG_DFL)
        if saying:
            click.echo(saying, err=True)

    before = {number: signal.signal(number, ask) for number in by}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def log_to_terminal(settings: Settings) -> None:
    """Let what the work has to say come to standard error; libraries only warn, except where everything is wanted."""
    level = settings.log_level.upper()
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s")
    for library in () if level == "DEBUG" else ("faiss", "watchfiles"):
        logging.getLogger(library).setLevel(logging.WARNING)


def said(name: str, told: Delivered) -> None:
    """One line on what a source brought."""
    outcomes = ", ".join(f"{told.outcomes[one]:,} {one}" for one in told.outcomes if told.outcomes[one])
    refused = f"{len(told.rejected):,} rejected" if told.rejected else ""
    click.echo(f"{plain(name)}: {', '.join(filter(None, (outcomes, refused))) or 'nothing new'}")
