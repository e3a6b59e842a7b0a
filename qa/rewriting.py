"""Takes a follow-up and what was said before, gives a question that stands alone: by a model where one is set up and
keeps to the words that were said, else by rules (`qa.follow_ups`)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import prompts
from embeddings.corpus import Corpus
from embeddings.errors import StoreCorrupt
from qa.errors import GeneratorFailed
from qa.follow_ups.dependence import adds_facts, may_depend
from qa.follow_ups.resolving import resolve
from qa.generators.protocol import Delta, Generator, Message
from qa.jobs import Run
from qa.types import Turn

__all__ = ["FollowUps", "rewrite"]

_ARTICLES = 2
"""Cited articles of the last turn that are read."""
_ARTICLE_CHARACTERS = 20_000
_TURNS = 3
_ANSWER_CHARACTERS = 600
_TOKENS = 80
_SECONDS = 3.0
"""A model that is slower than this at one line is not waited for: rules answer at once."""
_LONGEST = 400


class FollowUps:
    """Makes follow-ups stand alone; used from the event loop."""

    def __init__(self, corpus: Corpus, *, generator: Generator | None = None, seconds: float = _SECONDS) -> None:
        self._corpus = corpus
        self._generator = generator
        self._seconds = seconds

    async def __call__(self, question: str, /, *, history: Sequence[Turn], by_model: bool, run: Run) -> str:
        """Give the question as it is looked up; unchanged where it stands alone."""
        by_rules = await run(lambda: resolve(question, history, background=self._background(history)))
        if self._generator is None or not by_model or not (by_rules != question or may_depend(question)):
            return by_rules
        written = await rewrite(question, history, generator=self._generator, seconds=self._seconds)
        return by_rules if written is None else written

    def _background(self, history: Sequence[Turn]) -> str:
        texts = []
        for article_id in history[-1].article_ids[:_ARTICLES] if history else ():
            try:
                article = self._corpus.get(article_id)
            except StoreCorrupt:
                continue
            if article is not None:
                texts.append(f"{article.title}\n{article.text[:_ARTICLE_CHARACTERS]}")
        return "\n".join(texts)


async def rewrite(question: str, turns: Sequence[Turn], *, generator: Generator, seconds: float) -> str | None:
    """Let a model write the question out; None where it fails, is too slow, or says what nobody has said.

    What it writes may hold no name and no number that stands in no turn, must be one line, and must keep to the
    question; see `qa.follow_ups.dependence.adds_facts`.
    """
    recent = turns[-_TURNS:]
    messages = [
        Message(role="system", content=prompts.load("rewrite_system").render()),
        Message(
            role="user",
            content=prompts.load("rewrite_user").render(conversation=_conversation(recent), question=question),
        ),
    ]
    try:
        async with asyncio.timeout(seconds):
            draft = await _draft(messages, generator=generator, seconds=seconds)
    except (TimeoutError, GeneratorFailed):
        return None
    lines = [line.strip().strip('"“”') for line in draft.splitlines() if line.strip()]
    if len(lines) != 1 or not 0 < len(lines[0]) <= _LONGEST or adds_facts(lines[0], question, recent):
        return None
    return " ".join(lines[0].split())


async def _draft(messages: Sequence[Message], *, generator: Generator, seconds: float) -> str:
    text = ""
    deadline = asyncio.get_running_loop().time() + seconds
    async with aclosing(generator.stream(messages, max_tokens=_TOKENS, deadline=deadline)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Delta):
                text += piece.text
                if len(text) > 2 * _LONGEST:
                    break
    return text


def _conversation(turns: Sequence[Turn]) -> str:
    return "\n".join(f"Question: {turn.resolved_query}\nAnswer: {turn.answer[:_ANSWER_CHARACTERS]}" for turn in turns)
