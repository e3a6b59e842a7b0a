"""Opens a store wherever it lies: takes a place, gives a corpus that can also be looked after."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders.encoder import EncoderIdentity
from embeddings.errors import StoreError
from embeddings.types import Held, HeldPage, Place
from embeddings.verification import Finding, Stats

if TYPE_CHECKING:
    from embeddings.postgres.corpus import PostgresCorpus

__all__ = ["KeptCorpus", "active_identity", "exists", "open_corpus"]


class KeptCorpus(Corpus, Protocol):
    """A corpus with what its operator asks of it."""

    def whole(self, *, after: int | None, limit: int) -> HeldPage:
        """Articles with everything that is kept of them, as they were written, from the place after `after`."""

    def take(self, articles: Sequence[Held]) -> None:
        """Do what `replace` does, and keep earlier versions, too."""

    def verify(self) -> list[Finding]:
        """Check everything held against its hashes, and what is derived against what is held."""

    def rebuild(self) -> None:
        """Make what is derived again from what is held. Needs no encoder."""

    def stats(self) -> Stats:
        """Sizes and state."""


def open_corpus(
    place: Place, *, identity: EncoderIdentity, read_only: bool = False, else_read: bool = False
) -> KeptCorpus:
    """Open the store at a place for use with one encoder; a writer creates it where there is none.

    With `else_read` a folder opens for reading while another process writes to it (see `EmbeddedCorpus.open`); a server
    takes any number of writers. Raises StoreError.
    """
    if not place.server:
        return EmbeddedCorpus.open(place.folder, identity=identity, read_only=read_only, else_read=else_read)
    return _on_server(place, identity=identity, read_only=read_only)


def active_identity(place: Place) -> EncoderIdentity | None:
    """The encoder whose passages a store searches; None while nothing was stored. Raises StoreError."""
    nobody = EncoderIdentity(name="", revision="", dimension=1, max_tokens=1, normalised=True)
    with closing(open_corpus(place, identity=nobody, read_only=True)) as corpus:
        return next((one.identity for one in corpus.stats().generations if one.active), None)


def exists(place: Place) -> bool:
    """Whether anything was ever put into a store; one that is there and unreadable exists. Raises StoreError."""
    if not place.server:
        return (place.folder / "store.db").exists()
    _require_driver()
    from embeddings.postgres.database import exists as exists_on_server

    return exists_on_server(place.server, schema=place.schema)


def _on_server(place: Place, *, identity: EncoderIdentity, read_only: bool) -> PostgresCorpus:
    _require_driver()
    from embeddings.postgres.corpus import PostgresCorpus

    return PostgresCorpus.open(
        place.server,
        identity=identity,
        read_only=read_only,
        schema=place.schema,
        connections=place.connections,
        timeout=place.timeout,
        replicas=place.replicas,
        replica_seconds=place.replica_seconds,
    )


def _require_driver() -> None:
    """Raise StoreError unless the driver is installed: only who asks for a server needs it."""
    try:
        import psycopg  # noqa: F401 - only whether it can be
        import psycopg_pool  # noqa: F401
    except ImportError as error:
        raise StoreError(
            f"QA_STORE names a server, and its driver is not installed ({error}): "
            ".venv/bin/pip install --requirement requirements-postgres.lock (the extra `postgres` of this package)"
        ) from None
