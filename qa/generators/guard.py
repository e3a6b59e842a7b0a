"""Puts bounds around any generator: how many at once, how long a draft, and no waiting for one that is down.

A breaker that is closed lets everyone try. Open, after five failures within ten seconds or in a row, it lets nobody,
for a while. Then half open: one question is let through to see; its first words close the breaker, its failure opens
it again.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Literal

from qa.errors import GeneratorFailed
from qa.generators.generator import AroundGenerator, Delta, Finish, Generator, Message

__all__ = ["Attempt", "Breaker", "DraftLimit", "GuardedGenerator", "repeats"]

logger = logging.getLogger(__name__)
_CHARACTERS_PER_TOKEN = 8
"""More than any tokenizer gives for prose: a server that was told `max_tokens` and sends more than this ignores it."""
_STEP = 40
"""Looking for a loop after each so many characters keeps the cost far below that of receiving them."""
_TIMES = 4
_MIN_LOOP = 120
"""A loop is the same words, four times in a row or more, over at least so many characters."""
_MAX_PERIOD = 400
_FAILURES = 5
_WINDOW_SECONDS = 10.0
_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE = 30.0
"""However long a server asks to be left alone, it is asked again after so much."""


class GuardedGenerator(AroundGenerator):
    """A generator that fails at once where another could only fail late."""

    def __init__(self, inner: Generator, *, concurrency: int, breaker: Breaker | None = None) -> None:
        """`concurrency`: drafts that may be written at the same time; further ones fail with `model_overloaded`."""
        super().__init__(inner)
        self._concurrency = concurrency
        self._breaker = breaker or Breaker()
        self._busy = 0

    @property
    def busy(self) -> int:
        """Drafts being written now."""
        return self._busy

    @property
    def resting(self) -> bool:
        """Whether the model is left alone for a while, after failures."""
        return self._breaker.resting

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int, deadline: float
    ) -> AsyncGenerator[Delta | Finish, None]:
        """Stream a draft; one that goes on for ever, or in a circle, ends with `length` where that is noticed."""
        with self._permit(), self._breaker.attempt() as attempt:
            limit = DraftLimit(max_tokens=max_tokens)
            async with aclosing(self._inner.stream(messages, max_tokens=max_tokens, deadline=deadline)) as pieces:
                async for piece in pieces:
                    attempt.arrived()
                    if isinstance(piece, Finish):
                        attempt.succeeded()
                        yield piece
                        return
                    if text := limit.take(piece.text):
                        yield Delta(text)
                    if limit.reached:
                        break
                else:
                    raise GeneratorFailed("the draft has no end", reason="model_failed")
            attempt.succeeded()
            logger.info("the draft of %s was cut: %s", self.model, limit.reached)
            yield Finish(reason="length")

    @contextmanager
    def _permit(self) -> Iterator[None]:
        if self._busy >= self._concurrency:
            raise GeneratorFailed(
                f"{self._busy} drafts are being written already (QA_LLM_CONCURRENCY)",
                reason="model_overloaded",
                server_fault=False,
            )
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1


class DraftLimit:
    """What one draft may still bring."""

    def __init__(self, *, max_tokens: int) -> None:
        self._left = max_tokens * _CHARACTERS_PER_TOKEN
        self._tail = ""
        self._unseen = 0
        self.reached: Literal["", "length", "loop"] = ""
        """Why nothing more is taken; empty while the draft may go on."""

    def take(self, text: str) -> str:
        """The part of a piece that still counts; after it `reached` may be set."""
        taken = text[: self._left]
        self._left -= len(taken)
        if len(taken) < len(text):
            self.reached = "length"
        self._tail = (self._tail + taken)[-_TIMES * _MAX_PERIOD :]
        self._unseen += len(taken)
        if self._unseen >= _STEP:
            self._unseen = 0
            if repeats(self._tail):
                self.reached = "loop"
        return taken


def repeats(text: str) -> bool:
    """Whether a text ends in a loop.

    >>> repeats("It rained in Velda. " + "The harbour is closed. " * 6)
    True
    >>> repeats("It rained in Velda. The harbour is closed. The harbour is closed. The road is open.")
    False
    """
    for period in range(1, min(_MAX_PERIOD, len(text) // _TIMES) + 1):
        span = text[-max(_TIMES * period, _MIN_LOOP) :]
        if len(span) >= _MIN_LOOP and span[period:] == span[:-period]:
            return True
    return False


class Breaker:
    """The state of one model's server; used from the event loop only."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, pause_seconds: float = _PAUSE_SECONDS) -> None:
        self._clock = clock
        self._pause = pause_seconds
        self._failures: deque[float] = deque(maxlen=_FAILURES)
        self._in_a_row = 0
        self._closed_until = 0.0
        self._last: GeneratorFailed | None = None
        self._open = False
        self._probing: Attempt | None = None

    @property
    def resting(self) -> bool:
        """Whether the model is left alone now."""
        return self._last is not None and self._clock() < self._closed_until

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """Try the model. Raises GeneratorFailed, at once and with the last failure's reason, where it is no use.

        A GeneratorFailed that leaves the block counts where it is the server's fault; whoever leaves it otherwise
        before the model said anything (the reader has gone) counts neither way.
        """
        attempt = self._admit()
        try:
            yield attempt
        except GeneratorFailed as error:
            self._failed(error)
            raise
        finally:
            if self._probing is attempt:
                self._probing = None

    def _admit(self) -> Attempt:
        attempt = Attempt(self)
        if self._last is not None and self._clock() < self._closed_until:
            raise GeneratorFailed(f"not asked, it failed a moment ago: {self._last}", reason=self._last.reason)
        if self._open and self._last is not None:
            if self._probing is not None:
                raise GeneratorFailed(f"not asked while it is being tried: {self._last}", reason=self._last.reason)
            self._probing = attempt
        return attempt

    def arrived(self) -> None:
        """The model began to answer: whoever waits may come again."""
        if self._open:
            self._open = False
            self._failures.clear()

    def succeeded(self) -> None:
        """The model answered to the end."""
        self._in_a_row = 0

    def _failed(self, error: GeneratorFailed) -> None:
        now = self._clock()
        if error.retry_after is not None:
            self._shut(error, until=now + min(max(error.retry_after, 0.0), _LONGEST_PAUSE))
        if not error.server_fault:
            return
        self._in_a_row += 1
        self._failures.append(now)
        often = len(self._failures) == _FAILURES and now - self._failures[0] <= _WINDOW_SECONDS
        if self._open or often or self._in_a_row >= _FAILURES:
            self._open = True
            logger.warning("the model is left alone for %g seconds after %d failures", self._pause, self._in_a_row)
            self._shut(error, until=now + self._pause)

    def _shut(self, error: GeneratorFailed, *, until: float) -> None:
        self._last = error.with_traceback(None)
        self._closed_until = max(self._closed_until, until)


class Attempt:
    """One try, as whoever makes it sees it."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker

    def arrived(self) -> None:
        """The first words came."""
        self._breaker.arrived()

    def succeeded(self) -> None:
        """The draft is complete."""
        self._breaker.succeeded()
