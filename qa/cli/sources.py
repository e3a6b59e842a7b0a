"""What `qa feeds run` and `qa watch` share: log lines for the operator, and an end when asked for."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.terminal import plain

if TYPE_CHECKING:
    from types import FrameType

    from qa.settings import Settings
    from qa.sources.delivery import Delivered

__all__ = ["log_to_terminal", "said", "until_stopped"]


@contextmanager
def until_stopped() -> Iterator[Event]:
    """Give an event that Ctrl-C or SIGTERM sets; a second one ends the process at once."""
    stop = Event()

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what a signal handler is given
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def log_to_terminal(settings: Settings) -> None:
    """Let warnings of the work come to standard error."""
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s")


def said(name: str, told: Delivered) -> None:
    """One line on what a source brought."""
    outcomes = ", ".join(f"{told.outcomes[one]:,} {one}" for one in told.outcomes if told.outcomes[one])
    refused = f"{len(told.rejected):,} rejected" if told.rejected else ""
    click.echo(f"{plain(name)}: {', '.join(filter(None, (outcomes, refused))) or 'nothing new'}")
