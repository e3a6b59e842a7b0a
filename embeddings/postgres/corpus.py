"""The `Corpus` on a PostgreSQL server, which stores and searches everything for several processes.

Any number of processes may read and write at once. What one has written, every other finds at its next question.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from embeddings.corpus import Corpus
from embeddings.encoders import EncoderIdentity, filled_by_another, not_complete
from embeddings.errors import InputError, InvalidArticle, StoreBusy
from embeddings.index.dense import direction_of
from embeddings.index.terms import Terms, nearest
from embeddings.integrity import Finding, Stats, sound
from embeddings.postgres import passages as stored
from embeddings.postgres import reads, search, writes
from embeddings.postgres.database import Connection, Database
from embeddings.postgres.integrity import findings, statistics
from embeddings.postgres.replicas import Replicas
from embeddings.postgres.statistics import Statistics, StoredLexicon
from embeddings.store.reads import Generation
from embeddings.types import (
    Article,
    CorpusCounts,
    Held,
    HeldPage,
    Hits,
    IndexedArticle,
    Overview,
    Place,
    SourceTally,
    StoredPassage,
    Vector,
    Where,
)

_log = logging.getLogger(__name__)


class PostgresCorpus(Corpus):
    """A corpus on a server, for use with one encoder; any thread may call any method."""

    def __init__(self, database: Database, *, identity: EncoderIdentity, replicas: Replicas) -> None:
        self._database = database
        self._replicas = replicas
        self._identity = identity
        self._terms = Terms()
        self._statistics = Statistics()
        self._served = False
        """Whether this encoder's vectors were searched at some time since this was opened."""
        self._filling = False

    @classmethod
    def open(cls, place: Place, *, identity: EncoderIdentity, read_only: bool = False) -> PostgresCorpus:
        """Open the corpus in a schema of a database; a writer makes its tables where there are none.

        A corpus filled by another encoder opens too: it can be read, and filled anew article by article, but not
        searched until it is complete. Raises StoreError when the server cannot be used.

        Searches go to the place's `replicas` that are at most `replica_seconds` behind, where there are such.
        """
        database = Database.open(place, read_only=read_only)
        corpus = cls(database, identity=identity, replicas=Replicas(database, place))
        try:
            if not read_only:
                corpus._adopt_if_complete()
        except BaseException:
            database.close()
            raise
        return corpus

    def replace(self, articles: Sequence[IndexedArticle]) -> None:
        """Put each article in the place of what is held under its id; see `Corpus.replace`.

        Raises InvalidArticle or EncoderError before anything is written; after StoreError the first of the articles
        may be stored, each of them whole.
        """
        self.take([Held(indexed=indexed) for indexed in articles])
        self._index_if_large()

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Index the vectors once, at the end, if they have no index yet; until then searches compare all of them.

        Where this ends by an error the next write does it, or `rebuild`.
        """
        self._filling = True
        try:
            yield
        finally:
            self._filling = False
        self._index_if_large()

    def take(self, articles: Sequence[Held]) -> None:
        """Do what `replace` does, and keep earlier versions, too; the vectors are indexed by `rebuild` only."""
        self._write(articles)

    def encode_anew(self, articles: Sequence[IndexedArticle]) -> None:
        """Do what `replace` does for articles held as they are given; what others changed or deleted stays so."""
        self._write([Held(indexed=indexed) for indexed in articles], anew=True)
        self._index_if_large()

    def _write(self, articles: Sequence[Held], *, anew: bool = False) -> None:
        ready = sound([held.indexed for held in articles], self._identity)
        for indexed in ready:
            _require_texts(indexed.article)
        self.require_writing()
        try:
            held = [Held(indexed=one, earlier=given.earlier) for one, given in zip(ready, articles, strict=True)]
            for batch in writes.batches(held):
                with self._database.writing() as db:
                    self._require_not_replaced(db)
                    number = writes.ensure(db, self._identity)
                    kept = writes.unchanged(db, batch) if anew else batch
                    writes.put(db, kept, number, terms=self._terms, unit=self._identity.normalised)
        finally:
            self._replicas.wrote()
            self._adopt_if_complete()

    def delete(self, where: Where) -> int:
        """Remove every matching article with all its versions, all at once; see `Corpus.delete`."""
        if not where.restricts():
            raise InputError("deleting needs a filter; name articles, sources, a collection or dates")
        with self._database.writing() as db:
            removed = writes.forget(db, where)
        self._replicas.wrote()
        self._adopt_if_complete()
        return removed

    def search(self, vector: Vector, text: str, *, k: int, where: Where) -> Hits:
        """Rank passages by cosine and by BM25, filter applied first; both lists show the same state.

        Raises EncoderMismatch when the corpus was filled by another encoder, EncoderError for an unusable vector.
        """
        if k < 1:
            raise InputError(f"k is {k}; ask for one passage at least")
        direction = direction_of(vector, dimension=self._identity.dimension)
        question = self._terms.of_question(text)

        def ranked(db: Connection, statistics: Statistics) -> Hits:
            active = self._searchable(writes.active(db))
            if active is None:
                return Hits(dense=(), lexical=())
            number, passages = active.number, _possible(db, active.number, where, statistics)
            # Words first: a walk through the vectors leaves the planner forbidden what they need.
            by_words = search.search_lexical(
                db, question, generation=number, passages=passages, statistics=statistics, k=k, where=where
            )
            by_meaning = search.search_dense(db, direction, generation=number, passages=passages, k=k, where=where)
            return Hits(dense=by_meaning, lexical=by_words)

        found = self._replicas.ask(ranked)
        with self._database.reading() as db:
            if found is not None and search.all_there(db, [*found.dense, *found.lexical], where=where):
                return found
            return ranked(db, self._statistics)

    def spellings(self, words: Collection[str], *, where: Where) -> Mapping[str, tuple[str, ...]]:
        """For each word that no passage holds, the words near to it that passages hold; see `Corpus.spellings`."""
        with self._database.reading() as db:
            active = self._searchable(writes.active(db))
            number = active.number if active else 0
            lexicon = StoredLexicon(db, generation=number, statistics=self._statistics, where=where)
            return nearest(words, lexicon, self._terms)

    def passages(self, keys: Collection[int]) -> Mapping[int, StoredPassage]:
        """Look up hits; unknown, removed and damaged ones are absent."""
        with self._database.reading() as db:
            found, damaged = stored.passages(db, keys)
        if damaged:
            _log.error("passages %s were altered on the server and are not shown; see `qa index verify`", damaged)
        return found

    def get(self, article_id: str, *, version: str | None = None) -> Article | None:
        """One article, its text checked against its hash; see `Corpus.get`."""
        with self._database.reading() as db:
            return reads.article(db, article_id, version)

    def scan(self, *, where: Where, after: str | None, limit: int) -> Sequence[Article]:
        """Current articles in order of id, from the one after `after`; each checked against its hash."""
        with self._database.reading() as db:
            return reads.page(db, where, after=after, limit=limit)

    def count(self, where: Where) -> CorpusCounts:
        """Exact counts of what can be searched under a filter."""
        with self._database.reading() as db:
            active = writes.active(db)
            return reads.counts(db, where, active.number if active else 0)

    def overview(self, where: Where, *, newest: int) -> Overview:
        """What current articles there are, at a glance, and the newest of them."""
        with self._database.reading() as db:
            return reads.overview(db, where, newest=newest)

    def tally(self, where: Where, *, since: str) -> Sequence[SourceTally]:
        """Current articles by source, the source with the most first; day by day from `since` on."""
        with self._database.reading() as db:
            return reads.tally(db, where, since=since)

    def fingerprints(self, article_ids: Collection[str]) -> Mapping[str, str]:
        """Fingerprint of each article held whole and undamaged for this encoder; the others need ingesting."""
        with self._database.reading() as db:
            generation = writes.of(db, self._identity)
            return {} if generation is None else stored.intact_fingerprints(db, article_ids, generation)

    def encoded(self, article_ids: Collection[str]) -> Mapping[str, IndexedArticle]:
        """Of these articles those held complete and undamaged for this encoder, with their passages and vectors."""
        with self._database.reading() as db:
            generation = writes.of(db, self._identity)
            return {} if generation is None else stored.encoded(db, article_ids, generation)

    def require_writing(self) -> None:
        """Raise StoreReadOnly where this process may only read, StoreError where the corpus was closed."""
        self._database.require_writing()

    def is_written_elsewhere(self) -> bool:
        """Never: any number of processes write."""
        return False

    def holders(self, versions: Collection[str], *, collection: str | None) -> Mapping[str, tuple[str, ...]]:
        """Which articles (ids) of a collection hold each of these canonical texts now, for those held at all."""
        with self._database.reading() as db:
            return reads.holders(db, versions, collection=collection)

    def known(self, keys: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Which articles (ids) were written as known by each of these keys, for those held."""
        with self._database.reading() as db:
            return reads.known(db, keys)

    def homes(self, article_ids: Collection[str]) -> Mapping[str, str]:
        """The collection of each of these articles, for those held."""
        with self._database.reading() as db:
            return reads.homes(db, article_ids)

    def activate(self, identity: EncoderIdentity) -> None:
        """Search the passages made by this encoder from now on and drop all others; see `Corpus.activate`."""
        with self._database.reading() as db:
            active = writes.active(db)
        if active is not None and active.identity == identity:
            return
        if not self._switched(identity):
            raise not_complete(self._database.address.shown, identity, active=active.identity if active else None)

    def whole(self, *, after: int | None, limit: int) -> HeldPage:
        """Articles with everything that is kept of them, as they were written, from the place after `after`."""
        with self._database.reading() as db:
            return stored.whole(db, writes.of(db, self._identity) or 0, after=after, limit=limit)

    def verify(self) -> list[Finding]:
        """Check everything held against its hashes."""
        with self._database.reading() as db:
            return findings(db)

    def rebuild(self) -> None:
        """Index the vectors if they are many enough, and let the server look at its tables anew. Needs no encoder."""
        self._index_if_large()
        self._clear_away()
        with self._database.maintaining() as db:
            if db is not None:
                search.tidy(db)
                db.execute("ANALYZE articles, versions, encodings, passages, lexemes, known_by, vocabulary")

    def stats(self) -> Stats:
        """Sizes and state of the store."""
        with self._database.reading() as db:
            return statistics(db)

    def close(self) -> None:
        """Close the connections. Idempotent."""
        self._replicas.close()
        self._database.close()

    def _adopt_if_complete(self) -> None:
        """Search this encoder's passages as soon as no article lacks them."""
        with self._database.reading() as db:
            active = writes.active(db)
            if active is not None and active.identity == self._identity:
                self._served = True
                return
            if not writes.complete(db, writes.of(db, self._identity)):
                return
        self._switched(self._identity)

    def _switched(self, identity: EncoderIdentity) -> bool:
        """Search another encoder's passages, if they are complete; they are indexed before anybody searches them."""
        self._index_if_large(identity)
        with self._database.writing(alone=True) as db:
            if not writes.adopt(db, identity):
                return False
        self._served = self._served or identity == self._identity
        self._replicas.wrote()
        with suppress(StoreBusy):  # what is left then is in nobody's way, and `rebuild` clears it away, too
            self._clear_away()
        return True

    def _clear_away(self) -> None:
        """Delete what generations that are no more have left, piece by piece: no writer waits for all of it."""
        with self._database.maintaining() as db:
            if db is not None:
                search.drop_others(db)
        with self._database.reading() as db:
            generations = writes.dropped(db)
        for generation in generations:
            place: int | None = 0
            while place is not None:
                with self._database.writing() as db:
                    place = writes.sweep(db, generation, after=place)

    def _index_if_large(self, identity: EncoderIdentity | None = None) -> None:
        """Index the generation that is searched as soon as it is too large for comparing all vectors; or one named."""
        if self._filling and identity is None:
            return
        switching, identity = identity is not None, identity or self._identity
        with self._database.reading() as db:
            active = writes.active(db)
            if not switching and active is not None and active.identity != identity:
                return  # it is indexed when it is whole, which costs less than to add one vector after the other
            number = writes.of(db, identity)
            if number is None or search.is_indexed(db, number):
                return
            if self._statistics.sizes(db, number).passages <= search.EXACT_MOST:
                return
        with self._database.maintaining() as db:
            if db is not None:
                search.build(db, number, dimension=identity.dimension)

    def _require_not_replaced(self, db: Connection) -> None:
        """Refuse to write for an encoder that was searched with and is no more: nobody would find what it makes."""
        active = writes.active(db)
        if not self._served or active is None or active.identity == self._identity:
            return
        if not writes.complete(db, writes.of(db, self._identity)):
            raise filled_by_another(self._database.address.shown, active=active.identity, used=self._identity)

    def _searchable(self, active: Generation | None) -> Generation | None:
        if active is not None and active.identity != self._identity:
            raise filled_by_another(self._database.address.shown, active=active.identity, used=self._identity)
        return active


def _possible(db: Connection, generation: int, where: Where, statistics: Statistics) -> int:
    """How many passages a filter lets through; what may not be shown is counted where nothing else restricts."""
    if where.restricts():
        return reads.counts(db, where, generation).passages
    return statistics.sizes(db, generation).passages


def _require_texts(article: Article) -> None:
    """Refuse what the server's texts cannot hold. Raises InvalidArticle."""
    if "\0" in f"{article.source}{article.collection}{article.section}{article.language}":
        raise InvalidArticle(
            f"article {article.id!r} has NUL in its source, collection, section or language; clean it first"
        )
