"""The default `Corpus`: one folder on one machine. SQLite is the truth; the search index is derived from it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from embeddings.corpus import Corpus
from embeddings.encoders import EncoderIdentity, filled_by_another, not_complete
from embeddings.errors import InputError, StoreBusy, StoreError
from embeddings.index.dense import direction_of
from embeddings.index.live import LiveIndex
from embeddings.index.snapshot import SnapshotLexicon, allowed, exact_from, search
from embeddings.index.terms import Terms, nearest
from embeddings.integrity import Finding, Stats, findings, sound, statistics
from embeddings.store import passages, reads, writes
from embeddings.store.database import Fault, Store, no_fault
from embeddings.store.reads import State
from embeddings.types import (
    Article,
    CorpusCounts,
    Held,
    HeldPage,
    Hits,
    IndexedArticle,
    Overview,
    SourceTally,
    StoredPassage,
    Vector,
    Where,
)

_log = logging.getLogger(__name__)


class EmbeddedCorpus(Corpus):
    """A corpus in a folder. One process may write, any number may read; any thread may call any method."""

    def __init__(self, store: Store, *, identity: EncoderIdentity, fault: Fault, may_take_over: bool = False) -> None:
        self._store = store
        self._may_take_over = may_take_over
        self._identity = identity
        self._terms = Terms()
        self._index = LiveIndex(store.folder / "index", terms=self._terms, fault=fault)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        identity: EncoderIdentity,
        read_only: bool = False,
        else_read: bool = False,
        fault: Fault = no_fault,
    ) -> EmbeddedCorpus:
        """Open the corpus in a folder for use with one encoder; a writer creates it where there is none.

        A corpus filled by another encoder opens too: it can be read, and filled anew article by article, but not
        searched until it is complete. Raises StoreBusy when another process writes, StoreError when it is unusable.

        With `else_read` it opens for reading while another process writes, and the first write after that one has
        ended takes over; until then writes raise StoreBusy.
        """
        store = _opened(folder, read_only=read_only, else_read=else_read, fault=fault)
        corpus = cls(store, identity=identity, fault=fault, may_take_over=else_read)
        try:
            if not store.read_only:
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
        self.take([Held(indexed=indexed) for indexed in articles])

    def take(self, articles: Sequence[Held]) -> None:
        """Do what `replace` does, and keep earlier versions, too."""
        ready = sound([held.indexed for held in articles], self._identity)
        self.require_writing()
        self._bring_up_to_date()  # while the index files on disk still match
        try:
            for indexed, held in zip(ready, articles, strict=True):
                with self._store.writing() as db:
                    writes.put(db, indexed, writes.ensure_generation(db, self._identity), earlier=held.earlier)
        finally:
            self._adopt_if_complete()
            self._bring_up_to_date()

    def encode_anew(self, articles: Sequence[IndexedArticle]) -> None:
        """Do what `replace` does for articles held as they are given; no other process writes."""
        self.replace([one for one in articles if self.get(one.article.id) == one.article])

    def filling(self) -> AbstractContextManager[None]:
        """Nothing waits here: what is written is added to the index at once."""
        return nullcontext()

    def delete(self, where: Where) -> int:
        """Remove every matching article with all its versions; see `Corpus.delete`."""
        if not where.restricts():
            raise InputError("deleting needs a filter; name articles, sources, a collection or dates")
        self.require_writing()
        self._bring_up_to_date()
        with self._store.writing() as db:
            removed = writes.forget(db, where)
        self._adopt_if_complete()
        self._bring_up_to_date()
        return removed

    def search(self, vector: Vector, text: str, *, k: int, where: Where) -> Hits:
        """Rank passages by cosine and by BM25, filter applied first; both lists show the same state.

        Raises EncoderMismatch when the corpus was filled by another encoder, EncoderError for an unusable vector.
        """
        if k < 1:
            raise InputError(f"k is {k}; ask for one passage at least")
        direction = direction_of(vector, dimension=self._identity.dimension)
        question = self._terms.of_question(text)
        while True:
            with self._store.reading() as db:
                state = self._searchable(reads.state(db))
                snapshot = self._index.at(db, state)
                if snapshot is None:
                    continue  # a writer finished between the start of the transaction and here: look again
                among = allowed(snapshot, db, where)
                counted = allowed(snapshot, db, Where(within=where.within))
                exact = exact_from(db, self._identity)
                return search(direction, question, k=k, among=among, counted=counted, exact=exact)

    def spellings(self, words: Collection[str], *, where: Where) -> Mapping[str, tuple[str, ...]]:
        """For each word that no passage holds, the words near to it that passages hold; see `Corpus.spellings`."""
        while True:
            with self._store.reading() as db:
                state = self._searchable(reads.state(db))
                snapshot = self._index.at(db, state)
                if snapshot is not None:
                    lexicon = SnapshotLexicon(db, among=allowed(snapshot, db, where))
                    return nearest(words, lexicon, self._terms)

    def passages(self, keys: Collection[int]) -> Mapping[int, StoredPassage]:
        """Look up hits; unknown, removed and damaged ones are absent."""
        with self._store.reading() as db:
            found, damaged = passages.passages(db, keys)
        if damaged:
            _log.error("passages %s were altered on the disk and are not shown; see `qa index verify`", damaged)
        return found

    def get(self, article_id: str, *, version: str | None = None) -> Article | None:
        """One article, its text checked against its hash; see `Corpus.get`."""
        with self._store.reading() as db:
            return reads.article(db, article_id, version)

    def scan(self, *, where: Where, after: str | None, limit: int) -> Sequence[Article]:
        """Current articles in order of id, from the one after `after`; each checked against its hash."""
        with self._store.reading() as db:
            return reads.page(db, where, after=after, limit=limit)

    def count(self, where: Where) -> CorpusCounts:
        """Exact counts of what can be searched under a filter."""
        with self._store.reading() as db:
            active = reads.state(db).active
            return reads.counts(db, where, active.number if active else 0)

    def overview(self, where: Where, *, newest: int) -> Overview:
        """What current articles there are, at a glance, and the newest of them."""
        with self._store.reading() as db:
            return reads.overview(db, where, newest=newest)

    def tally(self, where: Where, *, since: str) -> Sequence[SourceTally]:
        """Current articles by source, the source with the most first; day by day from `since` on."""
        with self._store.reading() as db:
            return reads.tally(db, where, since=since)

    def fingerprints(self, article_ids: Collection[str]) -> Mapping[str, str]:
        """Fingerprint of each article held whole and undamaged for this encoder; the others need ingesting."""
        with self._store.reading() as db:
            generation = reads.generation_of(db, self._identity)
            return {} if generation is None else passages.intact_fingerprints(db, article_ids, generation)

    def encoded(self, article_ids: Collection[str]) -> Mapping[str, IndexedArticle]:
        """Of these articles those held complete and undamaged for this encoder, with their passages and vectors."""
        with self._store.reading() as db:
            generation = reads.generation_of(db, self._identity)
            return {} if generation is None else passages.encoded(db, article_ids, generation)

    def require_writing(self) -> None:
        """Raise StoreBusy where another process writes, StoreError where this one may only read; see `Corpus`."""
        if self._may_take_over and self._store.read_only and not self._store.closed:
            self._store.take_over()
            _log.info("writing to the store in %s from now on", self._store.folder)
            self._adopt_if_complete()
        self._store.require_writing()

    def is_written_elsewhere(self) -> bool:
        """Whether another process writes, so that this one cannot; see `Corpus`."""
        return self._store.is_written_elsewhere()

    def holders(self, versions: Collection[str], *, collection: str | None) -> Mapping[str, tuple[str, ...]]:
        """Which articles (ids) of a collection hold each of these canonical texts now, for those held at all."""
        with self._store.reading() as db:
            return reads.holders(db, versions, collection=collection)

    def known(self, keys: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Which articles (ids) were written as known by each of these keys, for those held."""
        with self._store.reading() as db:
            return reads.known(db, keys)

    def homes(self, article_ids: Collection[str]) -> Mapping[str, str]:
        """The collection of each of these articles, for those held."""
        with self._store.reading() as db:
            return reads.homes(db, article_ids)

    def activate(self, identity: EncoderIdentity) -> None:
        """Search the passages made by this encoder from now on and drop all others; see `Corpus.activate`."""
        with self._store.reading() as db:
            active = reads.state(db).active
        if active is not None and active.identity == identity:
            return
        self.require_writing()
        with self._store.writing() as db:
            if not writes.adopt(db, identity):
                raise not_complete(self._store.folder, identity, active=active.identity if active else None)
        self._bring_up_to_date()

    def checkpoint(self) -> None:
        """Save the derived indexes, so that the next start need not make them; nothing acknowledged depends on it."""
        self._store.require_writing()
        with self._store.reading() as db:
            state = reads.state(db)
            if state.active is None or state.active.identity == self._identity:
                self._index.save(db, state)
        self._store.tidy()

    def whole(self, *, after: int | None, limit: int) -> HeldPage:
        """Articles with everything that is kept of them, as they were written, from the place after `after`."""
        with self._store.reading() as db:
            return passages.whole(db, reads.generation_of(db, self._identity) or 0, after=after, limit=limit)

    def verify(self) -> list[Finding]:
        """Check everything held against its hashes, and the derived indexes against the store."""
        with self._store.reading() as db:
            return findings(db, self._index.folder)

    def rebuild(self) -> None:
        """Make the derived indexes again from what the store holds, and save them. Needs no encoder."""
        self._store.require_writing()
        with self._store.reading() as db:
            self._index.remake(db, self._searchable(reads.state(db)))
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
            active = reads.state(db).active
            if active is not None and active.identity == self._identity:
                return
            if not reads.complete(db, reads.generation_of(db, self._identity)):
                return
        with self._store.writing() as db:
            writes.adopt(db, self._identity)

    def _bring_up_to_date(self) -> None:
        """Let the next search find its picture ready."""
        with self._store.reading() as db:
            state = reads.state(db)
            if state.active is not None and state.active.identity == self._identity:
                self._index.keep_up(db, state)
        self._index.merge()

    def _searchable(self, state: State) -> State:
        if state.active is not None and state.active.identity != self._identity:
            raise filled_by_another(self._store.folder, active=state.active.identity, used=self._identity)
        return state


def _opened(folder: Path, *, read_only: bool, else_read: bool, fault: Fault) -> Store:
    try:
        return Store.open(folder, read_only=read_only, fault=fault)
    except StoreBusy as busy:
        if not else_read:
            raise
        try:
            store = Store.open(folder, read_only=True, fault=fault)
        except StoreError:  # what the other one writes is no store yet
            raise busy from None
        _log.warning("%s; reading for now, and writing as soon as it has ended", busy)
        return store
