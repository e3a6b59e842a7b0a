"""Searches that go to a read replica: when one is asked, and that nothing is found that the primary has no more."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg
import pytest

from embeddings.postgres.corpus import PostgresCorpus
from embeddings.postgres.replicas import _REST_SECONDS, Replicas
from embeddings.types import Hits, Place, Where

EVERYTHING = Where()


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def servers(postgres_server: Any) -> Iterator[tuple[Any, Any]]:
    """A server and a replica of it."""
    with type(postgres_server)() as primary:
        replica = primary.replica()
        try:
            replica.start()
            yield primary, replica
        finally:
            replica.__exit__()


class Two:
    """A corpus that may ask a replica, another one that writes, and which server was asked."""

    def __init__(self, servers: tuple[Any, Any], made: Any, schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.primary, self.replica = servers
        self.made, self.clock = made, Clock()
        self.other = PostgresCorpus.open(
            Place(server=self.primary.url(), schema=schema, timeout=300), identity=made.identity
        )
        self.corpus = PostgresCorpus.open(
            Place(
                server=self.primary.url(), schema=schema, timeout=300, replicas=(self.replica.url(),), replica_seconds=5
            ),
            identity=made.identity,
        )
        self.corpus._replicas._now = self.clock
        self.asked: list[str] = []
        ask = Replicas.ask

        def noted(replicas: Replicas, question: Any) -> Any:
            found = ask(replicas, question)
            self.asked.append("primary" if found is None else "replica")
            return found

        monkeypatch.setattr(Replicas, "ask", noted)

    def follow(self, url: str) -> None:
        """Ask another replica from now on."""
        schema = self.other._database.schema
        self.corpus.close()
        self.corpus = PostgresCorpus.open(
            Place(server=self.primary.url(), schema=schema, timeout=300, replicas=(url,)), identity=self.made.identity
        )
        self.corpus._replicas._now = self.clock

    def found(self) -> set[str]:
        hits: Hits = self.corpus.search(self.made.vector("x"), "storm", k=9, where=Where(usable_at="2024-06-04"))
        keys = [hit.key for hit in (*hits.dense, *hits.lexical)]
        return {one.passage.article_id for one in self.corpus.passages(keys).values()}

    def put(self, name: str, **said: Any) -> None:
        self.made.put(self.other, self.made.article(name, f"storm {name}", **said))

    def replay(self, *, goes_on: bool) -> None:
        """Let the replica stop, or go on and catch up."""
        with psycopg.connect(self.replica.url(), autocommit=True) as db:
            db.execute(f"SELECT pg_wal_replay_{'resume' if goes_on else 'pause'}()")
            if not goes_on:
                while db.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() != ("paused",):
                    pass
                return
            with psycopg.connect(self.primary.url(), autocommit=True) as primary:
                (written,) = primary.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()  # type: ignore[misc]
            while db.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", (written,)).fetchone() != (True,):
                pass


@pytest.fixture
def two(servers: tuple[Any, Any], made: Any, schema: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    opened = Two(servers, made, schema, monkeypatch)
    with closing(opened.other):
        yield opened
        opened.corpus.close()
        opened.replay(goes_on=True)


def test_a_replica_that_has_caught_up_is_asked_and_finds_the_same(two: Two) -> None:
    two.put("a")
    two.put("b")
    two.replay(goes_on=True)
    assert two.found() == {"a", "b"}
    assert two.asked == ["replica"]


def test_one_that_is_behind_is_asked_no_longer_than_its_bound(two: Two) -> None:
    two.put("a")
    two.replay(goes_on=True)
    assert two.found() == {"a"}
    two.replay(goes_on=False)
    two.put("b")
    two.clock.now += 1
    assert two.found() == {"a"}, "a second late is allowed"
    two.clock.now += 4.5
    assert two.found() == {"a", "b"}
    assert two.asked == ["replica", "replica", "primary"]


def test_what_is_gone_or_withdrawn_is_never_found_however_late_the_replica_is(two: Two) -> None:
    for name in ("a", "b", "c", "d"):
        two.put(name)
    two.replay(goes_on=True)
    assert two.found() == {"a", "b", "c", "d"}
    two.replay(goes_on=False)
    two.other.delete(Where(article_ids=("a",)))
    assert two.found() == {"b", "c", "d"}
    two.put("b", status="withheld")
    assert two.found() == {"c", "d"}
    two.made.put(two.other, two.made.article("c", "calm of c"))
    hits = two.corpus.search(two.made.vector("x"), "storm", k=9, where=EVERYTHING)
    found = two.corpus.passages([hit.key for hit in hits.lexical]).values()
    assert {one.passage.article_id for one in found} == {"b", "d"}
    assert two.asked == ["replica"] * 4, "whose lists were held against the primary"


def test_what_a_service_stored_itself_it_finds_at_once(two: Two) -> None:
    two.put("a")
    two.replay(goes_on=True)
    assert two.found() == {"a"}
    two.replay(goes_on=False)
    two.made.put(two.corpus, two.made.article("own", "storm own"))
    assert two.found() == {"a", "own"}
    two.corpus.delete(Where(article_ids=("a",)))
    assert two.found() == {"own"}
    two.replay(goes_on=True)
    assert two.found() == {"own"}
    assert two.asked == ["replica", "primary", "primary", "replica"]


@pytest.mark.parametrize("which", ["away", "the primary itself"])
def test_what_is_no_replica_is_left_alone_and_the_primary_answers(
    two: Two, which: str, caplog: pytest.LogCaptureFixture
) -> None:
    two.put("a")
    named = two.primary.url() if which == "the primary itself" else "postgresql://u:secret@127.0.0.1:1/d"
    two.follow(named)
    for _ in range(2):
        assert two.found() == {"a"}
    assert two.asked == ["primary"] * 2
    assert caplog.text.count("is not asked for 10 s") == 1
    assert "secret" not in caplog.text
    two.clock.now += _REST_SECONDS + 1
    assert two.found() == {"a"}
    assert caplog.text.count("is not asked for 10 s") == 2


def test_one_that_is_frozen_is_left_alone(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connections stay open, and nothing ever comes: the limit of the server itself is of no use."""
    monkeypatch.setattr("embeddings.postgres.replicas._PATIENCE_SECONDS", 1.0)
    two.put("a")
    two.replay(goes_on=True)
    two.follow(two.replica.url())
    assert two.found() == {"a"}
    with two.replica.frozen():
        assert two.found() == {"a"}
        assert two.found() == {"a"}
    two.clock.now += _REST_SECONDS + 1
    two.replay(goes_on=True)
    assert two.found() == {"a"}
    assert two.asked[1:3] == ["primary"] * 2


def test_one_that_lets_in_and_says_nothing_is_tried_once_for_all_who_ask(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embeddings.postgres.replicas._PATIENCE_SECONDS", 2.0)
    two.put("a")
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(4) as pool:
        two.follow(f"postgresql://u:secret@127.0.0.1:{silent.getsockname()[1]}/d")
        assert list(pool.map(lambda _: two.found(), range(4))) == [{"a"}] * 4
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()
    assert two.asked == ["primary"] * 4
