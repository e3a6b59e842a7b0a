"""What the service is started with: takes nothing, gives the seams that the HTTP layer answers and checks through."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from embeddings.corpus import Corpus
from embeddings.encoders.encoder import Encoder
from embeddings.runtime.memory import Memory
from embeddings.usable_corpus import Clock, utc_now
from qa.executor import Run
from qa.generators.generator import Generator
from qa.server.checks import Checking
from qa.types import Event, Question, SearchAnswer, SearchQuestion, Turn

__all__ = ["Answering", "Narrowed", "Parts"]


class Answering(Protocol):
    """The online half, as the HTTP layer sees it."""

    def events(self, question: Question, *, run: Run, history: Sequence[Turn] = ()) -> AsyncGenerator[Event, None]:
        """Answer a question step by step; blocking work goes to `run`. Raises InvalidQuestion before any work."""

    async def search(self, question: SearchQuestion, *, run: Run, history: Sequence[Turn] = ()) -> SearchAnswer:
        """Find passages; blocking work goes to `run`. Raises InvalidQuestion before any work."""


class Narrowed(msgspec.Struct, frozen=True, kw_only=True):
    """What answers and checks from some collections alone."""

    answering: Answering
    checking: Checking | None = None


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What is loaded at start-up."""

    corpus: Corpus
    encoder: Encoder
    answering: Answering
    checking: Checking | None = None
    """None where no texts are checked."""
    narrowed: Callable[[tuple[str, ...]], Narrowed] | None = None
    """The same from some collections alone; None where nobody is held to any."""
    generator: Generator | None = None
    """What `answering` drafts with; closed at the end."""
    memories: Mapping[str, Memory[Any]] = {}
    """What is remembered from question to question, by its name."""
    now: Clock = utc_now
