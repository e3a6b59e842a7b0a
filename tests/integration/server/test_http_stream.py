"""Streamed answers: the events fold to the JSON answer, errors keep their shape, whoever leaves ends the work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest

from qa.server.errors import DeadlineExceeded
from qa.server.http import sse
from qa.server.http.problems import Problem
from qa.settings import Settings
from qa.types import Answer, ClaimEvent, SearchResultsEvent

Sent = list[tuple[str, str, bytes]]
QUESTIONS = ["When will the old bridge over the Tamar be repaired?", "Who invented the telescope?"]


def parse(lines: Iterator[str]) -> Iterator[tuple[str, str, bytes]]:
    """Server-sent events as a client reads them: name, id, data. Comments are left out."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if not line and fields:
            yield fields.get("event", ""), fields.get("id", ""), fields["data"].encode()
            fields = {}
        elif name:
            fields[name] = value


def streamed(client: httpx.Client, **body: Any) -> Sent:
    with client.stream("POST", "/api/ask", json={**body, "stream": True}) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["x-accel-buffering"] == "no"
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["x-content-type-options"] == "nosniff"
        return list(parse(response.iter_lines()))


@pytest.mark.parametrize("question", QUESTIONS)
def test_events_fold_to_the_answer(client: httpx.Client, question: str) -> None:
    sent = streamed(client, question=question)
    names = [name for name, _, _ in sent]
    assert names == ["search_results", *["claim"] * (len(names) - 2), "answer"]
    assert len({number for _, number, _ in sent}) == len(sent)
    first = msgspec.json.decode(sent[0][2], type=SearchResultsEvent)
    claims = [msgspec.json.decode(data, type=ClaimEvent) for _, _, data in sent[1:-1]]
    answer = msgspec.json.decode(sent[-1][2], type=Answer)
    for name in ("id", "conversation_id", "question", "resolved_query", "as_of", "search_results"):
        assert getattr(first, name) == getattr(answer, name)
    assert answer.claims == tuple(event.claim for event in claims)
    assert answer.citations == tuple(citation for event in claims for citation in event.citations)
    plain = msgspec.json.decode(client.post("/api/ask", json={"question": question}).content, type=Answer)
    fresh = {"id": "", "timings_ms": {}, "as_of": ""}
    assert msgspec.structs.replace(answer, **fresh) == msgspec.structs.replace(plain, **fresh)


def test_what_is_wrong_at_once_is_an_ordinary_error(client: httpx.Client, check_problem: Callable[..., Any]) -> None:
    check_problem(client.post("/api/ask", json={"question": "?!", "stream": True}), "invalid-question")
    check_problem(client.post("/api/ask", json={"question": "Who?", "as_of": "x", "stream": True}), "invalid-question")


def _raises() -> None:
    raise DeadlineExceeded("not in time")


class Scripted:
    """An answerer that sends the first event, then does as it is told."""

    def __init__(self, then: Callable[[], Any]) -> None:
        self.then = then
        self.begun, self.ended = threading.Event(), threading.Event()

    async def events(self, question: Any, *, run: Any, history: Any = ()) -> AsyncGenerator[Any, None]:
        del run, history
        self.begun.set()
        try:
            yield SearchResultsEvent(
                id="a", conversation_id=None, question=question.question, resolved_query="", as_of="", search_results=()
            )
            await self.then()
        finally:
            self.ended.set()

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


def scripted(then: Callable[[], Any]) -> tuple[Scripted, Callable[[Settings], Any]]:
    from embeddings.encoders import load
    from qa.server.parts import Parts

    answering: Any = Scripted(then)
    return answering, lambda settings: Parts(corpus=answering, encoder=load(settings.encoder), answering=answering)


@pytest.mark.parametrize(
    ("error", "slug"), [(DeadlineExceeded("late"), "deadline-exceeded"), (ZeroDivisionError(), "internal-error")]
)
def test_what_goes_wrong_later_is_the_last_event(serve: Any, settings: Settings, error: Exception, slug: str) -> None:
    async def fail() -> None:
        raise error

    with serve(settings, load=scripted(fail)[1]) as client:
        first, last = streamed(client, question="Who?")
    assert (first[0], last[0]) == ("search_results", "error")
    assert msgspec.json.decode(last[2], type=Problem).type == f"/problems/{slug}"


def test_silence_is_filled_with_comments(serve: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer does not come before three were heard."""
    monkeypatch.setattr(sse, "_HEARTBEAT_SECONDS", 0.05)
    heard = threading.Event()

    async def wait() -> None:
        await asyncio.to_thread(heard.wait, 120)
        raise DeadlineExceeded("late")

    with (
        serve(settings, load=scripted(wait)[1]) as client,
        client.stream("POST", "/api/ask", json={"question": "Who?", "stream": True}) as response,
    ):
        received = b""
        for piece in response.iter_bytes():
            received += piece
            if received.count(b": keep-alive\n\n") >= 3:
                heard.set()
    assert heard.is_set()


@pytest.mark.parametrize("stream", [True, False])
def test_whoever_leaves_ends_the_work(serve: Any, settings: Settings, hanging_up: Any, stream: bool) -> None:
    """The generator ends, and the one permit is back."""
    answering, load = scripted(lambda: asyncio.sleep(3600))
    one_at_a_time = msgspec.structs.replace(settings, max_queue=1)
    with serve(one_at_a_time, load=load) as client:
        for _ in range(6):  # more than there are permits
            answering.begun.clear()
            answering.ended.clear()
            with hanging_up(client, {"question": "Who?", "stream": stream}):
                assert answering.begun.wait(120)
                assert not answering.ended.is_set()
            assert answering.ended.wait(120)
