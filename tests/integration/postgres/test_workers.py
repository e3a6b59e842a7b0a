"""Workers take what services leave to them; one that is killed in the midst of a job leaves it to the next."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from embeddings.encoders import HashingEncoder
from embeddings.errors import StoreError
from embeddings.ingest import IngestReport
from embeddings.opening import KeptCorpus, open_corpus
from embeddings.types import Place, RawArticle, Rejected, Where
from qa.server import job_queue
from qa.server.job_queue import JobQueue, QueuedIngest, work

DONE = IngestReport(articles=(), rejected=(), passages_encoded=3, seconds=0.5)


@pytest.fixture
def place(postgres_server: Any, schema: str) -> Place:
    return Place(server=postgres_server.url(), schema=schema, timeout=300)


@pytest.fixture
def queue(place: Place) -> Iterator[JobQueue]:
    with closing(JobQueue(place)) as opened:
        yield opened


def article(number: int) -> RawArticle:
    text = f"Report {number} of the harbour says that {number + 7} ships came."
    return RawArticle(id=f"a{number}", title=f"Report {number}", text=text, origin=f"request:{number}")


def stored(job: QueuedIngest) -> Iterator[IngestReport]:
    for _ in job.items:
        yield DONE


def test_a_job_is_done_once_and_its_reports_are_kept(queue: JobQueue) -> None:
    items = [article(1), Rejected(origin="request:2", reason="no text"), article(3)]
    name = queue.add(items, collection="news", within=("news",))
    assert queue.add(items, collection="news", within=("news",)) == name, "sent again while it waits"
    assert queue.reports(name) is None
    found = list(work(queue, store=stored, stop=threading.Event(), once=True))
    assert [(job.collection, job.items, job.within) for job in found] == [("news", items, ("news",))]
    assert queue.reports(name) == (DONE,) * 3
    assert list(work(queue, store=stored, stop=threading.Event(), once=True)) == []
    assert queue.add(items, collection="news") != name, "whoever may write elsewhere sends something else"
    queue.add(items, collection="news", within=("news",))
    assert queue.reports(name) is None, "sent again afterwards, it is done again"


def test_many_workers_share_the_jobs(queue: JobQueue, place: Place) -> None:
    names = [queue.add([article(number)], collection="news") for number in range(12)]
    done: list[str | None] = []

    def run(_: int) -> None:
        with closing(JobQueue(place)) as own:
            for job in work(own, store=stored, stop=threading.Event(), once=True):
                done.extend(item.id for item in job.items if isinstance(item, RawArticle))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, range(3)))
    assert sorted(done, key=str) == sorted((f"a{number}" for number in range(12)), key=str)
    assert all(queue.reports(name) for name in names)


def test_who_is_stopped_or_loses_the_store_puts_the_job_back(queue: JobQueue) -> None:
    name = queue.add([article(1), article(2)], collection="news")
    stop = threading.Event()

    def stopped(_: QueuedIngest) -> Iterator[IngestReport]:
        stop.set()
        yield DONE

    def failing(_: QueuedIngest) -> Iterator[IngestReport]:
        raise StoreError("away")
        yield DONE

    for _ in range(job_queue._MOST_BEGINNINGS + 1):
        stop.clear()
        assert list(work(queue, store=stopped, stop=stop)) == []
        with pytest.raises(StoreError, match="away"):
            list(work(queue, store=failing, stop=threading.Event(), once=True))
    assert queue.reports(name) is None
    assert len(list(work(queue, store=stored, stop=threading.Event(), once=True))) == 1


def test_a_job_that_no_worker_outlives_is_given_up(queue: JobQueue) -> None:
    name = queue.add([article(1)], collection="news")

    def fatal(_: QueuedIngest) -> Iterator[IngestReport]:
        raise MemoryError
        yield DONE

    for _ in range(job_queue._MOST_BEGINNINGS):
        with pytest.raises(MemoryError):
            list(work(queue, store=fatal, stop=threading.Event(), once=True))
    assert list(work(queue, store=fatal, stop=threading.Event(), once=True)) == []
    with pytest.raises(StoreError, match="5 workers ended in the midst of it"):
        queue.reports(name)
    assert queue.add([article(1)], collection="news") == name
    assert list(work(queue, store=stored, stop=threading.Event(), once=True)), "sent again, it is tried again"
    assert queue.reports(name) == (DONE,)


@pytest.fixture
def begin(place: Place, repo: Path, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts `qa work`."""
    settings = {"QA_STORE": place.server, "QA_STORE_SCHEMA": place.schema, "QA_ENCODER": "hashing"}
    environment = {**os.environ, **settings, "QA_DATA_DIR": str(tmp_path), "PYTHONPATH": str(repo)}
    begun: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        begun.append(subprocess.Popen([sys.executable, "-m", "qa", "work"], cwd=repo, env=environment))
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.wait()


def test_a_worker_killed_in_the_midst_leaves_its_job_to_the_next(
    place: Place, queue: JobQueue, begin: Callable[[], subprocess.Popen[bytes]]
) -> None:
    """What it had stored is found unchanged: no article is missing, none is there twice."""
    with closing(open_corpus(place, identity=HashingEncoder.identity)) as corpus:
        for attempt in range(20):
            before = count(corpus)
            items = [article(number) for number in range(250 * attempt, 250 * attempt + 250)]
            name = queue.add(items, collection="news")
            worker = begin()
            wait_for(lambda held=before: count(corpus) > held)  # type: ignore[misc]
            worker.kill()
            worker.wait()
            if queue.reports(name) is None:  # else it was done before we could kill it
                break
        begin()
        wait_for(lambda: queue.reports(name) is not None)
        assert count(corpus) == corpus.stats().versions == before + len(items)
        assert corpus.verify() == []
    outcomes = [one.outcome for report in queue.reports(name) or () for one in report.articles]
    assert len(outcomes) == len(items)
    assert {"unchanged"} <= set(outcomes) <= {"unchanged", "added"}


def count(corpus: KeptCorpus) -> int:
    return corpus.count(Where()).articles


def wait_for(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + 300
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.02)
