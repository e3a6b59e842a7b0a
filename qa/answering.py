"""The online flow, in order: understand, retrieve, read, write, check, answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime

import msgspec

from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from embeddings.errors import StoreCorrupt
from embeddings.types import Article
from qa.answers import ABSTENTION, Written, claim_events, finished, fold, opening
from qa.citations import is_exact, search_result
from qa.extractive.composing import Composition, choose, compose
from qa.extractive.network import Reader, load_reader
from qa.extractive.reading import Reading, read
from qa.jobs import Run, at_once
from qa.moments import is_after, stamp
from qa.retrieval import Depth, retrieve
from qa.settings import Settings
from qa.timings import Clock
from qa.types import AbstainReason, Answer, Event, Evidence, Question, SearchAnswer, SearchQuestion, Turn, Usage
from qa.understanding import Resolve, Understood, as_put, checked, understand

__all__ = ["ABSTENTION", "Answerer"]

_NO_MATCH = 0.05
"""Below this probability nothing retrieved is even near the question."""


class Answerer:
    """Answers questions over one corpus; its blocking work is handed to `run`, one job at a time."""

    def __init__(
        self,
        *,
        corpus: Corpus,
        encoder: Encoder,
        settings: Settings,
        resolve: Resolve = as_put,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`resolve` makes follow-ups stand alone."""
        self._corpus = corpus
        self._encoder = encoder
        self._settings = settings
        self._resolve = resolve
        self._now = now
        self._reader: Reader = load_reader()

    async def events(
        self, question: Question, *, run: Run = at_once, history: Sequence[Turn] = ()
    ) -> AsyncGenerator[Event, None]:
        """Answer step by step: what was retrieved, each sentence once it is certain, then the whole answer.

        `history` holds the earlier turns of the conversation, oldest first. Raises InvalidQuestion before any work is
        done; closing the generator ends what is under way.
        """
        clock = Clock()
        asked = await understand(question, now=self._now(), history=history, resolve=self._resolve, run=run)
        found = await run(lambda: self._find(asked, clock))
        opened = opening(question, asked, found.evidence)
        yield opened
        written = await run(lambda: self._extract(question, found))
        for event in claim_events(written):
            yield event
        clock.lap("check")
        yield finished(opened, written, support_score=found.reading.probability, timings_ms=clock.read())

    def ask(self, question: Question, *, history: Sequence[Turn] = ()) -> Answer:
        """Answer in one go, on an event loop of its own: for scripts. Raises InvalidQuestion."""
        return asyncio.run(fold(self.events(question, history=history)))

    def search(self, question: SearchQuestion) -> SearchAnswer:
        """Rank passages for a question, one per story. Raises InvalidQuestion as `events` does."""
        clock = Clock()
        asked = checked(question, now=self._now())
        depth = Depth(listed=max(50, 3 * question.limit), kept=question.limit, per_article=1)
        evidence = self._evidence(asked, depth, clock)
        return SearchAnswer(
            question=question.question,
            resolved_query=asked.resolved_query,
            as_of=stamp(asked.as_of),
            search_results=tuple(search_result(item) for item in evidence),
            timings_ms=clock.read(),
        )

    def _find(self, asked: Understood, clock: Clock) -> _Found:
        evidence = self._evidence(asked, Depth(), clock)
        reading = read(asked.resolved_query, evidence, encoder=self._encoder, reader=self._reader)
        clock.lap("read")
        return _Found(evidence=evidence, reading=reading, reason=self._abstain_reason(reading, evidence, asked))

    def _evidence(self, asked: Understood, depth: Depth, clock: Clock) -> tuple[Evidence, ...]:
        vector = self._encoder.encode_query(asked.resolved_query)
        clock.lap("encode")
        query, where, ranked_by = asked.resolved_query, asked.where, self._settings.retrieval
        found = retrieve(self._corpus, text=query, vector=vector, where=where, depth=depth, ranked_by=ranked_by)
        clock.lap("retrieve")
        return tuple(item for item in found if not is_after(item.stored.published_at, asked.as_of))

    def _abstain_reason(
        self, reading: Reading, evidence: Sequence[Evidence], asked: Understood
    ) -> AbstainReason | None:
        if not evidence:
            return "no_match" if self._corpus.count(asked.where).passages else "empty_corpus"
        if reading.probability >= self._reader.calibration.threshold:
            return None
        return "weak_match" if reading.probability >= _NO_MATCH else "no_match"

    def _extract(self, question: Question, found: _Found) -> Written:
        """Answer in the articles' own sentences, or abstain."""
        chosen = () if found.reason else choose(found.reading, found.evidence, limit=question.max_citations)
        composition, dropped = self._checked(compose(chosen, found.evidence)) if chosen else (_NOTHING, 0)
        answered = bool(composition.claims)
        return Written(
            mode="extractive" if answered else "abstained",
            text=composition.text,
            claims=composition.claims,
            citations=composition.citations,
            short_answer=composition.short_answer,
            # Whoever did not ask for extraction is told why nothing was generated.
            fallback_reason=None if question.mode == "extractive" else "no_model",
            abstain_reason=None if answered else found.reason or "no_match",
            usage=Usage(query_encodings=1, sentence_encodings=found.reading.encodings, citations_dropped=dropped),
        )

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


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """What retrieval and reading gave, before anything is written."""

    evidence: tuple[Evidence, ...]
    reading: Reading
    reason: AbstainReason | None
    """Why the articles' own sentences do not answer; None where they do."""


_NOTHING = Composition(text=ABSTENTION, claims=(), citations=(), short_answer=None)
