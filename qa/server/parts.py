"""The loaded parts of the service: the interfaces through which the HTTP layer answers and checks.

Checks run on the encoding thread behind the questions, a few texts at a time, each within the time of its request.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from embeddings.corpus import Corpus
from embeddings.encoders import BUNDLED_MODEL, Encoder
from embeddings.runtime import Memory, Run, native_threads
from embeddings.usable_corpus import Clock, utc_now
from qa.access.keys import Collections
from qa.checking import CheckReport, TextToCheck
from qa.generators import Generator
from qa.server.errors import DeadlineExceeded, NotReady, Unsupported
from qa.server.monitoring import Metrics
from qa.server.worker import Permits, Worker
from qa.settings import Settings
from qa.tracing import part
from qa.types import Event, Question, SearchAnswer, SearchQuestion, Turn


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
    made_by: str = ""
    """Names all that answers without a model depend on besides the articles."""


_ROOMS = 256
"""Sets of collections that have something of their own in memory."""


class Rooms:
    """What answers and checks within each set of collections that was asked for lately."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], Narrowed] = {}

    def of(self, within: Collections, *, parts: Parts) -> Narrowed:
        """That of some collections (None: of all). Raises NotReady where the parts know of none."""
        if within is None:
            return Narrowed(answering=parts.answering, checking=parts.checking)
        if parts.narrowed is None:
            raise NotReady("this service was started without collections of its own for keys; start it from settings")
        if (room := self._kept.get(within)) is None:
            if len(self._kept) >= _ROOMS:
                self._kept.clear()
            room = self._kept[within] = parts.narrowed(within)
        return room


_WAITING = 8
"""Checks waiting or at work; further ones would hardly be finished within their deadline."""


class Checking(Protocol):
    """What judges texts, as the HTTP layer sees it."""

    async def check(self, asked: TextToCheck, *, run: Run, seconds: float | None) -> CheckReport:
        """Judge every sentence that claims something; blocking work goes to `run`.

        Sentences not reached within `seconds` say so. Raises InvalidText, InvalidQuestion, and TimeoutError where none
        was judged in time.
        """


class Checks:
    """The checks of one service."""

    def __init__(self, settings: Settings, *, worker: Worker, metrics: Metrics) -> None:
        self._seconds = settings.deadline_seconds
        self._worker = worker
        self._metrics = metrics
        self._admitted = Permits(_WAITING, what="checks")
        metrics.watch("checks_admitted", "Checks waiting or at work.", lambda: self._admitted.taken)

    async def check(self, text: TextToCheck, *, checking: Checking | None) -> CheckReport:
        """Judge the sentences of a text; where the deadline came first, some of them.

        Raises InvalidText, InvalidQuestion, Overloaded, and DeadlineExceeded where none could be judged in time.
        """
        if checking is None:
            raise Unsupported("this service checks no texts")
        with part("check") as span, self._admitted.one():
            try:
                report = await checking.check(text, run=self._worker.run_patiently, seconds=self._seconds)
            except TimeoutError:
                raise DeadlineExceeded(f"no sentence was judged within {self._seconds:g} seconds") from None
            span.tell({"sourceline.sentences": report.summary.sentences})
        self._metrics.checked(report)
        return report


# --- How many questions may use them at once
_SHIPPED_CHECKERS = frozenset({"", "trained", "lexical"})
_PROCESSORS_A_QUESTION = 2
"""So many passages are read at once for each."""
_MOST_AT_ONCE = 4
"""The interpreter runs one thread at a time, and a question has it for a third to a quarter of its time."""


def questions_at_once(settings: Settings) -> int:
    """How many questions are worked on at once: one, unless any thread may use each part."""
    shipped = settings.encoder == BUNDLED_MODEL and settings.support_checker in _SHIPPED_CHECKERS
    if not shipped or settings.reader or settings.reranker:
        return 1
    return min(_MOST_AT_ONCE, max(1, native_threads(settings.threads) // _PROCESSORS_A_QUESTION))
