"""Every route × every kind of caller; what a token may do; what pages elsewhere may read; budgets."""

from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import get

from qa.access import tokens
from qa.access.rate_limits import RateLimits
from qa.access.tokens import Secret, TokenClaims
from qa.server.app import create_app
from qa.server.auth import Undeclared, handlers, level_of, refuse_undeclared
from qa.server.http.problems import KINDS
from qa.server.service import Service
from qa.settings import Settings

Check = Callable[..., Any]
Until = Callable[[Callable[[], Any]], Any]

KEY, OTHER_KEY = "operator-key-0123456789", "another-key-0123456789"
ORIGIN, OTHER_ORIGIN, FOREIGN = "https://news.example", "https://other.example", "https://evil.example"
BEARER = {"authorization": f"Bearer {KEY}"}

OPEN_TO_ANYONE = {
    ("GET", "/"),
    ("GET", "/admin"),  # the page and its files; what it shows it asks for with a key
    ("GET", "/admin/{name}"),
    ("GET", "/articles/{article_id}"),  # it looks at the signature of the link itself
    ("GET", "/docs"),
    ("GET", "/docs/{name}"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/openapi.json"),
    ("GET", "/problems/{slug}"),
    ("GET", "/widget"),
    ("GET", "/widget.js"),
    ("GET", "/widget/{name}"),
}
OPEN_TO_TOKENS = {
    ("POST", "/api/ask"),
    ("POST", "/api/search"),
    ("GET", "/api/articles/{article_id}"),
    ("GET", "/api/starters"),
    ("GET", "/api/conversations"),
    ("GET", "/api/conversations/{conversation_id}"),
    ("DELETE", "/api/conversations/{conversation_id}"),
    ("POST", "/api/answers/{answer_id}/feedback"),
    ("GET", "/api/answers/{answer_id}"),
    ("POST", "/api/answers/{answer_id}/link"),
    ("GET", "/api/answers/{answer_id}/changes"),
}
"""Whatever is in neither set needs a key. Whoever opens a route further adds it here, and has thought of it."""


def guarded(folder: Path, **changes: Any) -> Settings:
    values = {"api_keys": f"desk:{KEY},spare:{OTHER_KEY}", "allowed_origins": f"{ORIGIN},{OTHER_ORIGIN}", **changes}
    return Settings(
        data_dir=folder, encoder="hashing", reader="words", visitor_rate=values.pop("visitor_rate", 0), **values
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def service(serve: Any, folder: Path) -> Iterator[httpx.Client]:
    """A service with keys, and one article."""
    with serve(guarded(folder)) as client:
        article = {"id": "harbour", "text": "The harbour of Velda reopened on Monday. About 4,200 people work there."}
        client.post("/api/articles", json=article, headers=BEARER).raise_for_status()
        yield client


def token(folder: Path, *, origin: str = ORIGIN, ttl: int = 60, issuer: str = "", subject: str = "someone") -> str:
    claims = TokenClaims(origin=origin, expires_at=int(time.time()) + ttl, subject=subject, issuer=issuer)
    return tokens.mint(claims, secret=Secret(folder / "token.key").value())


def shown(credential: str, origin: str | None = ORIGIN) -> dict[str, str]:
    return {"authorization": f"Bearer {credential}"} | ({} if origin is None else {"origin": origin})


def forged(signed: str) -> str:
    """The same with another signature, whatever that ends with."""
    return signed[:-2] + ("BB" if signed.endswith("AA") else "AA")


def routes() -> list[tuple[str, str, str]]:
    def load(_: Settings) -> Any:
        raise AssertionError("not needed")

    app = create_app(Service(Settings(), load=load))
    # In order, so that test processes side by side collect the same.
    return sorted((method, path, level_of(handler.opt).who) for method, path, handler in handlers(app.routes))  # type: ignore[union-attr]


ROUTES = routes()
CALLERS: dict[str, Callable[[Path], dict[str, str]]] = {
    "none": lambda _: {},
    "none, allowed origin": lambda _: {"origin": ORIGIN},
    "none, foreign origin": lambda _: {"origin": FOREIGN},
    "bad key": lambda _: shown("operator-key-0123456780", None),
    "bad key as header": lambda _: {"x-api-key": "operator-key-0123456780"},
    "hash of the key": lambda _: shown("desk", None),
    "basic": lambda _: {"authorization": "Basic " + KEY},
    "forged token": lambda folder: shown(forged(token(folder))),
    "expired": lambda folder: shown(token(folder, ttl=-1)),
    "token, origin no longer allowed": lambda folder: shown(token(folder, origin=FOREIGN), None),
    "token, key no longer there": lambda folder: shown(token(folder, issuer="gone")),
    "token, foreign page": lambda folder: shown(token(folder), FOREIGN),
    "token, page of another allowed origin": lambda folder: shown(token(folder), OTHER_ORIGIN),
    "token, no page": lambda folder: shown(token(folder), None),
    "token as key header": lambda folder: {"x-api-key": token(folder)},
    "token": lambda folder: shown(token(folder)),
    "token of a back end": lambda folder: shown(token(folder, issuer="spare", subject="spare/7")),
    "key, foreign page": lambda _: shown(KEY, FOREIGN),
    "key": lambda _: shown(KEY, None),
    "key as header": lambda _: {"x-api-key": KEY},
    "key, allowed page": lambda _: shown(KEY),
}
PASS = "passes"
REFUSED = {
    "none": "unauthenticated",
    "none, allowed origin": "unauthenticated",
    "none, foreign origin": "foreign-origin",
    "bad key": "unauthenticated",
    "bad key as header": "unauthenticated",
    "hash of the key": "unauthenticated",
    "basic": "unauthenticated",
    "forged token": "unauthenticated",
    "expired": "token-expired",
    "token, origin no longer allowed": "unauthenticated",
    "token, key no longer there": "unauthenticated",
    "token, foreign page": "foreign-origin",
    "token, page of another allowed origin": "foreign-origin",
    "token, no page": "foreign-origin",
    "token as key header": "foreign-origin",
    "token": "not-allowed",
    "token of a back end": "not-allowed",
    "key, foreign page": "foreign-origin",
}


def expected(who: str, caller: str) -> str:
    if who == "anyone" or (who == "reader" and caller in {"token", "token of a back end"}):
        return PASS
    if who == "origin" and caller == "none, allowed origin":
        return PASS
    return REFUSED.get(caller, PASS)


def test_who_may_use_what() -> None:
    """The two lists above, against what the routes declare."""
    assert {(method, path) for method, path, who in ROUTES if who == "anyone"} == OPEN_TO_ANYONE
    assert {(method, path) for method, path, who in ROUTES if who == "reader"} == OPEN_TO_TOKENS
    assert [(method, path) for method, path, who in ROUTES if who == "origin"] == [("POST", "/api/tokens")]


def test_a_route_that_nobody_classified_stops_the_application() -> None:
    @get("/new")
    async def new() -> None: ...

    from litestar import Litestar

    with pytest.raises(Undeclared, match="GET /new"):
        refuse_undeclared(Litestar([new], openapi_config=None).routes)


@pytest.mark.parametrize(("method", "path", "who"), ROUTES, ids=str)
def test_every_route_and_every_caller(
    service: httpx.Client, folder: Path, check_problem: Check, method: str, path: str, who: str
) -> None:
    """Without a body: whoever gets through to the route is refused by it, or answered, but not as a stranger."""
    address = re.sub(r"{\w+}", "no-such", path)
    for caller, headers in CALLERS.items():
        response = service.request(method, address, headers=headers(folder))
        wanted = expected(who, caller)
        if wanted == PASS:
            assert response.status_code not in {401, 403, 421, 429}, (caller, response.text)
            continue
        kind = KINDS[wanted]
        if path.startswith("/v1/"):
            told = response.json()["error"]["code"]
            assert (response.status_code, told) == (kind.status, wanted.replace("-", "_")), caller
        else:
            assert (response.status_code, response.json()["type"]) == (kind.status, f"/problems/{wanted}"), caller
            check_problem(response, wanted)
        assert ("www-authenticate" in response.headers) == (response.status_code == 401)
        assert "harbour" not in response.text


def test_a_refused_body_is_not_read(service: httpx.Client, check_problem: Check) -> None:
    huge = b"x" * 2_000_000
    check_problem(
        service.post("/api/ask", content=huge, headers={"content-type": "application/json"}), "unauthenticated"
    )


def test_counts_are_for_those_with_a_key(service: httpx.Client, folder: Path) -> None:
    assert service.get("/health/ready").json() == {"status": "ready"}
    assert service.get("/health/ready", headers=shown(token(folder))).json() == {"status": "ready"}
    assert service.get("/health/ready", headers=BEARER).json() == {
        "status": "ready",
        "articles": 1,
        "passages": 1,
        "writes": "open",
    }


def test_a_page_of_the_service_itself_reads_with_its_token(service: httpx.Client, folder: Path) -> None:
    """Browsers send no Origin with such reads."""
    headers = shown(token(folder), None) | {"sec-fetch-site": "same-origin", "host": "news.example"}
    assert service.get("/api/articles/harbour", headers=headers).status_code == 200
    assert service.get("/api/articles/harbour", headers=headers | {"sec-fetch-site": "cross-site"}).status_code == 403
    assert service.get("/api/articles/harbour", headers=headers | {"host": "other.example"}).status_code == 403
    old = shown(token(folder), None)
    assert service.get("/api/articles/harbour", headers=old | {"referer": f"{ORIGIN}/page"}).status_code == 200
    for referer in (f"{FOREIGN}/", ORIGIN, f"{ORIGIN}.evil.example/", f"{FOREIGN}/{ORIGIN}/"):
        assert service.get("/api/articles/harbour", headers=old | {"referer": referer}).status_code == 403


def ask(client: httpx.Client, headers: dict[str, str]) -> httpx.Response:
    return client.post("/api/ask", json={"question": "How many people work there?"}, headers=headers)


def test_a_page_gets_a_token_and_asks(service: httpx.Client) -> None:
    got = service.post("/api/tokens", json={}, headers={"origin": ORIGIN})
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["access-control-allow-origin"] == ORIGIN
    found = got.json()
    assert (found["origin"], found["expires_in_seconds"]) == (ORIGIN, 900)
    assert found["expires_at"].endswith("Z")
    answer = ask(service, shown(found["token"]))
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert KEY not in got.text


def test_a_back_end_gets_a_token_for_its_page(service: httpx.Client, check_problem: Check) -> None:
    body = {"origin": ORIGIN, "ttl_seconds": 5, "subject": "reader-7"}
    found = service.post("/api/tokens", json=body, headers=BEARER).json()
    assert found["expires_in_seconds"] == 5
    assert ask(service, shown(found["token"])).status_code == 200
    check_problem(ask(service, shown(found["token"], OTHER_ORIGIN)), "foreign-origin")


@pytest.mark.parametrize(
    ("body", "headers", "field"),
    [
        ({}, BEARER, "origin"),
        ({"origin": FOREIGN}, BEARER, "origin"),
        ({"origin": "news.example"}, BEARER, "origin"),
        ({"origin": f"{ORIGIN},{OTHER_ORIGIN}"}, BEARER, "origin"),
        ({"origin": ""}, BEARER, "origin"),
        ({"origin": OTHER_ORIGIN}, {"origin": ORIGIN}, "origin"),
        ({"subject": "reader-7"}, {"origin": ORIGIN}, "subject"),
        ({"ttl_seconds": 3601}, {"origin": ORIGIN}, "ttl_seconds"),
    ],
)
def test_no_token_for_this(
    service: httpx.Client, check_problem: Check, body: Any, headers: dict[str, str], field: str
) -> None:
    problem = check_problem(service.post("/api/tokens", json=body, headers=headers), "invalid-request")
    assert [fault.field for fault in problem.errors] == [field]


def test_nobody_sees_anothers_conversation(service: httpx.Client, folder: Path, check_problem: Check) -> None:
    """What is another's looks, to the letter, like what was never there."""
    callers = [
        shown(token(folder, subject="a")),
        shown(token(folder, subject="b")),
        shown(KEY, None),
        shown(OTHER_KEY, None),
    ]
    for mine in callers:
        question = {"question": "How many people work there?", "store": True}
        answer = service.post("/api/ask", json=question, headers=mine).json()
        name, missing = answer["conversation_id"], "x" * len(answer["conversation_id"])
        for other in (caller for caller in callers if caller is not mine):
            for method, path, body in (
                ("GET", "/api/conversations/{}", None),
                ("DELETE", "/api/conversations/{}", None),
                ("POST", "/api/ask", {**question, "conversation_id": "{}"}),
                ("POST", "/api/search", {"question": question["question"], "conversation_id": "{}"}),
                ("POST", "/api/answers/{}/feedback", {"verdict": "up"}),
            ):
                ids = (answer["id"], "y" * len(answer["id"])) if "feedback" in path else (name, missing)
                told = []
                for one in ids:
                    sent = body and {key: one if value == "{}" else value for key, value in body.items()}
                    response = service.request(method, path.format(one), json=sent, headers=other)
                    told.append(check_problem(response, "not-found").detail.replace(one, "…"))
                assert told[0] == told[1]
            listed = service.get("/api/conversations", headers=other).json()["conversations"]
            assert name not in {one["id"] for one in listed}
        assert service.get(f"/api/conversations/{name}", headers=mine).status_code == 200
        assert (
            service.post(f"/api/answers/{answer['id']}/feedback", json={"verdict": "up"}, headers=mine).status_code
            == 200
        )


def test_a_link_to_an_answer_opens_that_answer_alone_and_to_those_who_have_it(
    service: httpx.Client, folder: Path, check_problem: Check
) -> None:
    mine, other = (shown(token(folder, subject=name)) for name in ("giver", "given"))
    question = {"question": "When did the harbour of Velda reopen?", "store": True}
    first, second = (service.post("/api/ask", json=question, headers=mine).json() for _ in range(2))
    route = f"/api/answers/{first['id']}"
    check_problem(service.get(route, headers=other), "not-found")
    check_problem(service.post(f"{route}/link", headers=other), "not-found")
    link = service.post(f"{route}/link", headers=mine).raise_for_status().json()
    assert link["answer_id"] == first["id"]
    found = service.get(route, params={"sig": link["sig"]}, headers=other).raise_for_status().json()
    assert found["answer"] == {**first, "conversation_id": None}, "the conversation is not named"
    for sig in (forged(link["sig"]), "é", "x" * 500):
        check_problem(service.get(route, params={"sig": sig}, headers=other), "not-found")
    for elsewhere in (f"/api/answers/{second['id']}", f"/api/conversations/{first['conversation_id']}"):
        check_problem(service.get(elsewhere, params={"sig": link["sig"]}, headers=other), "not-found")
    check_problem(service.post(f"{route}/feedback", json={"verdict": "up"}, headers=other), "not-found")
    check_problem(service.get(route, params={"sig": link["sig"]}), "unauthenticated")


def subject(folder: Path, response: httpx.Response) -> str:
    claims = tokens.read(response.json()["token"], secret=Secret(folder / "token.key").value())
    assert claims is not None
    return claims.subject


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        ({"ttl": 60}, True),
        ({"ttl": -3600}, True),
        ({"ttl": -31 * 24 * 3600}, False),
        ({"origin": OTHER_ORIGIN}, False),
        ({"issuer": "desk"}, False),
    ],
    ids=str,
)
def test_who_renews_a_token_stays_who_they_are(
    service: httpx.Client, folder: Path, before: dict[str, Any], kept: bool
) -> None:
    old = token(folder, **before)
    renewed = service.post("/api/tokens", json={"renews": old}, headers={"origin": ORIGIN})
    assert (subject(folder, renewed) == "someone") == kept


def test_a_forged_token_renews_nothing(service: httpx.Client, folder: Path) -> None:
    renewed = service.post("/api/tokens", json={"renews": forged(token(folder))}, headers={"origin": ORIGIN})
    assert subject(folder, renewed) != "someone"


def test_names_of_visitors_are_their_keys_own(service: httpx.Client, folder: Path) -> None:
    found = {
        subject(folder, service.post("/api/tokens", json={"origin": ORIGIN, "subject": "7"}, headers=shown(key, None)))
        for key in (KEY, OTHER_KEY)
    }
    assert found == {"desk/7", "spare/7"}


def test_origins_may_be_kept_from_getting_tokens_by_themselves(
    serve: Any, tmp_path: Path, check_problem: Check
) -> None:
    with serve(guarded(tmp_path, origin_tokens=False)) as client:
        check_problem(client.post("/api/tokens", json={}, headers={"origin": ORIGIN}), "unauthenticated")
        assert client.post("/api/tokens", json={"origin": ORIGIN}, headers=BEARER).status_code == 200


def test_without_keys_everything_is_open_to_this_machine(serve: Any, tmp_path: Path, check_problem: Check) -> None:
    settings = Settings(data_dir=tmp_path, encoder="hashing", reader="words", allowed_origins=ORIGIN)
    with serve(settings) as client:
        assert client.get("/api/articles", headers=shown("sk-whatever", None)).status_code == 200
        port = client.base_url.port
        for host in (f"localhost:{port}", f"[::1]:{port}", "sourceline:8000", "a.localhost", "news.example"):
            assert client.get("/api/articles", headers={"host": host}).status_code == 200, host
        for host in (
            "rebound.example",
            f"rebound.example:{port}",
            "127.0.0.1.rebound.example",
            "localhost.evil.example",
        ):
            check_problem(client.get("/api/articles", headers={"host": host}), "unknown-host")
            assert client.get("/health/ready", headers={"host": host}).json() == {"status": "ready"}
        check_problem(client.get("/api/articles", headers={"origin": FOREIGN}), "foreign-origin")
        check_problem(client.get("/api/articles", headers={"origin": "null"}), "foreign-origin")
        assert ask(client, {"origin": ORIGIN}).status_code == 200
        check_problem(client.get("/api/articles", headers={"origin": ORIGIN}), "not-allowed")
        check_problem(client.delete("/api/articles/x", headers={"origin": ORIGIN}), "not-allowed")
        own = str(client.base_url).rstrip("/")
        assert client.get("/api/articles", headers={"origin": own}).status_code == 200
        got = client.post("/api/tokens", json={}, headers={"origin": own}).json()
        assert ask(client, shown(got["token"], own)).status_code == 200
        check_problem(client.get("/api/articles", headers=shown(got["token"], own)), "not-allowed")


CORS = ("access-control-allow-origin", "access-control-allow-methods", "access-control-allow-headers")


@pytest.mark.parametrize("path", ["/api/ask", "/api/articles/harbour", "/api/tokens"])
def test_a_preflight_is_answered_to_allowed_origins_only(service: httpx.Client, path: str) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    good = service.options(path, headers={"origin": ORIGIN, **asked})
    assert good.status_code == 204
    assert [good.headers[name] for name in CORS] == [
        ORIGIN,
        "GET, POST, DELETE",
        "Authorization, Content-Type, X-API-Key, Last-Event-ID",
    ]
    assert good.headers["vary"] == "Origin"
    for origin in (FOREIGN, "null", ORIGIN + ".evil.example", "http://news.example", "https://NEWS.example", "*", ""):
        bad = service.options(path, headers={"origin": origin, **asked})
        assert not set(CORS) & set(bad.headers), origin
        assert bad.headers["vary"] == "Origin"


@pytest.mark.parametrize("path", ["/api/articles/harbour", "/api/articles/none", "/nothing", "/health/live", "/docs"])
def test_errors_can_be_read_by_allowed_pages_too(service: httpx.Client, path: str) -> None:
    response = service.get(path, headers={"origin": ORIGIN})
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert "Retry-After" in response.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in response.headers
    assert "access-control-allow-origin" not in service.get(path, headers={"origin": FOREIGN}).headers


def test_without_origins_no_page_elsewhere_reads_anything(serve: Any, settings: Settings) -> None:
    with serve(settings) as client:
        for response in (client.get("/docs", headers={"origin": FOREIGN}), client.options("/api/ask")):
            assert not set(CORS) & set(response.headers)


@pytest.fixture
def no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """For budgets, which fill up again with time."""
    monkeypatch.setitem(RateLimits.__init__.__kwdefaults__, "clock", lambda: 0.0)


@pytest.mark.usefixtures("no_time_passes")
def test_a_visitor_who_asks_too_much_waits(serve: Any, tmp_path: Path, check_problem: Check) -> None:
    with serve(guarded(tmp_path, visitor_rate=30)) as client:
        first, second = shown(token(tmp_path, subject="a")), shown(token(tmp_path, subject="b"))
        assert [ask(client, first).status_code for _ in range(3)] == [200] * 3
        refused = ask(client, first)
        check_problem(refused, "rate-limited")
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        assert (refused.headers["ratelimit-limit"], refused.headers["ratelimit-remaining"]) == ("30", "0")
        assert refused.headers["access-control-allow-origin"] == ORIGIN
        assert ask(client, second).headers["ratelimit-remaining"] == "20"
        assert [client.get("/api/articles", headers=BEARER).status_code for _ in range(50)] == [200] * 50


@pytest.mark.usefixtures("no_time_passes")
def test_collecting_tokens_does_not_help(serve: Any, tmp_path: Path) -> None:
    """All tokens of one address share ten times one budget, whatever headers say about the address."""
    with serve(guarded(tmp_path, visitor_rate=10)) as client:
        statuses = []
        for number in range(25):
            headers = shown(token(tmp_path, subject=f"v{number}")) | {"x-forwarded-for": f"203.0.113.{number}"}
            statuses.append(ask(client, headers).status_code)
        assert statuses == [200] * 10 + [429] * 15


@pytest.mark.usefixtures("no_time_passes")
def test_pages_that_get_tokens_are_counted_by_address(serve: Any, tmp_path: Path) -> None:
    with serve(guarded(tmp_path, visitor_rate=1)) as client:
        answers = [
            client.post("/api/tokens", json={}, headers={"origin": ORIGIN, "x-forwarded-for": f"203.0.113.{n}"})
            for n in range(6)
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 429, 429]


@pytest.mark.usefixtures("no_time_passes")
def test_a_trusted_proxy_names_the_client(serve: Any, tmp_path: Path) -> None:
    with serve(guarded(tmp_path, visitor_rate=1, trusted_proxies="127.0.0.1")) as client:
        answers = [
            client.post(
                "/api/tokens", json={}, headers={"origin": ORIGIN, "x-forwarded-for": f"6.6.6.{n}, 203.0.113.{n % 2}"}
            )
            for n in range(6)
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429, 429]


def test_one_visitor_cannot_fill_the_queue(
    serve: Any, saying: Any, tmp_path: Path, check_problem: Check, until: Until
) -> None:
    """Of 17 places a visitor takes 2, all visitors of one address 8; when they are done, or leave, they may again."""
    go = threading.Event()
    settings = guarded(tmp_path, visitor_rate=1000, max_queue=16, trusted_proxies="127.0.0.1", deadline_seconds=120)
    with serve(settings, load=saying(lambda: go.wait(120) and None)) as client, ThreadPoolExecutor(40) as pool:
        address = str(client.base_url)

        def search(subject: str, place: str) -> httpx.Response:
            headers = shown(token(tmp_path, subject=subject)) | {"x-forwarded-for": place}
            with httpx.Client(base_url=address) as own:
                return own.post("/api/search", json={"question": "Where?"}, headers=headers)

        headers = shown(token(tmp_path, subject="a")) | {"x-forwarded-for": "10.0.0.1"}
        leaving = HTTPConnection(str(client.base_url.host), client.base_url.port)
        leaving.request("POST", "/api/ask", '{"question": "Where?"}', headers | {"content-type": "application/json"})
        until(lambda: "sourceline_questions_admitted 1" in client.get("/metrics", headers=BEARER).text)
        leaving.close()
        until(lambda: "sourceline_questions_admitted 0" in client.get("/metrics", headers=BEARER).text)
        one = [pool.submit(search, "a", "10.0.0.1") for _ in range(5)]
        refused = [future for _, future in zip(range(3), as_completed(one, timeout=100), strict=False)]
        for future in refused:
            check_problem(future.result(), "rate-limited")
        many = [pool.submit(search, f"v{number}", "10.0.0.1") for number in range(10)]
        refused += [future for _, future in zip(range(4), as_completed(many, timeout=100), strict=False)]
        assert {future.result().headers["retry-after"] for future in refused} == {"1"}
        elsewhere = pool.submit(search, "b", "10.0.0.2")
        time.sleep(0.3)
        assert not elsewhere.done(), "it waits, it is not refused"
        go.set()
        waited = [future for future in [*one, *many, elsewhere] if future not in refused]
        assert [future.result().status_code for future in waited] == [200] * 9
        assert search("a", "10.0.0.1").status_code == 200


@pytest.mark.parametrize(("proxies", "scheme"), [("", "http"), ("127.0.0.0/8", "https")])
def test_links_have_the_scheme_that_a_trusted_proxy_names(
    serve: Any, tmp_path: Path, proxies: str, scheme: str
) -> None:
    with serve(guarded(tmp_path, trusted_proxies=proxies)) as client:
        article = {"id": "harbour", "text": "The harbour of Velda reopened on Monday."}
        client.post("/api/articles", json=article, headers=BEARER).raise_for_status()
        body = {
            "messages": [{"role": "user", "content": "When did the harbour of Velda reopen?"}],
            "model": "sourceline",
        }
        headers = BEARER | {"x-forwarded-proto": "https", "host": "qa.example"}
        told = client.post("/v1/chat/completions", json=body, headers=headers).json()["choices"][0]["message"]
        (cited,) = told["annotations"]
        assert cited["url_citation"]["url"].startswith(f"{scheme}://qa.example/articles/harbour?")


def test_a_link_to_what_was_corrected_opens_the_correction_too(serve: Any, tmp_path: Path) -> None:
    with serve(guarded(tmp_path)) as client:
        text = "The harbour of Velda reopened on {}."
        for day in ("Monday", "Tuesday"):
            article = {"id": "harbour", "text": text.format(day)}
            client.post("/api/articles", json=article, headers=BEARER).raise_for_status()
            if day == "Monday":
                asked = [{"role": "user", "content": "When did the harbour of Velda reopen?"}]
                body = {"messages": asked, "model": "sourceline"}
                told = client.post("/v1/chat/completions", json=body, headers=BEARER).json()["choices"][0]["message"]
        page = client.get(told["annotations"][0]["url_citation"]["url"]).text
        assert "Corrected since" in page
        (current,) = re.findall(r'<a href="([^"]+)">Read the current version', page)
        now = client.get(html.unescape(current))
        assert (now.status_code, "Tuesday" in now.text, "Corrected since" in now.text) == (200, True, False)


@pytest.mark.usefixtures("no_time_passes")
def test_a_key_may_have_a_budget_too(serve: Any, tmp_path: Path, check_problem: Check) -> None:
    with serve(guarded(tmp_path, key_rate=20)) as client:
        assert [ask(client, BEARER).status_code for _ in range(2)] == [200] * 2
        check_problem(ask(client, BEARER), "rate-limited")
        told = client.post("/v1/chat/completions", json={"messages": []}, headers=BEARER)
        assert (told.status_code, told.json()["error"]["code"]) == (429, "rate_limited")
        assert int(told.headers["retry-after"]) >= 1
        assert ask(client, shown(OTHER_KEY, None)).status_code == 200
