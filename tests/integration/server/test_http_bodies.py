"""Hostile bodies: always a 4xx, at once, and never more read than the limit."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest

from qa.server.errors import MalformedBody
from qa.server.http.bodies import decode
from qa.settings import Settings

JSON = {"content-type": "application/json"}
NDJSON = {"content-type": "application/x-ndjson"}
SECONDS = 60.0
"""Far above what any of these takes (milliseconds), far below a hang."""

HOSTILE = {
    "nested 5,000": b'{"FIELD":' + b"[" * 5_000,
    "nested 5,000, closed": b'{"FIELD":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "nested 100,000": b"[" * 100_000,
    "nested 100,000, closed": b"[" * 100_000 + b"]" * 100_000,
    "nested objects": b'{"a":' * 100_000,
    "nested in an unknown field": b'{"FIELD":"x","a":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "nested in a list": b'[{"FIELD":' + b"[" * 5_000 + b"]" * 5_000 + b"}]",
    "invalid UTF-8": b'{"FIELD":"\xff\xfe"}',
    "invalid UTF-8 in a key": b'{"FIELD\xff":"a"}',
    "UTF-16": '{"question":"a"}'.encode("utf-16"),
    "surrogate bytes": b'{"FIELD":"\xed\xa0\x80"}',
    "lone surrogate": b'{"FIELD":"a\\ud800"}',
    "surrogates in the wrong order": b'{"FIELD":"\\udc00\\ud800 "}',
    "escaped NUL": b'{"FIELD":"a\\u0000b"}',
    "raw NUL": b'{"FIELD":"a\x00b"}',
    "only NUL": b"\x00" * 1000,
    "an empty object": b"{}",
    "an empty list": b"[]",
    "a list of numbers": b"[1,2,3]",
    "a string": b'"FIELD"',
    "a number": b"1",
    "null": b"null",
    "NaN": b'{"FIELD":NaN}',
    "huge integer": b'{"FIELD":' + b"9" * 100_000 + b"}",
    "huge exponent": b'{"FIELD":1e999999999}',
    "duplicate keys": b'{"FIELD":"a","FIELD":"b"}',
    "trailing words": b'{"FIELD":"a"} and more',
    "two values": b'{"FIELD":"a"}{"FIELD":"a"}',
    "cut": b'{"FIELD":"a"',
    "single quotes": b"{'FIELD':'a'}",
    "comments": b'{"FIELD":"a",/* */"FIELD":"a"}',
    "a form": b"FIELD=a",
}
FIELDS = {"/api/ask": b"question", "/api/search": b"question", "/api/check": b"text", "/api/articles": b"text"}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("route", FIELDS)
def test_hostile_json(client: httpx.Client, check_problem: Callable[..., Any], route: str, body: bytes) -> None:
    start = time.perf_counter()
    response = client.post(route, content=body.replace(b"FIELD", FIELDS[route]), headers=JSON)
    assert time.perf_counter() - start < SECONDS
    assert 400 <= response.status_code < 500, response.text
    check_problem(response, response.json()["type"].rpartition("/")[2])


def test_the_wholesome_form_of_these_is_taken(client: httpx.Client) -> None:
    """Or the tests above would pass for a reason of their own."""
    for route, field in FIELDS.items():
        response = client.post(route, content=b'\n{"%s": "A harbour."} ' % field, headers=JSON)
        assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    ("route", "body", "field", "said"),
    [
        ("ask", {"q": "hello"}, "q", "did you mean `question`?"),
        ("ask", {"question": "a", "filters": {"after": "2024-06-04"}}, "filters.after", "mean `published_after`?"),
        (
            "check",
            {"text": "a", "against": [{"body": "b"}]},
            "against[0].body",
            "the fields are text, title, published",
        ),
    ],
)
def test_a_field_that_is_unknown_is_told_from_those_there_are(
    client: httpx.Client, check_problem: Callable[..., Any], route: str, body: Any, field: str, said: str
) -> None:
    response = client.post(f"/api/{route}", json=body)
    check_problem(response, "invalid-request")
    (error,) = response.json()["errors"]
    assert (error["field"], said in error["detail"]) == (field, True), error


@pytest.mark.parametrize("type_", [object, dict[str, list[object]]])
def test_depth_is_the_senders_fault_whatever_is_expected(type_: type) -> None:
    with pytest.raises(MalformedBody, match="too deep"):
        decode(b'{"a":' + b"[" * 100_000, type_)


@pytest.mark.parametrize(
    "body",
    [
        {"question": "a", "filters": {"source": ["\0"]}},
        {"question": "a", "filters": {"article_ids": ["a", "b\0"]}},
        {"question": "a", "collection": "\0"},
        {"question": "a", "conversation_id": "\0"},
    ],
)
def test_a_nul_anywhere(client: httpx.Client, check_problem: Callable[..., Any], body: Any) -> None:
    assert "NUL" in check_problem(client.post("/api/ask", json=body), "invalid-request").detail


def test_a_backslash_before_u0000_is_no_nul(client: httpx.Client) -> None:
    response = client.post("/api/search", json={"question": "What does \\u0000 mean?"})
    assert response.status_code == 200


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_lines(client: httpx.Client, body: bytes) -> None:
    """A bad line spoils itself only, so the good one after it is taken."""
    body = body.replace(b"FIELD", b"text")
    alone = client.post("/api/articles", content=body, headers=NDJSON)
    assert alone.status_code == 422, alone.text
    with_good = client.post("/api/articles", content=body + b'\n{"id":"good","text":"A good line."}', headers=NDJSON)
    assert with_good.status_code == 200
    report = with_good.json()
    assert [(article["id"], article["item"]) for article in report["articles"]] == [("good", 2)]
    assert [fault["item"] for fault in report["rejected"]] == [1]


@pytest.mark.parametrize("route", FIELDS)
def test_too_many_bytes_announced(client: httpx.Client, check_problem: Callable[..., Any], route: str) -> None:
    response = client.post(route, content=b'{"text":"' + b"a" * 20_000_000 + b'"}', headers=JSON)
    check_problem(response, "body-too-large")


@pytest.mark.parametrize("route", FIELDS)
def test_too_many_bytes_unannounced(client: httpx.Client, check_problem: Callable[..., Any], route: str) -> None:
    """Chunked, without a Content-Length."""
    response = client.post(route, content=(b" " * 100_000 for _ in range(200)), headers=JSON)
    assert "content-length" not in response.request.headers
    check_problem(response, "body-too-large")


def test_reading_stops_at_the_limit(serve: Any, settings: Settings) -> None:
    """The refusal comes while the sender is still sending, and who goes on and on is hung up on."""
    with serve(settings) as client, connect(client) as connection:
        connection.sendall(b"POST /api/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
        connection.sendall(b"Transfer-Encoding: chunked\r\n\r\n")
        chunk = b"186a0\r\n" + b" " * 100_000 + b"\r\n"
        sent = 0
        with suppress(ConnectionError):
            while sent < 200_000_000:
                connection.sendall(chunk)
                sent += len(chunk)
        assert sent < 120_000_000


def test_the_refusal_is_there_before_the_body_has_ended(client: httpx.Client) -> None:
    with connect(client) as connection:
        connection.sendall(b"POST /api/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
        connection.sendall(b"Content-Length: 20000000\r\n\r\n" + b" " * 1000)
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_is_not_asked_for_in_vain(client: httpx.Client) -> None:
    """`Expect: 100-continue` with a body too large gets the refusal instead of the invitation."""
    with connect(client) as connection:
        connection.sendall(b"POST /api/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
        connection.sendall(b"Expect: 100-continue\r\nContent-Length: 20000000\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_sender_who_leaves_in_the_middle_harms_nobody(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(20):
        with connect(client) as connection:
            connection.sendall(b"POST /api/articles HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
            connection.sendall(b'Content-Length: 1000\r\n\r\n{"text":"')
    assert client.get("/health/live").status_code == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_body_that_never_comes(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.server.http.bodies._BODY_SECONDS", 0.2)
    with connect(client) as connection:
        connection.sendall(
            b"POST /api/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
        )
        connection.sendall(b'Content-Length: 1000\r\n\r\n{"question":')
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"/problems/slow-body"' in answer


def test_settings_bound_the_body(serve: Any, tmp_path: Any, check_problem: Callable[..., Any]) -> None:
    settings = Settings(data_dir=tmp_path, encoder="hashing", reader="words", max_body_bytes=100)
    with serve(settings) as client:
        assert client.post("/api/articles", json={"text": "x" * 50}).status_code == 200
        problem = check_problem(client.post("/api/articles", json={"text": "x" * 100}), "body-too-large")
        assert "100 bytes" in problem.detail
        check_problem(client.post("/api/ask", json={"question": "x" * 100}), "body-too-large")


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GARBAGE", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: x", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b", 400),
        (b"GET / HTTP/1.1", 400),
        (b"POST /api/ask HTTP/1.1\r\nHost: x\r\nContent-Length: -1", 400),
        (b"POST /api/ask HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2", 400),
        (b"BREW /api/ask HTTP/1.1\r\nHost: x", 405),
    ],
)
def test_what_is_hardly_http(client: httpx.Client, line: bytes, status: int) -> None:
    with connect(client) as connection:
        connection.sendall(line + b"\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert b"\r\ncontent-type: application/problem+json\r\n" in answer


def connect(client: httpx.Client) -> socket.socket:
    return socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=120)
