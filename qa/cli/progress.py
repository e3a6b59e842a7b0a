"""How far an ingest has come: a bar on a terminal, now and then a line anywhere else, on standard error."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from embeddings.ingest import IngestProgress

__all__ = ["lines", "shown"]

_SECONDS_BETWEEN_LINES = 5.0
_WINDOW_SECONDS = 120.0
_LEAST_SECONDS = 1.0
_FEWEST_POINTS = 2


@contextmanager
def shown(*, total: int) -> Iterator[Callable[[IngestProgress], None]]:
    """Show progress towards about `total` articles; call what this gives with every step."""
    if sys.stderr.isatty():
        with _bar(total) as step:
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
def _bar(total: int) -> Iterator[Callable[[IngestProgress], None]]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    from qa.cli.terminal import console

    columns = (
        TextColumn("articles"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        TimeElapsedColumn(),
    )
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
