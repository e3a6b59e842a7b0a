"""How far a run over many questions has come: a bar on a terminal, now and then a line anywhere else; on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from qa.evaluation.types import Prediction

__all__ = ["shown"]

_LINE_EVERY = 25


@contextmanager
def shown(*, total: int, done: int = 0) -> Iterator[Callable[[Prediction], None]]:
    """Show progress towards `total` questions, of which some were done before; call what this gives with each."""
    if sys.stderr.isatty():
        with _bar(total, done) as step:
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
def _bar(total: int, done: int) -> Iterator[Callable[[Prediction], None]]:
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
        TextColumn("questions"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    failed = 0
    with Progress(*columns, console=console(stderr=True)) as bar:
        task = bar.add_task("", total=total, completed=done, failed=0)

        def step(prediction: Prediction) -> None:
            nonlocal failed
            failed += prediction.failure is not None
            bar.update(task, advance=1, failed=failed)

        yield step
