"""A server taken away in the middle: what was acknowledged is there when it is back, and the corpus goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from embeddings.errors import StoreError
from embeddings.postgres.corpus import PostgresCorpus
from embeddings.types import Article, Place, Where


@pytest.fixture
def server(postgres_server: Any) -> Iterator[Any]:
    """One of our own that writes to the disk in earnest."""
    with type(postgres_server)(durable=True) as own:
        yield own


def test_what_was_acknowledged_outlives_the_server(server: Any, made: Any) -> None:
    acknowledged: list[Article] = []
    enough, stop = threading.Event(), threading.Event()

    def write(corpus: PostgresCorpus) -> None:
        number = 0
        while not stop.is_set():  # or until the server goes in the middle of a write
            article = made.article(f"a{number % 20}", f"storm {number}\nriver {number}")
            made.put(corpus, article)
            acknowledged.append(article)
            number += 1
            if number > 30:
                enough.set()

    impatient = PostgresCorpus.open(Place(server=server.url(), timeout=1), identity=made.identity)
    with (
        closing(impatient),
        closing(PostgresCorpus.open(Place(server=server.url(), timeout=300), identity=made.identity)) as corpus,
    ):
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write, corpus)
            assert enough.wait(300)
            server.kill()
            with pytest.raises(StoreError, match="no connection to"):
                impatient.count(Where())
            stop.set()
            server.start()
            with suppress(StoreError):
                writing.result()
        check(corpus, made, acknowledged)
        made.put(corpus, made.article("afterwards", "calm"))
    with closing(PostgresCorpus.open(Place(server=server.url()), identity=made.identity, read_only=True)) as again:
        assert again.get("afterwards") is not None


def test_a_server_that_stands_still_is_not_waited_for_without_end(server: Any, made: Any) -> None:
    with closing(PostgresCorpus.open(Place(server=server.url(), timeout=1), identity=made.identity)) as corpus:
        made.put(corpus, made.article("a", "storm"))
        with pytest.raises(StoreError, match="no answer within 3 s"), corpus._database.reading() as db, server.frozen():
            db.execute("SELECT 1")
        with server.frozen(), pytest.raises(StoreError, match="no connection to"):
            corpus.count(Where())
        until = time.monotonic() + 300
        while True:  # new connections take a moment
            with suppress(StoreError):
                assert corpus.count(Where()).articles == 1
                break
            assert time.monotonic() < until


def test_who_stands_still_in_the_midst_of_a_write_is_not_waited_for_by_others(
    postgres_server: Any, made: Any, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a service does that was cut off; its write is undone."""
    monkeypatch.setattr("embeddings.postgres.database._ABANDONED_SECONDS", 1)
    place = Place(server=postgres_server.url(), schema=schema, timeout=60)
    with (
        closing(PostgresCorpus.open(place, identity=made.identity)) as still,
        closing(PostgresCorpus.open(place, identity=made.identity)) as corpus,
    ):

        def write() -> None:
            with still._database.writing(alone=True) as db:
                db.execute("INSERT INTO vocabulary VALUES ('abandoned')")
                made.put(corpus, made.article("a", "storm"))
                db.execute("SELECT 1")

        with pytest.raises(StoreError, match="idle-in-transaction"):
            write()
        with corpus._database.reading() as db:
            assert db.execute("SELECT 1 FROM vocabulary WHERE term = 'abandoned'").fetchone() is None
        made.put(still, made.article("b", "storm"))


def check(corpus: PostgresCorpus, made: Any, acknowledged: list[Article]) -> None:
    """Of each article the last version acknowledged is there, or the one that was being written then."""
    last = {article.id: article for article in acknowledged}
    for name, article in last.items():
        held = corpus.get(name)
        assert held is not None
        assert held == article or int(held.text.split()[-1]) == len(acknowledged)
        assert corpus.get(name, version=article.version) == article
    assert corpus.verify() == []
    hits = corpus.search(made.vector("x"), "storm river", k=100, where=Where())
    assert len(hits.dense) == len(hits.lexical) == 2 * len(last)


def test_a_dump_restored_elsewhere_is_the_same_store(
    postgres_server: Any, made: Any, schema: str, tmp_path: Path
) -> None:
    """As docs/postgresql.md says, with the server's own tools."""
    url = postgres_server.url()
    with closing(PostgresCorpus.open(Place(server=url, schema=schema, timeout=300), identity=made.identity)) as corpus:
        for turn in range(2):
            made.put(corpus, *(made.article(f"a{n}", f"storm {n} {turn}\nriver {n}") for n in range(8)))
        before = corpus.search(made.vector("x"), "storm river", k=20, where=Where())
    dump, other = str(tmp_path / "news.dump"), postgres_server.url(database=schema)
    postgres_server.run("pg_dump", "--format=custom", f"--schema={schema}", f"--file={dump}", url)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"CREATE DATABASE {schema}")
    with psycopg.connect(other, autocommit=True) as db:
        db.execute("CREATE EXTENSION vector")
    postgres_server.run("pg_restore", f"--dbname={other}", dump)
    with closing(
        PostgresCorpus.open(Place(server=other, schema=schema, timeout=300), identity=made.identity)
    ) as restored:
        assert restored.verify() == []
        assert restored.search(made.vector("x"), "storm river", k=20, where=Where()) == before
        made.put(restored, made.article("b", "calm"))
        assert restored.count(Where()).articles == 9


def test_a_base_backup_and_the_log_give_any_moment_back(postgres_server: Any, made: Any) -> None:
    """As docs/postgresql.md says: everything is deleted by mistake, and had back as it was just before."""
    with type(postgres_server)(durable=True) as server:
        kept = server.folder / "log-kept"
        archived = ("archive_mode=on", f"archive_command=mkdir -p {kept} && cp %p {kept}/%f")
        server.restart(*archived)
        with closing(PostgresCorpus.open(Place(server=server.url(), timeout=300), identity=made.identity)) as corpus:
            made.put(corpus, made.article("before", "storm before"))
            backup = server.replica()  # pg_basebackup, while it runs
            made.put(corpus, made.article("after", "storm after"))
            with psycopg.connect(server.url(), autocommit=True) as db:
                ((moment,),) = db.execute("SELECT clock_timestamp()::text").fetchall()
                assert corpus.delete(Where(article_ids=("before", "after"))) == 2
                ((segment,),) = db.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchall()
            wait_for_file(kept / segment)
        try:
            backup.recover(f"cp {kept}/%f %p", until=moment)
            with closing(
                PostgresCorpus.open(Place(server=backup.url(), timeout=300), identity=made.identity)
            ) as corpus:
                assert [article.id for article in corpus.scan(where=Where(), after=None, limit=9)] == [
                    "after",
                    "before",
                ]
                assert corpus.verify() == []
                made.put(corpus, made.article("then", "calm"))
        finally:
            backup.__exit__()


def wait_for_file(path: Path) -> None:
    until = time.monotonic() + 300
    while not path.exists():
        assert time.monotonic() < until
        time.sleep(0.05)
