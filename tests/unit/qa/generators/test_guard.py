"""The breaker's states, the limits of a draft, what statuses mean, what settings are refused."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from typing import Any

import pytest

from qa.errors import GeneratorFailed, SettingsError
from qa.generators import Delta, Finish, Say, ScriptedGenerator, load_generator
from qa.generators.guard import Breaker, DraftLimit, GuardedGenerator, repeats
from qa.generators.transport import Refused, failure_of, seconds
from qa.settings import Settings


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock=clock, pause_seconds=5)


def fail(breaker: Breaker, **how: Any) -> None:
    with pytest.raises(GeneratorFailed, match="broken"), breaker.attempt():
        raise GeneratorFailed("broken", **({"reason": "model_timed_out"} | how))


def succeed(breaker: Breaker) -> None:
    with breaker.attempt():
        breaker.arrived()
        breaker.succeeded()


def refused(breaker: Breaker) -> str | None:
    try:
        with breaker.attempt():
            return None
    except GeneratorFailed as error:
        return error.reason


def test_five_failures_open_it_and_the_reason_is_kept(breaker: Breaker) -> None:
    for _ in range(4):
        fail(breaker)
        assert refused(breaker) is None
    fail(breaker)
    assert refused(breaker) == "model_timed_out"


def test_failures_far_apart_with_successes_between_do_not(breaker: Breaker, clock: Clock) -> None:
    for _ in range(12):
        fail(breaker)
        succeed(breaker)
        clock.now += 3
    assert refused(breaker) is None


def test_failures_close_together_do_in_spite_of_successes(breaker: Breaker, clock: Clock) -> None:
    for _ in range(5):
        fail(breaker)
        clock.now += 2.4
        refused(breaker) or succeed(breaker)
    assert refused(breaker) == "model_timed_out"


def test_slow_failures_in_a_row_open_it_too(breaker: Breaker, clock: Clock) -> None:
    """A server that hangs fails once per deadline, never five times in ten seconds."""
    for _ in range(5):
        clock.now += 30
        fail(breaker)
    assert refused(breaker) == "model_timed_out"


def test_what_the_caller_did_wrong_does_not_open_it(breaker: Breaker) -> None:
    for _ in range(50):
        fail(breaker, reason="model_failed", server_fault=False)
    assert refused(breaker) is None


def test_one_probe_at_a_time_after_the_pause(breaker: Breaker, clock: Clock) -> None:
    for _ in range(5):
        fail(breaker)
    clock.now += 4.9
    assert refused(breaker) == "model_timed_out"
    clock.now += 0.2
    with breaker.attempt():
        assert refused(breaker) == "model_timed_out"
        breaker.arrived()
        assert refused(breaker) is None, "its first words let the others in"
        breaker.succeeded()
    fail(breaker)
    assert refused(breaker) is None, "the old failures are forgotten"


def test_a_failed_probe_opens_it_again(breaker: Breaker, clock: Clock) -> None:
    for _ in range(5):
        fail(breaker)
    clock.now += 5.1
    fail(breaker, reason="model_overloaded")
    assert refused(breaker) == "model_overloaded"
    clock.now += 5.1
    assert refused(breaker) is None


def test_a_probe_whose_reader_left_makes_room_for_the_next(breaker: Breaker, clock: Clock) -> None:
    for _ in range(5):
        fail(breaker)
    clock.now += 5.1
    for _ in range(3):
        with pytest.raises(asyncio.CancelledError), breaker.attempt():
            raise asyncio.CancelledError
    succeed(breaker)


def test_a_server_is_left_alone_as_long_as_it_asks_but_not_for_ever(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, reason="model_rate_limited", retry_after=7.0)
    clock.now += 6.9
    assert refused(breaker) == "model_rate_limited"
    clock.now += 0.2
    assert refused(breaker) is None
    fail(breaker, reason="model_rate_limited", retry_after=3600.0)
    clock.now += 30.1
    assert refused(breaker) is None


def test_errors_of_the_program_are_none_of_its_business(breaker: Breaker) -> None:
    for _ in range(10):
        with pytest.raises(ZeroDivisionError), breaker.attempt():
            raise ZeroDivisionError
    assert refused(breaker) is None


@pytest.mark.parametrize("period", [1, 2, 7, 23, 100, 399])
def test_loops_of_every_length_are_found_soon(period: int) -> None:
    chance = random.Random(period)
    unit = "".join(chance.choices("abcdefgh ,.", k=period))
    limit, taken = DraftLimit(max_tokens=10_000), 0
    for letter in "It began well enough. " + unit * 500:
        taken += len(limit.take(letter))
        if limit.reached:
            break
    assert limit.reached == "loop"
    assert taken <= 22 + max(4 * period, 120) + 40


def test_prose_and_lists_are_no_loops() -> None:
    lines = "".join(f"- Item {number} costs {number * 3} crowns.\n" for number in range(300))
    assert not any(repeats(lines[:end]) for end in range(0, len(lines), 37))
    assert not repeats("No. " * 10)
    assert not repeats("")


def test_a_piece_is_cut_at_the_limit() -> None:
    limit = DraftLimit(max_tokens=2)
    assert limit.take("0123456789") == "0123456789"
    assert not limit.reached
    assert limit.take("abcdefghij") == "abcdef"
    assert limit.reached == "length"


def test_a_draft_that_is_cut_is_closed_before_its_end_is_told() -> None:
    inner = ScriptedGenerator([Say("It was shut for days. " * 400, size=10)])

    async def read() -> list[Any]:
        guarded = GuardedGenerator(inner, concurrency=1)
        found = []
        async with aclosing(guarded.stream([], max_tokens=5000, deadline=1e12)) as pieces:
            async for piece in pieces:
                found.append(piece)
                assert isinstance(piece, Delta) or inner.open == 0
        return found

    *pieces, end = asyncio.run(read())
    assert end == Finish(reason="length")
    assert 120 <= sum(len(piece.text) for piece in pieces) < 300


@pytest.mark.parametrize(
    ("status", "reason", "server_fault"),
    [
        (302, "model_failed", False),
        (400, "model_failed", False),
        (401, "model_unauthorised", False),
        (404, "model_not_found", False),
        (408, "model_timed_out", True),
        (413, "model_failed", False),
        (429, "model_rate_limited", True),
        (500, "model_failed", True),
        (503, "model_overloaded", True),
        (529, "model_overloaded", True),
    ],
)
def test_what_a_status_means(status: int, reason: str, server_fault: bool) -> None:
    body = b'{"error": {"message": "secret words", "code": "some_code"}}'
    failure = failure_of(Refused(status, body=body, retry_after="9"), where="the server")
    assert (failure.reason, failure.server_fault, failure.retry_after) == (reason, server_fault, 9.0)
    assert f"the server answered {status} (some_code)" in str(failure)
    assert "secret" not in str(failure)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"error": "x"}',
        b'{"error": {"code": "a code with the question in it"}}',
        b"[" * 9999,
    ],
)
def test_any_error_document_can_be_read(body: bytes) -> None:
    assert "answered 500" in str(failure_of(Refused(500, body=body, retry_after=None), where="it"))
    assert "question" not in str(failure_of(Refused(500, body=body, retry_after=None), where="it"))


def test_retry_after_as_a_date() -> None:
    assert seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert seconds("Wed, 99 Oct 2015") is None
    assert seconds("-3") is None
    assert seconds("9" * 400) == 999999999.0


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8080",
        "ftp://127.0.0.1/v1",
        "http://",
        "http://user:secret@127.0.0.1/v1",
        "http://127.0.0.1/v1?key=secret",
        "http://127.0.0.1:99999/v1",
        "http://127.0.0.1 /v1",
        "http://[::1/v1",
        "http://127.0.0.1/v1\n",
    ],
)
def test_addresses_that_cannot_be_asked_are_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="QA_LLM_BASE_URL") as caught:
        load_generator(Settings(llm_base_url=address))
    assert "secret" not in str(caught.value)


def test_keys_that_cannot_be_sent_are_refused_and_not_shown() -> None:
    for key in ("sk-1\r\nx: y", "sk-é", "sk 1"):
        with pytest.raises(SettingsError, match="QA_LLM_API_KEY") as caught:
            load_generator(Settings(llm_base_url="http://127.0.0.1:1/v1", llm_api_key=key))
        assert key not in str(caught.value)


def test_without_an_address_there_is_no_generator() -> None:
    assert load_generator(Settings()) is None
