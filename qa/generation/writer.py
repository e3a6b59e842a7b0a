"""Has a model write an answer, checks each sentence, and makes a smaller second request if no sentence is supported.

Small models lose labels and run facts together when they read whole passages. So the second request gives them a few
exact sentences to restate. The result is checked like any other draft, against the passages of those sentences.
"""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial

import msgspec

import prompts
from embeddings.runtime import Run, Stopwatch
from embeddings.types import Article
from qa.citations import choose_label
from qa.errors import FallbackReason, GeneratorFailed
from qa.generation.attempt import AnswerBuilder, Attempt, Dependencies, Request, by
from qa.generation.claim_check import Quoted, is_injection
from qa.generation.prompt import (
    Context,
    PromptSource,
    build,
    estimate,
    load_prompts,
    messages,
    new_fence,
    prompt_tokens,
)
from qa.generation.sentence_stream import NOTHING, plain_line
from qa.generators import Generator, Message
from qa.grounding import SupportChecker
from qa.reading import SentenceAt
from qa.types import Citation, Claim, ClaimEvent, Evidence, Generation, Usage

LIKELY = 8
"""Sentences of the reader that are considered; some are injections, or in passages that did not fit."""
_READERS, _NEAREST = 4, 2
"""Sentences given: the reader's best, and those nearest to dropped sentences. For 78 % of 108 sample questions, one of
the reader's four best sentences had the answer; for 83 %, one of its six best."""
_SHORTEST, _LONGEST = 20, 500
"""Length of a sentence that can be restated, in characters."""
_TOKENS = 120
"""Enough for two sentences, and the words that small models like to add."""
_CHARACTERS = 4 * _TOKENS
_WRITING = 8
"""Characters that a model on a CPU reads while it writes one (1.5 billion weights of four bits, one core: 17 ms to read
a token, 140 ms to write one)."""
_NO_PREMISE = ""
"""Here the checker does not get the question. A restated sentence needs no name from the question, and small models
repeat false assertions of a question."""
_ECHO = re.compile(
    r"^\W*(?:sentences?\s+\d\b\W*(?:(?:says?|states?)(?:\s+that)?\s+)?)?(?:\d?\W*\(published [\d-]+\)\W*)"
    r"|^\W*sentences?\s+\d\b\W*(?:(?:says?|states?)(?:\s+that)?\s+)?|\s*[\[(](?:sentences?\s+)?\d(?:\s*,\s*\d)*[\])]",
    re.IGNORECASE,
)
"""Numbers and dates of the list that models repeat."""


class Restating(msgspec.Struct, frozen=True):
    """The messages of a second request, as templates."""

    system: prompts.Prompt
    user: prompts.Prompt

    @property
    def fingerprints(self) -> Mapping[str, str]:
        """The version of each prompt, by name."""
        return {prompt.name: prompt.fingerprint for prompt in (self.system, self.user)}


def load_restating() -> Restating:
    """Load the templates. Raises PromptError."""
    return Restating(prompts.load("restate_system"), prompts.load("restate_user"))


def quoted(sentences: Sequence[SentenceAt], evidence: Sequence[Evidence]) -> list[Quoted]:
    """Sentences of the evidence as quotes of their articles."""
    return [
        Quoted(stored=evidence[one.evidence].stored, start=one.start, end=one.end, text=one.text) for one in sentences
    ]


def second_request(
    templates: Restating, *, after: Attempt, likely: Sequence[Quoted], as_of: str, window: int
) -> Request | None:
    """The request after an unsupported draft; None if no sentence is likely to answer. `window` is in tokens."""
    first = after.request
    picked = pick(likely, after.nearest, sources=first.sources) if likely else []
    while picked:
        asked = _messages(templates, picked, question=first.question, as_of=as_of)
        if sum(estimate(message.content) for message in asked) <= window - _TOKENS:
            return Request(
                messages=asked,
                sources=[source for source in first.sources if any(_holds(source, one) for one in picked)],
                label=first.label,
                question=_NO_PREMISE,
                max_tokens=_TOKENS,
                deadline=first.deadline,
                echo=_ECHO,
            )
        picked = picked[:-1]
    return None


def pick(likely: Sequence[Quoted], nearest: Sequence[Quoted], *, sources: Sequence[PromptSource]) -> list[Quoted]:
    """A few sentences of the sources: those likely to answer, best first, then those nearest to dropped sentences.

    Each only once, and no injections: they support nothing.
    """
    best = list(_usable(likely, sources))[:_READERS]
    near = [one for one in _usable(nearest, sources) if not any(_overlap(one, other) for other in best)]
    return [*best, *near[:_NEAREST]]


def seconds_for(request: Request, *, after: Attempt) -> float:
    """An estimate of the second draft's duration, from that of the first, by how much there is to read and write.

    It is the longest likely duration: a second draft that does not finish makes the user wait for nothing.
    """
    first = after.request.size + _WRITING * after.written
    return after.seconds * (request.size + _WRITING * _CHARACTERS) / first


def _usable(found: Sequence[Quoted], sources: Sequence[PromptSource]) -> Iterator[Quoted]:
    seen: list[Quoted] = []
    for one in found:
        fits = _SHORTEST <= len(one.text) <= _LONGEST and not is_injection(one.text)
        if fits and any(_holds(source, one) for source in sources) and not any(_overlap(one, other) for other in seen):
            seen.append(one)
            yield one


def _holds(source: PromptSource, words: Quoted) -> bool:
    return _article(source) == _article(words) and source.start <= words.start and words.end <= source.end


def _overlap(one: Quoted, other: Quoted) -> bool:
    return _article(one) == _article(other) and one.start < other.end and other.start < one.end


def _article(item: PromptSource | Quoted) -> tuple[str, str]:
    return item.stored.passage.article_id, item.stored.passage.article_version


def _messages(templates: Restating, picked: Sequence[Quoted], *, question: str, as_of: str) -> list[Message]:
    """Fill in the templates. A random word, unknown to the authors of the sentences, fences them."""
    lines = [f"{number}. {_published(one)}{plain_line(one.text)}" for number, one in enumerate(picked, start=1)]
    user = templates.user.render(
        fence=new_fence(), sentences="\n".join(lines), question=plain_line(question), as_of=as_of, nothing=NOTHING
    )
    return [
        Message(role="system", content=templates.system.render(nothing=NOTHING)),
        Message(role="user", content=user),
    ]


def _published(words: Quoted) -> str:
    day = (words.stored.published_at or "")[:10]
    return f"(published {day}) " if day else ""


_DRAFT_TOKENS, _SENTENCE_TOKENS = 80, 80
_MOST_SOURCES = 8
_LAPS = ("draft", "second_draft")
"""The name of each attempt in the timings."""

logger = logging.getLogger(__name__)


class DraftTask(msgspec.Struct, frozen=True, kw_only=True):
    """What the model should write."""

    question: str
    as_of: str
    evidence: tuple[Evidence, ...]
    likely: tuple[SentenceAt, ...] = ()
    """Sentences of the evidence that answer, as far as the reader can tell, best first."""
    limit: int
    """Sentences and citations at most."""
    deadline: float
    """Moment of the event loop's clock at which the last sentence must be checked."""


class Drafted(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a draft."""

    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    reason: FallbackReason | None
    """Why there is no text, or why it ends early; None if the draft is whole."""
    generation: Generation
    usage: Usage


class Writer:
    """Has a model write, and checks every sentence before anybody sees it."""

    def __init__(
        self,
        *,
        generator: Generator,
        checker: SupportChecker,
        article: Callable[[str, str], Article | None],
        lenient: bool = False,
    ) -> None:
        """`article` looks up an id and a version; `lenient` keeps unsupported sentences, marked as such."""
        self._dependencies = Dependencies(generator=generator, checker=checker, article=article)
        self._lenient = lenient
        self._prompts = load_prompts(documents=generator.reads_documents)
        self._restating = load_restating()

    async def write(self, task: DraftTask, *, run: Run, clock: Stopwatch) -> AsyncGenerator[ClaimEvent | Drafted, None]:
        """Give each sentence once it is checked, then the result. A failing model raises nothing.

        A draft that fails after its first sentence ends there: shown sentences stay. If a whole draft has no supported
        sentence, a second attempt follows, time permitting.
        """
        attempts: list[Attempt] = []
        context, reason = Context(sources=(), omitted=len(task.evidence)), None
        try:
            context = await by(task.deadline, run(partial(self._context, task)))
            request: Request | None = self._first(task, context)
            while request:
                builder = AnswerBuilder(limit=task.limit, lenient=self._lenient)
                attempts.append(Attempt(request, dependencies=self._dependencies, builder=builder))
                async with aclosing(attempts[-1].events(run=run, clock=clock)) as events:
                    async for event in events:
                        yield event
                clock.lap(_LAPS[len(attempts) - 1])
                request = await self._next(attempts, task, run)
            reason = attempts[-1].reason
        except GeneratorFailed as error:
            logger.warning("no draft, or not all of it (%s): %s", error.reason, error)
            reason = error.reason
            clock.lap(_LAPS[max(len(attempts), 1) - 1])
        yield self._drafted(attempts, reason, context)

    def _context(self, task: DraftTask) -> Context:
        room = self._dependencies.generator.context_tokens - self._draft_tokens(task)
        budget = room - prompt_tokens(self._prompts, question=task.question)
        return build(task.evidence, article=self._dependencies.article, budget=budget, most=_MOST_SOURCES)

    def _draft_tokens(self, task: DraftTask) -> int:
        return min(_DRAFT_TOKENS + _SENTENCE_TOKENS * task.limit, self._dependencies.generator.context_tokens // 4)

    def _first(self, task: DraftTask, context: Context) -> Request:
        """The first request: whole passages, which each sentence must name. Raises GeneratorFailed if none fits."""
        if not context.sources:
            raise GeneratorFailed(
                "no passage fits into the model's window; raise QA_LLM_CONTEXT_TOKENS", reason="model_failed"
            )
        label = choose_label([task.question, *(source.text for source in context.sources)])
        asked = messages(
            self._prompts,
            question=task.question,
            as_of=task.as_of,
            sources=context.sources,
            label=label,
            limit=task.limit,
        )
        return Request(
            messages=asked,
            sources=context.sources,
            label=label,
            question=task.question,
            max_tokens=self._draft_tokens(task),
            deadline=task.deadline,
        )

    async def _next(self, attempts: Sequence[Attempt], task: DraftTask, run: Run) -> Request | None:
        """The second request, if the first draft was unsupported and time is left. Raises GeneratorFailed."""
        first = attempts[0]
        if len(attempts) > 1 or not first.in_vain:
            return None
        job = partial(
            second_request,
            self._restating,
            after=first,
            likely=quoted(task.likely, task.evidence),
            as_of=task.as_of,
            window=self._dependencies.generator.context_tokens,
        )
        request = await by(task.deadline, run(job))
        left = task.deadline - asyncio.get_running_loop().time()
        return request if request and left >= seconds_for(request, after=first) else None

    def _drafted(self, attempts: Sequence[Attempt], reason: FallbackReason | None, context: Context) -> Drafted:
        builders = [attempt.builder for attempt in attempts]
        asked = (self._prompts, self._restating)[: max(len(attempts), 1)]
        return Drafted(
            text=" ".join(one.text for one in builders if one.claims),
            claims=tuple(claim for one in builders for claim in one.claims),
            citations=tuple(citation for one in builders for citation in one.citations),
            reason=reason,
            generation=Generation(
                model=self._dependencies.generator.model,
                prompts={name: version for prompts in asked for name, version in prompts.fingerprints.items()},
                checker=self._dependencies.checker.identity,
            ),
            usage=Usage(
                prompt_tokens=sum(attempt.prompt_tokens for attempt in attempts),
                completion_tokens=sum(attempt.completion_tokens for attempt in attempts),
                citations_dropped=sum(one.inexact for one in builders),
                evidence_omitted=context.omitted,
                sentences_dropped=sum(one.dropped for one in builders),
                markers_unresolved=sum(one.unresolved for one in builders),
            ),
        )
