"""A web of our own for the sources: a server in the test's process that answers as each test says, on loopback."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import HashingEncoder
from embeddings.errors import StoreError
from embeddings.types import Article, Where
from qa.access import origins
from qa.settings import Settings
from qa.sources.delivery import ToStore
from qa.sources.fetching import Fetcher, Limits
from qa.sources.ledger import Feed, Ledger
from qa.sources.visits import Feeds

LOOPBACK = origins.parse_networks("127.0.0.1", setting="QA_FEED_NETWORKS")

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers from the web that its server holds."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        web: Web = self.server.web  # type: ignore[attr-defined]
        if self.path != "/robots.txt" or self.path in web.pages:  # a site without one is what most tests are about
            web.asked.append((self.path, dict(self.headers.items())))
        self.close_connection = True
        web.pages.get(self.path, web.missing)(self)

    def give(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        said = {"Content-Length": str(len(body))} | {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in said.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Web:
    """What is on the server, and what was asked of it."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.pages: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.handler = Handler
        self.released = threading.Event()
        """Whatever hangs goes on when this is set."""

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def missing(self, handler: Handler) -> None:
        handler.give(404)

    def put(self, path: str, body: bytes | str, *, kind: str = "application/rss+xml", **headers: str) -> str:
        """A document that is the same until it is put anew, and says so."""
        content = body.encode() if isinstance(body, str) else body
        tag = f'"{hash(content)}"'

        def answer(handler: Handler) -> None:
            if handler.headers.get("if-none-match") == tag:
                handler.give(304, ETag=tag)
                return
            packed = headers.get("Content_Encoding") == "gzip"
            handler.give(200, gzip.compress(content) if packed else content, Content_Type=kind, ETag=tag, **headers)

        self.pages[path] = answer
        return self.base + path

    def say(self, path: str, status: int, **headers: str) -> str:
        self.pages[path] = lambda handler: handler.give(status, **headers)
        return self.base + path

    def hang(self, path: str, *, first: bytes = b"") -> str:
        """An answer that begins and does not go on."""

        def answer(handler: Handler) -> None:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + first)
            handler.wfile.flush()
            self.released.wait(300)

        self.pages[path] = answer
        return self.base + path


@pytest.fixture
def web() -> Iterator[Web]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    server.web = found = Web(server.server_address[1])  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    found.released.set()
    server.shutdown()
    server.server_close()
    thread.join(60)


@pytest.fixture
def fetcher() -> Fetcher:
    return quick()


def quick(**limits: Any) -> Fetcher:
    """One that waits for nobody, and may ask 127.0.0.1 and nothing else of this machine."""
    return Fetcher(allowed=LOOPBACK, limits=Limits(**({"pause": 0.0} | limits)))


class Newsroom:
    """A store, a ledger beside it, a clock, and feeds over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(data_dir=folder, encoder="hashing", reader="words")
        self.ledger = Ledger.open(folder)
        self.now = 1_000_000.0
        store = ToStore(self.settings, collection="default")
        self.feeds = Feeds(self.ledger, fetcher=quick(), deliver=lambda _: store, now=lambda: self.now)

    def add(self, url: str, **said: Any) -> Feed:
        feed = Feed(url=url, **said)
        self.ledger.add(feed)
        return feed

    def turn(self) -> Mapping[str, int]:
        """Give every feed that is due its turn, and let its time pass; say what came of them."""
        outcomes: dict[str, int] = {}
        for feed in self.feeds.due():
            for outcome, number in self.feeds.turn(feed).delivered.outcomes.items():
                outcomes[outcome] = outcomes.get(outcome, 0) + number
        self.now += 100_000
        return outcomes

    @property
    def feed(self) -> Feed:
        (feed,) = self.ledger.feeds()
        return feed

    @property
    def articles(self) -> list[Article]:
        return held(self.folder)


def held(folder: Path) -> list[Article]:
    """What a store holds now."""
    try:
        corpus = EmbeddedCorpus.open(folder, identity=HashingEncoder.identity, read_only=True)
    except StoreError:  # none yet, or one that is being made
        return []
    try:
        return list(corpus.scan(where=Where(), after=None, limit=9_999))
    finally:
        corpus.close()


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    found = Newsroom(tmp_path / "data")
    yield found
    found.ledger.close()


def rss(*entries: Mapping[str, str]) -> str:
    """A feed of entries, each with the elements given."""
    items = "".join(
        f"<item>{''.join(f'<{name}>{value}</{name}>' for name, value in entry.items())}</item>" for entry in entries
    )
    return (
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Daily</title>'
        f"{items}</channel></rss>"
    )


def whole(number: int, base: str) -> dict[str, str]:
    """An entry that holds its article."""
    return {
        "title": f"Report {number} from the harbour",
        "link": f"{base}/news/{number}",
        "pubDate": "Tue, 04 Jun 2024 10:00:00 GMT",
        "content:encoded": f"Report number {number}: ferry {number} left Velda's harbour with {number + 40} people.",
    }


def teaser(number: int, base: str) -> dict[str, str]:
    """An entry that only says what its page is about."""
    return whole(number, base) | {"content:encoded": f"Ferry {number} left the harbour …"}


def page(number: int, *, more: str = "") -> str:
    """The page of such an entry."""
    told = (
        f"Ferry {number} left the harbour of Velda on Tuesday with {number + 40} people and nine cars on board. {more}"
    )
    rest = "The harbour had been shut for four days because of the storm, the port authority said in the morning."
    return (
        f"<html><head><title>Ferry {number} leaves</title></head><body><nav>Home | News | Sport</nav><article>"
        f"<h1>Ferry {number} leaves</h1><p>{told}</p><p>{rest}</p></article></body></html>"
    )


@pytest.fixture(scope="session")
def make() -> Any:
    """Functions of this file for its tests: they are no package."""

    class Made:
        rss = staticmethod(rss)
        whole = staticmethod(whole)
        teaser = staticmethod(teaser)
        page = staticmethod(page)
        quick = staticmethod(quick)
        held = staticmethod(held)

    return Made
