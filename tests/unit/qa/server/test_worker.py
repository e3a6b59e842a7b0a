"""Who is let in by the time it would wait: the rules, and a simulated overload."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from qa.server import worker
from qa.server.errors import Overloaded
from qa.server.worker import Forecast

SERVICE = 0.4


def taught(seconds: float, *, deadline: float = 30.0, kind: worker.Kind = "answer") -> Forecast:
    found = Forecast(deadline_seconds=deadline)
    with found.one(kind) as meter:
        meter.seconds, meter.finished = seconds, True
    return found


def admitted(found: Forecast, kind: worker.Kind = "answer", *, most: int = 100) -> tuple[int, int]:
    """How many are let in at once, and after how many seconds the next may come again."""
    with ExitStack() as held:
        for number in range(most):
            try:
                held.enter_context(found.one(kind))
            except Overloaded as error:
                return number, error.retry_after
    return most, 0


def test_before_anything_is_known_everyone_is_let_in() -> None:
    assert admitted(Forecast(deadline_seconds=1)) == (100, 0)


@pytest.mark.parametrize(("seconds", "deadline", "room"), [(0.1, 30, 16), (1, 30, 15), (4, 30, 3), (40, 30, 1)])
def test_turns_and_the_deadline_bound_the_queue(seconds: float, deadline: float, room: int) -> None:
    found = taught(seconds, deadline=deadline)
    assert admitted(found)[0] == room
    assert found.owed == pytest.approx(0)
    assert admitted(found)[0] == room, "what was held is given back"


def test_several_threads_let_as_many_times_more_in_and_have_room_as_much_sooner() -> None:
    one, four = taught(9), Forecast(deadline_seconds=30.0, threads=4)
    with four.one("answer") as meter:
        meter.seconds, meter.finished = 9, True
    assert admitted(one) == (1, 3)
    assert admitted(four) == (6, 1)


def test_it_says_when_to_come_again() -> None:
    assert admitted(taught(0.1))[1] == 1
    assert admitted(taught(4))[1] == 1
    assert admitted(taught(9))[1] == 3


def test_cheap_questions_may_be_many() -> None:
    found = taught(0.4)
    with found.one("search") as meter:
        meter.seconds, meter.finished = 0.02, True
    assert admitted(found, "search", most=1000)[0] == 320
    assert admitted(found, "answer")[0] == 16


def test_what_was_cut_off_teaches_only_that_it_costs_more() -> None:
    found = taught(1.0)
    with found.one("answer") as meter:
        meter.seconds = 0.1
    assert admitted(found)[0] == 15
    for _ in range(30):
        with found.one("answer") as meter:
            meter.seconds = 5.0
    assert admitted(found)[0] == 3


def test_the_meter_adds_up_also_what_fails() -> None:
    meter = worker.Meter()
    assert meter.timed(lambda: 7) == 7
    before = meter.seconds
    with pytest.raises(ZeroDivisionError):
        meter.timed(lambda: 1 / 0)
    assert meter.seconds > before > 0


def test_a_kind_that_was_never_there_alone_is_let_in_as_it_costs() -> None:
    """What a search takes alone says nothing of an answer."""
    found = taught(0.02, kind="search")
    with found.one("search"), found.one("answer") as meter:
        meter.seconds, meter.finished = 0.4, True
    assert admitted(found)[0] == 16


def test_whoever_finds_nobody_is_alone_whatever_the_sum_ends_at() -> None:
    """0.1 + 0.2 - 0.1 - 0.2 is not zero."""
    found = taught(0.1)
    for _ in range(40):
        with found.one("answer") as meter:
            meter.seconds, meter.finished = 0.3, True  # it has come to cost more, alone as well
        with ExitStack() as held:
            for _ in range(3):
                held.enter_context(found.one("answer"))
    assert admitted(found)[0] == 16


def test_what_costs_more_in_a_crowd_is_let_in_less() -> None:
    found = taught(0.2)
    with found.one("answer") as first:
        for _ in range(40):
            with found.one("answer") as meter:
                meter.seconds, meter.finished = 0.6, True
        first.seconds, first.finished = 0.2, True
    assert admitted(found)[0] in {5, 6}, "3.2 seconds, as for sixteen alone"
    with found.one("answer"):
        for _ in range(40):
            with found.one("answer") as meter:
                meter.seconds, meter.finished = 2.0, True
    assert admitted(found)[0] == 4, "the thread has always something to do"


def test_sixteen_quick_ones_are_let_in_however_much_slower_a_crowd_makes_them() -> None:
    found = taught(0.01)
    with found.one("answer") as first:
        for _ in range(40):
            with found.one("answer") as meter:
                meter.seconds, meter.finished = 0.05, True
        first.seconds, first.finished = 0.01, True
    assert admitted(found)[0] in {16, 17}


def simulated(load: float, *, service: Callable[[], float], arrivals: int, crowded: float = 1.0) -> tuple[float, float]:
    """One server and its forecast: 99th percentile of the time of those let in, share of the server's time used.

    Where others wait behind it, a question costs `crowded` times as much.
    """
    rng = random.Random(7)
    found = taught(SERVICE)
    now = free = busy = 0.0
    leaving: list[tuple[float, int, ExitStack]] = []
    times = []
    for number in range(arrivals):
        now += rng.expovariate(load / SERVICE)
        while leaving and leaving[0][0] <= now:
            heapq.heappop(leaving)[2].close()
        held = ExitStack()
        try:
            meter = held.enter_context(found.one("answer"))
        except Overloaded:
            continue
        meter.seconds, meter.finished = service() * (crowded if len(leaving) > 2 else 1.0), True
        free = max(free, now) + meter.seconds
        busy += meter.seconds
        times.append(free - now)
        heapq.heappush(leaving, (free, number, held))
    learned = sorted(times[32:])  # the first were let in by what one costs alone
    return learned[int(len(learned) * 0.99)], busy / max(now, free)


@pytest.mark.parametrize("spread", [0.05, 0.5])
def test_the_tail_of_an_overload(spread: float) -> None:
    """At four and at ten times what it can do, those let in wait little longer than at four fifths of it."""
    rng = random.Random(11)
    shape = 1 / spread**2

    def service() -> float:
        return rng.gammavariate(shape, SERVICE / shape)

    calm, _ = simulated(0.8, service=service, arrivals=20_000)
    for load, crowded in ((4, 1.0), (10, 1.0), (4, 3.0), (10, 3.0)):
        tail, used = simulated(load, service=service, arrivals=20_000, crowded=crowded)
        assert tail <= 2.5 * calm, (load, crowded, tail, calm)
        assert used >= 0.95
