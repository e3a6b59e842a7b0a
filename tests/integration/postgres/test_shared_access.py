"""Several services on one database: one budget, one secret, tables of before, and what each does without the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest

from embeddings.postgres.database import Database
from embeddings.types import Place
from qa.access.rate_limits import TokenBucket
from qa.access.shared import SharedAccess
from qa.conversations import question_log, server_database
from qa.conversations.question_log import DayOfQuestions


@pytest.fixture(scope="module")
def place(postgres_server: Any) -> Place:
    return Place(server=postgres_server.url(), schema=f"test_{uuid4().hex}")


@pytest.fixture
def services(place: Place) -> Iterator[tuple[SharedAccess, SharedAccess]]:
    both = SharedAccess(place), SharedAccess(place)
    for service in both:
        service.value()  # connects: taking has little patience
    yield both
    for service in both:
        service.close()


def test_what_one_spends_the_other_lacks(services: tuple[SharedAccess, SharedAccess]) -> None:
    one, other = services
    visitor, address = (
        TokenBucket(owner=f"{name} {uuid4()}", per_minute=rate) for name, rate in (("v", 1_000_000), ("a", 1))
    )

    async def spend() -> None:
        first = await one.take([visitor, address], cost=1)
        assert (first.allowed, first.limit, first.remaining) == (True, 1, 0)
        second = await other.take([address, visitor], cost=1)
        assert not second.allowed, "of the address nothing is left for a minute"
        assert 0 < second.retry_after <= 60
        assert (await other.take([visitor], cost=1)).allowed

    asyncio.run(spend())


def test_no_spending_is_lost_however_many_spend(services: tuple[SharedAccess, SharedAccess], place: Place) -> None:
    """Two buckets, named in both orders by two services at once: no deadlock, and every cost is taken."""
    names = [f"{name} {uuid4()}" for name in "ab"]
    buckets = [TokenBucket(owner=name, per_minute=30) for name in names]

    def spend(number: int) -> bool:
        return asyncio.run(services[number % 2].take(buckets[:: 1 if number % 3 else -1], cost=1)).allowed

    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(spend, range(24)))
    gained = (time.monotonic() - began) / 2  # as much comes back in that time at most
    with psycopg.connect(place.server) as db:
        statement = f"SELECT rest FROM {place.schema}.budgets WHERE owner = ANY(%s)"
        left = [rest for (rest,) in db.execute(statement, (names,))]
    assert left == [pytest.approx(6 + gained / 2, abs=gained / 2 + 0.01)] * 2


def test_a_bucket_that_another_service_tidies_away_meanwhile_was_full(
    services: tuple[SharedAccess, SharedAccess], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = TokenBucket(owner=str(uuid4()), per_minute=10)
    assert asyncio.run(services[0].take([bucket], cost=1)).allowed
    execute = psycopg.Connection.execute

    def tidied_before(db: Any, statement: Any, *more: Any, **named: Any) -> Any:
        if str(statement).startswith("SELECT owner"):
            with psycopg.connect(place.server) as other:
                execute(other, f"DELETE FROM {place.schema}.budgets WHERE owner = %s", (bucket.owner,))
        return execute(db, statement, *more, **named)

    monkeypatch.setattr(psycopg.Connection, "execute", tidied_before)
    assert asyncio.run(services[1].take([bucket], cost=1)).remaining == 9


def test_all_sign_with_one_secret_also_those_that_start_at_once(postgres_server: Any) -> None:
    place = Place(server=postgres_server.url(), schema=f"test_{uuid4().hex}", timeout=300)
    services = [SharedAccess(place) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        secrets = set(pool.map(SharedAccess.value, services))
    later = SharedAccess(place)
    assert {len(secret) for secret in secrets} == {32}
    assert secrets == {later.value()}
    for service in (*services, later):
        service.close()


def test_while_the_server_is_away_each_counts_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    away = SharedAccess(Place(server="postgresql://u@/news?host=/nowhere"))
    bucket = TokenBucket(owner="a", per_minute=1)
    assert asyncio.run(away.take([bucket], cost=1)).allowed
    assert not asyncio.run(away.take([bucket], cost=1)).allowed
    assert "counted by this process alone" in caplog.text
    with pytest.raises(OSError, match="secret that signs tokens"):
        away.value()


def test_questions_kept_before_are_counted_too(place: Place, schema: str) -> None:
    """Also where an answer holds what the server cannot read as JSON, or names such a field in its words."""
    migrations = server_database._TABLES.migrations[:1]
    before = msgspec.structs.replace(server_database._TABLES, migrations=migrations)
    server = Database.open(
        Place(server=place.server, schema=schema, connections=1, timeout=300), read_only=False, tables=before
    )
    turn = {"question": 'Why \0 and "answer_mode":"generated"?', "answer_mode": "abstained"}
    opinion = {"comment": '"verdict":"up"', "verdict": "down", "given_at": "2024-06-04T01:00:00Z"}
    with server.writing() as db:
        db.execute("INSERT INTO conversations VALUES (DEFAULT, 'c', '', 't', 't', 't', 2, 9, 2)")
        for name, document in (("a", msgspec.json.encode(turn).decode()), ("b", "{")):
            db.execute(
                "INSERT INTO turns (conversation, answer_id, asked_at, answer) VALUES (1, %s, %s, %s)",
                (name, "2024-06-04T00:00:00Z", document),
            )
        entry = msgspec.json.encode(opinion).decode()
        db.execute("INSERT INTO feedback (answer_id, owner, entry) VALUES ('a', '', %s)", (entry,))
    server.close()
    for _ in range(2):
        opened = server_database.ServerDatabase.open(msgspec.structs.replace(place, schema=schema))
        assert question_log.days(opened, since="2024") == [DayOfQuestions(day="2024-06-04", declined=1, down=1)]
        opened.close()
