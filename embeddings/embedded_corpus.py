"""The default `Corpus`: one folder on one machine. SQLite is the truth; what searching needs is derived from it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from embeddings import store_passages, store_reads, store_writes
from embeddings.corpus import Corpus
from embeddings.encoders.protocol import EncoderIdentity
from embeddings.errors import EncoderError, EncoderMismatch, InputError
from embeddings.index import checked, directions
from embeddings.lexical_terms import Terms
from embeddings.live_index import LiveIndex
from embeddings.snapshot import allowed, search
from embeddings.store import Fault, Store, no_fault
from embeddings.store_intake import sound
from embeddings.store_reads import State
from embeddings.store_verification import Finding, Stats, findings, statistics
from embeddings.types import Article, CorpusCounts, Hits, IndexedArticle, StoredPassage, Vector, Where

__all__ = ["EmbeddedCorpus"]

_log = logging.getLogger(__name__)


class EmbeddedCorpus(Corpus):
    """A corpus in a folder. One process may write, any number may read; any thread may call any method."""

    def __init__(self, store: Store, *, identity: EncoderIdentity, fault: Fault) -> None:
        self._store = store
        self._identity = identity
        self._terms = Terms()
        self._index = LiveIndex(store.folder / "index", terms=self._terms, fault=fault)

    @classmethod
    def open(
        cls, folder: Path, *, identity: EncoderIdentity, read_only: bool = False, fault: Fault = no_fault
    ) -> EmbeddedCorpus:
        """Open the corpus in a folder for use with one encoder; a writer creates it where there is none.

        A corpus filled by another encoder opens too: it can be read, and filled anew article by article, but not
        searched until it is complete. Raises StoreBusy when another process writes, StoreError when it is unusable.
        """
        corpus = cls(Store.open(folder, read_only=read_only, fault=fault), identity=identity, fault=fault)
        try:
            if not read_only:
                corpus._adopt_if_complete()
        except BaseException:
            corpus._store.close()
            raise
        return corpus

    def replace(self, articles: Sequence[IndexedArticle]) -> None:
        """Put each article in the place of what is held under its id; see `Corpus.replace`.

        Raises InvalidArticle or EncoderError before anything is written; after StoreError the articles before the
        one that failed are stored.
        """
        ready = sound(articles, self._identity)
        self._bring_up_to_date()  # while the index files on disk still match
        try:
            for indexed in ready:
                with self._store.writing() as db:
                    store_writes.put(db, indexed, store_writes.ensure_generation(db, self._identity))
        finally:
            self._adopt_if_complete()
            self._bring_up_to_date()

    def delete(self, where: Where) -> int:
        """Remove every matching article with all its versions; see `Corpus.delete`."""
        if not where.restricts():
            raise InputError("deleting needs a filter; name articles, sources, a collection or dates")
        self._bring_up_to_date()
        with self._store.writing() as db:
            removed = store_writes.forget(db, where)
        self._adopt_if_complete()
        self._bring_up_to_date()
        return removed

    def search(self, vector: Vector, text: str, *, k: int, where: Where) -> Hits:
        """Rank passages by cosine and by BM25, filter applied first; both lists show the same state.

        Raises EncoderMismatch when the corpus was filled by another encoder, EncoderError for an unusable vector.
        """
        if k < 1:
            raise InputError(f"k is {k}; ask for one passage at least")
        if np.ndim(vector) != 1:
            raise EncoderError(f"a question's vector has shape {np.shape(vector)}; it must be one row of numbers")
        question = self._terms.of_question(text)
        while True:
            with self._store.reading() as db:
                state = self._searchable(store_reads.state(db))
                direction = directions(
                    checked(vector[np.newaxis], dimension=self._identity.dimension, unit=False, of="question")
                )[0]
                snapshot = self._index.at(db, state)
                if snapshot is None:
                    continue  # a writer finished between the start of the transaction and here: look again
                among = allowed(snapshot, db, where)
            return search(snapshot, direction, question, k=k, among=among)

    def passages(self, keys: Collection[int]) -> Mapping[int, StoredPassage]:
        """Look up hits; unknown, removed and damaged ones are absent."""
        with self._store.reading() as db:
            found, damaged = store_passages.passages(db, keys)
        if damaged:
            _log.error("passages %s were altered on the disk and are not shown; see `qa index verify`", damaged)
        return found

    def get(self, article_id: str, *, version: str | None = None) -> Article | None:
        """One article, its text checked against its hash; see `Corpus.get`."""
        with self._store.reading() as db:
            return store_reads.article(db, article_id, version)

    def scan(self, *, where: Where, after: str | None, limit: int) -> Sequence[Article]:
        """Current articles in order of id, from the one after `after`; each checked against its hash."""
        with self._store.reading() as db:
            return store_reads.page(db, where, after=after, limit=limit)

    def count(self, where: Where) -> CorpusCounts:
        """Exact counts of what can be searched under a filter."""
        with self._store.reading() as db:
            active = store_reads.state(db).active
            return store_reads.counts(db, where, active.number if active else 0)

    def fingerprints(self, article_ids: Collection[str]) -> Mapping[str, str]:
        """Fingerprint of each article held whole and undamaged for this encoder; the others need ingesting."""
        with self._store.reading() as db:
            generation = store_reads.generation_of(db, self._identity)
            return {} if generation is None else store_passages.intact_fingerprints(db, article_ids, generation)

    def holders(self, versions: Collection[str]) -> Mapping[str, str]:
        """Which article (id) holds each of these canonical texts now, for those held at all."""
        with self._store.reading() as db:
            return store_reads.holders(db, versions)

    def activate(self, identity: EncoderIdentity) -> None:
        """Search the passages made by this encoder from now on and drop all others; see `Corpus.activate`."""
        with self._store.reading() as db:
            active = store_reads.state(db).active
        if active is not None and active.identity == identity:
            return
        with self._store.writing() as db:
            if not store_writes.adopt(db, identity):
                raise EncoderMismatch(
                    f"some articles in {self._store.folder} have no passages from {_named(identity)} yet; "
                    "ingest all of them with it first (`qa index rebuild`)"
                )
        self._bring_up_to_date()

    def checkpoint(self) -> None:
        """Save the derived indexes, so that the next start need not make them; nothing acknowledged depends on it."""
        self._store.require_writing()
        with self._store.reading() as db:
            state = store_reads.state(db)
            if state.active is None or state.active.identity == self._identity:
                self._index.save(db, state)
        self._store.tidy()

    def verify(self) -> list[Finding]:
        """Check everything held against its hashes, and the derived indexes against the store."""
        with self._store.reading() as db:
            return findings(db, self._index.folder)

    def rebuild(self) -> None:
        """Make the derived indexes again from what the store holds, and save them. Needs no encoder."""
        self._store.require_writing()
        with self._store.reading() as db:
            self._index.remake(db, self._searchable(store_reads.state(db)))
        self.checkpoint()

    def stats(self) -> Stats:
        """Sizes and state of the store and its indexes."""
        with self._store.reading() as db:
            return statistics(db, self._store.folder)

    def close(self) -> None:
        """Save the derived indexes where this process writes, then release files and locks. Idempotent."""
        try:
            if not self._store.read_only and not self._store.closed:
                self.checkpoint()
        finally:
            self._store.close()

    def _adopt_if_complete(self) -> None:
        """Search this encoder's passages as soon as no article lacks them."""
        with self._store.reading() as db:
            active = store_reads.state(db).active
            if active is not None and active.identity == self._identity:
                return
            if not store_reads.complete(db, store_reads.generation_of(db, self._identity)):
                return
        with self._store.writing() as db:
            store_writes.adopt(db, self._identity)

    def _bring_up_to_date(self) -> None:
        """Let the next search find its picture ready."""
        with self._store.reading() as db:
            state = store_reads.state(db)
            if state.active is not None and state.active.identity == self._identity:
                self._index.at(db, state)
        self._index.merge()

    def _searchable(self, state: State) -> State:
        if state.active is not None and state.active.identity != self._identity:
            raise EncoderMismatch(
                f"the corpus in {self._store.folder} was filled by {_named(state.active.identity)}, this process uses "
                f"{_named(self._identity)}: set QA_ENCODER to the former, or ingest the articles again with the "
                "latter (`qa index rebuild`)"
            )
        return state


def _named(identity: EncoderIdentity) -> str:
    return f"encoder {identity.name} ({identity.dimension} dimensions, revision {identity.revision[:12]})"
