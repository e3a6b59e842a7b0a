"""What the HTTP tests share: real servers on real sockets, in a thread, over a real store and the hashing encoder."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
import uvicorn

from embeddings.types import Article, CorpusCounts, Overview
from qa.server.app import create_app
from qa.server.errors import FieldError
from qa.server.http.problems import KINDS, MEDIA_TYPE, Problem
from qa.server.openai import ErrorEnvelope, is_openai
from qa.server.parts import Parts
from qa.server.run import configure, load
from qa.server.service import Service
from qa.settings import Settings
from qa.tracing import open_tracing
from qa.types import Answer, AnswerEvent, SearchAnswer, Usage

Serve = Callable[..., AbstractContextManager[httpx.Client]]
Loader = Callable[[Settings], Parts]

ARTICLES = [
    {
        "id": "harbour",
        "title": "Harbour reopens after storm",
        "text": "The harbour of Velda reopened on Monday. About 4,200 people work there.\n\nIt was shut for days.",
        "source": "Velda Post",
        "url": "https://example.org/harbour",
        "published_at": "2024-06-04",
        "authors": ["Ines Marlow"],
    },
    {
        "id": "urn:tamar:bridge@2024",
        "title": "Bridge to be repaired",
        "text": "The old bridge over the Tamar will be repaired this autumn. The work costs 3 million crowns.",
        "source": "Tamar Weekly",
        "published_at": "2024-05-02",
    },
]


OVER_BOTH = {"articles", "ask", "conversations", "mcp", "openai", "rights", "scopes", "sources", "stream"}
"""What is tested over either store: `test_http_….py`. The others look into a folder, or ask nothing else of a store."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the body of these tests over a folder, then over a database."""
    named = metafunc.module.__name__.split("test_http_")[-1]
    if named in OVER_BOTH and "serve" in metafunc.fixturenames:
        metafunc.parametrize("serve", ["folder", "server"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def serve(request: pytest.FixtureRequest) -> Serve:
    """`with serve(Settings(...)) as client`: a server of one's own; `load` may put in other parts.

    Over a database each folder has a schema of its own, so that the same settings open the same store.
    """
    if getattr(request, "param", "folder") == "folder":
        return _serve
    url, run = request.getfixturevalue("postgres_server").url(), uuid4().hex

    def serve_from_database(settings: Settings, **more: Any) -> AbstractContextManager[httpx.Client]:
        own = hashlib.sha256(f"{run} {settings.data_dir}".encode()).hexdigest()[:32]
        placed = msgspec.structs.replace(settings, store=url, store_schema=f"test_{own}", store_timeout_seconds=120)
        return _serve(settings if settings.store else placed, **more)

    return serve_from_database


@pytest.fixture(scope="module")
def client(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server that holds ARTICLES, shared by the tests of one module."""
    with serve(settings_for(tmp_path_factory.mktemp("data"))) as found:
        found.post("/api/articles", json=ARTICLES).raise_for_status()
        yield found


@pytest.fixture(scope="session")
def hanging_up() -> Callable[[httpx.Client, object], AbstractContextManager[None]]:
    """`with hanging_up(client, body)`: somebody asks, and hangs up where the block ends."""
    return _hanging_up


@pytest.fixture(scope="session")
def articles() -> Any:
    """What the shared server holds."""
    return ARTICLES


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings for a store of one's own."""
    return settings_for(tmp_path / "data")


@pytest.fixture(scope="session")
def check_problem() -> Callable[..., Problem]:
    """Hold a response against the shape that every error has; give the problem."""
    return _check_problem


@pytest.fixture(scope="session")
def saying() -> Callable[[Callable[[], None]], Loader]:
    """`saying(act)`: parts that call `act` (it may sleep or raise) wherever they are used, then say little."""
    return lambda act: lambda settings: _acting_parts(settings, act)


_LIMITS = httpx.Limits(keepalive_expiry=1.0)
"""The server closes a connection after five idle seconds, as httpx does: on a busy machine one side may be late."""


def settings_for(folder: Path, **changes: Any) -> Settings:
    return Settings(data_dir=folder, encoder="hashing", reader="words", **changes)


@contextmanager
def _serve(settings: Settings, *, load: Loader = load, start: bool = True) -> Iterator[httpx.Client]:
    service = Service(settings, load=load)

    @contextmanager
    def running(server: uvicorn.Server) -> Iterator[None]:
        thread = threading.Thread(target=server.run, name="server")
        thread.start()
        try:
            yield
        finally:
            service.interrupt_writes()  # nobody waits for them any more
            server.should_exit = True
            thread.join(120)
            assert not thread.is_alive(), "the server does not stop"
            if tracing is not None:
                tracing.close()

    app = create_app(service) if start else create_app(service, lifespan=_no_start(service))
    endpoint = settings.otel_endpoint
    tracing = open_tracing(endpoint, texts=settings.otel_texts) if endpoint else None
    config = configure(app, shutdown_seconds=10, tracing=tracing)
    config.port = 0
    server = uvicorn.Server(config)
    with running(server):
        deadline = time.monotonic() + 120
        while not server.started:
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, limits=_LIMITS) as client:
            yield client


@contextmanager
def _hanging_up(client: httpx.Client, body: object) -> Iterator[None]:
    content = msgspec.json.encode(body)
    head = b"POST /api/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    with socket.create_connection((client.base_url.host, client.base_url.port or 80)) as connection:
        connection.sendall(head % len(content) + content)
        yield


def _no_start(service: Service) -> Any:
    @asynccontextmanager
    async def lifespan(_: object) -> Any:
        yield
        await service.close()

    return lifespan


def _check_problem(response: httpx.Response, slug: str) -> Problem:
    kind = KINDS[slug]
    assert response.status_code == kind.status, response.text
    openai, mcp = is_openai(response.request.url.path), response.request.url.path == "/mcp"
    assert response.headers["content-type"] == ("application/json" if openai or mcp else MEDIA_TYPE)
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert response.headers["referrer-policy"] == "same-origin"
    if response.request.method == "HEAD":
        return Problem(type="", title="", status=0, detail="")
    problem = _read_envelope(response, slug) if openai else msgspec.json.decode(response.content, type=Problem)
    assert (problem.type, problem.title, problem.status) == (f"/problems/{slug}", kind.title, kind.status)
    assert problem.detail
    assert "Traceback" not in response.text
    if kind.status == 503:
        assert int(response.headers["retry-after"]) >= 1
    return problem


def _read_envelope(response: httpx.Response, slug: str) -> Problem:
    """The problem that an error under /v1 tells in OpenAI's words."""
    error = msgspec.json.decode(response.content, type=ErrorEnvelope).error
    assert error.code == slug.replace("-", "_")
    assert (error.type == "server_error") == (response.status_code >= 500)
    incident = re.search(r"\(incident (\w+)\)", error.message)
    return Problem(
        type=f"/problems/{slug}",
        title=KINDS[slug].title,
        status=response.status_code,
        detail=error.message,
        errors=(FieldError(field=error.param, detail=error.message),) if error.param else msgspec.UNSET,
        incident_id=incident[1] if incident else msgspec.UNSET,
    )


class _Acting:
    """A corpus and an answerer that do as they are told."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    async def events(self, question: Any, *, run: Any, history: Any = ()) -> Any:
        assert history == ()
        await run(self._act)
        answer = Answer(
            id="1",
            conversation_id=None,
            question=question.question,
            resolved_query="",
            as_of="",
            answer="",
            answer_mode="abstained",
            fallback_reason=None,
            abstain_reason="no_match",
            short_answer=None,
            claims=(),
            citations=(),
            conflicts=(),
            search_results=(),
            support_score=0.0,
            usage=Usage(),
            timings_ms={},
        )
        yield AnswerEvent(answer=answer)

    async def search(self, question: Any, *, run: Any, history: Any = ()) -> SearchAnswer:
        assert history == ()
        await run(self._act)
        return SearchAnswer(question=question.question, resolved_query="", as_of="", search_results=(), timings_ms={})

    def scan(self, **_: Any) -> list[Article]:
        self._act()
        return []

    def overview(self, _: Any, *, newest: int) -> Overview:
        self._act()
        return Overview(articles=0, sources=0, earliest=None, latest=None, newest=()[:newest])

    def count(self, _: Any) -> CorpusCounts:
        self._act()
        return CorpusCounts(articles=0, passages=0)

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Whatever else the ingest or a route asks for."""
        return lambda *_, **__: self._act()

    def close(self) -> None: ...


def _acting_parts(settings: Settings, act: Callable[[], None]) -> Parts:
    from embeddings.encoders import load as load_encoder

    acting: Any = _Acting(act)
    return Parts(corpus=acting, encoder=load_encoder(settings.encoder), answering=acting)


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], Any]:
    """Give what a function gives, once that is something."""

    def until(find: Callable[[], Any]) -> Any:
        end = time.monotonic() + 120
        while not (found := find()):
            assert time.monotonic() < end, "it never came about"
            time.sleep(0.02)
        return found

    return until
