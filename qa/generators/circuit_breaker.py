"""Keeps questions from waiting for a model that is down: takes outcomes, says who may try.

Closed: everyone may. Open, after five failures within ten seconds or in a row: nobody may, for a while. Then half
open: one question is let through to see; its first words close the breaker, its failure opens it again.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qa.errors import GeneratorFailed

__all__ = ["Attempt", "Breaker"]

_FAILURES = 5
_WINDOW_SECONDS = 10.0
_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE = 30.0
"""However long a server asks to be left alone, it is asked again after so much."""

logger = logging.getLogger(__name__)


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
