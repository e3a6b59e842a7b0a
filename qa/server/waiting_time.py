"""How long a newcomer would wait, by what questions have cost so far; who would wait too long is refused at once.

A queue bounded by count lets a question in that its deadline will cut off, or that waits half a minute behind thirty
others. What counts is the time that those admitted will take of the one encoding thread: each is reckoned at the moving
average of its kind, so a queue of searches may be long and a queue of answers is short.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Literal, TypeVar

from qa.executor import Run
from qa.server.errors import Overloaded
from qa.server.worker import Worker

__all__ = ["Forecast", "Meter", "in_time"]

T = TypeVar("T")
Kind = Literal["answer", "search"]

_MOST_TURNS = 16
"""So many of the costliest kind may be waiting or at work. At four fifths of what one thread can do, one question in a
hundred takes about ten service times; a queue of sixteen keeps that of an overload near it, and never runs empty."""
_SHARE_OF_DEADLINE = 0.5
"""Nobody is let in who is expected to need more of the deadline: forecasts err."""
_ROUNDING = 1e-6
_LEARNS = 0.2
"""Weight of the last question in the moving average."""


class Meter:
    """What one question took of the thread, in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.finished = False
        """Whether it came to its end; what was cut off has cost less than it would have."""

    def timed(self, job: Callable[[], T]) -> T:
        """Do a job and add what it took; called on the thread."""
        began = perf_counter()
        try:
            return job()
        finally:
            self.seconds += perf_counter() - began


class Forecast:
    """The moving averages, and what those admitted are expected to take. Used from the event loop only."""

    def __init__(self, *, deadline_seconds: float) -> None:
        self._deadline_seconds = deadline_seconds
        self._costs: dict[Kind, float] = {}
        self._owed = 0.0

    @property
    def owed(self) -> float:
        """Seconds of the thread that those admitted are expected to take."""
        return self._owed

    @contextmanager
    def one(self, kind: Kind) -> Iterator[Meter]:
        """Let one in, for as long as it takes. Raises Overloaded, with the seconds after which there may be room.

        Before anything is known of its kind, and where nobody else is there, everyone is let in.
        """
        expected = self._costs.get(kind, 0.0)
        excess = self._owed + expected - self._limit()
        if self._owed and expected and excess > _ROUNDING:
            raise Overloaded(
                f"the questions before this one will take about {self._owed:.1f} seconds; send it again a little later",
                retry_after=max(1, math.ceil(excess)),
            )
        self._owed += expected
        meter = Meter()
        try:
            yield meter
        finally:
            self._owed = max(0.0, self._owed - expected)
            self._learn(kind, meter)

    def _limit(self) -> float:
        return min(self._deadline_seconds * _SHARE_OF_DEADLINE, _MOST_TURNS * max(self._costs.values(), default=0.0))

    def _learn(self, kind: Kind, meter: Meter) -> None:
        known = self._costs.get(kind)
        if not meter.seconds or not (meter.finished or (known is not None and meter.seconds > known)):
            return
        self._costs[kind] = meter.seconds if known is None else known + _LEARNS * (meter.seconds - known)


def in_time(worker: Worker, *, seconds: float, meter: Meter) -> Run:
    """Jobs on a worker, all of them within one stretch of time that begins now; what they take goes on the meter."""
    deadline = asyncio.get_running_loop().time() + seconds

    async def run(job: Callable[[], T], /) -> T:
        return await worker.run(
            partial(meter.timed, job), timeout=max(0.0, deadline - asyncio.get_running_loop().time())
        )

    return run
