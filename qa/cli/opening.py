"""What commands work with, opened from the settings: encoder and corpus."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from embeddings.encoders import Encoder
    from embeddings.opening import KeptCorpus
    from qa.settings import Settings

__all__ = ["load_encoder", "opened", "read_settings", "store_exists"]


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
