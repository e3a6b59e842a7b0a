"""kill -9 of a service, a worker and the server, again and again, while articles come, change and go: `make kills`.

What was acknowledged is remembered here, outside the killed processes. After every kill each article must be as it
was acknowledged, or as the one act that was under way would leave it; nothing deleted is found, and every citation,
also of answers kept long before, is the very words of its article. Not collected by name: it takes an hour.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from embeddings.encoders.encoder import HashingEncoder
from embeddings.opening import open_corpus
from embeddings.types import Place

KILLS = int(os.environ.get("KILLS", "3"))
SEED = int(os.environ.get("KILLS_FIRST", "0"))
"""So that a long run can be done in pieces."""
IDS = [f"a{number}" for number in range(24)]
BATCH = 12
Kind = Literal["ingest", "update", "delete"]
KINDS: tuple[Kind, ...] = ("ingest", "update", "delete")


def main() -> None:
    """Start `qa` in forks that have everything loaded: one job a line; the id of one takes it away."""
    for name in ("embeddings.postgres.corpus", "qa.server.app", "qa.server.run"):
        importlib.import_module(name)
    from qa.cli import program

    for line in sys.stdin:
        job = json.loads(line)
        if isinstance(job, int):
            os.kill(job, signal.SIGKILL)
            os.waitpid(job, 0)
            say(0)
            continue
        child = os.fork()
        if child == 0:
            log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            for target in (0, 1, 2):
                os.dup2(log, target)
            os.environ.update(job["environment"])
            program.main(job["words"], standalone_mode=True)
        say(child)


def say(told: object) -> None:
    """One line, written at once and whole."""
    sys.stdout.write(f"{told}\n")
    sys.stdout.flush()


class Programs:
    """Starts `qa serve` and `qa work` on one store, and takes them away."""

    def __init__(self, repo: Path, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, {**environment, "QA_DATA_DIR": str(folder)}
        self.parent = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(repo)},
        )
        self.running: list[int] = []

    def start(self, *words: str) -> int:
        job = {"words": words, "environment": self.environment, "log": str(self.folder / "log")}
        self.running.append(self.told(job))
        return self.running[-1]

    def kill(self, process: int) -> None:
        self.running.remove(process)
        self.told(process)

    def told(self, job: object) -> int:
        assert self.parent.stdin is not None
        assert self.parent.stdout is not None
        self.parent.stdin.write(json.dumps(job) + "\n")
        self.parent.stdin.flush()
        return int(self.parent.stdout.readline())

    def close(self) -> None:
        for process in list(self.running):
            self.kill(process)
        assert self.parent.stdin is not None
        assert self.parent.stdout is not None
        self.parent.stdin.close()
        self.parent.wait(timeout=120)
        self.parent.stdout.close()


class Publisher:
    """Sends articles and deletions, asks, and remembers what it was told."""

    def __init__(self) -> None:
        self.url = ""
        self.client = httpx.Client(timeout=300)
        self.allowed: dict[str, set[str | None]] = {name: {None} for name in IDS}
        """Texts that an article may have now; None: there is none."""
        self.kept: list[dict[str, Any]] = []
        """Answers that were asked to be kept, as they were given."""
        self.counts: Counter[str] = Counter()
        self._serial = 0
        self._lock = threading.Lock()

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.client.request(method, f"{self.url}{path}", **more)

    def send(self, kind: Kind, draw: random.Random) -> bool:
        """One act; whether it was acknowledged. What was not may have been done, or be done in a moment."""
        wanted: dict[str, str | None] = {}
        if kind == "delete":
            wanted[draw.choice([name for name in IDS if self.allowed[name] != {None}] or IDS)] = None
        else:
            present = {name for name in IDS if self.allowed[name] != {None}}
            fitting = [name for name in IDS if (name in present) == (kind == "update")] or IDS
            for name in draw.sample(fitting, min(BATCH, len(fitting))):
                self._serial += 1
                wanted[name] = f"Report {self._serial} of Velda says that {self._serial} ships came to the harbour."
        with self._lock:
            for name, text in wanted.items():
                self.allowed[name] = self.allowed[name] | {text}
        acknowledged = self._deleted(wanted) if kind == "delete" else self._stored(wanted)
        self.counts["acknowledged" if acknowledged else "under way at a kill"] += 1
        with self._lock:
            self.allowed |= {name: {text} for name, text in wanted.items() if acknowledged}
        return acknowledged

    def _stored(self, wanted: dict[str, str | None]) -> bool:
        articles = [{"id": name, "title": f"Harbour {name}", "text": text} for name, text in wanted.items()]
        try:
            reply = self.request("POST", "/api/articles", json=articles)
        except httpx.TransportError:
            return False
        return reply.is_success and len(reply.json()["articles"]) == len(articles)

    def _deleted(self, wanted: dict[str, str | None]) -> bool:
        try:
            reply = self.request("DELETE", f"/api/articles/{next(iter(wanted))}")
        except httpx.TransportError:
            return False
        return reply.status_code in {204, 404}

    def ask(self, name: str) -> None:
        """Have an answer kept, if the service is there."""
        asked = {"question": f"How many ships came to the harbour of Velda, says {name}?", "store": True}
        reply = self.request("POST", "/api/ask", json=asked)
        if reply.is_success:
            self.kept.append(reply.json())

    def check(self, draw: random.Random) -> None:
        """Hold what the service says now against what it acknowledged."""
        now: dict[str, str | None] = {}
        for name in IDS:
            reply = self.request("GET", f"/api/articles/{name}")
            now[name] = None if reply.status_code == 404 else reply.raise_for_status().json()["text"]
            self.counts["articles lost or wrong"] += now[name] not in self.allowed[name]
            self.counts["articles checked"] += 1
        found = self.request("POST", "/api/search", json={"question": "ships in the harbour of Velda", "limit": 50})
        for one in found.raise_for_status().json()["search_results"]:
            self.counts["deleted or old found"] += one["text"] not in (now[one["article_id"]] or "")
            self.counts["results checked"] += 1
        self.ask(draw.choice(IDS))
        for answer in draw.sample(self.kept, min(3, len(self.kept))):
            self._check_quotes(answer)

    def _check_quotes(self, given: dict[str, Any]) -> None:
        reply = self.request("GET", f"/api/answers/{given['id']}")
        self.counts["answers lost"] += not reply.is_success
        if not reply.is_success or reply.json()["answer"]["abstain_reason"] == "source_withdrawn":
            return
        for cited in reply.json()["answer"]["citations"]:
            of = {"version": cited["article_version"]}
            article = self.request("GET", f"/api/articles/{cited['article_id']}", params=of)
            start, end = cited["start_char_index"], cited["end_char_index"]
            exact = article.is_success and article.json()["text"][start:end] == cited["cited_text"]
            self.counts["quotes altered"] += not exact
            self.counts["quotes checked"] += 1


class Newsroom:
    """A server, a service on it, a worker where wanted, and a publisher."""

    def __init__(self, server: Any, programs: Programs, *, workers: bool) -> None:
        self.server, self.programs, self.publisher = server, programs, Publisher()
        self.service = 0
        self.worker = programs.start("work") if workers else 0
        self.start_service()

    def start_service(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.service = self.programs.start("serve", "--port", str(port))
        self.publisher.url = f"http://127.0.0.1:{port}"

    def take_away(self, victim: str) -> None:
        """Kill it, and start it again."""
        if victim == "service":
            self.programs.kill(self.service)
            self.start_service()
        elif victim == "worker":
            self.programs.kill(self.worker)
            self.worker = self.programs.start("work")
        else:
            self.server.kill()
            self.server.start()

    def wait(self) -> None:
        """Until the service answers."""
        until = time.monotonic() + 300
        while True:
            try:
                if self.publisher.request("GET", "/health/ready").is_success:
                    return
            except httpx.TransportError:
                pass
            assert time.monotonic() < until, (self.programs.folder / "log").read_text()[-2000:]
            time.sleep(0.05)


@pytest.fixture
def newsroom(postgres_server: Any, repo: Path, tmp_path: Path) -> Iterator[Callable[..., Newsroom]]:
    with type(postgres_server)(durable=True) as server:
        environment = {"QA_STORE": server.url(), "QA_ENCODER": "hashing", "QA_READER": "words"}
        opened: list[Newsroom] = []

        def begin(*, workers: bool) -> Newsroom:
            programs = Programs(repo, tmp_path, environment | {"QA_WORKERS": "true" if workers else "false"})
            opened.append(Newsroom(server, programs, workers=workers))
            opened[-1].wait()
            return opened[-1]

        yield begin
        for room in opened:
            room.publisher.client.close()
            room.programs.close()


@pytest.mark.parametrize("victim", ["service", "worker", "server"])
def test_nothing_acknowledged_is_lost(victim: str, newsroom: Callable[..., Newsroom]) -> None:
    room = newsroom(workers=victim == "worker")
    publisher, draw = room.publisher, random.Random(f"{victim} {SEED}")
    assert publisher.send("ingest", draw)
    for number in range(KILLS):
        kind, stop, begun = KINDS[number % 3], threading.Event(), threading.Event()

        def go_on(kind: Kind = kind, stop: threading.Event = stop, begun: threading.Event = begun) -> None:
            while not stop.is_set():
                begun.set()
                if not publisher.send(kind, draw):
                    return

        sending = threading.Thread(target=go_on)
        sending.start()
        assert begun.wait(300)
        time.sleep(draw.uniform(0, 0.5))  # at any moment: nothing here waits for it
        room.take_away(victim)
        stop.set()
        room.wait()
        sending.join(300)
        assert not sending.is_alive()
        publisher.counts["kills"] += 1
        publisher.check(draw)
    say(json.dumps({"killed": victim} | publisher.counts))
    for what in ("articles lost or wrong", "deleted or old found", "answers lost", "quotes altered"):
        assert not publisher.counts[what], what
    place = Place(server=room.server.url(), timeout=300)
    with closing(open_corpus(place, identity=HashingEncoder.identity, read_only=True)) as corpus:
        assert corpus.verify() == []


if __name__ == "__main__":
    main()
