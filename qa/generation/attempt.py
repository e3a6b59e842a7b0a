"""One request to a model: gives each sentence once it is checked, and says how the draft ended.

`AnswerBuilder` turns the sentences into claims with citations, in order.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Literal, TypeVar

import msgspec

from embeddings.runtime import Run, Stopwatch
from embeddings.types import Article
from qa.citations import cite
from qa.errors import FallbackReason, GeneratorFailed
from qa.generation.claim_check import CheckedClaim, Quoted, check_claim
from qa.generation.prompt import PromptSource
from qa.generation.sentence_stream import SentenceCutter, declines
from qa.generators import Delta, Finish, Generator, Message
from qa.grounding import SupportChecker
from qa.tracing import Evaluation, current
from qa.types import Citation, Claim, ClaimEvent

T = TypeVar("T")
_GRACE_SECONDS = 0.2
"""A generator keeps its deadline itself; if it does not, it is abandoned so much later."""
_TRIES = 4
"""Sentences checked for each one that the answer may have; repetitions count."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The messages for a model, and the sources that its sentences are checked against."""

    messages: Sequence[Message]
    sources: Sequence[PromptSource]
    label: str
    """With a number after it, the model's name for a source."""
    question: str
    """The question that the sentences answer; it may have names that they only refer to."""
    max_tokens: int
    deadline: float
    """When the last sentence must be checked, on the event loop's clock."""
    echo: re.Pattern[str] | None = None
    """Parts of the prompt's form that a model may repeat; removed from its sentences."""

    @property
    def size(self) -> int:
        """Characters the model reads."""
        documents = (len(document.text) for message in self.messages for document in message.documents)
        return sum(len(message.content) for message in self.messages) + sum(documents)


class Dependencies(msgspec.Struct, frozen=True, kw_only=True):
    """The generator, the checker, and the lookup of articles."""

    generator: Generator
    checker: SupportChecker
    article: Callable[[str, str], Article | None]


class Attempt:
    """A draft in progress, and what is known about it so far."""

    def __init__(self, request: Request, *, dependencies: Dependencies, builder: AnswerBuilder) -> None:
        self.request = request
        self.builder = builder
        self.prompt_tokens = self.completion_tokens = 0
        """As the model's server counts; 0 if it does not say, or if its stream was closed before it did."""
        self.seconds = 0.0
        """Duration of the draft, including checks, up to the last sentence wanted."""
        self.written = 0
        """Characters written."""
        self.nearest: list[Quoted] = []
        """For each dropped sentence, the nearest words of a source, if any."""
        self._dependencies = dependencies
        self._declined = False
        self._ended: Literal["stop", "length", "content_filter"] | None = None

    @property
    def reason(self) -> FallbackReason | None:
        """Why a draft that did not fail left no sentence; None if it left one."""
        if self.builder.claims:
            return None
        return "model_declined" if self._declined else "ungrounded"

    @property
    def in_vain(self) -> bool:
        """Whether the model wrote a whole draft, and no sentence of it is supported."""
        return self.reason == "ungrounded" and (self._ended in {"stop", "length"} or self.builder.full)

    async def events(self, *, run: Run, clock: Stopwatch) -> AsyncGenerator[ClaimEvent, None]:
        """Give each sentence once it is checked, until the answer is full. Raises GeneratorFailed."""
        begun = asyncio.get_running_loop().time()
        async with aclosing(self._sentences(clock)) as sentences:
            async for sentence in sentences:
                if declines(sentence):
                    self._declined = True
                    continue
                if event := await self._checked(sentence, run):
                    clock.mark("first_claim")
                    yield event
                if self.builder.full:
                    break
        self.seconds = asyncio.get_running_loop().time() - begun

    async def _checked(self, sentence: str, run: Run) -> ClaimEvent | None:
        request = self.request
        job = partial(
            check_claim,
            _without(request.echo, sentence) if request.echo else sentence,
            label=request.label,
            sources=request.sources,
            checker=self._dependencies.checker,
            question=request.question,
            article=self._dependencies.article,
        )
        judged = await by(request.deadline, run(job))
        current().evaluated(Evaluation(score=judged.score, label=judged.verdict, claim=judged.text))
        event = self.builder.take(judged)
        if event is None:
            self.nearest += judged.nearest[:1]
        return event

    async def _sentences(self, clock: Stopwatch) -> AsyncGenerator[str, None]:
        """The draft's sentences as they are complete. Raises GeneratorFailed."""
        asked = self.request
        cutter = SentenceCutter(label=asked.label)
        stream = self._dependencies.generator.stream(
            asked.messages, max_tokens=asked.max_tokens, deadline=asked.deadline
        )
        async with aclosing(stream):
            async for piece in _in_time(stream, asked.deadline + _GRACE_SECONDS):
                if isinstance(piece, Finish):
                    self._ended = piece.reason
                    self.prompt_tokens, self.completion_tokens = piece.prompt_tokens, piece.completion_tokens
                    for sentence in _complete(cutter.finish(), whole=piece.reason == "stop"):
                        yield sentence
                    return
                clock.mark("first_token")
                self.written += len(piece.text)
                for sentence in cutter.feed(piece.text):
                    yield sentence


def _without(echo: re.Pattern[str], sentence: str) -> str:
    """The sentence without what it repeats, beginning with a capital."""
    text = echo.sub("", sentence)
    return text if sentence.startswith(text[:1]) else text[:1].upper() + text[1:]


def _complete(sentences: Sequence[str], *, whole: bool) -> Sequence[str]:
    """All sentences of a whole draft; without the unfinished last sentence if the draft was cut off."""
    if whole or not sentences or sentences[-1].rstrip().endswith((".", "!", "?", "…", "]")):
        return sentences
    return sentences[:-1]


async def _in_time(
    stream: AsyncGenerator[Delta | Finish, None], deadline: float
) -> AsyncGenerator[Delta | Finish, None]:
    """The pieces that arrive before a deadline. Raises GeneratorFailed after it."""
    while True:
        try:
            yield await by(deadline, anext(stream))
        except StopAsyncIteration:
            return


async def by(deadline: float, work: Awaitable[T]) -> T:
    """Wait for work until a deadline. Raises GeneratorFailed after it."""
    limit = asyncio.timeout_at(deadline)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise  # the work's own
        raise GeneratorFailed("the draft was not finished and checked in time", reason="model_timed_out") from None


class AnswerBuilder:
    """The answer so far; its sentences are never taken back."""

    def __init__(self, *, limit: int, lenient: bool) -> None:
        """`limit` bounds sentences and citations; `lenient` keeps sentences without support, marked as such."""
        self._limit = limit
        self._lenient = lenient
        self._seen: set[str] = set()
        self._looked_at = 0
        self.claims: list[Claim] = []
        self.citations: list[Citation] = []
        self.dropped = 0
        self.unresolved = 0
        self.inexact = 0

    @property
    def text(self) -> str:
        """The sentences so far."""
        return " ".join(claim.text for claim in self.claims)

    @property
    def full(self) -> bool:
        """Whether to stop: the answer is long enough, or the draft goes round in circles."""
        most = max(len(self.claims), len(self.citations))
        return most >= self._limit or self._looked_at >= _TRIES * self._limit

    def take(self, judged: CheckedClaim) -> ClaimEvent | None:
        """Add a sentence to the answer, or drop it; also drop it if its support needs too many citations."""
        self._looked_at += 1
        self.unresolved += judged.unresolved
        self.inexact += judged.inexact
        key = " ".join(re.findall(r"\w+", judged.text.casefold()))
        if key and key in self._seen:
            return None
        self._seen.add(key)
        fits = len(self.citations) + len(judged.quotes) <= self._limit
        if not judged.text or not fits or not (judged.verdict == "supported" or self._lenient):
            self.dropped += 1
            return None
        return self._write(judged)

    def _write(self, judged: CheckedClaim) -> ClaimEvent:
        start = sum(len(claim.text) + 1 for claim in self.claims)
        placed = (start, start + len(judged.text))
        citations = tuple(
            cite(quote.stored, number=number, cited=(quote.start, quote.end), placed=placed, text=quote.text)
            for number, quote in enumerate(judged.quotes, start=len(self.citations) + 1)
        )
        claim = Claim(
            text=judged.text,
            start=placed[0],
            end=placed[1],
            verdict=judged.verdict,
            support_score=round(judged.score, 4),
            citation_ids=tuple(citation.id for citation in citations),
            origin="quoted" if any(citation.cited_text == judged.text for citation in citations) else "model",
        )
        self.claims.append(claim)
        self.citations += citations
        return ClaimEvent(claim=claim, citations=citations)
