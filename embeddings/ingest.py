"""The offline flow, in order: clean, look up, cut, encode, write.

Takes what parsers found, gives a report of what became of each. An article the corpus holds unchanged costs a
lookup and no encoding, so that doing the same again is cheap, and after a crash goes on where it stopped.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Literal

import msgspec

from embeddings.arrivals import Arrivals, Settled
from embeddings.cleaning.article import clean_with_notes
from embeddings.cleaning.identity import Arrival
from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from embeddings.errors import InputError
from embeddings.indexing import BATCH_PASSAGES, Indexer, fingerprint, index_articles
from embeddings.runtime import Heard, Stopwatch
from embeddings.types import Article, RawArticle, Rejected

__all__ = ["IngestProgress", "IngestReport", "IngestedArticle", "Outcome", "fingerprint", "index_articles", "ingest"]

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
    collection: str = "default"
    notes: tuple[str, ...] = ()
    """What was left out of it, or could not be read or be sure of, and why it replaced nothing."""


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
    read: int = 0
    """Articles read, looked up and cut; what is not stored of them waits for its passages to be encoded."""
    waiting: int = 0
    """Passages cut and not yet encoded."""


def ingest(
    items: Iterable[RawArticle | Rejected],
    *,
    corpus: Corpus,
    encoder: Encoder,
    collection: str = "default",
    progress: Callable[[IngestProgress], None] | None = None,
    batch_passages: int = BATCH_PASSAGES,
    should_stop: Callable[[], bool] | None = None,
    within: tuple[str, ...] | None = None,
    heard: Heard | None = None,
) -> IngestReport:
    """Bring the corpus up to date with the given articles; `collection` is for those that name none, and `within` names
    the collections that may be written to (None: all).

    Items are read as they are needed. One that cannot be used is reported as rejected and the rest goes on; which
    article takes the place of which, `embeddings.arrivals` decides. `heard` is told of each step: `clean`, `cut`,
    `encode`, `write`. Raises StoreError or EncoderError where the corpus or the encoder fails; what was written before
    stays.
    """
    began, clock = time.perf_counter(), Stopwatch(heard)
    corpus.require_writing()
    stop = should_stop or (lambda: False)
    run = _Run(Arrivals(corpus, within=within), progress or (lambda _: None))
    indexer = Indexer(
        corpus=corpus,
        encoder=encoder,
        batch_passages=batch_passages,
        should_stop=stop,
        on_encoded=run.count_encoded,
        clock=clock,
    )
    for window in _windows(items, partial(_clean, collection=collection, within=within), stop):
        clock.lap("clean")
        for settled in run.sort_out(window):
            run.record(indexer.add(settled.article, known_by=settled.known_by.all()))
            run.tell(waiting=indexer.waiting)
    run.record(indexer.finish())
    run.tell(waiting=0)
    return run.report(seconds=time.perf_counter() - began, stopped=stop())


def _windows(
    items: Iterable[RawArticle | Rejected],
    clean: Callable[[RawArticle | Rejected], Arrival | Rejected],
    should_stop: Callable[[], bool],
) -> Iterator[list[Arrival | Rejected]]:
    """Cleaned items, as many together as are looked up in one go, until a stop."""
    window: list[Arrival | Rejected] = []
    characters = 0
    for item in items:
        if should_stop():
            return
        window.append(clean(item))
        characters += 0 if isinstance(item, Rejected) else len(item.text)
        if len(window) >= _WINDOW_ARTICLES or characters >= _WINDOW_CHARACTERS:
            yield window
            window, characters = [], 0
    yield window


def _clean(item: RawArticle | Rejected, *, collection: str, within: tuple[str, ...] | None) -> Arrival | Rejected:
    if isinstance(item, Rejected):
        return item
    try:
        cleaned = clean_with_notes(item, collection=collection)
    except InputError as error:
        return Rejected(origin=item.origin, reason=str(error))
    if within is not None and cleaned.article.collection not in within:
        reason = f"it is for the collection {cleaned.article.collection}; only {', '.join(within)} may be written to"
        return Rejected(origin=item.origin, reason=reason, refused="collection")
    return Arrival(
        article=cleaned.article,
        origin=item.origin,
        has_id=item.id is not None,
        says_status=item.status is not None,
        copies=item.copies,
        notes=cleaned.notes,
    )


class _Run:
    """The book of one ingest: what it has met, what is under way and what became of each article."""

    def __init__(self, arrivals: Arrivals, progress: Callable[[IngestProgress], None]) -> None:
        self._arrivals = arrivals
        self._progress = progress
        self._done: list[IngestedArticle] = []
        self._rejected: list[Rejected] = []
        self._passages = 0
        self._under_way: dict[str, list[IngestedArticle]] = {}
        self._count = 0
        """Of articles under way."""

    def sort_out(self, window: Sequence[Arrival | Rejected]) -> Iterator[Settled]:
        """Book what needs no work and give the rest; the corpus is asked for the whole window at once."""
        self._rejected += [item for item in window if isinstance(item, Rejected)]
        arrivals = [item for item in window if isinstance(item, Arrival)]
        self._arrivals.look_up(arrivals)
        for one in arrivals:
            settled = self._arrivals.settle(one)
            if isinstance(settled, Rejected):
                self._rejected.append(settled)
                continue
            for each in (settled, *self._arrivals.followed(one, settled)):
                booked = _booked(each, one)
                if each.outcome in {"unchanged", "duplicate"}:
                    self._done.append(booked)
                    continue
                self._under_way.setdefault(booked.id, []).append(booked)
                self._count += 1
                self._arrivals.sent(each)
                yield each

    def record(self, outcomes: Sequence[Article | Rejected]) -> None:
        """Book what the indexer wrote or could not write."""
        for outcome in outcomes:
            refused = isinstance(outcome, Rejected)
            name = outcome.origin if isinstance(outcome, Rejected) else outcome.id
            booked = self._under_way[name].pop(0)
            self._count -= 1
            self._arrivals.ended(name, written=not refused)
            if isinstance(outcome, Rejected):
                self._rejected.append(Rejected(origin=booked.origin, reason=outcome.reason))
            else:
                self._done.append(booked)

    def count_encoded(self, passages: int, waiting: int) -> None:
        """Hear that so many more passages are encoded, and how many wait for it."""
        self._passages += passages
        self.tell(waiting=waiting)

    def tell(self, *, waiting: int) -> None:
        """Say how far it is; `waiting` passages are cut and not yet encoded."""
        items = len(self._done) + len(self._rejected)
        self._progress(IngestProgress(items=items, passages=self._passages, read=items + self._count, waiting=waiting))

    def report(self, *, seconds: float, stopped: bool) -> IngestReport:
        """Close the book."""
        return IngestReport(
            articles=tuple(self._done),
            rejected=tuple(self._rejected),
            passages_encoded=self._passages,
            seconds=seconds,
            stopped=stopped,
        )


def _booked(settled: Settled, one: Arrival) -> IngestedArticle:
    article = settled.article
    return IngestedArticle(
        id=article.id,
        version=article.version,
        title=article.title,
        outcome=settled.outcome,
        origin=one.origin,
        collection=article.collection,
        notes=(*one.notes, settled.note) if settled.note else one.notes,
    )
