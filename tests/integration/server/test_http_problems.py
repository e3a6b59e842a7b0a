"""Every route × every error: one shape, from one table, and the OpenAPI document says so beforehand."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from embeddings import errors as offline
from qa import errors as online
from qa.server import errors
from qa.settings import Settings

Check = Callable[..., Any]
SECRET = "/srv/secret/store.db"

RESUMED = {"model": "sourceline", "input": "And then?", "previous_response_id": "resp_1"}
CHAT = {"model": "sourceline", "messages": [{"role": "user", "content": "Where?"}]}
WORKING = [
    ("POST", "/api/ask", {"question": "Where?"}),
    ("POST", "/api/search", {"question": "Where?"}),
    ("GET", "/api/articles", None),
    ("GET", "/api/articles/{article_id}", None),
    ("POST", "/api/articles", {"text": "One sentence is enough here."}),
    ("DELETE", "/api/articles/{article_id}", None),
    ("GET", "/health/ready", None),
    ("POST", "/v1/chat/completions", CHAT),
    ("POST", "/v1/responses", {"model": "sourceline", "input": "Where?"}),
]
FEEDBACK = ("POST", "/api/answers/some/feedback")
READING = [*((method, path) for method, path, _ in WORKING if method == "POST"), FEEDBACK]
RECORDS = [(method, f"/api/{path}") for method, path in (("GET", "conversations"), ("GET", "feedback"))]
RECORDS += [("GET", "/api/starters"), ("GET", "/api/conversations/some"), ("DELETE", "/api/conversations/some")]
ALL = [
    *((method, path) for method, path, _ in WORKING),
    FEEDBACK,
    *RECORDS,
    ("GET", "/health/live"),
    ("GET", "/v1/models"),
]

RAISED = [
    (ZeroDivisionError(SECRET), "internal-error", False),
    (RecursionError(SECRET), "internal-error", False),
    (UnicodeDecodeError("utf-8", b"", 0, 1, SECRET), "internal-error", False),
    (KeyError(SECRET), "internal-error", False),
    (TimeoutError(SECRET), "internal-error", False),
    (offline.StoreError(SECRET), "store-unavailable", False),
    (offline.EncoderError(SECRET), "store-unavailable", False),
    (offline.IndexDamaged(SECRET), "store-unavailable", False),
    (offline.StoreBusy(SECRET), "store-busy", False),
    (offline.StoreCorrupt(SECRET), "damaged-article", False),
    (offline.InvalidArticle("no text"), "invalid-input", True),
    (online.InvalidQuestion("no words"), "invalid-question", True),
    (online.NotFound("no such thing"), "not-found", True),
    (online.HistoryUnavailable(SECRET), "history-unavailable", False),
    (errors.ShuttingDown("stopping"), "shutting-down", True),
]


class Raising:
    """Raises whatever a test puts into it."""

    error: Exception | None = None

    def __call__(self) -> None:
        if self.error is not None:
            raise self.error


@pytest.fixture(scope="module")
def raising() -> Raising:
    return Raising()


@pytest.fixture(scope="module")
def failing(raising: Raising, serve: Any, saying: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with serve(
        Settings(data_dir=tmp_path_factory.mktemp("x"), encoder="hashing", reader="words"), load=saying(raising)
    ) as client:
        yield client


def request(client: httpx.Client, method: str, path: str, body: Any, **more: Any) -> httpx.Response:
    return client.request(method, path.format(article_id="some"), json=body, **more)


@pytest.mark.parametrize(("error", "slug", "shown"), RAISED, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(("method", "path", "body"), WORKING, ids=str)
def test_whatever_is_raised_inside(
    failing: httpx.Client,
    raising: Raising,
    check_problem: Check,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    body: Any,
    error: Exception,
    slug: str,
    shown: bool,
) -> None:
    raising.error = error
    with caplog.at_level(logging.ERROR):
        response = request(failing, method, path, body)
    problem = check_problem(response, slug)
    assert "secret" not in response.text
    if shown:
        assert problem.detail == str(error)
    else:
        assert len(problem.incident_id) == 32
        assert f"incident {problem.incident_id}" in caplog.text
        assert SECRET in caplog.text, "the log says what the answer does not"


@pytest.mark.parametrize(("method", "path"), ALL, ids=str)
def test_wrong_method(client: httpx.Client, check_problem: Check, method: str, path: str) -> None:
    response = request(client, "PATCH", path, None)
    check_problem(response, "method-not-allowed")
    assert method in response.headers["allow"]


@pytest.mark.parametrize(("method", "path"), READING, ids=str)
@pytest.mark.parametrize(
    ("content", "headers", "slug"),
    [
        (b"", {"content-type": "application/json"}, "malformed-body"),
        (b"{", {"content-type": "application/json"}, "malformed-body"),
        (b"{}", {}, "unsupported-media-type"),
        (b"{}", {"content-type": "text/plain"}, "unsupported-media-type"),
        (b"{}", {"content-type": "application/json; charset=latin-1"}, "unsupported-media-type"),
        (b"{}", {"content-type": "application/json", "content-encoding": "gzip"}, "unsupported-media-type"),
        (b" " * 10_000_001, {"content-type": "application/json"}, "body-too-large"),
    ],
    ids=["empty", "cut", "no-type", "wrong-type", "charset", "gzip", "large"],
)
def test_bad_bodies(
    client: httpx.Client, check_problem: Check, method: str, path: str, content: bytes, headers: Any, slug: str
) -> None:
    check_problem(answered(client, method, path, content=content, headers=headers), slug)


def answered(client: httpx.Client, method: str, path: str, **given: Any) -> httpx.Response:
    """A body that is refused before it was sent whole: the closing of the connection may overtake the answer."""
    for _ in range(9):
        try:
            return client.request(method, path, **given)
        except (httpx.RemoteProtocolError, httpx.WriteError, httpx.ReadError):
            continue
    return client.request(method, path, **given)


@pytest.mark.parametrize(
    ("method", "path", "body", "slug", "field"),
    [
        ("POST", "/api/ask", {}, "invalid-request", "question"),
        ("POST", "/api/ask", {"question": "x", "color": 1}, "invalid-request", "color"),
        (
            "POST",
            "/api/ask",
            {"question": "x", "filters": {"source": ["a", 3]}},
            "invalid-request",
            "filters.source[1]",
        ),
        ("POST", "/api/ask", {"question": "x", "max_citations": "3"}, "invalid-request", "max_citations"),
        ("POST", "/api/ask", {"question": "x", "stream": "yes"}, "invalid-request", "stream"),
        ("POST", "/api/search", {"question": "x", "limit": 51}, "invalid-request", "limit"),
        ("POST", "/v1/chat/completions", {"model": "sourceline"}, "invalid-request", "messages"),
        ("POST", "/v1/chat/completions", {**CHAT, "messages": []}, "invalid-request", "messages"),
        ("POST", "/v1/chat/completions", {**CHAT, "sourceline": {"color": 1}}, "invalid-request", "sourceline.color"),
        ("POST", "/v1/chat/completions", {**CHAT, "stream": "yes"}, "invalid-request", "stream"),
        ("POST", "/v1/responses", {"model": "sourceline", "input": " "}, "invalid-request", "input"),
        ("POST", "/v1/responses", {"model": "sourceline", "input": "x" * 2001}, "invalid-request", "input"),
        ("POST", "/v1/responses", RESUMED, "invalid-request", "previous_response_id"),
        ("POST", "/api/search", {"question": "x" * 2001}, "invalid-request", "question"),
        ("GET", "/api/articles?limit=0", None, "invalid-request", "limit"),
        ("GET", "/api/articles?limit=many", None, "invalid-request", "limit"),
        ("POST", "/api/articles", {"title": "no text"}, "nothing-usable", "text"),
    ],
)
def test_the_field_at_fault_is_named(
    client: httpx.Client, check_problem: Check, method: str, path: str, body: Any, slug: str, field: str
) -> None:
    problem = check_problem(client.request(method, path, json=body), slug)
    assert [fault.field for fault in problem.errors] == [field]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api",
        "/api/nothing",
        "/v1",
        "/v1/",
        "/v1/moderations",
        "/docs/nothing.js",
        "/problems/nothing",
        "/%00",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_unknown_routes(client: httpx.Client, check_problem: Check, method: str, path: str) -> None:
    response = client.request(method, path)
    slug = "method-not-allowed" if response.status_code == 405 and method == "POST" else "no-such-route"
    check_problem(response, slug)


@pytest.fixture(scope="module")
def unloaded(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A service that never loads."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("unloaded"), encoder="hashing", reader="words")
    with serve(settings, start=False) as client:
        yield client


@pytest.mark.parametrize(("method", "path", "body"), WORKING, ids=str)
def test_not_ready_until_loaded(
    unloaded: httpx.Client, check_problem: Check, method: str, path: str, body: Any
) -> None:
    check_problem(request(unloaded, method, path, body), "not-ready")
    assert unloaded.get("/health/live").json() == {"status": "alive"}


def test_every_error_is_documented(client: httpx.Client) -> None:
    """Which statuses the tests above produce, against what the document says of each route."""
    paths = client.get("/openapi.json").json()["paths"]
    for method, path, _ in WORKING:
        documented = {int(status) for status in paths[path][method.lower()]["responses"]}
        assert documented >= {500, 503}, (method, path)
        assert (method, path) not in READING or documented >= {400, 408, 413, 415, 422}, (method, path)
    assert "404" in paths["/api/articles/{article_id}"]["get"]["responses"]


def test_long_names_do_not_make_long_problems(client: httpx.Client, check_problem: Check) -> None:
    assert len(check_problem(client.get(f"/api/articles/{'x' * 30_000}"), "not-found").detail) == 2000


def test_a_problem_type_can_be_fetched(client: httpx.Client) -> None:
    response = client.get(client.get("/nothing").json()["type"])
    assert response.status_code == 200
    assert response.json()["status"] == 404
