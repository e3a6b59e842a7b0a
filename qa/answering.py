"""The online flow, in order: understand, retrieve, read, compose, check, answer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from embeddings.errors import StoreCorrupt
from embeddings.types import Article, Where
from qa.citations import is_exact, search_result
from qa.errors import InvalidQuestion
from qa.extractive.composing import Composition, choose, compose
from qa.extractive.network import Reader, load_reader
from qa.extractive.reading import Reading, read
from qa.moments import is_after, moment, stamp
from qa.retrieval import Depth, retrieve
from qa.settings import Settings
from qa.types import (
    AbstainReason,
    Answer,
    Evidence,
    Filters,
    Question,
    SearchAnswer,
    SearchQuestion,
    Usage,
)

__all__ = ["Answerer"]

ABSTENTION = "The articles do not answer this question."
_NO_MATCH = 0.05
"""Below this probability nothing retrieved is even near the question."""


class Answerer:
    """Answers questions over one corpus. Calls block on the CPU and belong on one thread at a time."""

    def __init__(
        self,
        *,
        corpus: Corpus,
        encoder: Encoder,
        settings: Settings,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._corpus = corpus
        self._encoder = encoder
        self._settings = settings
        self._now = now
        self._reader: Reader = load_reader()

    def ask(self, question: Question) -> Answer:
        """Answer in the articles' own words, or abstain with a reason.

        Raises InvalidQuestion for a question, filter or date that cannot be used.
        """
        clock = _Clock()
        text = _usable(question.question)
        as_of = self._as_of(question.as_of)
        where = _where(question.filters, question.collection)
        evidence = self._evidence(text, where, as_of, Depth(), clock)
        reading = read(text, evidence, encoder=self._encoder, reader=self._reader)
        clock.lap("read")
        reason = self._abstain_reason(reading, evidence, where)
        chosen = () if reason else choose(reading, evidence, limit=question.max_citations)
        composition, dropped = self._checked(compose(chosen, evidence)) if chosen else (_NOTHING, 0)
        if reason is None and not composition.claims:
            reason = "no_match"
        clock.lap("check")
        return _answer(question, text, as_of, composition, reason, reading, evidence, dropped, clock)

    def search(self, question: SearchQuestion) -> SearchAnswer:
        """Rank passages for a question, one per story. Raises InvalidQuestion as `ask` does."""
        clock = _Clock()
        text = _usable(question.question)
        as_of = self._as_of(question.as_of)
        depth = Depth(listed=max(50, 3 * question.limit), kept=question.limit, per_article=1)
        evidence = self._evidence(text, _where(question.filters, question.collection), as_of, depth, clock)
        return SearchAnswer(
            question=question.question,
            resolved_query=text,
            as_of=stamp(as_of),
            search_results=tuple(search_result(item) for item in evidence),
            timings_ms=clock.read(),
        )

    def _as_of(self, given: str | None) -> datetime:
        return moment(given, field="as_of") if given else self._now()

    def _evidence(self, text: str, where: Where, as_of: datetime, depth: Depth, clock: _Clock) -> tuple[Evidence, ...]:
        vector = self._encoder.encode_query(text)
        clock.lap("encode")
        ranked_by = self._settings.retrieval
        found = retrieve(self._corpus, text=text, vector=vector, where=where, depth=depth, ranked_by=ranked_by)
        clock.lap("retrieve")
        return tuple(item for item in found if not is_after(item.stored.published_at, as_of))

    def _abstain_reason(self, reading: Reading, evidence: Sequence[Evidence], where: Where) -> AbstainReason | None:
        if not evidence:
            return "no_match" if self._corpus.count(where).passages else "empty_corpus"
        if reading.probability >= self._reader.calibration.threshold:
            return None
        return "weak_match" if reading.probability >= _NO_MATCH else "no_match"

    def _checked(self, composition: Composition) -> tuple[Composition, int]:
        """Hold every citation against the stored article; drop what is not word for word there, and count it."""
        articles = {c.article_id: self._article(c.article_id, c.article_version) for c in composition.citations}
        kept = tuple(c for c in composition.citations if is_exact(c, articles[c.article_id]))
        dropped = len(composition.citations) - len(kept)
        if not dropped:
            return composition, 0
        # A quotation without its source is no answer: rather than patch offsets, serve nothing of it.
        return _NOTHING, dropped

    def _article(self, article_id: str, version: str) -> Article | None:
        try:
            return self._corpus.get(article_id, version=version)
        except StoreCorrupt:
            return None


_NOTHING = Composition(text=ABSTENTION, claims=(), citations=(), short_answer=None)


class _Clock:
    """Milliseconds spent in each step."""

    def __init__(self) -> None:
        self._begun = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, step: str) -> None:
        now = time.perf_counter()
        self._laps[step] = round((now - self._last) * 1000, 2)
        self._last = now

    def read(self) -> dict[str, float]:
        return {**self._laps, "total": round((time.perf_counter() - self._begun) * 1000, 2)}


def _usable(text: str) -> str:
    folded = " ".join(text.split())
    if not any(character.isalnum() for character in folded):
        raise InvalidQuestion("the question has no words; ask in a sentence or a few key words")
    return folded


def _where(filters: Filters, collection: str | None) -> Where:
    """Filters as the corpus takes them, dates validated and written in UTC."""
    after, before = (
        stamp(moment(text, field=f"filters.{name}")) if text else None
        for name, text in (
            ("published_after", filters.published_after),
            ("published_before", filters.published_before),
        )
    )
    return Where(
        collection=collection,
        sources=filters.source,
        article_ids=filters.article_ids,
        published_after=after,
        published_before=before,
    )


def _answer(
    question: Question,
    text: str,
    as_of: datetime,
    composition: Composition,
    reason: AbstainReason | None,
    reading: Reading,
    evidence: Sequence[Evidence],
    dropped: int,
    clock: _Clock,
) -> Answer:
    return Answer(
        id=f"ans_{uuid.uuid4().hex}",
        conversation_id=question.conversation_id,
        question=question.question,
        resolved_query=text,
        as_of=stamp(as_of),
        answer=composition.text,
        answer_mode="abstained" if reason else "extractive",
        # Whoever did not ask for extraction is told why nothing was generated.
        fallback_reason=None if question.mode == "extractive" else "no_model",
        abstain_reason=reason,
        short_answer=composition.short_answer,
        claims=composition.claims,
        citations=composition.citations,
        conflicts=(),
        search_results=tuple(search_result(item) for item in evidence),
        support_score=round(reading.probability, 4),
        usage=Usage(query_encodings=1, sentence_encodings=reading.encodings, citations_dropped=dropped),
        timings_ms=clock.read(),
    )
