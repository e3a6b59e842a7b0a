"""`qa mcp` with the unmodified client of the official SDK, which holds each result against the schema of its tool."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.types import CallToolResult, TextContent

from embeddings.types import Article
from qa.checking import CheckReport
from qa.cli import program
from qa.errors import NotFound, QAError
from qa.mcp.tools import TOOLS, Opened, call
from qa.settings import from_environment
from qa.types import Answer, SearchAnswer

FERRY = "The ferry Almeric left the harbour at noon on Friday. It carried 214 people to Skerra."
BRIDGE = "The bridge over the Osprey closes in July. Work on it will take sixteen months."
QUESTION = "How many people did the ferry carry to Skerra?"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"QA_DATA_DIR": str(tmp_path / "data"), "QA_ENCODER": "hashing", "QA_READER": "words"}


@pytest.fixture
def store(tmp_path: Path, environment: dict[str, str]) -> Callable[[str, str], None]:
    """Puts an article into the store, as another program would."""

    def ingest(name: str, text: str) -> None:
        file = tmp_path / f"{name}.jsonl"
        file.write_text(json.dumps({"id": name, "title": "News", "text": text}), encoding="utf-8")
        done = CliRunner().invoke(program, ["ingest", str(file)], env=environment)
        assert done.exit_code == 0, done.output

    return ingest


@pytest.fixture
def talk(environment: dict[str, str], tmp_path: Path) -> Callable[[Callable[[Client], Awaitable[None]]], None]:
    """`talk(what)`: the client starts the command, and `what(client)` speaks to it."""

    def with_client(what: Callable[[Client], Awaitable[None]]) -> None:
        command = StdioServerParameters(command=sys.executable, args=["-m", "qa", "mcp"], env=environment)

        async def spoken() -> None:
            with (tmp_path / "stderr").open("w") as complaints:
                async with Client(stdio_client(command, errlog=complaints)) as client:
                    await what(client)
            assert (tmp_path / "stderr").read_text() == ""

        asyncio.run(spoken())

    return with_client


def given(result: CallToolResult, kind: type[Any]) -> Any:
    """The structured content as our own value, which the text repeats for clients that read only text."""
    assert not result.is_error, result.content
    (text,) = result.content
    assert isinstance(text, TextContent)
    value = msgspec.convert(result.structured_content, kind)
    assert msgspec.json.decode(text.text, type=kind) == value
    return value


def refusal(result: CallToolResult) -> str:
    assert result.is_error
    assert result.structured_content is None
    (text,) = result.content
    assert isinstance(text, TextContent)
    return text.text


def test_every_tool_gives_exact_spans(talk: Any, store: Any) -> None:
    store("ferry-1", FERRY)

    async def speak(client: Client) -> None:
        listed = (await client.list_tools()).tools
        assert [tool.name for tool in listed] == ["ask", "search", "get_article", "check_claims"]
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in listed)
        assert not any(
            {"store", "stream", "conversation_id"} & tool.input_schema["properties"].keys() for tool in listed
        )

        answer = given(await client.call_tool("ask", {"question": QUESTION}), Answer)
        assert "214 people" in answer.answer
        named = {"article_id": "ferry-1", "version": answer.citations[0].article_version}
        article = given(await client.call_tool("get_article", named), Article)
        assert article.text == FERRY
        for citation in answer.citations:
            assert citation.cited_text == FERRY[citation.start_char_index : citation.end_char_index]

        found = given(await client.call_tool("search", {"question": QUESTION, "limit": 1}), SearchAnswer)
        (passage,) = found.search_results
        assert passage.text == FERRY[passage.start_char_index : passage.end_char_index]

        claims = {"text": "The ferry carried 900 people to Skerra.", "collection": "default"}
        (sentence,) = given(await client.call_tool("check_claims", claims), CheckReport).sentences
        assert sentence.verdict != "supported"
        (words, *_) = sentence.nearest
        assert words.cited_text == FERRY[words.start_char_index : words.end_char_index]

    talk(speak)


def test_what_goes_wrong_says_what_to_do(talk: Any, store: Any) -> None:
    async def speak(client: Client) -> None:
        assert "qa ingest PATH" in refusal(await client.call_tool("ask", {"question": QUESTION}))
        store("ferry-1", FERRY)
        assert given(await client.call_tool("ask", {"question": QUESTION}), Answer).citations
        store("bridge-1", BRIDGE)  # possible only beside one who does not hold the store for writing
        found = given(await client.call_tool("search", {"question": "When does the bridge close?"}), SearchAnswer)
        assert "bridge-1" in {passage.article_id for passage in found.search_results}

        assert "`$.max_citations`" in refusal(await client.call_tool("ask", {"question": "x", "max_citations": 0}))
        assert "leave out store" in refusal(await client.call_tool("ask", {"question": "x", "store": True}))
        soon = {"question": "x", "filters": {"published_after": "soon"}}
        assert "published_after" in refusal(await client.call_tool("search", soon))
        assert "no article 'nothing'" in refusal(await client.call_tool("get_article", {"article_id": "nothing"}))
        assert "no words" in refusal(await client.call_tool("check_claims", {"text": "…"}))
        with pytest.raises(MCPError, match="there are ask, search"):
            await client.call_tool("no-such-tool", {})

    talk(speak)


def test_standard_output_holds_messages_only(environment: dict[str, str], store: Any) -> None:
    """Spoken by hand, in the way of clients before 2026; the end of the input is the end of the command.

    Each search prints the thread that it runs on, to show where stray words go, and that the event loop is free.
    """
    store("ferry-1", FERRY)
    about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "hand", "version": "1"}}
    noisy = (
        "import sys, threading; from embeddings.embedded_corpus import EmbeddedCorpus as E; from qa.cli import main;"
        "search = E.search; sys.argv = ['qa', 'mcp'];"
        "E.search = lambda *a, **b: print(threading.current_thread().name) or search(*a, **b); main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", noisy],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None

        def send(**message: object) -> None:
            print(json.dumps({"jsonrpc": "2.0", **message}), file=running.stdin, flush=True)

        send(id=1, method="initialize", params=about)
        assert json.loads(running.stdout.readline())["result"]["serverInfo"]["name"] == "sourceline"
        send(method="notifications/initialized")
        send(id=2, method="tools/call", params={"name": "ask", "arguments": {"question": QUESTION}})
        told = json.loads(running.stdout.readline())
        assert msgspec.convert(told["result"]["structuredContent"], Answer).citations
        send(id=3, method="tools/call", params={"name": "check_claims", "arguments": {"text": FERRY}})
        assert json.loads(running.stdout.readline())["result"]["structuredContent"]["summary"]["sentences"] == 2
        rest, noise = running.communicate()
        assert (rest, running.returncode) == ("", 0)
        assert len(noise.split()) > 1
        assert set(noise.split()) == {"answering_0"}  # never the thread of the event loop


def called(
    calls: Sequence[tuple[str, dict[str, Any]]], environment: dict[str, str], *, within: tuple[str, ...] | None = None
) -> list[Any]:
    """What calls give, without the protocol."""

    async def spoken() -> list[bytes]:
        opened = Opened(from_environment(environment), within=within)
        try:
            return [await call(TOOLS[name], arguments, archive=opened) for name, arguments in calls]
        finally:
            await opened.close()

    return [json.loads(one) for one in asyncio.run(spoken())]


@pytest.mark.parametrize(("name", "field"), [("ask", "question"), ("search", "question"), ("check_claims", "text")])
def test_the_deadline_ends_a_call(environment: dict[str, str], store: Any, name: str, field: str) -> None:
    store("ferry-1", FERRY)
    with pytest.raises(QAError, match=r"did not finish within 1e-09 seconds.*QA_DEADLINE_SECONDS"):
        called([(name, {field: FERRY})], environment | {"QA_DEADLINE_SECONDS": "1e-9"})


def test_some_collections_are_all_that_is_read(environment: dict[str, str], store: Any) -> None:
    store("ferry-1", FERRY)
    calls = [("ask", {"question": QUESTION}), ("search", {"question": QUESTION}), ("check_claims", {"text": FERRY})]
    for within, found in ((("default",), True), (("world",), False), (None, True)):
        answer, search, checked = called(calls, environment, within=within)
        assert (answer["answer_mode"] == "extractive") == bool(search["search_results"]) == found
        assert (checked["sentences"][0]["verdict"] == "supported") == found
    with pytest.raises(NotFound):
        called([("get_article", {"article_id": "ferry-1"})], environment, within=("world",))


def test_a_model_writes_and_is_let_go(environment: dict[str, str], store: Any, faulty_model: Any) -> None:
    store("ferry-1", FERRY)
    faulty_model.compose = lambda _: "The ferry Almeric carried 214 people to Skerra [S1]."
    model = {"QA_LLM_BASE_URL": faulty_model.address(), "QA_LLM_MODEL": "good"}
    (answer,) = called([("ask", {"question": QUESTION})], environment | model)
    assert (answer["answer_mode"], answer["answer"]) == ("generated", "The ferry Almeric carried 214 people to Skerra.")
    assert faulty_model.wait_closed()


def test_without_the_sdk_it_says_what_to_install() -> None:
    hidden = "import sys; sys.modules['mcp'] = None; from qa.cli import main; sys.argv = ['qa', 'mcp']; main()"
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False, input="")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"qa: this needs the MCP SDK: \S+ -m pip install 'mcp>=2.3,<3'\n", done.stderr)


def test_the_documented_calls_give_what_is_documented(repo: Path, sample_store: Path) -> None:
    document = (repo / "docs" / "mcp.md").read_text(encoding="utf-8")
    told = re.findall(r"\*\*`(\w+)`\*\*\n+```json\n(.*?)```\n+```json\n(.*?)```", document, re.DOTALL)
    assert {name for name, _, _ in told} == set(TOOLS)
    gave = called([(name, json.loads(asked)) for name, asked, _ in told], {"QA_DATA_DIR": str(sample_store)})
    for value, (_, _, expected) in zip(gave, told, strict=True):
        assert parts_of(value, json.loads(expected)) == json.loads(expected)


def parts_of(value: Any, wanted: Any) -> Any:
    """As much of a value as a document shows: of an object the named fields, of a list the first items."""
    if isinstance(value, dict) and isinstance(wanted, dict):
        return {name: parts_of(value.get(name), one) for name, one in wanted.items()}
    if isinstance(value, list) and isinstance(wanted, list):
        return [parts_of(item, one) for item, one in zip(value, wanted, strict=False)]
    if isinstance(value, str) and isinstance(wanted, str) and wanted.endswith(" …"):
        return value[: len(wanted) - 2] + " …"
    return value
