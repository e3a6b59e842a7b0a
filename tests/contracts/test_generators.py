"""What every generator promises, over the scripted one, those that ask a server, and each behind the guard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest

from qa.errors import GeneratorFailed
from qa.generators import Delta, Fail, Finish, Generator, Message, Say, ScriptedGenerator, Stop, Wait
from qa.generators.anthropic_messages import AnthropicMessages
from qa.generators.guard import GuardedGenerator
from qa.generators.openai_compatible import OpenAICompatible

TEXT = "The harbour of Velda – “the old one” – reopened. About 4,200 people work there. 港 😀"
MESSAGES = [Message(role="system", content="Answer."), Message(role="user", content="Who works there?")]

Make = Callable[[str], Generator]
"""A generator whose server (or script) behaves as named, and how many of its drafts are still open."""


SCRIPTS = {
    "good": [Say(TEXT, size=3)],
    "too-long": [Say(TEXT[:40]), Stop("length")],
    "content-filter": [Say(TEXT[:40]), Stop("content_filter")],
    "server-error": [Fail("model_failed")],
    "overloaded": [Fail("model_overloaded")],
    "reset": [Say(TEXT[:40]), Fail("model_failed")],
    "stall": [Say(TEXT[:40]), Wait(3600)],
    "silence": [Wait(3600)],
}


class Made:
    def __init__(self, kind: str, *, guarded: bool, server: Any) -> None:
        self._kind, self._guarded, self._server = kind, guarded, server
        self.scripted: ScriptedGenerator | None = None

    def __call__(self, behaviour: str) -> Generator:
        if self._kind == "scripted":
            self.scripted = ScriptedGenerator(SCRIPTS[behaviour], model=behaviour, context_tokens=2048)
            return self._behind_guard(self.scripted)
        self._server.compose = lambda _: TEXT
        kind = AnthropicMessages if self._kind == "messages" else OpenAICompatible
        inner = kind(base_url=self._server.address(), api_key="", model=behaviour, context_tokens=2048)
        return self._behind_guard(inner)

    def _behind_guard(self, inner: Generator) -> Generator:
        return GuardedGenerator(inner, concurrency=10) if self._guarded else inner

    def all_closed(self) -> bool:
        if self.scripted is not None:
            return self.scripted.open == 0
        return bool(self._server.wait_closed())


@pytest.fixture(params=[f"{kind}{guard}" for kind in ("scripted", "server", "messages") for guard in ("", ", guarded")])
def made(request: pytest.FixtureRequest) -> Made:
    kind, _, guard = request.param.partition(", ")
    server = request.getfixturevalue("faulty_messages" if kind == "messages" else "faulty_model")
    return Made(kind, guarded=bool(guard), server=server)


async def read(generator: Generator, *, seconds: float = 120, max_tokens: int = 500) -> list[Delta | Finish]:
    deadline = asyncio.get_running_loop().time() + seconds
    async with aclosing(generator.stream(MESSAGES, max_tokens=max_tokens, deadline=deadline)) as pieces:
        return [piece async for piece in pieces]


def text_of(pieces: list[Delta | Finish]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Delta))


def run(made: Made, behaviour: str, job: Callable[[Generator], Awaitable[Any]]) -> Any:
    generator = made(behaviour)

    async def whole() -> Any:
        result = await job(generator)
        assert await asyncio.to_thread(made.all_closed)
        await generator.close()
        return result

    return asyncio.run(whole())


def test_it_says_what_it_is(made: Made) -> None:
    generator = made("good")
    assert (generator.model, generator.context_tokens) == ("good", 2048)
    assert isinstance(generator.reads_documents, bool)


def test_a_draft_is_pieces_and_then_one_end(made: Made) -> None:
    *pieces, end = run(made, "good", read)
    assert text_of(pieces) == TEXT
    assert len(pieces) > 1
    assert all(isinstance(piece, Delta) and piece.text for piece in pieces)
    assert isinstance(end, Finish)
    assert end.reason == "stop"
    assert end.prompt_tokens > 0
    assert end.completion_tokens > 0


@pytest.mark.parametrize(("behaviour", "reason"), [("too-long", "length"), ("content-filter", "content_filter")])
def test_other_ends_are_told(made: Made, behaviour: str, reason: str) -> None:
    *pieces, end = run(made, behaviour, read)
    assert TEXT.startswith(text_of(pieces))
    assert end.reason == reason


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [("server-error", "model_failed"), ("overloaded", "model_overloaded"), ("reset", "model_failed")],
)
def test_failures_have_a_reason(made: Made, behaviour: str, reason: str) -> None:
    with pytest.raises(GeneratorFailed) as caught:
        run(made, behaviour, read)
    assert caught.value.reason == reason
    assert made.all_closed()


@pytest.mark.parametrize("behaviour", ["stall", "silence"])
@pytest.mark.parametrize("seconds", [0.4, 0.0, -5.0])
def test_the_deadline_holds(made: Made, behaviour: str, seconds: float) -> None:
    begun = time.monotonic()
    with pytest.raises(GeneratorFailed) as caught:
        run(made, behaviour, lambda generator: read(generator, seconds=seconds))
    assert caught.value.reason in {"model_timed_out", "model_unreachable"}
    assert time.monotonic() - begun < 120, "its server is silent for an hour"
    assert made.all_closed()


@pytest.mark.parametrize("behaviour", ["good", "stall"])
def test_closing_it_early_ends_it(made: Made, behaviour: str) -> None:
    async def first(generator: Generator) -> str:
        deadline = asyncio.get_running_loop().time() + 120
        async with aclosing(generator.stream(MESSAGES, max_tokens=500, deadline=deadline)) as pieces:
            async for piece in pieces:
                return text_of([piece])
        raise AssertionError

    assert run(made, behaviour, first)


@pytest.mark.parametrize("behaviour", ["stall", "silence"])
def test_cancelling_whoever_reads_ends_it(made: Made, behaviour: str) -> None:
    async def cancel(generator: Generator) -> None:
        reading = asyncio.create_task(read(generator))
        await asyncio.sleep(0.1)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    run(made, behaviour, cancel)


def test_drafts_at_the_same_time_do_not_mix(made: Made) -> None:
    async def several(generator: Generator) -> list[str]:
        return [text_of(pieces) for pieces in await asyncio.gather(*(read(generator) for _ in range(5)))]

    assert run(made, "good", several) == [TEXT] * 5


def test_it_can_be_used_again_after_a_failure(made: Made) -> None:
    async def twice(generator: Generator) -> str:
        with pytest.raises(GeneratorFailed):
            await read(generator, seconds=0)
        return text_of(await read(generator))

    assert run(made, "good", twice) == TEXT
