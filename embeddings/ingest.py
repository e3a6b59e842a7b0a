"""The offline flow, in order: clean, look up, cut, encode, write.

Takes what readers found, gives a report of what became of each. An article the corpus holds unchanged costs a
lookup and no encoding, so that doing the same again is cheap, and after a crash goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from embeddings.cleaning import clean
from embeddings.corpus import Corpus
from embeddings.encoders.protocol import Encoder
from embeddings.errors import InputError, StoreCorrupt
from embeddings.identity import article_id
from embeddings.indexing import BATCH_PASSAGES, Indexer, PassageSizes, fingerprint, index_articles
from embeddings.types import Article, RawArticle, Rejected, Where

__all__ = [
    "IngestProgress",
    "IngestReport",
    "IngestedArticle",
    "Outcome",
    "PassageSizes",
    "fingerprint",
    "index_articles",
    "ingest",
]

Outcome = Literal["added", "updated", "unchanged", "duplicate"]

_WINDOW_ARTICLES = 64
_WINDOW_CHARACTERS = 2_000_000
"""So much is read ahead to look it up in one go."""


class IngestedArticle(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one article."""

    id: str
    """With outcome `duplicate`, the id of the article that holds the same text already."""
    version: str
    title: str
    outcome: Outcome
    origin: str


class IngestReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one ingest did; everything in it that was written is durable."""

    articles: tuple[IngestedArticle, ...]
    rejected: tuple[Rejected, ...]
    passages_encoded: int
    seconds: float
    stopped: bool = False
    """Whether `should_stop` ended it early; the same call again does the rest."""


class IngestProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an ingest has come."""

    items: int
    """Articles done with, rejected ones included."""
    passages: int
    """Passages encoded."""


class _Candidate(msgspec.Struct, frozen=True):
    """A cleaned article and what its source did not say about it."""

    article: Article
    origin: str
    anonymous: bool
    """It came with neither id nor link, so that only its text can tell whether it is there already."""


def ingest(
    items: Iterable[RawArticle | Rejected],
    *,
    corpus: Corpus,
    encoder: Encoder,
    collection: str = "default",
    progress: Callable[[IngestProgress], None] | None = None,
    batch_passages: int = BATCH_PASSAGES,
    should_stop: Callable[[], bool] | None = None,
    sizes: PassageSizes | None = None,
) -> IngestReport:
    """Bring the corpus up to date with the given articles; `collection` is for those that name none.

    Items are read as they are needed. One that cannot be used is reported as rejected and the rest goes on; of two
    with the same id the later wins, while two that only share a title are both kept. Raises StoreError or
    EncoderError where the corpus or the encoder fails; what was written before stays.
    """
    began = time.perf_counter()
    stop = should_stop or (lambda: False)
    run = _Run(corpus, sizes, progress or (lambda _: None))
    indexer = Indexer(
        corpus=corpus,
        encoder=encoder,
        sizes=sizes,
        batch_passages=batch_passages,
        should_stop=stop,
        on_encoded=run.count_encoded,
    )
    for window in _windows(items, collection, stop):
        for candidate in run.sort_out(window):
            run.record(indexer.add(candidate.article))
        run.tell()
    run.record(indexer.finish())
    run.tell()
    return run.report(seconds=time.perf_counter() - began, stopped=stop())


def _windows(
    items: Iterable[RawArticle | Rejected], collection: str, should_stop: Callable[[], bool]
) -> Iterator[list[_Candidate | Rejected]]:
    """Cleaned items, as many together as are looked up in one go, until a stop."""
    window: list[_Candidate | Rejected] = []
    characters = 0
    for item in items:
        if should_stop():
            return
        window.append(_clean(item, collection))
        characters += 0 if isinstance(item, Rejected) else len(item.text)
        if len(window) >= _WINDOW_ARTICLES or characters >= _WINDOW_CHARACTERS:
            yield window
            window, characters = [], 0
    yield window


def _clean(item: RawArticle | Rejected, collection: str) -> _Candidate | Rejected:
    if isinstance(item, Rejected):
        return item
    try:
        article = clean(item, collection=collection)
    except InputError as error:
        return Rejected(origin=item.origin, reason=str(error))
    return _Candidate(article, item.origin, anonymous=item.id is None and article.url is None)


class _Run:
    """The book of one ingest: what it has met, what is under way and what became of each article."""

    def __init__(self, corpus: Corpus, sizes: PassageSizes | None, progress: Callable[[IngestProgress], None]) -> None:
        self._corpus = corpus
        self._sizes = sizes
        self._progress = progress
        self._done: list[IngestedArticle] = []
        self._rejected: list[Rejected] = []
        self._passages = 0
        self._under_way: dict[str, list[IngestedArticle]] = {}
        self._fingerprints: dict[str, str] = {}
        """Of the articles this run has sent on: the corpus does not know them before they are written."""
        self._texts: dict[tuple[str, str], str] = {}
        """Which article (id) of this run has a text, by collection and version."""
        self._first: dict[str, str] = {}
        """Which text (version) of this run came first under an id that was derived from a title."""

    def sort_out(self, window: Sequence[_Candidate | Rejected]) -> Iterator[_Candidate]:
        """Book what needs no work and give the rest; the corpus is asked once for the whole window."""
        candidates = [self._told_apart(item) for item in window if isinstance(item, _Candidate)]
        self._rejected += [item for item in window if isinstance(item, Rejected)]
        ids = {one.article.id for one in candidates}
        held = dict(self._corpus.fingerprints(ids))
        held |= {name: self._fingerprints[name] for name in ids if name in self._fingerprints}
        known = held.keys() | self._held_unfinished(ids - held.keys())
        holders = self._corpus.holders({one.article.version for one in candidates if one.anonymous})
        for one in candidates:
            name = fingerprint(one.article, self._sizes)
            holder = self._holder(one, holders)
            if held.get(one.article.id) == name:
                self._done.append(_booked(one, "unchanged"))
            elif holder is not None:
                self._done.append(_booked(one, "duplicate", holder))
            else:
                outcome: Outcome = "updated" if one.article.id in known else "added"
                self._under_way.setdefault(one.article.id, []).append(_booked(one, outcome))
                self._texts[one.article.collection, one.article.version] = one.article.id
                self._fingerprints[one.article.id] = held[one.article.id] = name
                known |= {one.article.id}
                yield one

    def record(self, outcomes: Sequence[Article | Rejected]) -> None:
        """Book what the indexer wrote or could not write."""
        for outcome in outcomes:
            name = outcome.origin if isinstance(outcome, Rejected) else outcome.id
            booked = self._under_way[name].pop(0)
            if isinstance(outcome, Rejected):
                self._rejected.append(Rejected(origin=booked.origin, reason=outcome.reason))
                self._fingerprints.pop(name, None)
                self._texts = {text: holder for text, holder in self._texts.items() if holder != name}
            else:
                self._done.append(booked)

    def count_encoded(self, passages: int) -> None:
        """Hear that so many more passages are encoded."""
        self._passages += passages
        self.tell()

    def tell(self) -> None:
        """Say how far it is."""
        self._progress(IngestProgress(items=len(self._done) + len(self._rejected), passages=self._passages))

    def report(self, *, seconds: float, stopped: bool) -> IngestReport:
        """Close the book."""
        return IngestReport(
            articles=tuple(self._done),
            rejected=tuple(self._rejected),
            passages_encoded=self._passages,
            seconds=seconds,
            stopped=stopped,
        )

    def _told_apart(self, one: _Candidate) -> _Candidate:
        """Name an article by its text where another of this run took its title: neither replaces the other."""
        article = one.article
        if not one.anonymous or self._first.setdefault(article.id, article.version) == article.version:
            return one
        name = article_id(collection=article.collection, url=None, title="", origin=one.origin, version=article.version)
        return _Candidate(msgspec.structs.replace(article, id=name), one.origin, anonymous=True)

    def _held_unfinished(self, ids: set[str]) -> set[str]:
        """Which of these the corpus holds, though not complete for this encoder."""
        if not ids:
            return set()
        try:
            where = Where(article_ids=tuple(sorted(ids)))
            return {article.id for article in self._corpus.scan(where=where, after=None, limit=len(ids))}
        except StoreCorrupt:  # one of them was altered on the disk; this ingest mends it
            return {name for name in ids if self._held_in(name) is not None}

    def _holder(self, one: _Candidate, holders: Mapping[str, str]) -> str | None:
        """Which other article of its collection has the same text, for an article that nothing else tells apart."""
        article = one.article
        if not one.anonymous:
            return None
        holder = self._texts.get((article.collection, article.version))
        if holder is None:
            holder = holders.get(article.version)
            if holder is not None and self._held_in(holder) != article.collection:
                return None
        return None if holder == article.id else holder

    def _held_in(self, name: str) -> str | None:
        """Which collection an article is in; empty where it was altered on the disk, None where there is none."""
        try:
            article = self._corpus.get(name)
        except StoreCorrupt:
            return ""
        return None if article is None else article.collection


def _booked(one: _Candidate, outcome: Outcome, name: str | None = None) -> IngestedArticle:
    article = one.article
    return IngestedArticle(
        id=name or article.id, version=article.version, title=article.title, outcome=outcome, origin=one.origin
    )
