"""What a real OTLP receiver gets of a service: spans, their order and nesting, events; and no text unless asked for."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from mcp import Client, StdioServerParameters, stdio_client
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from embeddings.types import Place, RawArticle, Rejected
from qa.cli import program
from qa.errors import SettingsError
from qa.server.job_queue import JobQueue
from qa.server.run import serve as run_service
from qa.settings import Settings, from_environment
from qa.tracing import Untraced, current, open_tracing, part

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
FROM_OUTSIDE = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
QUESTION = "How many people work in the harbour of Velda?"
DRAFT = "About 4,200 people work there. About 9,900 people work in the harbour of Velda."


class Receiver:
    """A tiny OTLP/HTTP receiver: takes the protobuf of both paths apart."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.events: list[Any] = []
        self.resources: list[dict[str, Any]] = []
        self.raw = b""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.take(self.path, self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, path: str, body: bytes) -> None:
        self.raw += body
        if path == "/v1/traces":
            for one in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.resources.append(told(one.resource))
                self.spans += [span for scope in one.scope_spans for span in scope.spans]
        elif path == "/v1/logs":
            for group in ExportLogsServiceRequest.FromString(body).resource_logs:
                self.events += [record for scope in group.scope_logs for record in scope.log_records]
        else:
            raise AssertionError(path)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def one(self, name: str) -> Span:
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def inside(self, span: Span) -> list[Span]:
        found = [one for one in self.spans if one.parent_span_id == span.span_id]
        return sorted(found, key=lambda one: one.start_time_unix_nano)


def told(item: Any) -> dict[str, Any]:
    """The attributes of a span, an event or a resource."""
    values = {}
    for one in item.attributes:
        kind = one.value.WhichOneof("value")
        value = getattr(one.value, kind)
        values[one.key] = [each.string_value for each in value.values] if kind == "array_value" else value
    return values


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()


@pytest.fixture(scope="module")
def heard(
    serve: Any, faults: Any, articles: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Receiver, Any]]:
    """What was received of one ingest, a generated and an extractive answer, a search, a check and a refusal."""
    with faults.FaultyModel() as model, receiving() as receiver:
        model.compose = lambda _: DRAFT
        settings = Settings(
            data_dir=tmp_path_factory.mktemp("traced"),
            encoder="hashing",
            reader="words",
            llm_base_url=model.address("good"),
            llm_model="good",
            otel_endpoint=receiver.address,
        )
        with serve(settings) as client:
            client.post("/api/articles", json=articles).raise_for_status()
            client.post("/api/ask", json={"question": QUESTION}, headers=FROM_OUTSIDE).raise_for_status()
            client.post("/api/ask", json={"question": QUESTION, "mode": "extractive"}).raise_for_status()
            client.post("/api/search", json={"question": QUESTION}).raise_for_status()
            client.post("/api/check", json={"text": "About 4,200 people work there."}).raise_for_status()
            assert client.post("/api/ask", json={"question": ""}).status_code == 422
            client.get("/health/ready").raise_for_status()
            client.get("/metrics").raise_for_status()
        yield receiver, model


def as_given(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


def test_a_request_joins_the_trace_it_came_with(heard: tuple[Receiver, Any]) -> None:
    receiver, _ = heard
    (request,) = [
        span for span in receiver.spans if span.trace_id.hex() == TRACE and span.kind == Span.SPAN_KIND_SERVER
    ]
    assert request.name == "POST /api/ask"
    assert request.parent_span_id.hex() == PARENT
    assert told(request) == {
        "http.request.method": "POST",
        "http.route": "/api/ask",
        "http.response.status_code": 200,
        "url.scheme": "http",
    }
    others = {span.trace_id.hex() for span in receiver.spans} - {TRACE}
    assert len(others) == 5, "each other request begins a trace; health and metrics none"
    assert receiver.resources[0]["service.name"] == "sourceline"


def test_an_answer_shows_its_stages_in_order(heard: tuple[Receiver, Any]) -> None:
    receiver, _ = heard
    (request,) = [
        span for span in receiver.spans if span.trace_id.hex() == TRACE and span.kind == Span.SPAN_KIND_SERVER
    ]
    (answer,) = receiver.inside(request)
    assert answer.name == "answer"
    names = [span.name for span in receiver.inside(answer)]
    assert [name for name in names if name != "chat good"] == [
        "understand",
        "encode",
        "retrieve",
        "read",
        "draft",
        "check",
    ]
    for stage in receiver.inside(answer):
        assert answer.start_time_unix_nano - 50_000_000 <= stage.start_time_unix_nano <= stage.end_time_unix_nano
        assert stage.end_time_unix_nano <= answer.end_time_unix_nano + 50_000_000
    found = told(answer)
    assert found["sourceline.answer_mode"] == "generated"
    assert found["sourceline.claims"] == found["sourceline.citations"] == 1


def test_a_call_of_the_model_has_the_names_of_the_convention(heard: tuple[Receiver, Any]) -> None:
    receiver, model = heard
    call = receiver.one("chat good")
    found = told(call)
    assert call.kind == Span.SPAN_KIND_CLIENT
    assert found.pop("gen_ai.response.time_to_first_chunk") > 0
    assert found.pop("gen_ai.request.max_tokens") > 0
    assert found.pop("gen_ai.usage.input_tokens") > 0
    assert found.pop("gen_ai.usage.output_tokens") > 0
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.output.type": "text",
        "gen_ai.request.model": "good",
        "gen_ai.request.stream": True,
        "gen_ai.response.finish_reasons": ["stop"],
        "server.address": "127.0.0.1",
        "server.port": model.port,
    }


def test_the_models_server_is_told_which_span_asks_it(heard: tuple[Receiver, Any]) -> None:
    receiver, model = heard
    (sent,) = [headers["traceparent"] for _, headers in model.heads if "traceparent" in headers]
    assert sent == f"00-{TRACE}-{receiver.one('chat good').span_id.hex()}-01"


def test_every_checked_claim_is_an_event_of_the_call_that_made_it(heard: tuple[Receiver, Any]) -> None:
    receiver, _ = heard
    call = receiver.one("chat good")
    assert {event.event_name for event in receiver.events} == {"gen_ai.evaluation.result"}
    of_call = [told(event) for event in receiver.events if event.span_id == call.span_id]
    assert [(one["gen_ai.evaluation.name"], one["gen_ai.evaluation.score.label"]) for one in of_call] == [
        ("support", "supported"),
        ("support", "contradicted"),
    ]
    assert of_call[0]["gen_ai.evaluation.score.value"] > of_call[1]["gen_ai.evaluation.score.value"]
    elsewhere = {span.name for span in receiver.spans for event in receiver.events if event.span_id == span.span_id}
    assert elsewhere == {"chat good", "answer", "check"}


def test_an_ingest_shows_its_stages_and_what_came_of_it(heard: tuple[Receiver, Any], articles: Any) -> None:
    receiver, _ = heard
    ingest = receiver.one("ingest")
    assert [span.name for span in receiver.inside(ingest)] == ["clean", "cut", "encode", "write"]
    assert told(ingest)["sourceline.added"] == len(articles)
    assert told(ingest)["sourceline.passages"] >= len(articles)


def test_a_search_and_a_check_show_theirs(heard: tuple[Receiver, Any]) -> None:
    receiver, _ = heard
    assert [span.name for span in receiver.inside(receiver.one("search"))] == ["understand", "encode", "retrieve"]
    (check,) = [span for span in receiver.spans if span.name == "check" and receiver.inside(span)]
    assert [span.name for span in receiver.inside(check)] == ["cut", "judge"]


def test_the_documentation_names_whatever_is_told(heard: tuple[Receiver, Any], repo: Path) -> None:
    receiver, _ = heard
    page = (repo / "docs" / "monitoring.md").read_text(encoding="utf-8")
    names = {name for one in (*receiver.spans, *receiver.events) for name in told(one)}
    names |= {span.name.removesuffix(" good") for span in receiver.spans if span.kind != Span.SPAN_KIND_SERVER}
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def words(texts: Sequence[str]) -> set[bytes]:
    return {word.encode() for text in texts for word in text.split() if len(word) > 5}


def test_no_word_of_a_text_is_told(heard: tuple[Receiver, Any], articles: Any) -> None:
    receiver, _ = heard
    said = words([QUESTION, DRAFT, *(article["text"] for article in articles)])
    assert b"harbour" in said
    assert [word for word in said if word in receiver.raw] == []


def test_with_leave_the_texts_are_told(serve: Any, faulty_model: Any, articles: Any, settings: Settings) -> None:
    faulty_model.compose = lambda _: DRAFT
    with receiving() as receiver:
        given = {"otel_endpoint": receiver.address, "otel_texts": True, "llm_model": "good"}
        model = {"llm_base_url": faulty_model.address("good")}
        with serve(Settings(**{**as_given(settings), **given, **model})) as client:
            client.post("/api/articles", json=articles).raise_for_status()
            client.post("/api/ask", json={"question": QUESTION}).raise_for_status()
        answer, call = told(receiver.one("answer")), told(receiver.one("chat good"))
        assert answer["sourceline.question"] == QUESTION
        assert "4,200" in answer["sourceline.answer"]
        assert QUESTION in call["gen_ai.input.messages"]
        assert DRAFT in call["gen_ai.output.messages"]
        assert "9,900" in told(receiver.events[1])["gen_ai.evaluation.explanation"]


def test_a_failing_model_marks_its_call(serve: Any, faulty_model: Any, articles: Any, settings: Settings) -> None:
    with receiving() as receiver:
        given = {"otel_endpoint": receiver.address, "llm_model": "server-error"}
        model = {"llm_base_url": faulty_model.address("server-error")}
        with serve(Settings(**{**as_given(settings), **given, **model})) as client:
            client.post("/api/articles", json=articles).raise_for_status()
            answer = client.post("/api/ask", json={"question": QUESTION}).raise_for_status().json()
        call = receiver.one("chat server-error")
        assert told(call)["error.type"] == answer["fallback_reason"]
        assert call.status.code == 2
        assert told(receiver.one("answer"))["sourceline.fallback_reason"] == answer["fallback_reason"]


def test_a_receiver_that_is_down_changes_nothing(serve: Any, articles: Any, settings: Settings) -> None:
    with receiving() as receiver:
        address = receiver.address
    with serve(Settings(**{**as_given(settings), "otel_endpoint": address})) as client:
        client.post("/api/articles", json=articles).raise_for_status()
        assert client.post("/api/ask", json={"question": QUESTION}).json()["answer_mode"] == "extractive"
        ending = time.monotonic()
    assert time.monotonic() - ending < 60, "the SDK would try again for longer"


def test_without_the_packages_the_service_says_what_to_install(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], repo: Path
) -> None:
    monkeypatch.delitem(sys.modules, "qa.tracing.otlp", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk._logs", None)
    traced = Settings(**{**as_given(settings), "otel_endpoint": "http://127.0.0.1:4318"})
    assert run_service(traced) == 1
    told = capsys.readouterr().err
    assert "-m pip install 'opentelemetry-sdk>=" in told
    extra = tomllib.loads((repo / "pyproject.toml").read_text())["project"]["optional-dependencies"]["otel"]
    assert [one for one in extra if f"'{one}'" not in told] == []
    with pytest.raises(SettingsError, match="QA_OTEL_ENDPOINT needs"):
        open_tracing("http://127.0.0.1:4318", texts=False)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:4318", "grpc://127.0.0.1:4317", "http://me:secret@host:4318", "http://"]
)
def test_what_is_no_address_of_a_receiver_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="QA_OTEL_ENDPOINT") as refused:
        from_environment({"QA_OTEL_ENDPOINT": address})
    assert "secret" not in str(refused.value)


def test_work_that_nobody_traces_has_a_span_that_says_nothing() -> None:
    with part("answer") as span:
        assert isinstance(span, Untraced)
        assert current() is span
        assert span.part("read", kind="internal", attributes={}) is span
        assert dict(span.headers) == {}


FEED = (
    "<rss version='2.0'><channel><title>Velda Courier</title><item><title>Harbour reopens</title>"
    "<link>http://courier.example/harbour</link><description>{}</description></item></channel></rss>"
)


@pytest.fixture
def commands(tmp_path: Path, articles: Any) -> Iterator[tuple[Receiver, dict[str, str], Path]]:
    """A receiver, the variables with which commands tell it what they do, and an article in a folder."""
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "harbour.txt").write_text(f"{articles[0]['title']}\n\n{articles[0]['text']}\n", encoding="utf-8")
    ours = {"QA_DATA_DIR": str(tmp_path / "data"), "QA_ENCODER": "hashing", "QA_READER": "words"}
    with receiving() as receiver:
        rest = {name: value for name, value in os.environ.items() if not name.startswith("QA_")}
        yield receiver, {**rest, **ours, "QA_OTEL_ENDPOINT": receiver.address}, folder


def run(environment: dict[str, str], *arguments: str) -> None:
    done = CliRunner().invoke(program, [*arguments], env=environment)
    assert done.exit_code == 0, done.output


def test_an_ingest_and_a_question_at_the_terminal_are_traced(commands: Any, articles: Any) -> None:
    receiver, environment, folder = commands
    run(environment, "ingest", str(folder))
    done = receiver.one("ingest")
    assert [span.name for span in receiver.inside(done)] == ["clean", "cut", "encode", "write"]
    assert told(done)["sourceline.added"] == 1
    run(environment, "ask", QUESTION)
    answer = receiver.one("answer")
    assert not answer.parent_span_id
    assert answer.trace_id != done.trace_id
    assert {"encode", "retrieve", "read"} <= {span.name for span in receiver.inside(answer)}
    assert told(answer)["sourceline.answer_mode"] == "extractive"
    assert [word for word in words([QUESTION, articles[0]["text"]]) if word in receiver.raw] == []


def test_what_a_worker_stores_is_traced(commands: Any, articles: Any, postgres_server: Any) -> None:
    receiver, environment, _ = commands
    place = Place(server=postgres_server.url(), schema=f"traced_{uuid4().hex}", timeout=300)
    sent = RawArticle(title=articles[0]["title"], text=articles[0]["text"], origin="request:1")
    with closing(JobQueue(place)) as queue:
        queue.add([sent, Rejected(origin="request:2", reason="no text")], collection="news")
    run({**environment, "QA_STORE": place.server, "QA_STORE_SCHEMA": place.schema}, "work", "--once")
    done = receiver.one("ingest")
    assert not done.parent_span_id
    assert [span.name for span in receiver.inside(done)] == ["clean", "cut", "encode", "write"]
    assert (told(done)["sourceline.added"], told(done)["sourceline.rejected"]) == (1, 1)
    assert [word for word in words([articles[0]["text"]]) if word in receiver.raw] == []


def test_each_turn_of_a_feed_is_a_trace(commands: Any, articles: Any, tmp_path: Path) -> None:
    receiver, environment, _ = commands
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "feed.rss").write_text(FEED.format(articles[0]["text"] * 9), encoding="utf-8")
    served = partial(QuietFiles, directory=str(tmp_path / "web"))
    with ThreadingHTTPServer(("127.0.0.1", 0), served) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{web.server_address[1]}"
        environment |= {"QA_FEED_NETWORKS": "127.0.0.1"}
        run(environment, "feeds", "add", f"{place}/feed.rss", f"{place}/gone.rss")
        run(environment, "feeds", "run", "--once")
        web.shutdown()
    gone, turn = sorted((span for span in receiver.spans if span.name == "feed"), key=lambda one: one.status.code)[::-1]
    assert turn.trace_id != gone.trace_id
    assert told(turn)["sourceline.added"] == 1
    assert "127.0.0.1:" in told(turn)["sourceline.site"]
    asked = {one.trace_id: told(one) for one in receiver.spans if one.name == "GET"}
    assert asked[turn.trace_id]["http.response.status_code"] == 200
    assert asked[gone.trace_id]["http.response.status_code"] == 404
    assert told(gone)["error.type"] == "source_trouble"
    stored = next(one for one in receiver.inside(turn) if one.name == "ingest")
    assert [span.name for span in receiver.inside(stored)] == ["clean", "cut", "encode", "write"]


def test_a_watched_folder_and_an_mcp_client_are_traced(commands: Any) -> None:
    receiver, environment, folder = commands
    watching = subprocess.Popen(
        [sys.executable, "-m", "qa", "watch", str(folder)], env=environment, stdout=subprocess.PIPE
    )
    assert watching.stdout is not None
    with watching, watching.stdout:
        assert b"1 added" in watching.stdout.readline()
        watching.send_signal(signal.SIGTERM)
    read = receiver.one("folder")
    assert (told(read)["sourceline.files"], told(read)["sourceline.added"]) == (1, 1)
    assert [span.name for span in receiver.inside(read)] == ["ingest"]

    async def asked() -> None:
        command = StdioServerParameters(command=sys.executable, args=["-m", "qa", "mcp"], env=environment)
        async with Client(stdio_client(command)) as client:
            await client.call_tool("ask", {"question": QUESTION})

    asyncio.run(asked())
    call = receiver.one("tools/call ask")
    assert told(call)["gen_ai.tool.name"] == "ask"
    assert [span.name for span in receiver.inside(call)] == ["answer"]
    page = (Path(__file__).parents[3] / "docs" / "monitoring.md").read_text(encoding="utf-8")
    assert [name for one in receiver.spans for name in (*told(one), one.name) if f"`{name}`" not in page] == []


class QuietFiles(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None: ...
