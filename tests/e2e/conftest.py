"""Services for tests from outside: the real one in its own process, and one that streams what a test tells it to."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from embeddings.types import Article
from qa.server.http.sse import Message, encode
from qa.server.routes.widget import load_widget
from qa.server.wire import KeptAnswer
from qa.types import (
    Answer,
    AnswerEvent,
    Citation,
    Claim,
    ClaimEvent,
    Event,
    SearchResult,
    SearchResultsEvent,
    Usage,
)

READY = re.compile(r"^Sourceline is ready at (http://\S+)$")

BRIDGE = "The Osprey Bridge will be closed to all motor traffic for 16 months from July 1, the roads department said."
ARTICLES = [
    {
        "id": "bridge",
        "title": "Osprey Bridge to shut",
        "text": f"{BRIDGE}\n\nInspectors found cracks in 27 of its 96 steel hangers.\n\nTwo ferries will run.",
        "source": "Kelmar Dispatch",
        "url": "https://example.org/bridge",
        "published_at": "2024-06-14",
    },
    {
        "id": "kites",
        "title": "Kite festival 🪁 in Ostara",
        "text": "Organisers 😀 of the 🪁🎏 fair sold 9,000 tickets 👨‍👩‍👧 early.\n\n"
        "The kite festival of Ostara 🪁 drew 12,000 visitors 🎏 on Sunday.",
        "source": "Ostara Daily",
        "published_at": "2024-04-07",
    },
    {
        "id": "miyah",
        "title": "عودة ضخ المياه إلى عين سرحة",
        "text": "أعلنت مؤسسة المياه عودة الضخ إلى المدينة يوم الأربعاء.\n\n"
        "ويبلغ عدد سكان مدينة عين سرحة نحو 47 ألف نسمة، وقد اعتمد معظمهم على صهاريج.",
        "source": "وكالة الساحل",
        "published_at": "2024-06-12",
        "language": "ar",
    },
]


class Service:
    """`qa serve` in a process of its own, on a port that stays the same over restarts.

    `{url}` in a setting is its own address.
    """

    def __init__(self, folder: Path, repo: Path, **variables: str) -> None:
        self.folder, self._repo, self._variables = folder, repo, variables
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    @property
    def environment(self) -> dict[str, str]:
        """Variables of this process, also for commands beside it."""
        named = {name: value.replace("{url}", self.url) for name, value in self._variables.items()}
        settings = {"QA_DATA_DIR": str(self.folder), "QA_ENCODER": "hashing", "QA_READER": "words", **named}
        return {**os.environ, **settings, "PYTHONPATH": str(self._repo), "PYTHONUNBUFFERED": "1"}

    def ingest(self, folder: Path) -> None:
        """Add the articles of a folder, as `qa ingest` does, while the service is down."""
        self.kill()
        command = [sys.executable, "-m", "qa", "ingest", str(folder)]
        subprocess.run(command, cwd=self._repo, env=self.environment, check=True, capture_output=True)
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "qa", "serve", "--port", str(self.port)],
            cwd=self._repo,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        assert READY.match(self._process.stdout.readline())

    def restart(self, **variables: str) -> None:
        """Start again with further settings."""
        self.kill()
        self._variables.update(variables)
        self.start()

    def kill(self) -> None:
        with self._process:
            self._process.kill()

    def add(self, *articles: dict[str, Any]) -> None:
        httpx.post(f"{self.url}/api/articles", json=list(articles)).raise_for_status()


@pytest.fixture(scope="session")
def begin_service(tmp_path_factory: pytest.TempPathFactory, repo: Path) -> Iterator[Callable[..., Service]]:
    """Start a service on a folder of its own; variables are settings, `{url}` in them is its address."""
    begun: list[Service] = []

    def begin(**variables: str) -> Service:
        begun.append(Service(tmp_path_factory.mktemp("data"), repo, **variables))
        return begun[-1]

    yield begin
    for service in begun:
        service.kill()


@pytest.fixture(scope="session")
def service(begin_service: Callable[..., Service]) -> Service:
    """A service that holds ARTICLES, which no test changes."""
    found = begin_service()
    found.add(*ARTICLES)
    return found


@pytest.fixture(scope="session")
def bridge() -> dict[str, Any]:
    """The first of ARTICLES."""
    return ARTICLES[0]


Script = Callable[[dict[str, Any]], Iterator[Event | bytes | int]]


class ScriptedService:
    """The widget's files, and answers that a test writes: `script` gives events, bytes as they are, or a status."""

    def __init__(self) -> None:
        self.script: Script = lambda _: iter(())
        self.articles: dict[str, Article] = {}
        self.starters: list[str] | int = []
        self.complete = True
        self.follow_ons: list[dict[str, str]] = []
        self.queries: list[dict[str, list[str]]] = []
        self.found: tuple[SearchResult, ...] = ()
        self.kept: Answer | None = None
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.feedback: list[dict[str, Any]] = []
        self.problem_headers: dict[str, str] = {}
        self.widget = load_widget()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.service = self  # type: ignore[attr-defined]
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> ScriptedService:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(120)


class Handler(BaseHTTPRequestHandler):
    """One request to a ScriptedService, which hangs on the server object."""

    @property
    def service(self) -> Any:
        return self.server.service  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None: ...

    def query(self) -> dict[str, list[str]]:
        found = parse_qs(urlsplit(self.path).query)
        self.service.queries.append(found)
        return found

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        name = path.rpartition("/")[2]
        if path == "/":
            self.reply(
                self.service.widget.html.content, "text/html", **{"content-security-policy": self.service.widget.policy}
            )
        elif file := self.service.widget.files.get(name) or self.service.widget.languages.get(name):
            self.reply(file.content, file.media_type)
        elif path == "/api/starters" and "about" in self.query():
            self.reply(msgspec.json.encode({"starters": self.service.follow_ons, "complete": True}))
        elif path == "/api/starters" and isinstance(self.service.starters, int):
            self.reply(b"{}", status=self.service.starters)
        elif path == "/api/starters":
            starters = [{"question": one} for one in self.service.starters]
            self.reply(msgspec.json.encode({"starters": starters, "complete": self.service.complete}))
        elif path.startswith("/api/answers/") and self.service.kept:
            kept = KeptAnswer(asked_at="2024-06-20T08:00:00Z", answer=self.service.kept, withheld=0)
            self.reply(msgspec.json.encode(kept))
        elif path.startswith("/api/articles/") and name in self.service.articles:
            self.reply(msgspec.json.encode(self.service.articles[name]))
        else:
            self.reply(b"{}", status=404)

    def do_POST(self) -> None:
        body = msgspec.json.decode(self.rfile.read(int(self.headers["content-length"])))
        self.service.headers.append({name.lower(): value for name, value in self.headers.items()})
        if self.path == "/api/ask":
            self.service.asked.append(body)
            self.stream(self.service.script(body))
        elif self.path == "/api/search":
            self.reply(msgspec.json.encode({"search_results": self.service.found}))
        else:
            self.service.feedback.append(body)
            self.reply(b"{}")

    def stream(self, events: Iterator[Event | bytes | int]) -> None:
        begun = False
        try:
            for number, event in enumerate(events, 1):
                if isinstance(event, int):
                    problem = {"type": "/problems/scripted", "status": event, "detail": "as the test wants it"}
                    self.reply(msgspec.json.encode(problem), status=event, **self.service.problem_headers)
                    return
                if not begun:
                    self.send_response(200)
                    self.send_header("content-type", "text/event-stream")
                    self.end_headers()
                    begun = True
                self.wfile.write(event if isinstance(event, bytes) else sent(event, number))
                self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            pass  # the reader stopped it

    def reply(self, body: bytes, kind: str = "application/json", *, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content-type": f"{kind}; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def sent(event: Event, number: int) -> bytes:
    payload = event.answer if isinstance(event, AnswerEvent) else event
    data = msgspec.json.encode(payload)
    return encode(Message(event=str(event.__struct_config__.tag), id=str(number), data=data))


@pytest.fixture
def scripted() -> Iterator[ScriptedService]:
    with ScriptedService() as service:
        yield service


def compose(sentences: list[str], article: Article, **changes: Any) -> Answer:
    """An answer in which each sentence cites the same sentence of an article, where that has it."""
    text, claims, citations = "", [], []
    for number, sentence in enumerate(sentences, 1):
        start = len(text) + (1 if text else 0)
        text = f"{text} {sentence}" if text else sentence
        place = article.text.find(sentence)
        found = (place, place + len(sentence)) if place >= 0 else (0, min(len(article.text), 80))
        cited = Citation(
            id=f"c{number}",
            start=start,
            end=len(text),
            article_id=article.id,
            article_version=article.version,
            title=article.title,
            source=article.source,
            url=article.url,
            published_at=article.published_at,
            cited_text=article.text[found[0] : found[1]],
            start_char_index=found[0],
            end_char_index=found[1],
        )
        citations.append(cited)
        ids = (cited.id,)
        claims.append(
            Claim(text=sentence, start=start, end=len(text), verdict="supported", support_score=0.9, citation_ids=ids)
        )
    fields = {
        "id": "ans_1",
        "conversation_id": None,
        "question": "?",
        "resolved_query": "",
        "as_of": "2024-06-20T00:00:00Z",
        "answer": text,
        "answer_mode": "generated",
        "fallback_reason": None,
        "abstain_reason": None,
        "short_answer": None,
        "claims": tuple(claims),
        "citations": tuple(citations),
        "conflicts": (),
        "search_results": (),
        "support_score": 0.9,
        "usage": Usage(),
        "timings_ms": {},
    }
    return Answer(**{**fields, **changes})


def unfold(answer: Answer) -> Iterator[Event]:
    """The events in which an answer comes."""
    yield SearchResultsEvent(
        id=answer.id,
        conversation_id=answer.conversation_id,
        question=answer.question,
        resolved_query=answer.resolved_query,
        as_of=answer.as_of,
        search_results=answer.search_results,
        understood_period=answer.understood_period,
    )
    for claim in answer.claims:
        cited = tuple(one for one in answer.citations if one.id in claim.citation_ids)
        yield ClaimEvent(claim=claim, citations=cited)
    yield AnswerEvent(answer=answer)


@pytest.fixture(scope="session")
def answering() -> tuple[Callable[..., Answer], Callable[[Answer], Iterator[Event]]]:
    """How a test writes an answer, and the events in which it comes."""
    return compose, unfold
