"""Takes a question with its evidence, gives verified sentences while a model writes, then how it ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from functools import partial

import msgspec

from embeddings.runtime.stopwatch import Stopwatch
from embeddings.types import Article
from qa.errors import GeneratorFailed
from qa.executor import Run
from qa.generation.attempt import AnswerBuilder, Attempt, Means, Request, by
from qa.generation.citation_markers import choose_label
from qa.generation.prompt import Context, build, load_prompts, messages, prompt_tokens
from qa.generation.retry import load_restating, quoted, second_request, seconds_for
from qa.generators.generator import Generator
from qa.grounding.checker import SupportChecker
from qa.reading.read import SentenceAt
from qa.types import Citation, Claim, ClaimEvent, Evidence, FallbackReason, Generation, Usage

__all__ = ["DraftTask", "Drafted", "Writer"]

_DRAFT_TOKENS, _SENTENCE_TOKENS = 80, 80
_MOST_SOURCES = 8
_LAPS = ("draft", "second_draft")
"""What the time of each attempt is called."""

logger = logging.getLogger(__name__)


class DraftTask(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written."""

    question: str
    as_of: str
    evidence: tuple[Evidence, ...]
    likely: tuple[SentenceAt, ...] = ()
    """Sentences of the evidence that answer as far as can be told without a model, best first; none where none does."""
    limit: int
    """Sentences and citations at most."""
    deadline: float
    """Moment of the event loop's clock at which the last sentence must be verified."""


class Drafted(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a draft."""

    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    reason: FallbackReason | None
    """Why there is nothing, or why it ends early; None where the model wrote to its end."""
    generation: Generation
    usage: Usage


class Writer:
    """A model whose every sentence is checked before anybody sees it."""

    def __init__(
        self,
        *,
        generator: Generator,
        checker: SupportChecker,
        article: Callable[[str, str], Article | None],
        lenient: bool = False,
    ) -> None:
        """`article` looks up an id and a version; `lenient` keeps sentences without support, marked as such."""
        self._means = Means(generator=generator, checker=checker, article=article)
        self._lenient = lenient
        self._prompts = load_prompts(documents=generator.reads_documents)
        self._restating = load_restating()

    async def write(
        self, brief: DraftTask, *, run: Run, clock: Stopwatch
    ) -> AsyncGenerator[ClaimEvent | Drafted, None]:
        """Give each sentence once it is verified, and at last what came of it all. A failing model raises nothing.

        A draft that fails after its first shown sentence ends there: what was shown stays. One that is whole and of
        which nothing is borne out is followed by a second attempt, if there is time for it.
        """
        attempts: list[Attempt] = []
        context, reason = Context(sources=(), omitted=len(brief.evidence)), None
        try:
            context = await by(brief.deadline, run(partial(self._context, brief)))
            request: Request | None = self._first(brief, context)
            while request:
                attempts.append(Attempt(request, means=self._means, page=self._page(brief)))
                async with aclosing(attempts[-1].events(run=run, clock=clock)) as events:
                    async for event in events:
                        yield event
                clock.lap(_LAPS[len(attempts) - 1])
                request = await self._next(attempts, brief, run)
            reason = attempts[-1].reason
        except GeneratorFailed as error:
            logger.warning("no draft, or not all of it (%s): %s", error.reason, error)
            reason = error.reason
            clock.lap(_LAPS[max(len(attempts), 1) - 1])
        yield self._drafted(attempts, reason, context)

    def _context(self, brief: DraftTask) -> Context:
        room = self._means.generator.context_tokens - self._draft_tokens(brief)
        budget = room - prompt_tokens(self._prompts, question=brief.question)
        return build(brief.evidence, article=self._means.article, budget=budget, most=_MOST_SOURCES)

    def _draft_tokens(self, brief: DraftTask) -> int:
        return min(_DRAFT_TOKENS + _SENTENCE_TOKENS * brief.limit, self._means.generator.context_tokens // 4)

    def _page(self, brief: DraftTask) -> AnswerBuilder:
        return AnswerBuilder(limit=brief.limit, lenient=self._lenient)

    def _first(self, brief: DraftTask, context: Context) -> Request:
        """Whole passages, each sentence of the answer to name its own. Raises GeneratorFailed where none fits."""
        if not context.sources:
            raise GeneratorFailed(
                "no passage fits into the model's window; raise QA_LLM_CONTEXT_TOKENS", reason="model_failed"
            )
        label = choose_label([brief.question, *(source.text for source in context.sources)])
        asked = messages(
            self._prompts,
            question=brief.question,
            as_of=brief.as_of,
            sources=context.sources,
            label=label,
            limit=brief.limit,
        )
        return Request(
            messages=asked,
            sources=context.sources,
            label=label,
            question=brief.question,
            max_tokens=self._draft_tokens(brief),
            deadline=brief.deadline,
        )

    async def _next(self, attempts: Sequence[Attempt], brief: DraftTask, run: Run) -> Request | None:
        """The second request, where the first was in vain and there is time for another. Raises GeneratorFailed."""
        first = attempts[0]
        if len(attempts) > 1 or not first.in_vain:
            return None
        job = partial(
            second_request,
            self._restating,
            after=first,
            likely=quoted(brief.likely, brief.evidence),
            as_of=brief.as_of,
            window=self._means.generator.context_tokens,
        )
        request = await by(brief.deadline, run(job))
        left = brief.deadline - asyncio.get_running_loop().time()
        return request if request and left >= seconds_for(request, after=first) else None

    def _drafted(self, attempts: Sequence[Attempt], reason: FallbackReason | None, context: Context) -> Drafted:
        pages = [attempt.page for attempt in attempts]
        asked = (self._prompts, self._restating)[: max(len(attempts), 1)]
        return Drafted(
            text=" ".join(page.text for page in pages if page.claims),
            claims=tuple(claim for page in pages for claim in page.claims),
            citations=tuple(citation for page in pages for citation in page.citations),
            reason=reason,
            generation=Generation(
                model=self._means.generator.model,
                prompts={name: version for prompts in asked for name, version in prompts.fingerprints.items()},
                checker=self._means.checker.identity,
            ),
            usage=Usage(
                prompt_tokens=sum(attempt.prompt_tokens for attempt in attempts),
                completion_tokens=sum(attempt.completion_tokens for attempt in attempts),
                citations_dropped=sum(page.inexact for page in pages),
                evidence_omitted=context.omitted,
                sentences_dropped=sum(page.dropped for page in pages),
                markers_unresolved=sum(page.unresolved for page in pages),
            ),
        )
