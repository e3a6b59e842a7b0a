"""Sites with TLS and a certificate of their own, and what a robots.txt forbids."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from embeddings import parsers
from embeddings.types import RawArticle
from qa.access import origins
from qa.sources import delivery
from qa.sources.fetching import Fetched, Fetcher, FetchRefused, Limits, Robots

HOST = "daily.example"


@pytest.fixture
def secure(web: Any, tmp_path: Path, certificate: Any, request: pytest.FixtureRequest) -> Iterator[tuple[int, Path]]:
    """The pages of `web` over TLS, as `daily.example`: the port, and the file that vouches for it.

    Its certificate is valid for a day, or as long as the test says.
    """
    shown, kept = certificate(tmp_path, HOST, until=getattr(request, "param", timedelta(days=1)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, kept)
    handler = type("Secure", (web.handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.web = web  # type: ignore[attr-defined]
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that does not trust it hangs up
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1], shown
    server.shutdown()
    server.server_close()
    thread.join(60)


def trusting(monkeypatch: pytest.MonkeyPatch, file: Path | None) -> Fetcher:
    if file is not None:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    allowed = origins.parse_networks("127.0.0.1", setting="QA_FEED_NETWORKS")
    return Fetcher(allowed=allowed, limits=Limits(pause=0.0), resolve=lambda *_: ["127.0.0.1"])


def test_a_site_whose_certificate_is_known_is_read(
    web: Any, secure: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, shown = secure
    web.put("/feed", "<rss/>")
    web.say("/old", 301, Location="/feed")
    fetched = trusting(monkeypatch, shown).fetch(f"https://{HOST}:{port}/old")
    assert (fetched.body, fetched.moved_to) == (b"<rss/>", f"https://{HOST}:{port}/feed")


def test_a_site_that_nobody_vouches_for_is_refused(
    web: Any, secure: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    web.put("/feed", "<rss/>")
    with pytest.raises(
        FetchRefused, match="cannot be trusted: self-signed certificate; if it is your own, SSL_CERT_FILE"
    ) as refused:
        trusting(monkeypatch, None).fetch(f"https://{HOST}:{secure[0]}/feed")
    assert not refused.value.lasting, "certificates are renewed late, and then they are right again"
    assert web.paths == []


def test_a_certificate_for_another_name_is_refused(
    web: Any, secure: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, shown = secure
    with pytest.raises(FetchRefused, match=r"cannot be trusted: .*not valid for 'other\.example'"):
        trusting(monkeypatch, shown).fetch(f"https://other.example:{port}/feed")
    assert web.paths == []


@pytest.mark.parametrize("secure", [timedelta(days=-1)], indirect=True)
def test_a_certificate_that_has_expired_is_refused_for_now(
    web: Any, secure: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, shown = secure
    with pytest.raises(FetchRefused, match=r"cannot be trusted: certificate has expired") as refused:
        trusting(monkeypatch, shown).fetch(f"https://{HOST}:{port}/feed")
    assert (refused.value.lasting, web.paths) == (False, [])


def test_a_site_that_speaks_no_tls_is_told_so(web: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FetchRefused, match=r"does not speak TLS as it should \(") as refused:
        trusting(monkeypatch, None).fetch(web.put("/feed", "<rss/>").replace("http:", "https:"))
    assert not refused.value.lasting


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_leads_out_of_tls(
    web: Any, secure: tuple[int, Path], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """From there on anybody on the way could put words into the paper's mouth, and 301 would make it so for good."""
    port, shown = secure
    plain = web.put("/feed", "<rss/>")
    web.say("/old", status, Location=plain)
    with pytest.raises(FetchRefused, match=r"leads on to http://.* without TLS, .*; it is not asked") as refused:
        trusting(monkeypatch, shown).fetch(f"https://{HOST}:{port}/old")
    assert refused.value.lasting
    assert web.paths == ["/old"]


def test_rules_of_a_site_are_read_out_of_tls_too(
    web: Any, secure: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, shown = secure
    web.put("/feed", "<rss/>")
    web.say("/robots.txt", 301, Location=web.put("/rules", "User-agent: *\nDisallow: /feed\n"))
    with pytest.raises(FetchRefused, match=r"robots\.txt of daily\.example forbids it"):
        trusting(monkeypatch, shown).fetch(f"https://{HOST}:{port}/feed")


def test_a_redirect_leads_into_tls(web: Any, secure: tuple[int, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    port, shown = secure
    web.put("/feed", "<rss/>")
    web.say("/old", 301, Location=f"https://{HOST}:{port}/feed")
    fetched = trusting(monkeypatch, shown).fetch(f"{web.base}/old")
    assert (fetched.body, fetched.moved_to) == (b"<rss/>", f"https://{HOST}:{port}/feed")


ROBOTS = "User-agent: *\nDisallow: /\n\nUser-agent: Sourceline\nDisallow: /private/\nCrawl-delay: 2\n"


def test_what_robots_txt_forbids_is_not_asked(web: Any, fetcher: Fetcher) -> None:
    web.put("/robots.txt", ROBOTS, kind="text/plain")
    web.put("/news/1", "<p>Open</p>", kind="text/html")
    web.put("/private/1", "<p>Closed</p>", kind="text/html")
    web.say("/leads-there", 302, Location="/private/1")
    waited: list[float] = []
    fetcher = Fetcher(
        allowed=origins.parse_networks("127.0.0.1", setting=""), limits=Limits(pause=0.0), sleep=waited.append
    )
    assert fetcher.fetch(f"{web.base}/news/1").body
    for path in ("/private/1", "/leads-there"):
        with pytest.raises(FetchRefused, match=r"robots\.txt of 127\.0\.0\.1 forbids it") as refused:
            fetcher.fetch(web.base + path)
        assert refused.value.lasting
    assert web.paths == ["/robots.txt", "/news/1", "/leads-there"], "the file is asked for once"
    assert all(1 < seconds <= 2 for seconds in waited)
    assert waited


@pytest.mark.parametrize("status", [401, 404, 410])
def test_without_the_file_everything_may_be_asked(web: Any, fetcher: Fetcher, status: int) -> None:
    web.say("/robots.txt", status)
    assert fetcher.fetch(web.put("/feed", "<rss/>")).state == "new"


def test_while_the_file_cannot_be_had_nothing_is_asked(web: Any, fetcher: Fetcher) -> None:
    url = web.put("/feed", "<rss/>")
    web.say("/robots.txt", 503, Retry_After="120")
    with pytest.raises(FetchRefused, match=r"its robots\.txt cannot be read") as refused:
        fetcher.fetch(url)
    assert (refused.value.lasting, refused.value.retry_after) == (False, 120.0)
    web.say("/robots.txt", 404)
    assert fetcher.fetch(url).state == "new", "and that is not kept"


def test_the_rules_of_a_site_are_read_again_after_a_day() -> None:
    asked: list[str] = []
    now = 0.0

    def read(address: str) -> bytes:
        asked.append(address)
        return b"User-agent: *\nDisallow: /a"

    robots = Robots(read, now=lambda: now)
    for url in ("https://one.example/b", "https://one.example/c", "https://two.example/b"):
        robots.require(url)
    now = 86_400.0
    with pytest.raises(FetchRefused):
        robots.require("https://one.example/a")
    assert asked == [f"https://{name}.example/robots.txt" for name in ("one", "two", "one")]


def test_a_forbidden_page_leaves_the_summary(newsroom: Any, web: Any, make: Any) -> None:
    web.put("/robots.txt", "User-agent: *\nDisallow: /news/", kind="text/plain")
    web.put("/news/1", make.page(1), kind="text/html")
    newsroom.add(web.put("/feed", make.rss(make.teaser(1, web.base))))
    assert newsroom.turn() == {"added": 1}
    assert [article.summary_only for article in newsroom.articles] == [True]
    assert "/news/1" not in web.paths


@pytest.mark.parametrize(("kind", "body"), [("text/html", "page"), ("text/plain", "text")])
def test_a_page_is_read_in_a_process_that_can_be_killed(
    make: Any, monkeypatch: pytest.MonkeyPatch, kind: str, body: str
) -> None:
    text = "The ferry left the harbour of Velda.\n\nIt carried 41 people on Tuesday, the harbour master said."
    content = make.page(1) if body == "page" else text
    monkeypatch.setattr(parsers, "_parser", lambda suffix: pytest.fail(f"{suffix} was read here"))
    fetched = Fetched(state="new", url=f"https://{HOST}/news/1", body=content.encode(), media_type=kind)
    page = delivery.page_of(fetched, entry=None)
    assert isinstance(page, RawArticle)
    assert "41 people" in page.text
    assert page.origin == f"https://{HOST}/news/1 page/1"
