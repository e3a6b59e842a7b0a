"""The guard against many made-up credentials, addresses and paths: nothing made up ever gets through."""

from __future__ import annotations

import base64
import random
import socket
import time
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler

from qa.access import tokens
from qa.access.rate_limits import RateLimits
from qa.access.tokens import TokenClaims
from qa.server.auth import ADMINISTERING, ASKING, READING, caller_of
from qa.server.auth.guard import Guard
from qa.server.errors import RequestError
from qa.settings import Settings

SEED = 20261125
KEY = "operator-key-0123456789"
ORIGIN, FOREIGN = "https://news.example", "https://evil.example"


@post("/ask", opt=ASKING)
async def asking() -> None: ...


@get("/read", opt=READING)
async def reading() -> None: ...


@get("/operate", opt=ADMINISTERING)
async def operating() -> None: ...


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    settings = Settings(data_dir=tmp_path, api_keys=f"desk:{KEY}", allowed_origins=ORIGIN, visitor_rate=60)
    return Guard(settings)


def let_in(guard: Guard, handler: HTTPRouteHandler, **headers: str) -> str | None:
    """The owner as whom a request with these headers gets in; None where it does not."""
    named = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope: Any = {"type": "http", "method": "GET", "headers": named, "client": ("203.0.113.1", 1), "state": {}}
    request: Request[Any, Any, Any] = Request(scope)
    try:
        _now(guard.check(request, handler))
    except RequestError:
        return None
    return caller_of(request).owner


def _now(work: Any) -> None:
    """Run a coroutine that waits for nothing."""
    with pytest.raises(StopIteration):
        work.send(None)


def good(guard: Guard, **changes: Any) -> str:
    fields = {"origin": ORIGIN, "expires_at": int(time.time()) + 60, "subject": "a", "issuer": "", **changes}
    return tokens.mint(TokenClaims(**fields), secret=guard.secret.value())


def test_the_good_ones_get_in(guard: Guard) -> None:
    assert let_in(guard, operating, authorization=f"Bearer {KEY}") == "key:desk"
    assert let_in(guard, reading, authorization=f"bearer   {good(guard)}", origin=ORIGIN) == "visitor:a"


def test_without_keys_a_token_may_be_for_any_collection(tmp_path: Path) -> None:
    guard = Guard(Settings(data_dir=tmp_path, allowed_origins=ORIGIN))
    token = good(guard, collection="world")
    assert let_in(guard, reading, authorization=f"Bearer {token}", origin=ORIGIN, host="127.0.0.1") == "visitor:a@world"


def made_up(draw: random.Random, guard: Guard) -> str:
    """A credential that is nearly one."""
    token = good(guard, subject=f"v{draw.randrange(50)}")
    head, body, mac = token.split(".")
    claims = [ORIGIN, 2**40, "a", draw.choice(["", "desk"])]
    forged = base64.urlsafe_b64encode(msgspec.json.encode(claims)).rstrip(b"=").decode()
    letter = draw.choice("AZaz09_-.=%\u00ff")
    at = draw.randrange(len(token))
    return draw.choice(
        [
            KEY[: draw.randrange(len(KEY))],
            KEY + letter,
            KEY.upper(),
            f"{KEY},{KEY}",
            "desk",
            f"desk:{KEY}",
            f"{head}.{forged}.{mac}",
            f"{head}.{forged}.",
            f"{head}.{forged}",
            f"{head}.{body}.{mac[:-1]}",
            f"{head}.{body}",
            f"st2.{body}.{mac}",
            f"{token[:at]}{letter if token[at] != letter else 'x'}{token[at + 1 :]}",
            f"{token}.{mac}",
            good(guard, expires_at=int(time.time()) - draw.randrange(1, 10**6)),
            good(guard, origin=FOREIGN),
            good(guard, issuer="gone"),
            "",
        ]
    )


def test_nothing_made_up_gets_in(guard: Guard) -> None:
    """10,000 attempts with an allowed page's headers, in every place where a credential can be."""
    draw = random.Random(SEED)
    for _ in range(10_000):
        credential = made_up(draw, guard)
        headers = draw.choice(
            [
                {"authorization": f"Bearer {credential}"},
                {"x_api_key": credential},
                {"authorization": f"Basic {credential}", "x_api_key": credential},
                {"cookie": f"token={credential}", "authorization": credential},
            ]
        )
        handler = draw.choice([asking, reading, operating])
        assert let_in(guard, handler, origin=ORIGIN, **headers) is None, (credential, headers)


def test_a_token_gets_in_as_its_own_visitor_and_from_its_own_page_only(guard: Guard) -> None:
    draw = random.Random(SEED)
    places = [
        *({"origin": origin} for origin in (FOREIGN, "null", "", ORIGIN.upper(), f"{ORIGIN}:443", f"{ORIGIN}/", "http://news.example")),
        {},
        {"sec_fetch_site": "same-origin", "host": "evil.example"},
        {"sec_fetch_site": "same-site", "host": "news.example"},
        {"sec_fetch_site": "none", "referer": f"{ORIGIN}/"},
        {"referer": FOREIGN, "host": "news.example"},
    ]  # fmt: skip
    for number in range(2_000):
        subject = f"v{draw.randrange(10**9)}"
        credential = {"authorization": f"Bearer {good(guard, subject=subject)}", "x_forwarded_for": f"10.{number}"}
        assert let_in(guard, reading, **credential, **draw.choice(places)) is None
        assert let_in(guard, operating, origin=ORIGIN, **credential) is None


def test_made_up_addresses_are_no_new_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 requests with other forwarding headers each: the one peer's budget, and not one request more."""
    monkeypatch.setitem(RateLimits.__init__.__kwdefaults__, "clock", lambda: 0.0)
    draw = random.Random(SEED)
    guard = Guard(Settings(data_dir=tmp_path, api_keys=f"desk:{KEY}", allowed_origins=ORIGIN, visitor_rate=10))
    let = 0
    for number in range(10_000):
        spoofed = ".".join(str(draw.randrange(256)) for _ in range(4))
        credential = good(guard, subject=f"v{number}")
        headers = {draw.choice(["x_forwarded_for", "x_real_ip", "forwarded", "client_ip"]): spoofed, "host": spoofed}
        let += let_in(guard, asking, authorization=f"Bearer {credential}", origin=ORIGIN, **headers) is not None
    assert let == 10


ODD_PATHS = [
    "/api/articles/",
    "//api/articles",
    "/api//articles",
    "/./api/articles",
    "/docs/../api/articles",
    "/health/live/../../api/articles",
    "/health/..%2fapi/articles",
    "/%61pi/articles",
    "/api%2farticles",
    "/API/articles",
    "/api/articles;x=1",
    "/api/articles%00",
    "/api/articles?key=" + KEY,
    "/api/articles?access_token=" + KEY,
    "/api/articles#",
    "http://x/api/articles",
    "/api/conversations/",
    "/api/feedback/",
    "/metrics/",
]


def test_no_spelling_of_a_path_gets_around_it(serve: Any, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, encoder="hashing", reader="words", api_keys=KEY, allowed_origins=ORIGIN)
    with serve(settings) as client:
        article = {"id": "canary", "text": "The canary sings in Velda."}
        client.post("/api/articles", json=article, headers={"x-api-key": KEY}).raise_for_status()
        for path, method in product(ODD_PATHS, ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "get"]):
            answer = raw(
                client,
                f"{method} {path} HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: GET\r\nConnection: close\r\n\r\n",
            )
            status = int(answer.split(b" ", 2)[1])
            assert status in {400, 401, 404, 405} or (method == "OPTIONS" and status == 204), (path, answer)
            assert b"canary" not in answer
            assert KEY.encode() not in answer


def raw(client: httpx.Client, request: str) -> bytes:
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=120) as connection:
        connection.sendall(request.encode())
        found = b""
        while piece := connection.recv(65536):
            found += piece
        return found
