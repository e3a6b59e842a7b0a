"""`/mcp` of the real service, spoken to over a socket by the unmodified client of the official SDK."""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import httpx2
import msgspec
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from embeddings.types import Article
from qa.checking import CheckReport
from qa.mcp.tools import TOOLS
from qa.settings import Settings
from qa.types import Answer, ArticleNow, SearchAnswer

Serve = Callable[..., AbstractContextManager[httpx.Client]]

HARBOUR = "The harbour of Velda reopened on Monday. About 4,200 people work there."
MATCH = "The harbour club of Velda won the cup on Sunday. Its keeper Tobin saved three shots."
QUESTION = {"question": "How many people work at the harbour of Velda?"}
SCOPES = {"desk": "", "world": ":ask:world", "sport": ":ask:sport", "feeds": ":ingest"}
TOOL_CALLS: dict[str, tuple[dict[str, Any], int]] = {
    "ask": (QUESTION, 10),
    "search": (QUESTION, 3),
    "get_article": ({"article_id": "harbour"}, 1),
    "check_claims": ({"text": HARBOUR}, 10),
}
"""What each tool is called with, and costs."""


def key(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer key-of-{name}-0123456789"}


@pytest.fixture(scope="module")
def client(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    names = SCOPES | {f"spends-{tool}": ":ask" for tool in TOOL_CALLS}
    hashes = {name: hashlib.sha256(f"key-of-{name}-0123456789".encode()).hexdigest() for name in names}
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        encoder="hashing",
        reader="words",
        key_rate=1000,
        api_keys=",".join(f"{name}:sha256:{hashes[name]}{scope}" for name, scope in names.items()),
        allowed_origins="https://news.example",
        origin_collections="https://news.example=*",
    )
    with serve(settings) as found:
        articles = [
            {"id": "harbour", "title": "Harbour", "text": HARBOUR, "collection": "world"},
            {"id": "match", "title": "Cup", "text": MATCH, "collection": "sport"},
        ]
        found.post("/api/articles", json=articles, headers=key("desk")).raise_for_status()
        yield found


def talk(client: httpx.Client, by: str, what: Callable[[Client], Awaitable[None]], *, mode: str = "auto") -> None:
    """Let the SDK's client connect with a key, and `what` speak."""

    async def spoken() -> None:
        async with httpx2.AsyncClient(headers=key(by), timeout=120) as connection:
            address = f"{client.base_url}/mcp".replace("//mcp", "/mcp")
            async with Client(streamable_http_client(address, http_client=connection), mode=mode) as speaking:
                await what(speaking)

    asyncio.run(spoken())


def post(client: httpx.Client, by: dict[str, str], *, tool: str = "ask", **more: Any) -> httpx.Response:
    """A call by hand, in the way of clients before 2026."""
    params = {"name": tool, "arguments": TOOL_CALLS[tool][0]}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {"accept": "application/json, text/event-stream", **by}
    return client.post("/mcp", **({"json": message} | more), headers=headers)


def given(result: CallToolResult, kind: type[Any]) -> Any:
    assert not result.is_error, result.content
    return msgspec.convert(result.structured_content, kind)


def refusal(result: CallToolResult) -> str:
    assert result.is_error
    (text,) = result.content
    assert isinstance(text, TextContent)
    return text.text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_every_tool_gives_exact_spans(client: httpx.Client, mode: str) -> None:
    async def speak(speaking: Client) -> None:
        assert [tool.name for tool in (await speaking.list_tools()).tools] == list(TOOLS) == list(TOOL_CALLS)
        answer = given(await speaking.call_tool("ask", QUESTION), Answer)
        assert "4,200 people" in answer.answer
        (citation, *_) = answer.citations
        assert citation.cited_text == HARBOUR[citation.start_char_index : citation.end_char_index]
        named = {"article_id": citation.article_id, "version": citation.article_version}
        read = given(await speaking.call_tool("get_article", named), ArticleNow)
        assert (read.text, read.current_version) == (HARBOUR, read.version)
        (passage, *_) = given(await speaking.call_tool("search", QUESTION), SearchAnswer).search_results
        assert passage.text == HARBOUR[passage.start_char_index : passage.end_char_index]
        checked = given(await speaking.call_tool("check_claims", {"text": HARBOUR}), CheckReport)
        assert {sentence.verdict for sentence in checked.sentences} == {"supported"}
        assert "max_citations" in refusal(await speaking.call_tool("ask", {"question": "x", "max_citations": 0}))

    talk(client, "desk", speak, mode=mode)


def test_a_key_reads_its_collections_alone(client: httpx.Client) -> None:
    async def speak(speaking: Client) -> None:
        found = given(await speaking.call_tool("search", QUESTION), SearchAnswer)
        assert {one.article_id for one in found.search_results} == {"sport!match"}
        answer = given(await speaking.call_tool("ask", QUESTION), Answer)
        assert {one.article_id for one in (*answer.citations, *answer.search_results)} <= {"sport!match"}
        assert given(await speaking.call_tool("get_article", {"article_id": "match"}), Article).id == "sport!match"
        (_, people) = given(await speaking.call_tool("check_claims", {"text": HARBOUR}), CheckReport).sentences
        assert people.verdict != "supported"
        for article_id in ("harbour", "nothing"):
            read = await speaking.call_tool("get_article", {"article_id": article_id})
            assert refusal(read) == f"no article '{article_id}'"
        for tool in ("ask", "search"):
            assert "sport" in refusal(await speaking.call_tool(tool, QUESTION | {"collection": "world"}))

    talk(client, "sport", speak)


def test_the_guard_stands_before_it(client: httpx.Client, check_problem: Any) -> None:
    origin = {"origin": "https://news.example"}
    token = client.post("/api/tokens", json={}, headers=origin).raise_for_status().json()["token"]
    for by, kind in (
        ({}, "unauthenticated"),
        (key("stranger"), "unauthenticated"),
        (key("feeds"), "not-allowed"),
        ({**origin, "authorization": f"Bearer {token}"}, "not-allowed"),
        ({**key("desk"), "origin": "https://evil.example"}, "foreign-origin"),
    ):
        check_problem(post(client, by), kind)
    assert post(client, key("desk")).status_code == 200


def test_bodies_are_read_as_elsewhere(client: httpx.Client, check_problem: Any) -> None:
    kind = {"content-type": "application/json"}
    for body, headers, slug in (
        (b'"' + b"x" * 2_000_000 + b'"', kind, "body-too-large"),
        (b"{", kind, "malformed-body"),
        (b'{"method": "a", "method": "b"}', kind, "invalid-request"),
        (b"{}", {"content-type": "text/plain"}, "unsupported-media-type"),
    ):
        check_problem(post(client, key("desk") | headers, json=None, content=body), slug)
    check_problem(client.get("/mcp", headers=key("desk")), "method-not-allowed")


def test_a_byte_order_mark_before_a_message_is_no_part_of_it(client: httpx.Client) -> None:
    message = post(client, key("desk")).request.content
    by = key("desk") | {"content-type": "application/json"}
    reply = post(client, by, json=None, content=b"\xef\xbb\xbf" + message)
    assert reply.raise_for_status().json()["result"]["structuredContent"]


@pytest.mark.parametrize("tool", TOOL_CALLS)
def test_a_tool_costs_what_its_route_costs(client: httpx.Client, tool: str) -> None:
    response = post(client, key(f"spends-{tool}"), tool=tool)
    assert response.json()["result"]["structuredContent"]
    assert response.headers["ratelimit-remaining"] == str(1000 - TOOL_CALLS[tool][1])


def test_what_is_refused_before_a_tool_has_it_reaches_the_client_in_words(client: httpx.Client) -> None:
    async def what(speaking: Client) -> None:
        for arguments, why in (
            ({"question": "\0 what"}, "NUL"),
            ({"question": "x" * 2_000_000}, "more than the 2,000,000 bytes"),
        ):
            with pytest.raises(MCPError, match=why):
                await speaking.call_tool("ask", arguments)

    talk(client, "desk", what)
    refused = post(client, key("stranger")).json()
    assert (refused["jsonrpc"], refused["id"], refused["error"]["message"]) == ("2.0", None, refused["detail"])


def test_a_message_needs_no_session_and_gets_none(client: httpx.Client) -> None:
    """Behind a balancer the next one may go to another service."""
    response = post(client, key("world"), json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    assert [tool["name"] for tool in response.json()["result"]["tools"]] == list(TOOLS)
    assert response.headers["ratelimit-remaining"] == "999"
    assert "mcp-session-id" not in response.headers


def test_without_the_sdk_it_says_what_to_install(
    client: httpx.Client, check_problem: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "qa.mcp.protocol", raising=False)
    monkeypatch.setitem(sys.modules, "mcp", None)
    problem = check_problem(post(client, key("desk")), "not-installed")
    assert "pip install 'mcp>=2.3,<3'" in problem.detail


def test_without_keys_no_stranger_names_it_and_a_defect_is_told_by_its_incident(
    serve: Serve, settings: Settings, saying: Any, check_problem: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("/secret/path")

    with serve(settings, load=saying(fail)) as client:
        check_problem(post(client, {"host": "rebound.example"}), "unknown-host")
        result = post(client, {}).json()["result"]
    (told,) = result["content"]
    incident = re.search(r"The service made a mistake.* \(incident (\w+)\)$", told["text"])
    assert (result["isError"], "secret" in told["text"]) == (True, False)
    assert incident
    assert incident[1] in caplog.text


def test_a_call_ends_when_its_client_leaves(serve: Serve, settings: Settings, saying: Any) -> None:
    """Its place in the queue is free while the job that it waited for is still at work."""
    begun, go = threading.Event(), threading.Event()

    def work() -> None:
        if threading.current_thread().name == "encoding":  # not where the metrics count articles
            begun.set()
            go.wait(120)

    with serve(settings, load=saying(work)) as client:
        for version in ("2025-06-18", "2026-07-28"):
            try:
                with socket.create_connection((client.base_url.host, client.base_url.port or 80)) as connection:
                    connection.sendall(message_of(version))
                    assert begun.wait(120)
                    assert admitted(client) == 1
                deadline = time.monotonic() + 120
                while admitted(client):
                    assert time.monotonic() < deadline, f"the call goes on ({version})"
            finally:
                go.set()
            begun.clear()
            go.clear()


def message_of(version: str) -> bytes:
    """A question as an HTTP request, in the way of either time."""
    about = {"io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": {}}
    params = {"name": "ask", "arguments": QUESTION, "_meta": about}
    body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    head = (
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Accept: application/json, text/event-stream\r\nMcp-Method: tools/call\r\nMcp-Name: ask\r\n"
        f"Mcp-Protocol-Version: {version}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def admitted(client: httpx.Client) -> float:
    metrics = client.get("/metrics").text
    (value,) = re.findall(r"^sourceline_questions_admitted (\S+)$", metrics, re.MULTILINE)
    return float(value)
