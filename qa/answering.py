"""The online flow, in order: understand, retrieve, read, write, check, answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import msgspec

from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from embeddings.errors import StoreCorrupt
from embeddings.types import Article
from qa.answers import (
    ABSTENTION,
    Written,
    agreed_short_answer,
    claim_events,
    finished,
    fold,
    opening,
    support_of,
)
from qa.citations import is_exact, search_result
from qa.conflicts import described, disputed
from qa.drafting.second_attempt import LIKELY
from qa.drafting.writing import Brief, Drafted, Writer
from qa.extractive.composing import Composition, choose, compose
from qa.extractive.network import Reader, load_reader
from qa.extractive.reading import Reading, ReadSentence, read
from qa.generators.protocol import Generator
from qa.grounding.protocol import SupportChecker
from qa.jobs import Run, at_once
from qa.moments import Period, stamp
from qa.reranking.protocol import WIDER, Reranker, rerank
from qa.retrieval import Depth, retrieve
from qa.settings import Settings
from qa.timeliness import is_late, timely, timely_first
from qa.timings import Clock
from qa.types import (
    AbstainReason,
    Answer,
    Event,
    Evidence,
    FallbackReason,
    Question,
    SearchAnswer,
    SearchQuestion,
    Turn,
    Usage,
)
from qa.understanding import Resolve, Understood, as_put, understand

__all__ = ["ABSTENTION", "Answerer"]

_NO_MATCH = 0.05
"""Below this probability nothing retrieved is even near the question."""
_OUT_OF_TIME: frozenset[AbstainReason | None] = frozenset({"stale_only", "outside_corpus_dates"})
"""A model is not asked then: it would tell old news as new."""
_RESERVE_SECONDS, _RESERVE_SHARE = 4.0, 0.3
"""Of a question's time, so much at most is kept for extraction."""


class Answerer:
    """Answers questions over one corpus; its blocking work is handed to `run`, one job at a time."""

    def __init__(
        self,
        *,
        corpus: Corpus,
        encoder: Encoder,
        settings: Settings,
        generator: Generator | None = None,
        checker: SupportChecker | None = None,
        reranker: Reranker | None = None,
        resolve: Resolve = as_put,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Without `generator` and `checker` all answers are extractive; `resolve` makes follow-ups stand alone."""
        self._corpus = corpus
        self._encoder = encoder
        self._settings = settings
        self._resolve = resolve
        self._now = now
        self._reranker = reranker
        self._reader: Reader = load_reader()
        self._writer = (
            Writer(generator=generator, checker=checker, article=self._article, lenient=settings.lenient)
            if generator and checker
            else None
        )

    async def events(
        self, question: Question, *, run: Run = at_once, history: Sequence[Turn] = ()
    ) -> AsyncGenerator[Event, None]:
        """Answer step by step: what was retrieved, each sentence once it is certain, then the whole answer.

        `history` holds the earlier turns of the conversation, oldest first. Raises InvalidQuestion before any work is
        done; closing the generator ends what is under way.
        """
        clock, begun = Clock(), asyncio.get_running_loop().time()
        asked = await understand(question, now=self._now(), history=history, resolve=self._resolve, run=run)
        found = await run(lambda: self._find(asked, clock))
        opened = opening(question, asked, found.evidence)
        yield opened
        draft: Drafted | None = None
        # Also of a weak match, and where the reader sees none: whatever a model says must stand in the evidence. Of the
        # sample questions that the reader gave under 5 %, half were answered by the passages found.
        if self._writer and question.mode != "extractive" and found.evidence and found.reason not in _OUT_OF_TIME:
            brief = self._brief(question, asked, found, begun)
            async with aclosing(self._writer.write(brief, run=run, clock=clock)) as writing:
                async for item in writing:
                    if isinstance(item, Drafted):
                        draft = item
                    else:
                        yield item
        if draft and draft.claims:
            written = _generated(draft, found)
        else:
            written = await run(lambda: self._extract(question, found, draft))
            for event in claim_events(written):
                yield event
        clock.lap("check")
        sure = support_of(written, reading=found.reading)
        yield finished(opened, written, support_score=sure, timings_ms=clock.read())

    def ask(self, question: Question, *, history: Sequence[Turn] = ()) -> Answer:
        """Answer in one go, on an event loop of its own: for scripts without a model. Raises InvalidQuestion.

        A model belongs to one event loop: whoever has one folds `events` on it.
        """
        return asyncio.run(fold(self.events(question, history=history)))

    async def search(
        self, question: SearchQuestion, *, run: Run = at_once, history: Sequence[Turn] = ()
    ) -> SearchAnswer:
        """Rank passages for a question, one per story. Raises InvalidQuestion as `events` does.

        `history` as for `events`; a follow-up is resolved by rules, since whoever searches waits for no model.
        """
        clock = Clock()
        asked = await understand(question, now=self._now(), history=history, resolve=self._resolve, run=run)
        depth = Depth(listed=max(50, 3 * question.limit), kept=question.limit, per_article=1)
        evidence = await run(lambda: self._evidence(asked, depth, clock))
        return SearchAnswer(
            question=question.question,
            resolved_query=asked.resolved_query,
            as_of=stamp(asked.as_of),
            search_results=tuple(search_result(item) for item in evidence),
            timings_ms=clock.read(),
        )

    def _brief(self, question: Question, asked: Understood, found: _Found, begun: float) -> Brief:
        """What the model is to write, and until when: what is left then is enough to extract an answer."""
        seconds = self._settings.deadline_seconds
        return Brief(
            question=asked.resolved_query,
            as_of=stamp(asked.as_of)[:10],
            evidence=tuple(timely(found.evidence, asked.period)),
            # Where extraction would abstain, a sentence said again would answer something else.
            likely=() if found.reason else tuple(one.sentence for one in found.reading.sentences[:LIKELY]),
            limit=question.max_citations,
            deadline=begun + seconds - min(_RESERVE_SECONDS, _RESERVE_SHARE * seconds),
        )

    def _find(self, asked: Understood, clock: Clock) -> _Found:
        evidence = self._evidence(asked, Depth(), clock)
        reading = read(asked.to_read, timely(evidence, asked.period), encoder=self._encoder, reader=self._reader)
        clock.lap("read")
        return _Found(evidence=evidence, reading=reading, reason=self._abstain_reason(reading, evidence, asked))

    def _evidence(self, asked: Understood, depth: Depth, clock: Clock) -> tuple[Evidence, ...]:
        vector = self._encoder.encode_query(asked.resolved_query)
        clock.lap("encode")
        wider = msgspec.structs.replace(depth, kept=depth.kept * (WIDER if self._reranker else 1))
        found = retrieve(
            self._corpus,
            text=asked.resolved_query,
            vector=vector,
            where=asked.where,
            depth=wider,
            as_of=asked.as_of,
            period=asked.period,
            ranked_by=self._settings.retrieval,
        )
        clock.lap("retrieve")
        if self._reranker:
            found = rerank(found, question=asked.resolved_query, reranker=self._reranker, kept=depth.kept)
            clock.lap("rerank")
        return timely_first(found, asked.period)

    def _abstain_reason(
        self, reading: Reading, evidence: Sequence[Evidence], asked: Understood
    ) -> AbstainReason | None:
        if not evidence:
            return "no_match" if self._corpus.count(asked.where).passages else "empty_corpus"
        if asked.period and asked.period.recent and (late := self._out_of_time(reading, evidence, asked.period, asked)):
            return late
        if reading.probability >= self._reader.calibration.threshold:
            return None
        return "weak_match" if reading.probability >= _NO_MATCH else "no_match"

    def _out_of_time(
        self, reading: Reading, evidence: Sequence[Evidence], period: Period, asked: Understood
    ) -> AbstainReason | None:
        """Whether a question about the last days finds nothing but older news; None where something is new enough."""
        if not reading.sentences or not is_late(reading.sentences[0].sentence.evidence, evidence, period):
            return None
        since = msgspec.structs.replace(asked.where, published_after=stamp(period.start - timedelta(days=2)))
        until = msgspec.structs.replace(since, published_before=stamp(asked.as_of + timedelta(days=1)))
        return "stale_only" if self._corpus.count(until).passages else "outside_corpus_dates"

    def _extract(self, question: Question, found: _Found, draft: Drafted | None) -> Written:
        """Answer in the articles' own sentences, or abstain; `draft` is what a model was asked for in vain."""
        dispute = disputed(found.reading, found.evidence) if question.max_citations > 1 and not found.reason else None
        chosen: Sequence[ReadSentence] = ()
        if not found.reason:
            best = choose(found.reading, found.evidence, limit=question.max_citations)
            chosen = dispute.sentences if dispute else best
        composition, dropped = self._checked(compose(chosen, found.evidence)) if chosen else (_NOTHING, 0)
        answered = bool(composition.claims)
        # Whoever did not ask for extraction is told why nothing was generated.
        unset: FallbackReason | None = "no_model" if self._writer is None and question.mode != "extractive" else None
        return Written(
            mode="extractive" if answered else "abstained",
            text=composition.text,
            claims=composition.claims,
            citations=composition.citations,
            short_answer=composition.short_answer,
            conflicts=(described(dispute, composition.citations),) if dispute and answered else (),
            fallback_reason=draft.reason if draft else unset,
            abstain_reason=None if answered else found.reason or "no_match",
            generation=draft.generation if draft else None,
            usage=_usage(found, draft, citations_dropped=dropped),
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


def _generated(draft: Drafted, found: _Found) -> Written:
    """What the model wrote and the evidence bears out."""
    return Written(
        mode="generated",
        text=draft.text,
        claims=draft.claims,
        citations=draft.citations,
        short_answer=agreed_short_answer(draft.claims, draft.citations, found.reading, found.evidence),
        fallback_reason=draft.reason,
        generation=draft.generation,
        usage=_usage(found, draft),
    )


def _usage(found: _Found, draft: Drafted | None, *, citations_dropped: int = 0) -> Usage:
    spent = draft.usage if draft else Usage()
    return msgspec.structs.replace(
        spent,
        query_encodings=1,
        sentence_encodings=found.reading.encodings,
        citations_dropped=spent.citations_dropped + citations_dropped,
    )


_NOTHING = Composition(text=ABSTENTION, claims=(), citations=(), short_answer=None)
