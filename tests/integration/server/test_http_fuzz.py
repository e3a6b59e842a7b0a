"""Seeded fuzzing, as bytes and as JSON: never a 5xx, never a hang, and what is a 200 has the documented shape."""

from __future__ import annotations

import json
import random
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest

from embeddings.types import Article
from qa.checking import CheckReport
from qa.server.http.problems import MEDIA_TYPE, Problem
from qa.server.wire import AddReport, Alive, ArticlePage, ConversationPage, FeedbackPage, Ready
from qa.types import Answer, SearchAnswer

SEED = 20261122
RAW_REQUESTS = 400
JSON_REQUESTS = 400

SHAPES: dict[tuple[str, str], Any] = {
    ("POST", "/api/ask"): Answer,
    ("POST", "/api/search"): SearchAnswer,
    ("POST", "/api/check"): CheckReport,
    ("POST", "/api/articles"): AddReport,
    ("GET", "/api/articles"): ArticlePage,
    ("GET", "/api/articles/harbour"): Article,
    ("GET", "/api/conversations"): ConversationPage,
    ("GET", "/api/feedback"): FeedbackPage,
    ("GET", "/health/live"): Alive,
    ("GET", "/health/ready"): Ready,
}

_REQUESTS = r"""
POST /api/ask HTTP/1.1|Host: x|Content-Type: application/json|Content-Length: 65||
{"question":"How many work there?","filters":{"source":["Post"]}}
---
POST /api/search HTTP/1.1|Host: x|Content-Type: application/json|Transfer-Encoding: chunked||
11|{"question":"Who?|b|","limit":3}|0||
---
POST /api/articles HTTP/1.1|Host: x|Content-Type: application/x-ndjson|Content-Length: 52||
{"id":"f1","text":"One."}^{"id":"f2","text":"Two."}^
---
GET /api/articles?limit=3&after=a&source=Velda%20Post HTTP/1.1|Host: x||
---
GET /api/articles/harbour?version=00 HTTP/1.1|Host: x|Accept: */*||
---
DELETE /api/articles/f1 HTTP/1.1|Host: x||
---
GET /health/ready HTTP/1.1|Host: x||
---
HEAD /docs HTTP/1.1|Host: x||
"""
REQUESTS = [
    request.replace("\n", "").replace("|", "\r\n").replace("^", "\n").encode() for request in _REQUESTS.split("---")
]
PIECES = [
    *(
        b"\x00",
        b"\xff",
        b"\xed\xa0\x80",
        b"\r\n",
        b"\n",
        b"%00",
        b"%ff",
        b"%ed%a0%80",
        b"\\u0000",
        b"\\ud800",
        b"\x1b[3m",
    ),
    *(
        b"{",
        b"}",
        b"[" * 2000,
        b'"',
        b"..",
        b"/",
        b"//",
        b"?",
        b"&",
        b"=",
        b"9" * 400,
        b"-1",
        b"1e999",
        b"null",
        b"NaN",
    ),
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Host: \r\n"),
    *(b"Content-Encoding: gzip\r\n", b"Content-Type: text/plain\r\n", b"Connection: close\r\n", b"X" * 70_000),
    b"Upgrade: websocket\r\nConnection: upgrade\r\n",
]


def mutate(draw: random.Random, request: bytes) -> bytes:
    """Cut, repeat, overwrite or insert, a few times."""
    for _ in range(draw.randint(1, 4)):
        at, end = sorted(draw.randrange(len(request) + 1) for _ in range(2))
        match draw.randrange(5):
            case 0:
                request = request[:at] + request[min(end, at + 20) :]
            case 1:
                request = request[:at] + request[at:end] + request[at:]
            case 2:
                request = request[:at] + bytes([draw.randrange(256)]) + request[at + 1 :]
            case _:
                request = request[:at] + draw.choice(PIECES) + request[at:]
    return request or b"\r\n\r\n"


def exchange(client: httpx.Client, request: bytes, *, quiet: float) -> bytes:
    """Send, and read until the server hangs up or has had nothing (more) to say for so many seconds."""
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=120) as sender:
        sender.settimeout(quiet)
        received = b""
        with suppress(ConnectionError, TimeoutError):
            sender.sendall(request)
            while piece := sender.recv(65536):
                received += piece
        return received


def test_raw_bytes(client: httpx.Client) -> None:
    draw = random.Random(SEED)
    plain = [draw.choice(REQUESTS) for _ in range(RAW_REQUESTS)]
    sent = [mutate(draw, request) if draw.random() < 0.9 else request for request in plain]

    def ask(_: int) -> None:
        assert client.post("/api/ask", json={"question": "Who?"}).status_code in {200, 503}, "503: too many for now"

    with ThreadPoolExecutor(16) as pool:
        ask(0)
        begun = time.monotonic()
        list(pool.map(ask, range(16)))
        quiet = max(0.5, 4 * (time.monotonic() - begun))  # on a busy machine, answers are longer in coming
        answers = list(pool.map(lambda request: exchange(client, request, quiet=quiet), sent))
    statuses: Counter[bytes] = Counter()
    for request, answer in zip(sent, answers, strict=True):
        found = list(status_lines(answer))
        statuses.update(found)
        assert not [status for status in found if status[:1] == b"5"], (request, answer)
    assert client.get("/health/ready").status_code == 200
    assert statuses[b"200"] > 20, "some must get through, or nothing but the parser was tested"
    assert sum(count for status, count in statuses.items() if status[:1] == b"4") > 100


def status_lines(answer: bytes) -> Iterator[bytes]:
    for line in answer.split(b"\r\n"):
        if line.startswith(b"HTTP/1.1 "):
            yield line[9:12]


def value(draw: random.Random, depth: int = 0) -> Any:
    """Any JSON value, odd ones more often than fair."""
    match draw.randrange(10 if depth < 3 else 7):
        case 0:
            return draw.choice([None, True, False])
        case 1:
            return draw.choice([0, -1, 1, 3, 51, 2**31, 2**63, 2**64, -(2**70), 10**300])
        case 2:
            return draw.choice([0.5, -0.0, 1e308, 3.0])
        case 3 | 4 | 5:
            return text(draw)
        case 6:
            return draw.choice(["", "auto", "extractive", "2024-06-04", "2024-06-04T10:00:00Z", "harbour", "default"])
        case 7:
            return [value(draw, depth + 1) for _ in range(draw.randrange(4))]
        case _:
            return {text(draw)[:8]: value(draw, depth + 1) for _ in range(draw.randrange(4))}


def text(draw: random.Random) -> str:
    letters = "aZ 09?!\"'\\/<>&;*()-\t\n\u0000\u0301\u200b\u202e\ufeff\uffff\u00e4\u0645\u65e5\U0001f1f1\U0010ffff"
    return "".join(draw.choice(letters) for _ in range(draw.choice([0, 1, 5, 30, 300, 3000])))


FIELDS = {
    "/api/ask": [
        *("question", "conversation_id", "collection", "filters", "as_of", "mode", "max_citations", "stream", "store")
    ],
    "/api/search": ["question", "conversation_id", "collection", "filters", "as_of", "limit"],
    "/api/check": ["text", "against", "question", "collection", "filters", "as_of"],
    "/api/articles": ["text", "title", "id", "url", "source", "published_at", "language", "authors", "collection"],
}


def body(draw: random.Random, route: str) -> Any:
    """A valid body in which a field or two are replaced."""
    base: dict[str, Any] = (
        {"text": f"A text, number {draw.random()}."} if "text" in FIELDS[route] else {"question": "Who?"}
    )
    for _ in range(draw.randrange(3)):
        base[draw.choice([*FIELDS[route], "unknown"])] = value(draw)
    if draw.random() < 0.3:
        base["filters"] = {draw.choice(["source", "article_ids", "published_after", "x"]): value(draw)}
    if draw.random() < 0.1:
        return value(draw)
    return [base, body(draw, route)] if route == "/api/articles" and draw.random() < 0.2 else base


@pytest.mark.parametrize("part", range(4))
def test_json(client: httpx.Client, part: int) -> None:
    draw = random.Random(SEED + 100 + part)
    usable = 0
    for _ in range(JSON_REQUESTS // 4):
        route = draw.choice(list(FIELDS))
        content = json.dumps(body(draw, route), ensure_ascii=draw.random() < 0.5).encode()
        response = client.post(route, content=content, headers={"content-type": "application/json"})
        check("POST", route, response, content)
        usable += response.status_code == 200
    assert usable > 10


def test_addresses(client: httpx.Client) -> None:
    draw = random.Random(SEED + 200)
    for _ in range(80):
        names = [
            "limit",
            "after",
            "before",
            "collection",
            "source",
            "published_after",
            "published_before",
            "version",
            "x",
        ]
        query = "&".join(f"{draw.choice(names)}={quote(text(draw)[:500])}" for _ in range(draw.randrange(4)))
        odd = quote(text(draw)[:200], safe="/") or "-"
        for route in (
            "/api/articles",
            "/api/articles/harbour",
            f"/api/articles/{odd}",
            "/api/conversations",
            f"/api/conversations/{odd}",
            "/api/feedback",
            f"/docs/{odd}",
            f"/problems/{odd}",
        ):
            check("GET", route, client.get(f"{route}?{query}"), query.encode())
        check("DELETE", "", client.delete(f"/api/articles/none-{odd}"), odd.encode())


def check(method: str, route: str, response: httpx.Response, sent: bytes) -> None:
    assert response.status_code < 500, (route, sent, response.text)
    if response.status_code >= 400:
        assert response.headers["content-type"] == MEDIA_TYPE
        assert msgspec.json.decode(response.content, type=Problem).status == response.status_code
    elif shape := SHAPES.get((method, route)):
        msgspec.json.decode(response.content, type=shape)
