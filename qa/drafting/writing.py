"""Takes a question with its evidence, gives verified sentences while a model writes, then how it ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import TypeVar

import msgspec

from embeddings.types import Article
from qa.context import Context, build
from qa.drafting.cutting import SentenceCutter
from qa.drafting.declining import declines
from qa.drafting.markers import choose_label
from qa.drafting.page import Page
from qa.drafting.prompting import load_prompts, messages, prompt_tokens
from qa.drafting.verifying import Judged, judge
from qa.errors import GeneratorFailed
from qa.generators.protocol import Delta, Finish, Generator
from qa.grounding.protocol import SupportChecker
from qa.jobs import Run
from qa.timings import Clock
from qa.types import Citation, Claim, ClaimEvent, Evidence, FallbackReason, Generation, Usage

__all__ = ["Brief", "Drafted", "Writer"]

T = TypeVar("T")

_DRAFT_TOKENS, _SENTENCE_TOKENS = 80, 80
_MOST_SOURCES = 8
_GRACE_SECONDS = 0.2
"""A generator keeps its deadline itself; one that does not is left so much later."""

logger = logging.getLogger(__name__)


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written."""

    question: str
    as_of: str
    evidence: tuple[Evidence, ...]
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


class _End(msgspec.Struct):
    """How the model's stream ended; filled in when it did."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


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
        self._generator = generator
        self._checker = checker
        self._article = article
        self._lenient = lenient
        self._prompts = load_prompts(documents=generator.reads_documents)

    async def write(self, brief: Brief, *, run: Run, clock: Clock) -> AsyncGenerator[ClaimEvent | Drafted, None]:
        """Give each sentence once it is verified, and at last what came of it all. A failing model raises nothing.

        A draft that fails after its first shown sentence ends there: what was shown stays.
        """
        page, end, declined = Page(limit=brief.limit, lenient=self._lenient), _End(), False
        context, reason = Context(sources=(), omitted=len(brief.evidence)), None
        try:
            context = await _by(brief.deadline, run(partial(self._context, brief)))
            label = choose_label([brief.question, *(source.text for source in context.sources)])
            async with aclosing(self._sentences(brief, context, label, end, clock)) as sentences:
                async for sentence in sentences:
                    if declines(sentence):
                        declined = True
                        continue
                    job = partial(self._judge, sentence, label, context, brief)
                    if event := page.take(await _by(brief.deadline, run(job))):
                        clock.mark("first_claim")
                        yield event
                    if page.full:
                        break
        except GeneratorFailed as error:
            logger.warning("no draft, or not all of it (%s): %s", error.reason, error)
            reason = error.reason
        clock.lap("draft")
        if reason is None and not page.claims:
            reason = "model_declined" if declined else "ungrounded"
        yield self._drafted(page, end, reason, context)

    def _context(self, brief: Brief) -> Context:
        room = self._generator.context_tokens - self._draft_tokens(brief)
        budget = room - prompt_tokens(self._prompts, question=brief.question)
        return build(brief.evidence, article=self._article, budget=budget, most=_MOST_SOURCES)

    def _draft_tokens(self, brief: Brief) -> int:
        return min(_DRAFT_TOKENS + _SENTENCE_TOKENS * brief.limit, self._generator.context_tokens // 4)

    async def _sentences(
        self, brief: Brief, context: Context, label: str, end: _End, clock: Clock
    ) -> AsyncGenerator[str, None]:
        """The draft's sentences as they are completed. Raises GeneratorFailed."""
        if not context.sources:
            raise GeneratorFailed(
                "no passage fits into the model's window; raise QA_LLM_CONTEXT_TOKENS", reason="model_failed"
            )
        asked = messages(
            self._prompts,
            question=brief.question,
            as_of=brief.as_of,
            sources=context.sources,
            label=label,
            limit=brief.limit,
        )
        cutter = SentenceCutter(label=label)
        stream = self._generator.stream(asked, max_tokens=self._draft_tokens(brief), deadline=brief.deadline)
        async with aclosing(stream):
            async for piece in _in_time(stream, brief.deadline + _GRACE_SECONDS):
                if isinstance(piece, Finish):
                    end.prompt_tokens, end.completion_tokens = piece.prompt_tokens, piece.completion_tokens
                    for sentence in _complete(cutter.finish(), whole=piece.reason == "stop"):
                        yield sentence
                    return
                clock.mark("first_token")
                for sentence in cutter.feed(piece.text):
                    yield sentence

    def _judge(self, sentence: str, label: str, context: Context, brief: Brief) -> Judged:
        return judge(
            sentence,
            label=label,
            sources=context.sources,
            checker=self._checker,
            question=brief.question,
            article=self._article,
        )

    def _drafted(self, page: Page, end: _End, reason: FallbackReason | None, context: Context) -> Drafted:
        return Drafted(
            text=page.text,
            claims=tuple(page.claims),
            citations=tuple(page.citations),
            reason=reason,
            generation=Generation(
                model=self._generator.model,
                prompts=dict(self._prompts.fingerprints),
                checker=self._checker.identity,
            ),
            usage=Usage(
                prompt_tokens=end.prompt_tokens,
                completion_tokens=end.completion_tokens,
                citations_dropped=page.inexact,
                evidence_omitted=context.omitted,
                sentences_dropped=page.dropped,
                markers_unresolved=page.unresolved,
            ),
        )


def _complete(sentences: Sequence[str], *, whole: bool) -> Sequence[str]:
    """All sentences of a draft that was written to its end; of one that was cut off, not the unfinished last one."""
    if whole or not sentences or sentences[-1].rstrip().endswith((".", "!", "?", "…", "]")):
        return sentences
    return sentences[:-1]


async def _in_time(
    stream: AsyncGenerator[Delta | Finish, None], deadline: float
) -> AsyncGenerator[Delta | Finish, None]:
    """The pieces that come until a deadline. Raises GeneratorFailed after it."""
    while True:
        try:
            yield await _by(deadline, anext(stream))
        except StopAsyncIteration:
            return


async def _by(deadline: float, work: Awaitable[T]) -> T:
    """Wait for work until a deadline. Raises GeneratorFailed after it."""
    limit = asyncio.timeout_at(deadline)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise  # the work's own
        raise GeneratorFailed("the draft was not finished and checked in time", reason="model_timed_out") from None
