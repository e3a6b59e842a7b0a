"""The worker thread and its permits: order, fairness, deadlines, a clean end; and the encoder that takes turns."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any

import numpy as np
import pytest

from embeddings.encoders import load
from qa.server.errors import DeadlineExceeded, Overloaded, ShuttingDown
from qa.server.worker import BatchingEncoder, Permits, Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker("test")
    yield made
    assert made.stop(wait_seconds=120)


class Clock:
    """The worker's clock, which only jobs move: what a busy machine takes for them does not count."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("qa.server.worker.time", made)
    return made


class Gate:
    """A job that holds the worker until it is let go."""

    def __init__(self, worker: Worker) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()
        self.done: Future[bool] = worker.submit(self._hold, urgent=True)
        assert self.begun.wait(120)

    def _hold(self) -> bool:
        self.begun.set()
        return self.go.wait(120)


def test_all_jobs_run_on_one_thread_of_that_name(worker: Worker) -> None:
    threads = {worker.submit(threading.current_thread, urgent=bool(n % 2)).result(120) for n in range(20)}
    assert [thread.name for thread in threads] == ["test"]


def test_urgent_jobs_overtake_but_never_starve_patient_ones(worker: Worker, clock: Clock) -> None:
    """Long patient jobs: what they use has to be paid off, and after eight urgent jobs one goes whatever is owed."""
    gate = Gate(worker)
    order: list[str] = []

    def batch(number: int) -> None:
        clock.pass_by(0.08)
        order.append(f"patient {number}")

    jobs = [worker.submit(partial(batch, n), urgent=False) for n in range(3)]
    jobs += [worker.submit(lambda n=n: order.append(f"urgent {n}"), urgent=True) for n in range(20)]
    gate.go.set()
    for job in jobs:
        job.result(120)
    patient = [place for place, name in enumerate(order) if name.startswith("patient")]
    assert [name for name in order if name.startswith("urgent")] == [f"urgent {n}" for n in range(20)]
    assert [name for name in order if name.startswith("patient")] == [f"patient {n}" for n in range(3)]
    assert patient == [0, 9, 18], "the first owes nothing yet; each further one waits for eight urgent jobs"


def test_a_write_of_many_small_steps_is_done_within_a_few_questions(
    worker: Worker, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Questions never stop; a writer takes thirty short turns and a long one, each only after the one before it.

    Each question asks the next one itself, so that one always waits, and the turns count the questions themselves:
    nothing hangs on when a thread of this test gets its processor.
    """
    monkeypatch.setattr("qa.server.worker._FOLLOW_UP_SECONDS", 120.0)
    answered, stop = 0, threading.Event()

    def answer() -> None:
        nonlocal answered
        clock.pass_by(0.02)
        answered += 1
        if not stop.is_set():
            worker.submit(answer, urgent=True)

    def turn(seconds: float) -> int:
        clock.pass_by(seconds)
        return answered

    for _ in range(4):
        worker.submit(answer, urgent=True)
    seen = [worker.submit(partial(turn, used), urgent=False).result(120) for used in [0.0] * 30 + [0.1]]
    stop.set()
    assert seen[-1] - seen[0] <= 12, "thirty turns of their own behind eight questions each would be 240"


def test_what_a_job_raises_is_raised_to_who_asked(worker: Worker) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(worker.run(fail))
    assert asyncio.run(worker.run(lambda: 7)) == 7, "and the thread lives on"


def test_a_job_that_takes_too_long_is_left_behind(worker: Worker) -> None:
    ended = threading.Event()
    go = threading.Event()

    def long() -> None:
        go.wait(120)
        ended.set()

    error: type[Exception] = Overloaded
    while error is Overloaded:  # on a busy machine it may have waited for its turn so long
        with pytest.raises((DeadlineExceeded, Overloaded)) as caught:
            asyncio.run(worker.run(long, timeout=0.05))
        error = caught.type
    go.set()
    assert ended.wait(120), "its thread ends it all the same"


def test_a_job_that_never_had_its_turn_is_forgotten(worker: Worker) -> None:
    gate = Gate(worker)
    ran = threading.Event()
    with pytest.raises(Overloaded):
        asyncio.run(worker.run(ran.set, timeout=0.05))
    gate.go.set()
    worker.submit(lambda: None, urgent=True).result(120)
    assert not ran.is_set()


def test_stopping_lets_the_running_job_end_and_fails_the_rest() -> None:
    worker = Worker("stopped")
    gate = Gate(worker)
    waiting = [worker.submit(lambda: 1, urgent=urgent) for urgent in (True, False)]
    assert not worker.stop(wait_seconds=0.01), "it cannot have ended yet"
    for future in waiting:
        with pytest.raises(ShuttingDown):
            future.result(1)
    gate.go.set()
    assert worker.stop(wait_seconds=120)
    assert gate.done.result(1) is True
    with pytest.raises(ShuttingDown):
        worker.submit(lambda: 1, urgent=True)


@pytest.fixture
def several() -> Iterator[Worker]:
    made = Worker("several", threads=3)
    yield made
    assert made.stop(wait_seconds=120)


def test_several_threads_do_as_many_urgent_jobs_at_once(several: Worker) -> None:
    together = threading.Barrier(3)
    met = [several.submit(partial(together.wait, 120), urgent=True) for _ in range(3)]
    assert sorted(each.result(120) for each in met) == [0, 1, 2]


def test_patient_jobs_are_done_by_one_thread_and_hold_up_no_other(several: Worker) -> None:
    begun, go = threading.Event(), threading.Event()
    held = several.submit(lambda: begun.set() or go.wait(120), urgent=False)
    assert begun.wait(120)
    patient = [several.submit(lambda: threading.current_thread().name, urgent=False) for _ in range(20)]
    urgent = [several.submit(lambda: threading.current_thread().name, urgent=True) for _ in range(20)]
    assert {each.result(120) for each in urgent} <= {"several 2", "several 3"}
    assert not any(each.done() for each in patient)
    go.set()
    assert held.result(120)
    assert {each.result(120) for each in patient} == {"several"}


def test_stopping_waits_for_all_threads() -> None:
    worker = Worker("several", threads=2)
    gates = [Gate(worker), Gate(worker)]
    waiting = worker.submit(lambda: 1, urgent=True)
    gates[0].go.set()
    assert gates[0].done.result(120)
    assert waiting.result(120) == 1
    assert not worker.stop(wait_seconds=0.01), "the other one holds its thread"
    gates[1].go.set()
    assert worker.stop(wait_seconds=120)


def test_permits_are_counted_before_work_and_given_back() -> None:
    permits = Permits(2, what="questions")
    with permits.one(), permits.one(), pytest.raises(Overloaded, match="2 questions"), permits.one():
        pass
    with pytest.raises(KeyError), permits.one():
        raise KeyError
    with permits.one(), permits.one():
        pass


class Counting:
    """The hashing encoder, noting how much it is asked for at a time and by which thread."""

    def __init__(self) -> None:
        self._encoder = load("hashing")
        self.identity = self._encoder.identity
        self.batches: list[int] = []
        self.threads: set[str] = set()

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        def call(texts: Any) -> Any:
            self.batches.append(1 if isinstance(texts, str) else len(texts))
            self.threads.add(threading.current_thread().name)
            return getattr(self._encoder, name)(texts)

        return call


@pytest.mark.parametrize("count", [0, 1, 8, 9, 100])
def test_an_encoder_that_takes_turns_gives_the_same(worker: Worker, count: int) -> None:
    texts = [f"text {n} " + "word " * (n * 7 % 31) for n in range(count)]
    inner = Counting()
    encoder = BatchingEncoder(inner, worker=worker, check=lambda: None)  # type: ignore[arg-type]
    plain = load("hashing")
    assert encoder.identity == plain.identity
    assert np.array_equal(encoder.encode_passages(texts), plain.encode_passages(texts))
    assert encoder.encode_passages(texts).dtype == np.float32
    assert encoder.count_tokens(texts) == plain.count_tokens(texts)
    assert np.array_equal(encoder.encode_query("a b"), plain.encode_query("a b"))
    assert inner.threads == {"test"}
    assert max(inner.batches[:-1], default=0) <= 100


def test_a_question_waits_for_one_small_batch_only(worker: Worker) -> None:
    """While hundreds of passages are encoded, an urgent job gets in after at most a few of them."""

    class Slow(Counting):
        def __getattr__(self, name: str) -> Callable[[Any], Any]:
            time.sleep(0.06)  # a real batch takes longer; a much shorter one need not make way
            return super().__getattr__(name)

    inner = Slow()
    encoder = BatchingEncoder(inner, worker=worker, check=lambda: None)  # type: ignore[arg-type]
    writer = threading.Thread(target=encoder.encode_passages, args=(["some words " * 20] * 300,))
    writer.start()
    waits = []
    while writer.is_alive():
        its_turn = worker.submit(lambda: len(inner.batches), urgent=True)
        waits.append(-len(inner.batches) + its_turn.result(120))
    writer.join()
    assert max(inner.batches) <= 8
    assert max(waits) <= 2


def test_a_writer_is_stopped_between_two_batches(worker: Worker) -> None:
    calls = []

    def check() -> None:
        calls.append(1)
        if len(calls) > 3:
            raise ShuttingDown("stopping")

    encoder = BatchingEncoder(Counting(), worker=worker, check=check)  # type: ignore[arg-type]
    with pytest.raises(ShuttingDown):
        encoder.encode_passages(["a"] * 100)
