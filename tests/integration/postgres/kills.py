"""kill -9 of a service, a worker and the server, again and again, while articles come, change and go: `make kills`.

What was acknowledged is remembered here, outside the killed processes. After every kill each article must be as it
was acknowledged, or as the one act that was under way would leave it; nothing deleted is found, and every citation,
also of answers kept long before, is the very words of its article. So it must be where all is encoded anew and another
encoder's vectors are switched to, and where a primary is lost for good and its replica promoted. Not collected by name:
it takes two hours.
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import httpx
import msgspec
import psycopg
import pytest

from embeddings.encoders import EncoderIdentity, HashingEncoder
from embeddings.opening import active_identity, open_corpus
from embeddings.postgres.schema import lock_key
from embeddings.types import Place, RawArticle, Where
from qa.server.job_queue import JobQueue

KILLS = int(os.environ.get("KILLS", "3"))
SEED = int(os.environ.get("KILLS_FIRST", "0"))
"""So that a long run can be done in pieces."""
IDS = [f"a{number}" for number in range(24)]
BATCH = 12
MORE = 150
"""Articles besides, so that a switch takes a while."""
REVISION = "ENCODER_REVISION"
Kind = Literal["ingest", "update", "delete"]
KINDS: tuple[Kind, ...] = ("ingest", "update", "delete")


def main() -> None:
    """Start `qa` in forks that have everything loaded: one job a line; the id of one takes it away, its negative waits.

    A revision makes the encoder another one, as an upgrade would.
    """
    for name in ("embeddings.postgres.corpus", "qa.server.app", "qa.server.run"):
        importlib.import_module(name)
    from qa.cli import program

    for line in sys.stdin:
        job = json.loads(line)
        if isinstance(job, int):
            if job > 0:
                os.kill(job, signal.SIGKILL)
            say(os.waitstatus_to_exitcode(os.waitpid(abs(job), 0)[1]))
            continue
        child = os.fork()
        if child == 0:
            log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            for target in (0, 1, 2):
                os.dup2(log, target)
            os.environ.update(job["environment"])
            HashingEncoder.identity = identity(os.environ.get(REVISION, "1"))
            program.main(job["words"], standalone_mode=True)
        say(child)


def identity(revision: str) -> EncoderIdentity:
    """What an encoder of that revision calls itself."""
    return msgspec.structs.replace(HashingEncoder.identity, revision=revision)


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

    def start(self, *words: str, revision: int = 1) -> int:
        environment = self.environment | {REVISION: str(revision)}
        job = {"words": words, "environment": environment, "log": str(self.folder / "log")}
        self.running.append(self.told(job))
        return self.running[-1]

    def kill(self, process: int) -> None:
        self.running.remove(process)
        self.told(process)

    def wait(self, process: int) -> int:
        """Until it has ended; its exit code."""
        self.running.remove(process)
        return self.told(-process)

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

    def anew(self) -> Publisher:
        """One for another store, that goes on counting."""
        other = Publisher()
        other.counts = self.counts
        return other

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.client.request(method, f"{self.url}{path}", **more)

    def send(self, kind: Kind, draw: random.Random, *, among: Sequence[str] = IDS) -> bool:
        """One act; whether it was acknowledged. What was not may have been done, or be done in a moment."""
        wanted: dict[str, str | None] = {}
        if kind == "delete":
            wanted[draw.choice([name for name in among if self.allowed[name] != {None}] or among)] = None
        else:
            present = {name for name in among if self.allowed[name] != {None}}
            fitting = [name for name in among if (name in present) == (kind == "update")] or among
            for name in draw.sample(fitting, min(BATCH, len(fitting))):
                self._serial += 1
                wanted[name] = f"Report {self._serial} of Velda says that {self._serial} ships came to the harbour."
        return self.send_these(wanted)

    def send_these(self, wanted: dict[str, str | None]) -> bool:
        """Send some texts, or one deletion."""
        with self._lock:
            for name, text in wanted.items():
                self.allowed[name] = self.allowed[name] | {text}
        kind = "delete" if None in wanted.values() else "put"
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
            if one["article_id"] in now:
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

    def __init__(self, server: Any, programs: Programs, *, workers: bool, publisher: Publisher | None = None) -> None:
        self.server, self.programs, self.publisher = server, programs, publisher or Publisher()
        self.service = 0
        self.worker = programs.start("work") if workers else 0
        self.start_service()

    def start_service(self, *, revision: int = 1) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.service = self.programs.start("serve", "--port", str(port), revision=revision)
        self.publisher.url = f"http://127.0.0.1:{port}"

    def take_away(self, victim: str) -> None:
        """Kill the service or the server, and start it again."""
        if victim == "service":
            self.programs.kill(self.service)
            self.start_service()
        else:
            self.server.kill()
            self.server.start()

    def unfinished(self) -> int:
        """How many workers have left a job in its midst."""
        with psycopg.connect(self.server.url()) as db:
            return int(db.execute("SELECT count(*) FROM sourceline.beginnings").fetchall()[0][0])

    def waiting(self) -> bool:
        """Whether a job is not done yet."""
        with psycopg.connect(self.server.url()) as db:
            return bool(db.execute("SELECT 1 FROM sourceline.jobs WHERE state = 'waiting'").fetchone())

    def at_work(self) -> bool:
        """Wait until a worker has a job in hand; whether one came to have one."""
        before, until = self.unfinished(), time.monotonic() + 60
        with psycopg.connect(self.server.url(), autocommit=True) as db:
            while time.monotonic() < until:
                if db.execute("SELECT count(*) FROM sourceline.beginnings").fetchall()[0][0] > before:
                    return True
        return False

    def switching(self, *, seconds: float) -> bool:
        """Wait until somebody has the store alone, as whoever switches to other vectors; whether that was seen."""
        key, until = lock_key("writing", "sourceline"), time.monotonic() + seconds
        halves = (key >> 32) & 0xFFFFFFFF, key & 0xFFFFFFFF
        held = "SELECT 1 FROM pg_locks WHERE mode = 'ExclusiveLock' AND classid = %s AND objid = %s AND granted"
        with psycopg.connect(self.server.url(), autocommit=True) as db:
            while time.monotonic() < until:
                if db.execute(held, halves).fetchone():
                    return True
        return False

    def not_searchable(self) -> int:
        """How many articles have no passages in what is searched."""
        with psycopg.connect(self.server.url(), options="-c search_path=sourceline") as db:
            found = db.execute(
                "SELECT count(*) FROM articles JOIN generations ON active LEFT JOIN encodings ON article ="
                " articles.number AND version = current AND generation = generations.number WHERE article IS NULL"
            )
            return int(found.fetchall()[0][0])

    def searched(self) -> int:
        """The revision of the encoder whose vectors are searched."""
        found = active_identity(Place(server=self.server.url(), timeout=300))
        assert found is not None
        return int(found.revision)

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

        def go_on(kind: Kind, among: Sequence[str], stop: threading.Event = stop, begun: Any = begun) -> None:
            while not stop.is_set():
                begun.set()
                if not publisher.send(kind, draw, among=among):
                    return

        acts: list[tuple[Kind, Sequence[str]]] = [(kind, IDS)]
        if victim == "worker" and kind == "delete":  # which is left to no worker: it has something else to do
            acts = [("delete", IDS[::2]), ("update", IDS[1::2])]
        sending = [threading.Thread(target=go_on, args=act) for act in acts]
        for each in sending:
            each.start()
        assert begun.wait(300)
        if victim == "worker":
            left, _ = room.unfinished(), room.at_work()
            time.sleep(draw.uniform(0, 0.02))
        else:
            time.sleep(draw.uniform(0, 0.5))  # at any moment: nothing here waits for it
        if victim == "worker":
            room.programs.kill(room.worker)
            publisher.counts["in the midst of a job"] += room.unfinished() > left
            room.worker = room.programs.start("work")
        else:
            room.take_away(victim)
        stop.set()
        room.wait()
        for each in sending:
            each.join(300)
            assert not each.is_alive()
        publisher.counts["kills"] += 1
        publisher.check(draw)
    say(json.dumps({"killed": victim} | publisher.counts))
    unharmed(room, HashingEncoder.identity)


def unharmed(room: Newsroom, searched: EncoderIdentity, *, may_be_lost: bool = False) -> None:
    """Nothing was lost, nothing false was found, and everything is as it was stored."""
    lost = (
        "articles lost or wrong",
        "articles not searchable",
        "deleted or old found",
        "answers lost",
        "quotes altered",
    )
    for what in lost[2:] if may_be_lost else lost:
        assert not room.publisher.counts[what], what
    place = Place(server=room.server.url(), timeout=300)
    with closing(open_corpus(place, identity=searched, read_only=True)) as corpus:
        assert corpus.verify() == []


@pytest.mark.parametrize("victim", ["switcher", "worker", "service", "server"])
def test_another_encoder_is_switched_to_wholly_or_not_at_all(victim: str, newsroom: Callable[..., Newsroom]) -> None:
    """`qa index rebuild`, or a worker that is sent everything again, encodes all; one dies; then it is repeated."""
    room = newsroom(workers=False)
    publisher, draw = room.publisher, random.Random(f"switch {victim} {SEED}")
    assert publisher.send_these({name: f"Report {name} of Velda: ships came to the harbour." for name in IDS})
    assert publisher.request("POST", "/api/articles", json=besides()).is_success
    for number in range(KILLS):
        switch = Switch(room, victim, revision=number + 2)
        switch.begin(draw)
        if number % 3 == 0:
            time.sleep(draw.uniform(0, 1))
        else:
            publisher.counts["switch under way"] += room.switching(seconds=60)
            time.sleep(draw.uniform(0, 0.01))
        switch.kill()
        before = room.searched() < switch.revision
        publisher.counts["not switched then" if before else "switched then"] += 1
        if before and room.service:
            room.wait()
            publisher.check(draw)
        switch.end()
        if room.service:
            room.programs.kill(room.service)
        room.start_service(revision=switch.revision)
        room.wait()
        publisher.counts["kills"] += 1
        publisher.check(draw)
        publisher.counts["articles not searchable"] += room.not_searchable()
    say(json.dumps({"killed": victim, "while": "switching"} | publisher.counts))
    # Whoever was killed last may have left vectors that nobody searches any more.
    assert room.programs.wait(room.programs.start("index", "rebuild", revision=KILLS + 1)) == 0
    unharmed(room, identity(str(KILLS + 1)))
    place = Place(server=room.server.url(), timeout=300)
    with closing(open_corpus(place, identity=identity(str(KILLS + 1)), read_only=True)) as corpus:
        assert corpus.count(Where()).articles == MORE + sum(None not in texts for texts in publisher.allowed.values())


@pytest.mark.parametrize("waits", [True, False], ids=["synchronous", "asynchronous"])
def test_a_replica_takes_the_place_of_a_lost_primary(
    waits: bool, postgres_server: Any, repo: Path, tmp_path: Path
) -> None:
    """As docs/postgresql.md says: both are named in QA_STORE, and services find out which one may be written to."""
    publisher, draw = Publisher(), random.Random(f"promotion {SEED}")
    until_answered, until_stored = [], []
    for number in range(max(3, KILLS // 6)):
        with primary_and_replica(postgres_server, waits=waits) as (primary, replica):
            hosts = f"{primary.folder},{replica.folder}"
            url = f"{primary.url().split('?')[0]}?host={quote(hosts, safe='')}&target_session_attrs=read-write"
            environment = {"QA_STORE": url, "QA_ENCODER": "hashing", "QA_READER": "words"}
            (folder := tmp_path / str(number)).mkdir()
            room = Newsroom(primary, Programs(repo, folder, environment), workers=False, publisher=publisher.anew())
            publisher = room.publisher
            try:
                room.wait()
                answered, stored = promoted(room, replica, draw)
                until_answered.append(answered)
                until_stored.append(stored)
                room.server = replica
                publisher.counts["promotions"] += 1
                publisher.check(draw)
                unharmed(room, HashingEncoder.identity, may_be_lost=not waits)
            finally:
                publisher.client.close()
                room.programs.close()
    told = {"until answered": until_answered, "until stored": until_stored}
    say(json.dumps({"promoted": "synchronous" if waits else "asynchronous"} | publisher.counts | told))


@contextmanager
def primary_and_replica(postgres_server: Any, *, waits: bool) -> Iterator[tuple[Any, Any]]:
    """Two servers that write to the disk in earnest; with `waits`, what is acknowledged is on both."""
    settings = ("synchronous_standby_names=*",) if waits else ()
    with type(postgres_server)(durable=True) as primary, closing_all(primary.replica()) as replica:
        replica.start()
        primary.restart(*settings)
        with psycopg.connect(primary.url(), autocommit=True) as db:
            while not db.execute("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'").fetchone():
                time.sleep(0.05)
        yield primary, replica


@contextmanager
def closing_all(server: Any) -> Iterator[Any]:
    """A server that was made and not started; its folder goes at the end."""
    try:
        yield server
    finally:
        server.__exit__()


def promoted(room: Newsroom, replica: Any, draw: random.Random) -> tuple[float, float]:
    """Lose the primary while articles are sent, promote; seconds until answers, and until articles are stored."""
    publisher, stop = room.publisher, threading.Event()
    assert publisher.send("ingest", draw)

    def go_on() -> None:
        while not stop.is_set() and publisher.send("update", draw):
            pass

    sending = threading.Thread(target=go_on)
    sending.start()
    time.sleep(draw.uniform(0.3, 1.5))
    room.server.kill()
    began = time.monotonic()
    with psycopg.connect(replica.url(), autocommit=True) as db:
        db.execute("SELECT pg_promote()")
    asked = {"question": "How many ships came to the harbour of Velda?"}
    while not publisher.request("POST", "/api/ask", json=asked).is_success:
        time.sleep(0.05)
    answered = time.monotonic() - began
    stop.set()
    sending.join(300)
    while not publisher.send("update", draw):
        time.sleep(0.05)
    return round(answered, 2), round(time.monotonic() - began, 2)


def besides() -> list[dict[str, str]]:
    """Articles that never change."""
    return [{"id": f"z{number}", "text": f"Nothing {number} was said of the weir {number}."} for number in range(MORE)]


class Switch:
    """Everything is encoded anew by the encoder of a later revision, which ends in a switch to what that has made."""

    def __init__(self, room: Newsroom, victim: str, *, revision: int) -> None:
        self.room, self.victim, self.revision = room, victim, revision
        self.process = 0
        self._sending: threading.Thread | None = None

    def begin(self, draw: random.Random) -> None:
        """Start it; meanwhile the service, of the revision before, is sent changes."""
        publisher = self.room.publisher
        if self.victim == "worker":
            self.process = self.room.programs.start("work", revision=self.revision)
            self._queue()
            return
        self._sending = threading.Thread(target=publisher.send, args=("update", draw))
        self._sending.start()
        self.process = self.room.programs.start("index", "rebuild", revision=self.revision)

    def kill(self) -> None:
        """Take the victim away."""
        room = self.room
        if self.victim in {"switcher", "worker"}:
            room.programs.kill(self.process)
            self.process = 0
        elif self.victim == "service":
            room.programs.kill(room.service)
            room.service = 0
        else:
            room.server.kill()
            room.server.start()
            room.programs.wait(self.process)  # it goes on, or gives up
            self.process = 0
        if self._sending is not None:
            self._sending.join(300)

    def end(self) -> None:
        """Repeat it until it is done."""
        if self.victim == "worker":
            self.process = self.room.programs.start("work", revision=self.revision)
            until = time.monotonic() + 300
            while self.room.searched() < self.revision or self.room.waiting():
                assert time.monotonic() < until
                time.sleep(0.05)
            self.room.programs.kill(self.process)
            return
        if self.process:
            self.room.programs.wait(self.process)
        for _ in range(10):
            if self.room.searched() == self.revision:
                return
            assert self.room.programs.wait(self.room.programs.start("index", "rebuild", revision=self.revision)) == 0
        raise AssertionError("it does not end")

    def _queue(self) -> None:
        """Leave all articles, as they are, to the worker."""
        texts = {name: next(iter(texts)) for name, texts in self.room.publisher.allowed.items()}
        sent = [{"id": name, "title": f"Harbour {name}", "text": text} for name, text in texts.items()] + besides()
        items = [RawArticle(**each, origin="request:1") for each in sent]
        with closing(JobQueue(Place(server=self.room.server.url(), timeout=300))) as queue:
            queue.add(items, collection="default")


if __name__ == "__main__":
    main()
