"""The online flow, in order: understand, retrieve, read, write, check, answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from embeddings.corpus import Corpus, readable
from embeddings.encoders import Encoder
from embeddings.runtime import Run, Stopwatch, at_once
from embeddings.types import Article
from qa.answers import (
    ABSTENTION,
    Part,
    Written,
    agreed_short_answer,
    asked_together,
    citations_each,
    claim_events,
    finished,
    fold,
    found_together,
    opening,
    said_together,
    spent_together,
    support_of,
    turn_after,
)
from qa.citations import is_exact, search_result
from qa.conflicts import described, disputed
from qa.errors import AbstainReason, FallbackReason
from qa.finding import Finder, Found
from qa.generators import Generator
from qa.grounding import SupportChecker
from qa.language.dates import shown, stamp
from qa.question.intents import leans_on_an_answer, parts_of
from qa.question.understanding import Resolve, Speller, Understood, as_put, understand
from qa.reading import Reader
from qa.reading.composing import Composition, choose, compose
from qa.reading.sentence_ranking import ReadSentence
from qa.retrieval import Reranker
from qa.retrieval.recency import timely
from qa.retrieval.search import Depth, is_near
from qa.settings import Settings
from qa.tracing import Evaluation, current
from qa.types import Answer, ClaimEvent, Event, Question, SearchAnswer, SearchQuestion, Turn, Usage

if TYPE_CHECKING:
    from qa.generation.writer import Drafted, DraftTask, Writer

__all__ = ["ABSTENTION", "Answerer"]

_PERHAPS_MISSPELLED: frozenset[AbstainReason | None] = frozenset({"no_match", "weak_match"})
"""Spelling is corrected only where the question as written finds no answer: an unknown name may be right. Where its
first words are misspelled, it is corrected at once."""
_OUT_OF_TIME: frozenset[AbstainReason | None] = frozenset({"stale_only", "outside_corpus_dates"})
"""The model is not asked then: it would present old news as new."""
_RESERVE_SECONDS, _RESERVE_SHARE = 4.0, 0.3
"""Time kept for extraction: so many seconds, but at most this share of the question's time."""


class Answerer:
    """Answers questions over one corpus; hands blocking work to `run`, one job at a time."""

    def __init__(
        self,
        *,
        corpus: Corpus,
        encoder: Encoder,
        reader: Reader,
        settings: Settings,
        generator: Generator | None = None,
        checker: SupportChecker | None = None,
        reranker: Reranker | None = None,
        resolve: Resolve = as_put,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Without `generator` and `checker` all answers are extractive; `resolve` makes follow-ups stand alone."""
        self._corpus = corpus
        self._settings = settings
        self._resolve = resolve
        self._now = now
        self._finder = Finder(corpus=corpus, encoder=encoder, reader=reader, settings=settings, reranker=reranker)
        self._spell = Speller(corpus, encoder=encoder)
        self._writer = self._new_writer(generator, checker) if generator and checker else None

    async def events(
        self, question: Question, *, run: Run = at_once, history: Sequence[Turn] = ()
    ) -> AsyncGenerator[Event, None]:
        """Answer step by step: what was retrieved, each sentence once it is certain, then the whole answer.

        `history` holds the earlier turns of the conversation, oldest first. Raises InvalidQuestion before any work
        begins. Closing the generator stops the work.
        """
        clock, begun = Stopwatch(current().stage), asyncio.get_running_loop().time()
        asked = await understand(
            question, now=self._now(), history=history, resolve=self._resolve, run=run, spell=self._spell.at_first
        )
        clock.lap("understand")
        texts = parts_of(asked.resolved_query)
        parts = await self._found(question, asked, texts, history=history, clock=clock, run=run)
        found = found_together(parts)
        put, asked = asked if len(texts) > 1 else parts[0].asked, asked_together(asked, parts, texts)
        opened = opening(question, asked, found.evidence)
        yield opened
        draft: Drafted | None = None
        # The model is asked even where the reader finds a weak match or none: the evidence must support what it says.
        # The passages found answered half of the sample questions to which the reader gave less than 5 %.
        if self._writer and question.mode != "extractive" and found.evidence and found.reason not in _OUT_OF_TIME:
            task = self._draft_task(question, put, found, begun)
            async with aclosing(self._writer.write(task, run=run, clock=clock)) as writing:
                async for item in writing:
                    if isinstance(item, ClaimEvent):
                        yield item
                    else:
                        draft = item
        if draft and draft.claims:
            written = _generated(draft, found)
        else:
            written = await run(lambda: self._extracted(question, parts, texts, draft, found))
            for claim in written.claims:
                current().evaluated(Evaluation(score=claim.support_score, label=claim.verdict, claim=claim.text))
            for event in claim_events(written):
                yield event
        clock.lap("check")
        sure, took = support_of(written, reading=found.reading), clock.read()
        yield finished(opened, written, question, asked, evidence=found.evidence, support_score=sure, timings_ms=took)

    def ask(self, question: Question, *, history: Sequence[Turn] = ()) -> Answer:
        """Answer in one go, on an event loop of its own: for scripts without a model. Raises InvalidQuestion.

        A model belongs to one event loop. With a model, fold `events` on that loop.
        """
        return asyncio.run(fold(self.events(question, history=history)))

    async def search(
        self, question: SearchQuestion, *, run: Run = at_once, history: Sequence[Turn] = ()
    ) -> SearchAnswer:
        """Rank passages for a question, one per story. Raises InvalidQuestion as `events` does.

        `history` as for `events`. Rules resolve a follow-up: a search does not wait for a model.
        """
        clock = Stopwatch(current().stage)
        asked = await understand(question, now=self._now(), history=history, resolve=self._resolve, run=run)
        asked = (await run(lambda: self._finder.placed(asked)))[0]
        clock.lap("understand")
        depth = Depth(listed=max(50, 3 * question.limit), kept=question.limit, per_article=1)
        evidence = await run(lambda: self._finder.evidence(asked, depth, clock))
        return SearchAnswer(
            question=question.question,
            resolved_query=asked.resolved_query,
            as_of=stamp(asked.as_of),
            understood_period=shown(asked.period),
            search_results=tuple(search_result(item, near=is_near(item, asked.resolved_query)) for item in evidence),
            timings_ms=clock.read(),
        )

    def _new_writer(self, generator: Generator, checker: SupportChecker) -> Writer:
        from qa.generation.writer import Writer  # not needed without a model

        return Writer(generator=generator, checker=checker, article=self._article, lenient=self._settings.lenient)

    async def _found(
        self,
        question: Question,
        asked: Understood,
        texts: Sequence[str],
        *,
        history: Sequence[Turn],
        clock: Stopwatch,
        run: Run,
    ) -> Sequence[Part]:
        """Find evidence for each part of a question, `max_citations` parts at most; they share one reading budget."""
        if len(texts) == 1:
            return [await self._looked_up(question, asked, share=1, history=history, clock=clock, run=run)]
        parts: list[Part] = []
        for text in texts[: question.max_citations]:
            part = msgspec.structs.replace(question, question=text)
            # "Who won, and how old is she?": the answer to the first part says who "she" is.
            turns = [turn_after(one) for one in parts] if leans_on_an_answer(text) else ()
            alone = await understand(part, now=asked.as_of, history=turns, resolve=self._resolve, run=run)
            parts.append(await self._looked_up(part, alone, share=len(texts), history=turns, clock=clock, run=run))
        return parts

    async def _looked_up(
        self, question: Question, asked: Understood, *, share: int, history: Sequence[Turn], clock: Stopwatch, run: Run
    ) -> Part:
        """Find evidence; if nothing answers, try again with corrected spelling, and keep that if it answers."""
        # A model sees everything found, in the order of reading.
        sparing = self._writer is None or question.mode == "extractive"
        find = partial(self._finder.find, clock=clock, share=share, sparing=sparing)
        asked, found = await run(lambda: self._of_its_year(asked, find))
        if found.reason not in _PERHAPS_MISSPELLED or history:
            return Part(asked=asked, found=found)
        again = await understand(
            question, now=asked.as_of, history=(), resolve=self._resolve, run=run, spell=self._spell
        )
        if again.resolved_query == asked.resolved_query:
            return Part(asked=asked, found=found)
        again, tried = await run(lambda: self._of_its_year(again, find))
        return Part(asked=asked, found=found) if tried.reason else Part(asked=again, found=tried)

    def _of_its_year(self, asked: Understood, find: Callable[[Understood], Found]) -> tuple[Understood, Found]:
        """The first reading of the question's dates that finds an answer, else the likeliest one. Blocking."""
        tried: list[tuple[Understood, Found]] = []
        for meant in self._finder.placed(asked):
            tried.append((meant, find(meant)))
            if tried[-1][1].reason is None:
                return tried[-1]
        return tried[0]

    def _draft_task(self, question: Question, asked: Understood, found: Found, begun: float) -> DraftTask:
        """What the model should write, and by when: the rest of the time is enough to extract an answer."""
        from qa.generation.writer import LIKELY, DraftTask

        seconds = self._settings.deadline_seconds
        return DraftTask(
            question=asked.resolved_query,
            as_of=stamp(asked.as_of)[:10],
            evidence=tuple(timely(found.evidence, asked.period)),
            # Where extraction would abstain, its best sentences answer something else.
            likely=() if found.reason else tuple(one.sentence for one in found.reading.sentences[:LIKELY]),
            limit=question.max_citations,
            deadline=begun + seconds - min(_RESERVE_SECONDS, _RESERVE_SHARE * seconds),
        )

    def _extracted(
        self, question: Question, parts: Sequence[Part], texts: Sequence[str], draft: Drafted | None, found: Found
    ) -> Written:
        """Answer each part by itself; usage is counted once, for `found`."""
        limits = citations_each(question.max_citations, len(parts))
        each = [self._extract(question, one, draft, limit) for one, limit in zip(parts, limits, strict=True)]
        written = said_together(each, texts)
        return msgspec.structs.replace(
            written, usage=spent_together([one.usage for one in each], once=_usage(found, draft))
        )

    def _extract(self, question: Question, part: Part, draft: Drafted | None, limit: int) -> Written:
        """Answer in the articles' own sentences, or abstain; `draft` is the model's draft that did not survive."""
        found, dispute = part.found, None
        if limit > 1 and not found.reason:
            dispute = disputed(found.reading, found.evidence, question=part.asked.to_read)
        chosen: Sequence[ReadSentence] = ()
        if not found.reason:
            best = choose(found.reading, found.evidence, limit=limit)
            chosen = dispute.sentences if dispute else best
        composition, dropped = _NOTHING, 0
        if chosen:
            kind = found.reading.kind
            made = compose(chosen, found.evidence, kind=kind, limit=2 if dispute else limit)
            composition, dropped = self._checked(made)
        answered = bool(composition.claims)
        # A caller who did not ask for extraction learns why nothing was generated.
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
        """Check every citation against the stored article; drop those that do not match exactly, and count them."""
        articles = {c.article_id: self._article(c.article_id, c.article_version) for c in composition.citations}
        kept = tuple(c for c in composition.citations if is_exact(c, articles[c.article_id]))
        dropped = len(composition.citations) - len(kept)
        if not dropped:
            return composition, 0
        # A quotation without its source is no answer. Do not patch offsets: serve nothing of it.
        return _NOTHING, dropped

    def _article(self, article_id: str, version: str) -> Article | None:
        return readable(self._corpus, article_id, version=version)


def _generated(draft: Drafted, found: Found) -> Written:
    """What the model wrote and the evidence supports."""
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


def _usage(found: Found, draft: Drafted | None, *, citations_dropped: int = 0) -> Usage:
    spent = draft.usage if draft else Usage()
    return msgspec.structs.replace(
        spent,
        query_encodings=1,
        passages_read=found.reading.passages,
        citations_dropped=spent.citations_dropped + citations_dropped,
    )


_NOTHING = Composition(text=ABSTENTION, claims=(), citations=(), short_answer=None)
