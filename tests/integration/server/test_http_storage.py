"""A disk without room: named, a matter of writes alone, and over when there is room again."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from embeddings.errors import StoreFull
from embeddings.store.database import Store
from qa.server import monitoring, records, run
from qa.server.monitoring import Storage
from qa.server.parts import Parts
from qa.settings import Settings

ARTICLE = {
    "id": "quay",
    "title": "Quay",
    "text": "The quay of Velda was shut on Monday. About 4,200 people work there.",
}
LONG = {
    "id": "long",
    "title": "Long",
    "text": " ".join(f"Sentence {n} of a long report on the quay." for n in range(4000)),
}


class Disk:
    """Parts whose store can be told that there is no more room; SQLite then says what it says of a full disk."""

    parts: Any = None

    def load(self, settings: Settings) -> Parts:
        self.parts = run.load(settings)
        return self.parts

    def limit(self, pages: int) -> None:
        self.parts.corpus._store._writer.pragma("max_page_count", pages)


@pytest.fixture
def full(serve: Any, settings: Settings) -> Iterator[tuple[httpx.Client, Disk]]:
    disk = Disk()
    with serve(settings, load=disk.load) as client:
        client.post("/api/articles", json=ARTICLE).raise_for_status()
        disk.limit(1)  # of those there are none is taken away
        yield client, disk


def test_a_full_disk_concerns_writes_alone(full: tuple[httpx.Client, Disk], check_problem: Any) -> None:
    client, disk = full
    problem = check_problem(client.post("/api/articles", json=LONG), "disk-full")
    assert "disk" in problem.detail
    assert client.post("/api/ask", json={"question": "How many people work there?"}).status_code == 200
    assert client.get("/api/articles/long").status_code == 404
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["writes"]) == (200, "disk_full")
    check_problem(client.get("/health/ready", params={"writes": "true"}), "disk-full")
    assert "sourceline_writable 0.0" in client.get("/metrics").text
    disk.limit(1_000_000)
    client.post("/api/articles", json=LONG).raise_for_status()
    assert client.get("/health/ready", params={"writes": "true"}).json()["writes"] == "open"
    assert "sourceline_writable 1.0" in client.get("/metrics").text


def test_a_disk_that_is_nearly_full_is_told_before_a_write_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", ["total", "used", "free"])
    found = Storage(tmp_path)
    monkeypatch.setattr(monitoring.shutil, "disk_usage", lambda _: usage(100, 99, 1_000_000))
    assert found.writes == "disk_full"
    with pytest.raises(StoreFull):
        found.require_writes()
    monkeypatch.setattr(monitoring.shutil, "disk_usage", lambda _: usage(100, 0, 10**12))
    found.require_writes()


def test_readiness_says_that_another_process_writes(serve: Any, settings: Settings, check_problem: Any) -> None:
    with serve(settings) as client:
        client.post("/api/articles", json=ARTICLE).raise_for_status()
        assert client.get("/health/ready").json()["writes"] == "open", "it holds the lock itself"
    other = Store.open(settings.data_dir)
    with serve(settings) as client:
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["writes"]) == (200, "busy")
        check_problem(client.get("/health/ready", params={"writes": "true"}), "store-busy")
        check_problem(client.post("/api/articles", json=LONG), "store-busy")
        assert "sourceline_writable 0.0" in client.get("/metrics").text
        other.close()
        assert client.get("/health/ready").json()["writes"] == "open", "the next article takes over"
        client.post("/api/articles", json=LONG).raise_for_status()
        assert client.get("/health/ready", params={"writes": "true"}).status_code == 200


def test_an_answer_that_cannot_be_kept_is_served_all_the_same(
    serve: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened: list[Any] = []
    real = records._opened
    monkeypatch.setattr(records, "_opened", lambda place: opened.append(real(place)) or opened[-1])
    question = {"question": "How many people work there?"}
    with serve(settings) as client:
        client.post("/api/articles", json=ARTICLE).raise_for_status()
        kept = client.post("/api/ask", json=question | {"store": True}).json()
        assert not kept["not_kept"]
        opened[0]._db.pragma("max_page_count", 1)  # of those there are none is taken away
        for _ in range(5):
            client.post("/api/ask", json=question | {"store": True}).raise_for_status()
        begun = client.post("/api/ask", json=question | {"store": True})
        assert begun.status_code == 200
        assert (begun.json()["answer"], begun.json()["not_kept"]) == (kept["answer"], True)
        assert begun.json()["conversation_id"] is None, "there is none"
        assert "served and not kept" in caplog.text
        further = client.post("/api/ask", json=question | {"conversation_id": kept["conversation_id"]}).json()
        assert (further["answer"], further["not_kept"]) == (kept["answer"], True)
        stream = client.post("/api/ask", json=question | {"store": True, "stream": True}).text
        assert '"not_kept":true' in stream
        turns = client.get(f"/api/conversations/{kept['conversation_id']}").json()["turns"]
        assert [turn["answer"]["id"] for turn in turns] == [kept["id"]], "what was kept can be read"


class Reranker:
    """Counts how often it was used."""

    identity = "counting"
    used = 0

    def scores(self, question: str, texts: Any) -> Any:
        del question
        self.used += 1
        return [1.0 - n / 100 for n, _ in enumerate(texts)]


@pytest.mark.parametrize(
    ("named", "checks"),
    [({"llm_base_url": "http://127.0.0.1:9/v1", "llm_model": "m"}, 1), ({"support_checker": "named"}, 1), ({}, 0)],
)
def test_everything_that_answers_was_used_before_the_service_is_ready(
    named: dict[str, str],
    checks: int,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The store is empty, and still nothing is left to load for the first question; without a model none is checked."""
    reranker, checked = Reranker(), []

    class Checker:
        identity = "counting"

        def check(self, *said: Any, **_: Any) -> None:
            checked.append(said)

    monkeypatch.setattr("qa.assembly.load_reranker", lambda *_, **__: reranker)
    monkeypatch.setattr("qa.grounding.load_checker", lambda *_, **__: Checker())
    caplog.set_level(logging.INFO)
    parts = run.load(msgspec.structs.replace(settings, **named))
    parts.corpus.close()
    assert "sourceline-" not in caplog.text, "of the rehearsal nothing is said"
    assert reranker.used == 1
    assert len(checked) == checks


_AS_READER = """
import asyncio, os, sys
from pathlib import Path
from embeddings.errors import StoreReadOnly
from qa.errors import NotFound
from qa.server import run
from qa.server.service import Service
from qa.settings import Settings
from qa.types import Question

settings = Settings(data_dir=Path(sys.argv[1]), encoder="hashing", reader="words")

async def ask(service):
    await service.start()
    answer = await service.ask(Question(question="How many people work there?", store=True), owner="", within=None)
    try:
        await service.delete("quay", within=None, by="")
    except StoreReadOnly:
        print(answer.answer_mode, len(answer.search_results), service.storage.writes, answer.not_kept)
    except NotFound:
        pass  # the first run, over an empty store
    await service.close()

asyncio.run(ask(Service(settings.__class__(data_dir=Path(sys.argv[2]), encoder="hashing"), load=run.load)))
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
asyncio.run(ask(Service(settings, load=run.load)))
"""


def test_a_folder_that_is_read_only_still_answers(serve: Any) -> None:
    """In a process of its own, which may give up the rights of root; its first run imports what it could not after."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        folder = top / "data"
        with serve(Settings(data_dir=folder, encoder="hashing", reader="words")) as client:
            client.post("/api/articles", json=ARTICLE).raise_for_status()
        for file in folder.rglob("*"):
            file.chmod(0o555 if file.is_dir() else 0o444)
        folder.chmod(0o555)
        try:
            run = subprocess.run(
                [sys.executable, "-c", _AS_READER, str(folder), str(top / "other")],
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            folder.chmod(0o755)
            for file in folder.rglob("*"):
                file.chmod(0o755)
    assert run.stdout.split() == ["extractive", "1", "read_only", "True"], run.stderr
