"""Takes a follow-up and what was said before, gives a question that stands alone: by a model where one is set up and
keeps to the words that were said, else by rules (`qa.conversations.follow_ups`)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import prompts
from embeddings.corpus import Corpus, readable
from qa.conversations.follow_ups.dependence import adds_facts, may_depend
from qa.conversations.follow_ups.resolving import Resolved, resolved
from qa.errors import GeneratorFailed
from qa.executor import Run
from qa.generators.generator import Delta, Generator, Message
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

    async def __call__(self, question: str, /, *, history: Sequence[Turn], by_model: bool, run: Run) -> Resolved:
        """Give the question as it is looked up; unchanged where it stands alone."""
        by_rules = await run(lambda: resolved(question, history, background=self._background(history)))
        if self._generator is None or not by_model or not (by_rules.follows or may_depend(question)):
            return by_rules
        written = await rewrite(question, history, generator=self._generator, seconds=self._seconds)
        if written is None:
            return by_rules
        follows = by_rules.follows or written != question
        ids = history[-1].article_ids if history and follows else ()
        return Resolved(query=written, lookup=written, article_ids=ids, follows=follows)

    def _background(self, history: Sequence[Turn]) -> str:
        texts = []
        for article_id in history[-1].article_ids[:_ARTICLES] if history else ():
            article = readable(self._corpus, article_id)
            if article is not None:
                texts.append(f"{article.title}\n{article.text[:_ARTICLE_CHARACTERS]}")
        return "\n".join(texts)


async def rewrite(question: str, turns: Sequence[Turn], *, generator: Generator, seconds: float) -> str | None:
    """Let a model write the question out; None where it fails, is too slow, or says what nobody has said.

    What it writes may hold no name and no number that stands in no turn, must be one line, and must keep to the
    question; see `qa.conversations.follow_ups.dependence.adds_facts`.
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
