"""How far an ingest has come: a bar on a terminal, now and then a line anywhere else, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from embeddings.ingest import IngestProgress

__all__ = ["lines", "shown"]

_SECONDS_BETWEEN_LINES = 5.0


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
    began = last = clock()

    def step(progress: IngestProgress) -> None:
        nonlocal last
        now = clock()
        if now - last < _SECONDS_BETWEEN_LINES:
            return
        last = now
        rate = progress.passages / (now - began)
        line = f"{progress.items:,} of {total:,} articles, {progress.passages:,} passages, {rate:,.1f} passages/s"
        if 0 < progress.items < total:
            left = (now - began) / progress.items * (total - progress.items)
            line += f", about {_span(left)} left"
        write(line)

    return step


@contextmanager
def _bar(total: int) -> Iterator[Callable[[IngestProgress], None]]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from qa.cli.terminal import console

    columns = (
        TextColumn("articles"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f} passages/s"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    began = time.monotonic()
    with Progress(*columns, console=console(stderr=True), speed_estimate_period=120) as bar:
        task = bar.add_task("", total=total, rate=0.0)

        def step(progress: IngestProgress) -> None:
            rate = progress.passages / max(time.monotonic() - began, 1e-9)
            bar.update(task, completed=progress.items, total=max(total, progress.items), rate=rate)

        yield step


def _span(seconds: float) -> str:
    """A rough time: `40 s`, `12 min`, `3 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
