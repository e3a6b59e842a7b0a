"""How replies travel: revalidated, compressed, shown as a page, noted in the log."""

from __future__ import annotations

import gzip
import html
import logging
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from qa.access.tokens import signature
from qa.settings import Settings

BRIDGE = quote("urn:tamar:bridge@2024")
LONG = "The quay of Velda was measured again, and it is longer than anybody had thought before it was. "


def raw(client: httpx.Client, method: str, path: str, **more: Any) -> tuple[httpx.Response, bytes]:
    """A reply with its body as it travelled."""
    with client.stream(method, path, **more) as response:
        return response, b"".join(response.iter_raw())


def test_an_article_that_is_known_is_not_sent_again(client: httpx.Client) -> None:
    first = client.get("/api/articles/harbour")
    tag = first.headers["etag"]
    assert first.json()["version"] in tag
    assert first.headers["cache-control"] == "private, no-cache"
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = client.get("/api/articles/harbour", headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    for known in ('"other"', "", tag[:-2] + '"'):
        assert client.get("/api/articles/harbour", headers={"if-none-match": known}).json() == first.json()
    missing = client.get("/api/articles/nobody", headers={"if-none-match": "*"})
    assert missing.status_code == 404


def test_the_tag_changes_with_what_is_said_about_the_text(client: httpx.Client) -> None:
    article = {"id": "quay", "title": "Quay", "text": LONG}
    client.post("/api/articles", json=article).raise_for_status()
    first = client.get("/api/articles/quay")
    client.post("/api/articles", json={**article, "title": "Quay measured"}).raise_for_status()
    second = client.get("/api/articles/quay", headers={"if-none-match": first.headers["etag"]})
    assert (second.status_code, second.json()["title"]) == (200, "Quay measured")
    assert second.headers["etag"] != first.headers["etag"]


def test_whole_replies_are_compressed(client: httpx.Client) -> None:
    response, body = raw(client, "GET", "/openapi.json", headers={"accept-encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert int(response.headers["content-length"]) == len(body)
    plain, text = raw(client, "GET", "/openapi.json", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(body) == text
    assert len(body) < len(text) / 3
    assert "accept-encoding" in response.headers["vary"].lower()
    assert "accept-encoding" in plain.headers["vary"].lower()


def test_an_answer_is_compressed_and_a_stream_is_not(client: httpx.Client) -> None:
    asked = {"question": "When will the old bridge over the Tamar be repaired?"}
    response, body = raw(client, "POST", "/api/ask", json=asked)
    assert response.headers["content-encoding"] == "gzip"
    assert b'"answer"' in gzip.decompress(body)
    streamed, events = raw(client, "POST", "/api/ask", json={**asked, "stream": True})
    assert "content-encoding" not in streamed.headers
    assert events.startswith(b"event: search_results\n")
    short, _ = raw(client, "GET", "/health/live")
    assert "content-encoding" not in short.headers
    refused, _ = raw(client, "POST", "/api/ask", json=asked, headers={"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers


def test_an_article_as_a_page(client: httpx.Client) -> None:
    text = client.get(f"/api/articles/{BRIDGE}").json()["text"]
    words = "The work costs 3 million crowns."
    start = text.index(words)
    page = client.get(f"/articles/{BRIDGE}", params={"start": start, "end": start + len(words)})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<mark>{words}</mark>" in page.text
    assert '<h1 dir="auto">Bridge to be repaired</h1>' in page.text
    assert "Tamar Weekly · 2024-05-02" in page.text
    assert "<mark>" not in client.get(f"/articles/{BRIDGE}").text
    gone = client.get(f"/articles/{BRIDGE}", params={"version": "0" * 64})
    assert (gone.status_code, gone.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_the_page_of_an_older_version_says_so_and_leads_to_the_current_one(client: httpx.Client) -> None:
    article = {"id": "tram,co", "title": "Tram", "text": "The repair will cost 1.3 million crowns."}
    added = client.post("/api/articles", json=article).json()["articles"][0]
    pinned = {"version": added["version"]}
    assert "Corrected since" not in client.get("/articles/tram,co", params=pinned).text
    client.post(
        "/api/articles", json={**article, "text": "The repair will cost 1.8 million crowns."}
    ).raise_for_status()
    assert "Corrected since" not in client.get("/articles/tram,co").text
    page = client.get("/articles/tram,co", params=pinned | {"start": 0, "end": 10}).text
    assert "1.3 million" in page
    assert page.index("Corrected since: this is an older version") < page.index("<mark>")
    (current,) = re.findall(r'<a href="([^"]+)">Read the current version', page)
    assert "1.8 million" in client.get(html.unescape(current)).text


def test_nothing_of_an_article_becomes_markup(client: httpx.Client) -> None:
    article = {
        "id": "markup",
        "title": "<script>alert(1)</script> & more",
        "text": "Prices below 5 < 6 & 7 > 6 were seen.\n\nA line with <b>letters</b> in it was found at the quay.",
        "source": "<img src=x>",
    }
    client.post("/api/articles", json=article).raise_for_status()
    page = client.get("/articles/markup", params={"start": 10, "end": 60})
    assert page.text.count("<script") == page.text.count("<img") == page.text.count("<b>") == 0
    assert page.text.count("<mark>") == 2
    assert "script-src 'self'" in page.headers["content-security-policy"]


@pytest.fixture
def keyed(serve: Any, settings: Settings) -> Iterator[tuple[httpx.Client, bytes]]:
    import msgspec

    settings = msgspec.structs.replace(settings, api_keys="secret-key-of-the-operator")
    with serve(settings) as client:
        yield client, (settings.data_dir / "token.key")


def test_a_signed_link_opens_one_version_of_one_article(keyed: tuple[httpx.Client, Any]) -> None:
    client, key_file = keyed
    key = {"authorization": "Bearer secret-key-of-the-operator"}
    articles = [{"id": name, "title": name, "text": f"The {name} was shut on Monday for nine days."} for name in "ab"]
    client.post("/api/articles", json=articles, headers=key).raise_for_status()
    asked = {"model": "sourceline", "messages": [{"role": "user", "content": "When was the a shut?"}]}
    client.post("/v1/chat/completions", json=asked, headers=key).raise_for_status()
    version = client.get("/api/articles/a", headers=key).json()["version"]
    sig = signature("a", version=version, secret=key_file.read_bytes())
    assert client.get("/articles/a", params={"version": version, "sig": sig}).status_code == 200
    assert client.get("/articles/a", headers=key).status_code == 200
    other = client.get("/api/articles/b", headers=key).json()["version"]
    for article_id, wrong in (
        ("a", {}),
        ("a", {"version": version}),
        ("a", {"version": version, "sig": ""}),
        ("a", {"version": version, "sig": sig[:-1] + ("A" if sig[-1] != "A" else "B")}),
        ("a", {"sig": sig}),
        ("b", {"version": other, "sig": sig}),
        ("nobody", {"version": version, "sig": sig}),
    ):
        refused = client.get(f"/articles/{article_id}", params=wrong)
        assert (refused.status_code, "shut on Monday" in refused.text) == (404, False), wrong


def test_requests_are_logged_without_their_text(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="qa.server.http.request_log")
    client.post("/api/search", json={"question": "Where is the secret quay?"})
    client.get("/api/articles/secret-quay", params={"version": "secret"})
    client.get("/secret/quay")
    client.post("/api/ask", json={"question": "Where is the secret quay?", "stream": True})
    client.get("/health/live")

    def logged() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == "qa.server.http.request_log"]

    # A streamed reply is noted after its last byte was sent: perhaps after it was read.
    deadline = time.monotonic() + 60
    while len(logged()) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    lines = logged()
    assert [line.rsplit(" ", 2)[0] for line in lines] == [
        "POST /api/search 200",
        "GET /api/articles/{article_id} 404",
        "GET (no such route) 404",
        "POST /api/ask 200",
    ]
    assert "secret" not in "".join(lines)
