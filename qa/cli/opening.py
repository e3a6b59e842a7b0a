"""What commands work with: settings, encoder and corpus, log lines for the operator, and an end when asked for."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.terminal import plain

if TYPE_CHECKING:
    from types import FrameType

    from embeddings.encoders import Encoder
    from embeddings.opening import KeptCorpus
    from qa.settings import Settings
    from qa.sources.delivery import Delivered

__all__ = ["load_encoder", "log_to_terminal", "opened", "read_settings", "said", "store_exists", "until_stopped"]


def read_settings() -> Settings:
    """Read the QA_* variables, warning of those that nothing reads. Raises SettingsError."""
    from qa.settings import from_environment, unknown_variables

    for name in unknown_variables(os.environ):
        click.echo(f"qa: warning: nothing reads {name}; see docs/configuration.md", err=True)
    return from_environment(os.environ)


def load_encoder(settings: Settings) -> Encoder:
    """Give the encoder the settings name; its weights stay on disk until it encodes. Raises EncoderError."""
    from embeddings import encoders

    return encoders.load(settings.encoder, threads=settings.threads)


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
