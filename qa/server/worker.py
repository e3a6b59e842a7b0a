"""Long-lived threads for CPU work, with a bounded queue and a forecast of waiting times.

The event loop never computes: it hands jobs over and waits. Urgent jobs (questions) go before patient ones (batches of
an ingest). But patient jobs have a share of the thread's time that no number of questions can take: what they use is a
debt that the time of urgent jobs pays off, and while the debt is small a patient job goes first.

A batching encoder cuts the work of writers into small batches, so that a question waits for one batch, not for a whole
article. One thread is enough for two processors, since a question reads two passages at once. With more processors, and
the shipped encoder and reader, which are thread-safe, several questions run at once.

From the cost of past questions the service forecasts waiting times, and refuses at once who would wait too long.
"""

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Any, Literal, TypeVar

import numpy as np

from embeddings.encoders import Encoder, EncoderIdentity
from embeddings.runtime import Run
from embeddings.types import Vector, Vectors
from qa.server.errors import DeadlineExceeded, Overloaded, ShuttingDown

T = TypeVar("T")
_URGENT_IN_A_ROW = 8
"""After so many urgent jobs a waiting patient job gets its turn, whatever the debt."""
_SHARE = 1 / 3
"""Seconds of patient jobs that one second of urgent jobs pays off: a quarter of the time if both wait."""
_OWED_SECONDS = 0.05
"""A patient job may go first while the debt is no more than this: enough to count the tokens of many short texts."""
_FOLLOW_UP_SECONDS = 0.005
"""How long the thread waits for the next patient job of an unfinished turn."""
_PASSAGES_PER_TURN = 8
"""About a tenth of a second of the bundled model on two cores."""
_TEXTS_PER_COUNT = 256
"""Counting tokens is some hundred times cheaper than encoding."""
Kind = Literal["answer", "search"]
_MOST_TURNS = 16
"""How many questions of the costliest kind may wait or run. At 80 % load of one thread, one question in a hundred takes
about ten service times; a queue of sixteen keeps an overload near that, and never runs empty."""
_LEAST_TURNS = 4
"""Under load, questions cost more than alone (refused requests and their clients use the processor, too), so fewer fit
into the same time; with this many the thread still never idles."""
_SHORT_SECONDS = 1.0
"""Sixteen are admitted in any case if they are expected to take no longer than this together."""
_SHARE_OF_DEADLINE = 0.5
"""A question that is expected to need more of its deadline is refused, because forecasts err."""
_ROUNDING = 1e-6
_LEARNS = 0.2
"""Weight of the last question in the moving average."""


class Permits:
    """How many requests may be waiting or at work; counted before any work is done for a request.

    Used from the event loop only, so a plain counter is exact.
    """

    def __init__(self, limit: int, *, what: str) -> None:
        self._limit = limit
        self._what = what
        self.taken = 0
        """Permits taken now."""

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a permit. Raises Overloaded, at once, when all are taken."""
        if self.taken >= self._limit:
            raise Overloaded(f"{self.taken} {self._what} are waiting already; send this again a little later")
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1


class Worker:
    """A thread that does one job after the other; it starts at once, and ends with `stop`.

    With several threads, all do urgent jobs, and only the first does patient ones: never two of those at once.
    """

    def __init__(self, name: str, *, threads: int = 1) -> None:
        self._urgent: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._patient: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._streak = 0
        self.owed = 0.0
        """Seconds that patient jobs have used beyond their share."""
        self._stopping = False
        self._changed = threading.Condition()
        names = [name, *(f"{name} {number}" for number in range(2, threads + 1))]
        self._threads = [
            threading.Thread(target=self._work, name=each, daemon=True, kwargs={"patiently": each == name})
            for each in names
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Jobs that have not begun."""
        return len(self._urgent) + len(self._patient)

    async def run(self, job: Callable[[], T], *, timeout: float | None = None) -> T:
        """Do an urgent job on the thread and wait for it without blocking the event loop.

        Raises what the job raises, and after `timeout` seconds Overloaded (it never began, and never will) or
        DeadlineExceeded (it has begun; the thread finishes it, and the result is lost).
        """
        future = self.submit(job, urgent=True)
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                return await asyncio.wrap_future(future)
        except TimeoutError:
            if not limit.expired():
                raise  # the job's own
            if future.cancel() or future.cancelled():
                raise Overloaded(f"no turn within {timeout:g} seconds; send this again a little later") from None
            raise DeadlineExceeded(f"not finished within {timeout:g} seconds") from None

    async def run_patiently(self, job: Callable[[], T], /) -> T:
        """Do a job after the urgent ones; a job cancelled before its turn never begins."""
        return await asyncio.wrap_future(self.submit(job, urgent=False))

    def submit(self, job: Callable[[], T], *, urgent: bool) -> Future[T]:
        """Put a job in the queue. Raises ShuttingDown once `stop` was called."""
        future: Future[T] = Future()
        with self._changed:
            if self._stopping:
                raise ShuttingDown("the service is stopping; send this again when it is back")
            (self._urgent if urgent else self._patient).append((future, job))
            self._changed.notify_all()  # not every thread takes every job
        return future

    def stop(self, *, wait_seconds: float) -> bool:
        """Let what runs end, fail what waits with ShuttingDown; return whether all threads have ended."""
        with self._changed:
            self._stopping = True
            waiting = [*self._urgent, *self._patient]
            self._urgent.clear()
            self._patient.clear()
            self._changed.notify_all()
        for future, _ in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(ShuttingDown("the service is stopping; send this again when it is back"))
        end = time.monotonic() + wait_seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self, *, patiently: bool) -> None:
        while (task := self._next(patiently=patiently)) is not None:
            future, job, urgent = task
            began = time.monotonic()
            _do(future, job)
            del task, future, job  # or the last job's arguments and result stay in memory until the next one comes
            self._book(time.monotonic() - began, urgent=urgent)

    def _book(self, seconds: float, *, urgent: bool) -> None:
        """Settle what a job used; after a short patient one, let the next of its kind come in."""
        with self._changed:
            if urgent:
                self.owed = max(0.0, self.owed - _SHARE * seconds)
                return
            self.owed += seconds if self._urgent else 0.0
            if self._urgent and not self._patient and self.owed <= _OWED_SECONDS:
                self._changed.wait_for(lambda: self._stopping or self._patient, timeout=_FOLLOW_UP_SECONDS)

    def _next(self, *, patiently: bool) -> tuple[Future[Any], Callable[[], Any], bool] | None:
        """Wait for the next job, which is urgent unless `patiently`; say whether it is. None means stop."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._urgent or (patiently and self._patient))
            patient = self._patient if patiently else None
            waits = patient and (self.owed <= _OWED_SECONDS or self._streak >= _URGENT_IN_A_ROW)
            if self._urgent and not waits:
                self._streak += patiently
                return *self._urgent.popleft(), True
            if not patient:
                return None
            self._streak = 0
            return *patient.popleft(), False


def _do(future: Future[Any], job: Callable[[], Any]) -> None:
    """Run one job, unless whoever asked for it has gone."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = job()
    except BaseException as error:  # noqa: BLE001 - it is raised again where the job was asked for
        future.set_exception(error)
    else:
        future.set_result(result)


class BatchingEncoder:
    """The encoder as any other thread may use it; same vectors, up to the rounding of another batch."""

    def __init__(self, encoder: Encoder, *, worker: Worker, check: Callable[[], None]) -> None:
        """`check` is called before each batch and may raise to end the work."""
        self._encoder = encoder
        self._worker = worker
        self._check = check

    @property
    def identity(self) -> EncoderIdentity:
        """The wrapped encoder's identity."""
        return self._encoder.identity

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed passages, a few per turn; batches of like length, because short texts are padded to the longest."""
        if not texts:
            return self._turn(partial(self._encoder.encode_passages, texts))
        vectors = np.empty((len(texts), self._encoder.identity.dimension), dtype=np.float32)
        by_length = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for rows in _batches(by_length, _PASSAGES_PER_TURN):
            batch = [texts[row] for row in rows]
            vectors[rows] = self._turn(partial(self._encoder.encode_passages, batch))
        return vectors

    def encode_query(self, text: str) -> Vector:
        """Embed one question."""
        return self._turn(partial(self._encoder.encode_query, text))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in tokens, many per turn."""
        counts: list[int] = []
        for batch in _batches(texts, _TEXTS_PER_COUNT):
            counts += self._turn(partial(self._encoder.count_tokens, batch))
        return counts

    def _turn(self, job: Callable[[], T]) -> T:
        self._check()
        return self._worker.submit(job, urgent=False).result()


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


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

    def __init__(self, *, deadline_seconds: float, threads: int = 1) -> None:
        """`threads` take urgent jobs: so many times sooner it is one's turn."""
        self._deadline_seconds = deadline_seconds
        self._threads = threads
        self._costs: dict[Kind, float] = {}
        self._alone: dict[Kind, float] = {}
        """The same of those that found nobody there."""
        self.owed = 0.0
        """Seconds of the threads that those admitted are expected to take."""

    @contextmanager
    def one(self, kind: Kind) -> Iterator[Meter]:
        """Let one in, for as long as it takes. Raises Overloaded, with the seconds after which there may be room.

        Before anything is known of its kind, and where nobody else is there, everyone is let in.
        """
        expected = self._costs.get(kind, 0.0)
        excess = self.owed + expected - self._limit()
        if self.owed and expected and excess > _ROUNDING:
            raise Overloaded(
                f"the questions before this one will take about {self.owed / self._threads:.1f} seconds; send it again "
                "a little later",
                retry_after=max(1, math.ceil(excess / self._threads)),
            )
        alone = self.owed <= _ROUNDING  # sums of what came and went end beside zero, too
        self.owed += expected
        meter = Meter()
        try:
            yield meter
        finally:
            self.owed = max(0.0, self.owed - expected)
            _learn(self._costs, kind, meter)
            if alone:
                _learn(self._alone, kind, meter)

    def _limit(self) -> float:
        now = max(self._costs.values(), default=0.0)
        calm = max((min(self._alone.get(kind, cost), cost) for kind, cost in self._costs.items()), default=0.0)
        short = min(_MOST_TURNS * now, _SHORT_SECONDS)
        longest = self._deadline_seconds * _SHARE_OF_DEADLINE
        return self._threads * min(longest, max(_MOST_TURNS * calm, _LEAST_TURNS * now, short))


def _learn(costs: dict[Kind, float], kind: Kind, meter: Meter) -> None:
    known = costs.get(kind)
    if not meter.seconds or not (meter.finished or (known is not None and meter.seconds > known)):
        return
    costs[kind] = meter.seconds if known is None else known + _LEARNS * (meter.seconds - known)


def in_time(worker: Worker, *, seconds: float, meter: Meter) -> Run:
    """Jobs on a worker, all of them within one stretch of time that begins now; what they take goes on the meter."""
    deadline = asyncio.get_running_loop().time() + seconds

    async def run(job: Callable[[], T], /) -> T:
        return await worker.run(
            partial(meter.timed, job), timeout=max(0.0, deadline - asyncio.get_running_loop().time())
        )

    return run
