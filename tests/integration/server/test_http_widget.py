"""How the chat is served: the page at `/`, the script for other sites, and under which rules."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

from qa.settings import Settings

Serve = Callable[..., AbstractContextManager[httpx.Client]]

BUDGET = 30_000
"""Bytes that a reader of any language loads at first, as they travel."""


@pytest.mark.parametrize(("page", "link"), [("/", "/docs"), ("/widget", "/")])
def test_a_page_may_load_and_run_its_own_files_only(client: httpx.Client, page: str, link: str) -> None:
    response = client.get(page)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    loaded = re.findall(r'(?:src|href)="([^"]+)"', response.text)
    assert link in loaded
    for address in loaded:
        assert re.match(r"/([^/]|$)", address)
        assert client.get(address).status_code == 200, address


def test_the_script_has_one_address_for_ever_and_one_for_this_version(client: httpx.Client) -> None:
    response = client.get("/widget.js")
    assert response.status_code == 302
    assert response.headers["cache-control"] == "public, max-age=300"
    script = client.get(response.headers["location"])
    assert script.status_code == 200
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    for found in (response, script):  # pages of other origins may load it, also those that are isolated
        assert found.headers["cross-origin-resource-policy"] == "cross-origin"
        assert found.headers["access-control-allow-origin"] == "*"
    assert client.get("/widget/sourceline-chat.000000000000.js").status_code == 404


def test_the_words_of_a_language_are_fetched_by_any_page_and_kept_under_their_hash(client: httpx.Client) -> None:
    response = client.get("/widget/de.json")
    assert response.json()["ask"] == "Fragen"
    assert "Fragen" in client.get("/widget/de.words.json").json(), "as the script has them, without their keys"
    assert response.headers["content-type"].startswith("application/json")
    assert response.headers["cache-control"] == "public, max-age=300"
    assert response.headers["access-control-allow-origin"] == "*"
    assert client.get("/widget/xx.json").status_code == 404
    script = client.get("/widget.js", follow_redirects=True).text
    (known,) = re.findall(r"\.words\.json\?([0-9a-f]{12})\b", script)
    assert "immutable" in client.get(f"/widget/de.json?{known}").headers["cache-control"]
    assert "immutable" not in client.get("/widget/de.json?000000000000").headers["cache-control"]


def sent(client: httpx.Client, address: str) -> tuple[int, str]:
    """How many bytes travel, and what they say."""
    with client.stream("GET", address, headers={"accept-encoding": "gzip"}) as response:
        raw = b"".join(response.iter_raw())
    assert response.headers["content-encoding"] == "gzip"
    return len(raw), gzip.decompress(raw).decode()


def test_a_reader_of_any_language_loads_little_at_first(client: httpx.Client) -> None:
    """Page, script, words; `tests/e2e/browser/test_speed.py` holds that a browser loads nothing else."""
    size, page = sent(client, "/")
    size += sum(sent(client, address)[0] for address in re.findall(r'"(/widget/[^"]+)"', page))
    languages = [path.name.partition(".")[0] for path in (files("qa") / "widget" / "languages").iterdir()]
    assert len(languages) == 10
    loaded = {tag: size + sent(client, f"/widget/{tag}.words.json")[0] for tag in languages}
    assert {name: bytes_ for name, bytes_ in loaded.items() if bytes_ > BUDGET} == {}


def test_every_part_that_can_be_styled_is_named_in_the_documentation(repo: Path) -> None:
    """`docs/chat.md`; the parts whose names are put together apart."""
    source = "".join(path.read_text(encoding="utf-8") for path in (repo / "qa" / "widget" / "src").glob("*.ts"))
    text = (repo / "docs" / "chat.md").read_text(encoding="utf-8").split("`::part()`:")[1].split("```")[0]
    made = set(re.findall(r'\bpart: "([a-z-]+)"', source))
    assert len(made) > 50
    assert made - set(re.findall(r"`([a-z-]+)`", text)) == set()


def test_the_script_travels_small_to_whoever_takes_gzip(client: httpx.Client) -> None:
    address = client.get("/widget.js").headers["location"]
    plain = client.get(address, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    refused = client.get(address, headers={"accept-encoding": "br, gzip;q=0"})
    assert "content-encoding" not in refused.headers
    for accepted in ("gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.8"):
        with client.stream("GET", address, headers={"accept-encoding": accepted}) as response:
            raw = b"".join(response.iter_raw())
        assert response.headers["content-encoding"] == "gzip"
        assert "accept-encoding" in response.headers["vary"].lower()
        assert len(raw) < len(gzip.compress(plain.content, 9)), "packed when it was built"
        assert gzip.decompress(raw) == plain.content


def test_the_script_cannot_make_markup_of_text(client: httpx.Client) -> None:
    script = client.get("/widget.js", follow_redirects=True).text
    sinks = r"(inner|outer|set)HTML|insertAdjacent|document\.write|\beval\(|Function\(|DOMParser|createContextual"
    assert re.findall(sinks, script) == []


def test_configured_origins_may_frame_the_page(serve: Serve, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, encoder="hashing", reader="words", frame_ancestors="https://news.example")
    with serve(settings) as client:
        assert "frame-ancestors https://news.example;" in client.get("/").headers["content-security-policy"]
        assert "frame-ancestors 'none'" in client.get("/docs").headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/widget/configure.css", "/widget/..%2Fpackage.json", "/widget/index.html"])
def test_nothing_but_the_built_files_is_served(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404
