"""Four processes on one database, six writers in each, 20,000 upserts each of the same articles: `make soak`.

No deadlock reaches a writer, each article ends in one version, as one of the writers sent it, and four services then
answer every sample question alike. Not collected by name.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg

import seeds
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import load
from embeddings.errors import EmbeddingsError
from embeddings.opening import copy
from embeddings.postgres.corpus import PostgresCorpus
from embeddings.types import CorpusCounts, Place, Where

PROCESSES, WRITERS = 4, 6
UPSERTS = int(os.environ.get("UPSERTS", "400"))
"""Of all writers of a process together."""
ARTICLES, TOGETHER = 500, 8
EVERYTHING = Where()


def write(url: str, schema: str, process: int, made: Any) -> dict[str, int]:
    """What one process does; gives how many articles were acknowledged, and how often it was refused what."""
    told: Counter[str] = Counter()

    def upsert(writer: int) -> None:
        chance = random.Random(f"{process} {writer}")
        for turn in range(UPSERTS // WRITERS // TOGETHER):
            numbers = chance.sample(range(ARTICLES), TOGETHER)
            text = f"storm {process} {writer} {turn} {{0}}\nriver word{process}x{writer}y{turn}"
            try:
                made.put(corpus, *(made.article(f"a{n}", text.format(n)) for n in numbers))
                told["stored"] += TOGETHER
            except EmbeddingsError as error:
                told[type(error).__name__] += 1

    opened = PostgresCorpus.open(Place(server=url, schema=schema, timeout=600), identity=made.identity)
    with closing(opened) as corpus, ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(upsert, range(WRITERS)))
    return dict(told)


def test_many_writers_of_the_same_articles(postgres_server: Any, made: Any, schema: str) -> None:
    url, before = postgres_server.url(), deadlocks(postgres_server)
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        told = pool.starmap(write, [(url, schema, process, made) for process in range(PROCESSES)])
    counts = sum(map(Counter, told), Counter[str]())
    assert counts.keys() == {"stored"}, counts
    with closing(PostgresCorpus.open(Place(server=url, schema=schema, timeout=600), identity=made.identity)) as corpus:
        found = corpus.count(EVERYTHING)
        assert found == CorpusCounts(articles=ARTICLES, passages=2 * ARTICLES)
        assert [finding.detail for finding in corpus.verify()] == []
        with psycopg.connect(url, options=f"-c search_path={schema}") as db:
            ((searched, versions),) = db.execute(
                "SELECT count(*), count(DISTINCT (article, version)) FROM passages"
            ).fetchall()
        assert (searched, versions) == (2 * ARTICLES, ARTICLES), "one version of each is searched"
    told_deadlocks = deadlocks(postgres_server) - before
    sys.stdout.write(json.dumps({"upserts": counts["stored"], "deadlocks in the server": told_deadlocks}) + "\n")
    assert not told_deadlocks


def deadlocks(server: Any) -> int:
    with psycopg.connect(server.url()) as db:
        return int(db.execute("SELECT sum(deadlocks) FROM pg_stat_database").fetchall()[0][0])


def test_four_services_answer_alike(
    postgres_server: Any, sample_store: Path, schema: str, repo: Path, tmp_path: Path
) -> None:
    """Every sample question, asked of each; with the reader that needs no network, or the one of SEED_READER."""
    encoder = load("all-MiniLM-L6-v2")
    with (
        closing(EmbeddedCorpus.open(sample_store, identity=encoder.identity, read_only=True)) as source,
        closing(
            PostgresCorpus.open(Place(server=postgres_server.url(), schema=schema), identity=encoder.identity)
        ) as target,
    ):
        assert copy(source, target).verified
    settings = {"QA_STORE": postgres_server.url(), "QA_STORE_SCHEMA": schema, "QA_DATA_DIR": str(tmp_path)}
    settings |= {"QA_READER": os.environ.get("SEED_READER", "words"), "PYTHONPATH": str(repo)}
    with ExitStack() as services:
        urls = [services.enter_context(serving(settings)) for _ in range(PROCESSES)]
        alike = asked = 0
        for one in seeds.questions():
            answers = [told(url, one.question, one.as_of) for url in urls]
            alike += all(answer == answers[0] for answer in answers)
            asked += 1
    sys.stdout.write(json.dumps({"questions": asked, "answered alike by four": alike}) + "\n")
    assert alike == asked


@contextmanager
def serving(settings: dict[str, str]) -> Iterator[str]:
    command = [sys.executable, "-m", "qa", "serve", "--port", "0"]
    environment = os.environ | settings | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as one:
        assert one.stdout is not None
        ready = one.stdout.readline()
        assert "is ready at" in ready
        yield ready.split()[-1]
        one.terminate()


def told(url: str, question: str, as_of: str | None) -> bytes:
    """The reply, byte for byte, but for its id, and when it was asked and how long that took."""
    times = {"id", "timings_ms"} | (set() if as_of else {"as_of"})
    asked = {"question": question} | ({"as_of": as_of} if as_of else {})
    reply = httpx.post(f"{url}/api/ask", json=asked, timeout=600).raise_for_status().json()
    return json.dumps({key: value for key, value in reply.items() if key not in times}).encode()
