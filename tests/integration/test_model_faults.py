"""Every way in which a model's server fails, through the generator alone: a draft or GeneratorFailed, in time.

Both APIs are spoken: OpenAI's, and Anthropic's.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from qa.errors import GeneratorFailed
from qa.generators import Delta, Finish, Message, load_generator
from qa.settings import Settings

pytestmark = pytest.mark.slow

KEY = "sk-canary-0123456789"
QUESTION = "Who works in the canary harbour?"
MESSAGES = [Message(role="system", content="Answer from the sources."), Message(role="user", content=QUESTION)]
SHORT, LONG = 0.4, 120.0
"""Seconds for a draft of which nothing more comes, and for one that ends by itself: that is no matter of time."""

FAILS = {
    "refused": "model_unreachable",
    "dns": "model_unreachable",
    "tls": "model_unreachable",
    "tls-silence": "model_timed_out",
    "unauthorised": "model_unauthorised",
    "forbidden": "model_unauthorised",
    "no-model": "model_not_found",
    "request-timeout": "model_timed_out",
    "rate-limited": "model_rate_limited",
    "rate-limited-bare": "model_rate_limited",
    "overloaded": "model_overloaded",
    "gateway": "model_unreachable",
    "silence": "model_timed_out",
    "slow-headers": "model_timed_out",
    "headers-then-silence": "model_timed_out",
    "comments-only": "model_timed_out",
    "slow-drip": "model_timed_out",
    "stall": "model_timed_out",
}
"""What the failing kinds end with; those that are not named here, with `model_failed`."""
ENDS = {
    "good": "stop",
    "whole": "stop",
    "bytewise": "stop",
    "picky": "stop",
    "endless": "length",
    "loop": "length",
    "refusal": "stop",
    "refusal-field": "content_filter",
    "content-filter": "content_filter",
    "too-long": "length",
    "markers-out-of-range": "stop",
    "foreign-citations": "stop",
    "wrong-language": "stop",
}
"""What the kinds that give a draft end with."""
MESSAGES_FAIL = FAILS | {"pings-only": "model_timed_out", "overloaded-event": "model_overloaded"}
MESSAGES_END = ENDS | dict.fromkeys(["thinking", "foreign-documents", "cut-at-the-end", "no-goodbye"], "stop")
"""The same where Anthropic's API is spoken."""


@pytest.fixture(autouse=True, scope="module")
def sdk() -> None:
    """The SDKs imported, as they are when the service starts: it takes a second."""
    for provider in ("openai", "anthropic"):
        load_generator(Settings(llm_provider=provider, llm_base_url="http://127.0.0.1:9/v1", llm_model="m"))
    gc.freeze()  # what was imported need not be looked through after each of these tests


@pytest.fixture(params=["faulty_model", "faulty_messages"])
def server(request: pytest.FixtureRequest) -> Any:
    """A server of either API."""
    return request.getfixturevalue(request.param)


def settings_for(server: Any, kind: str, **more: Any) -> Settings:
    return Settings(llm_provider=server.provider, llm_base_url=server.address(kind), llm_model=kind, **more)


@pytest.fixture(autouse=True)
def no_such_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that cannot be resolved, told as a resolver would: tests have none to ask."""
    resolve = socket.getaddrinfo

    def fail(host: Any, *args: Any, **kwargs: Any) -> Any:
        if str(host).endswith(".invalid") or (isinstance(host, bytes) and host.endswith(b".invalid")):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", fail)


class Outcome:
    text = ""
    finish: Finish | None = None
    failed: GeneratorFailed | None = None
    seconds = 0.0


async def draft(server: Any, kind: str, *, seconds: float = LONG, max_tokens: int = 300) -> Outcome:
    """One draft; whatever else than GeneratorFailed is raised fails the test."""
    generator = load_generator(settings_for(server, kind, llm_api_key=KEY))
    assert generator is not None
    outcome, begun = Outcome(), time.monotonic()
    deadline = asyncio.get_running_loop().time() + seconds
    try:
        async with aclosing(generator.stream(MESSAGES, max_tokens=max_tokens, deadline=deadline)) as pieces:
            async for piece in pieces:
                assert outcome.finish is None, "nothing comes after the end"
                if isinstance(piece, Delta):
                    outcome.text += piece.text
                else:
                    outcome.finish = piece
    except GeneratorFailed as error:
        outcome.failed = error
    outcome.seconds = time.monotonic() - begun
    await generator.close()
    return outcome


def run_clean(job: Callable[[], Any]) -> Any:
    """Run on an event loop of its own, on which nothing may be left over or go wrong unseen."""

    async def watched() -> Any:
        complaints: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        result = await job()
        gc.collect()
        await asyncio.sleep(0)
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert left == []
        assert complaints == []
        return result

    return asyncio.run(watched())


def test_each_fault_has_one_end_in_time(faulty_model: Any, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    fails = FAILS.get(fault, "model_failed")
    outcome = run_clean(lambda: draft(faulty_model, fault, seconds=time_for(fails)))
    check_end(outcome, ends=ENDS.get(fault), fails=fails, log=caplog.text)
    assert faulty_model.wait_closed()


def test_each_fault_of_messages_has_one_end_in_time(
    faulty_messages: Any, message_fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fails = MESSAGES_FAIL.get(message_fault, "model_failed")
    outcome = run_clean(lambda: draft(faulty_messages, message_fault, seconds=time_for(fails)))
    check_end(outcome, ends=MESSAGES_END.get(message_fault), fails=fails, log=caplog.text)
    assert faulty_messages.wait_closed()


def time_for(fails: str) -> float:
    return SHORT if fails == "model_timed_out" else LONG


def check_end(outcome: Outcome, *, ends: str | None, fails: str, log: str) -> None:
    assert outcome.seconds < LONG, "what gives no more is silent for an hour"
    if ends is not None:
        assert outcome.failed is None
        assert outcome.finish is not None
        assert outcome.finish.reason == ends
    else:
        assert outcome.finish is None
        assert outcome.failed is not None, outcome.text
        assert outcome.failed.reason == fails
    told = f"{log} {outcome.failed}"
    assert not [secret for secret in (KEY, QUESTION, "canary", "harbour of Velda") if secret in told]


@pytest.mark.parametrize("kind", ["good", "whole", "bytewise"])
def test_a_good_draft_arrives_whole(faulty_model: Any, kind: str) -> None:
    faulty_model.compose = lambda _: "The harbour – “Velda” – reopened.\n\nΩμέγα 港 😀 [2024].\u2028End."
    outcome = run_clean(lambda: draft(faulty_model, kind))
    assert outcome.text == faulty_model.compose([])
    if kind != "bytewise":
        assert (outcome.finish.prompt_tokens, outcome.finish.completion_tokens) == (70, 30)


def test_what_is_sent(faulty_model: Any) -> None:
    run_clean(lambda: draft(faulty_model, "good", max_tokens=123))
    (request,) = faulty_model.asked
    assert request["messages"] == [{"role": one.role, "content": one.content} for one in MESSAGES]
    assert (request["model"], request["stream"], request["max_tokens"]) == ("good", True, 123)
    assert faulty_model.keys == [f"Bearer {KEY}"]


def test_options_that_a_model_refuses_are_left_out_from_then_on(faulty_model: Any) -> None:
    async def twice() -> None:
        generator = load_generator(Settings(llm_base_url=faulty_model.address(), llm_model="picky"))
        assert generator is not None
        for _ in range(2):
            deadline = asyncio.get_running_loop().time() + LONG
            async with aclosing(generator.stream(MESSAGES, max_tokens=77, deadline=deadline)) as pieces:
                assert isinstance([piece async for piece in pieces][-1], Finish)
        await generator.close()

    run_clean(twice)
    assert len(faulty_model.asked) == 5, "four to find out, one more"
    assert {"max_tokens", "temperature", "stream_options"} & faulty_model.asked[-1].keys() == set()
    assert faulty_model.asked[-1]["max_completion_tokens"] == 77


def test_a_loop_is_cut_soon(server: Any) -> None:
    outcome = run_clean(lambda: draft(server, "loop", max_tokens=100_000))
    assert 120 < len(outcome.text) < 700


def test_an_endless_draft_is_cut_at_its_own_size(server: Any) -> None:
    outcome = run_clean(lambda: draft(server, "endless", max_tokens=50))
    assert len(outcome.text) == 400


@pytest.mark.parametrize("kind", ["stall", "silence", "headers-then-silence", "endless", "slow-headers"])
@pytest.mark.parametrize("how", ["closed", "cancelled"])
def test_leaving_closes_the_connection(server: Any, kind: str, how: str) -> None:
    """Whether the reader closes the draft, or its task is cancelled while it waits."""

    async def leave() -> None:
        generator = load_generator(settings_for(server, kind))
        assert generator is not None

        async def read() -> None:
            deadline = asyncio.get_running_loop().time() + 60
            async with aclosing(generator.stream(MESSAGES, max_tokens=100_000, deadline=deadline)) as pieces:
                async for _ in pieces:
                    if how == "closed" and kind in {"stall", "endless"}:
                        return

        reading = asyncio.create_task(read())
        assert await asyncio.to_thread(server.wait_accepted, 1)
        await asyncio.wait([reading], timeout=0.2)  # by then it usually waits for the server
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert await asyncio.to_thread(server.wait_closed)
        assert getattr(generator, "busy", None) == 0
        await generator.close()

    run_clean(leave)


def test_the_first_model_of_the_list_is_asked_where_none_is_named(faulty_model: Any) -> None:
    async def ask() -> tuple[str, str]:
        generator = load_generator(Settings(llm_base_url=faulty_model.address()))
        assert generator is not None
        before = generator.model
        deadline = asyncio.get_running_loop().time() + LONG
        async with aclosing(generator.stream(MESSAGES, max_tokens=100, deadline=deadline)) as pieces:
            async for _ in pieces:
                pass
        await generator.close()
        return before, generator.model

    assert run_clean(ask) == ("", "good")
    assert faulty_model.asked[0]["model"] == "good"


def test_a_dead_model_soon_costs_nothing(server: Any) -> None:
    """Five failures, then none of the next questions waits; once it is back, one question finds out."""

    async def many() -> None:
        generator: Any = load_generator(settings_for(server, "server-error"))
        loop = asyncio.get_running_loop()

        async def ask() -> str:
            try:
                async with aclosing(generator.stream(MESSAGES, max_tokens=300, deadline=loop.time() + LONG)) as pieces:
                    return [piece async for piece in pieces][-1].reason
            except GeneratorFailed as error:
                return str(error.reason)

        assert [await ask() for _ in range(5)] == ["model_failed"] * 5
        accepted = server.accepted
        assert [await ask() for _ in range(20)] == ["model_failed"] * 20
        assert server.accepted == accepted, "nobody even called"
        generator._breaker._closed_until = 0.0  # the pause is over
        setattr(generator._inner, "_configured" if server.provider == "openai" else "model", "good")
        assert await ask() == "stop"
        assert await ask() == "stop"
        await generator.close()

    run_clean(many)


def test_more_questions_than_permits_fail_at_once(server: Any) -> None:
    async def crowd() -> None:
        generator: Any = load_generator(settings_for(server, "stall", llm_concurrency=2))
        loop = asyncio.get_running_loop()

        async def ask() -> tuple[str, float]:
            begun = loop.time()
            try:
                async with aclosing(generator.stream(MESSAGES, max_tokens=9, deadline=begun + 1)) as pieces:
                    async for _ in pieces:
                        pass
            except GeneratorFailed as error:
                return error.reason, loop.time() - begun
            raise AssertionError

        results = await asyncio.gather(*(ask() for _ in range(6)))
        assert sorted(reason for reason, _ in results) == ["model_overloaded"] * 4 + ["model_timed_out"] * 2
        waited = [seconds for reason, seconds in results if reason == "model_timed_out"]
        assert all(seconds < min(waited) for reason, seconds in results if reason == "model_overloaded")
        assert generator.busy == 0
        await generator.close()

    run_clean(crowd)
