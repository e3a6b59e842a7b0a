"""What is said where a server cannot be used: which store, what is wrong, what to do, and never the password."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from embeddings.errors import InvalidArticle, StoreError, StoreReadOnly
from embeddings.opening import exists, open_corpus
from embeddings.postgres import schema as schemas
from embeddings.postgres.corpus import PostgresCorpus
from embeddings.postgres.database import parse
from embeddings.types import Place, Where

SECRET = "never-shown-9f3"


def refused(url: str, made: Any, **more: Any) -> str:
    with pytest.raises(StoreError) as raised:
        PostgresCorpus.open(Place(server=url, **more), identity=made.identity)
    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is None, "the driver's own error would be shown with it"
    return str(raised.value)


def test_a_wrong_password_is_told_without_it(postgres_server: Any, made: Any) -> None:
    told = refused(postgres_server.url(password=SECRET), made)
    assert "password authentication failed" in told
    assert "are user and password in QA_STORE right" in told


@pytest.mark.parametrize("url", ["postgresql://u:{}@127.0.0.1:1/news", "postgresql://u:{}@/news?host=/nowhere"])
def test_a_server_that_is_not_there_is_told(made: Any, url: str) -> None:
    told = refused(url.format(SECRET), made)
    assert "no connection to postgresql://u@" in told
    assert "Does the server run" in told


@pytest.mark.parametrize("url", ["postgresql://u:{}@[half/news", "postgresql://u:{}@h/news?sslmod=require"])
def test_an_address_that_is_none_is_refused(made: Any, url: str) -> None:
    assert "QA_STORE cannot be read" in refused(url.format(SECRET), made)


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://u@db.example/news", "require"),
        ("postgresql://u@db.example/news?sslmode=verify-full", "verify-full"),
        ("postgresql://u@127.0.0.1,db.example/news", "require"),
        ("postgresql://u@127.0.0.1/news", None),
        ("postgresql://u@/news?host=/run/postgresql", None),
        ("postgresql://u@/news?hostaddr=192.0.2.1", "require"),
        ("postgresql://u@localhost/news?hostaddr=192.0.2.1", "require"),
        ("postgresql://u@db.example/news?sslrootcert=system", "verify-full"),
    ],
)
def test_other_machines_are_spoken_to_in_cipher(url: str, mode: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    assert psycopg.conninfo.conninfo_to_dict(parse(url).conninfo).get("sslmode") == mode


def test_what_libpq_takes_from_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example")
    assert psycopg.conninfo.conninfo_to_dict(parse("postgresql:///news").conninfo)["sslmode"] == "require"
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert "sslmode" not in psycopg.conninfo.conninfo_to_dict(parse("postgresql:///news").conninfo)


@pytest.mark.parametrize("version", ["0.8.2", "0.7.4", "0.8"])
def test_a_pgvector_that_corrupts_is_refused(version: str) -> None:
    with pytest.raises(StoreError, match=r"0\.8\.3 or later.*ALTER EXTENSION vector UPDATE"):
        schemas.require_sound_vectors(version)


def test_a_sound_pgvector_is_taken_and_none_is_missed() -> None:
    for version in ("0.8.3", "0.8.6", "0.9.0", "1.0"):
        schemas.require_sound_vectors(version)
    with pytest.raises(StoreError, match="CREATE EXTENSION vector"):
        schemas.require_sound_vectors(None)


def test_whoever_may_not_write_can_read(
    postgres_server: Any, made: Any, open_corpus: Callable[..., PostgresCorpus], schema: str
) -> None:
    """The rights that docs/postgresql.md gives a reader are enough, and no more."""
    made.put(open_corpus(), made.article("a", "The dams held."))
    with psycopg.connect(postgres_server.url(), autocommit=True) as db:
        db.execute(f"CREATE ROLE reader_{schema} LOGIN PASSWORD '{SECRET}'")
        db.execute(f"GRANT USAGE ON SCHEMA {schema} TO reader_{schema}")
        db.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader_{schema}")
    url = postgres_server.url(user=f"reader_{schema}", password=SECRET)
    reader = PostgresCorpus.open(Place(server=url, schema=schema), identity=made.identity, read_only=True)
    assert len(reader.search(made.vector("x"), "dams", k=3, where=Where()).lexical) == 1
    assert reader.spellings(["dans"], where=Where()) == {"dans": ()}
    with pytest.raises(StoreReadOnly, match="reading only"):
        reader.delete(Where(article_ids=("a",)))
    reader.close()
    writer = PostgresCorpus.open(Place(server=url, schema=schema), identity=made.identity)
    with pytest.raises(StoreReadOnly, match=r"does not let this user write .*docs/postgresql\.md"):
        writer.delete(Where(article_ids=("a",)))
    writer.close()


def test_a_store_that_is_not_there_is_told_to_readers(postgres_server: Any, made: Any, schema: str) -> None:
    place = Place(server=postgres_server.url(), schema=schema)
    assert not exists(place)
    with pytest.raises(StoreError, match="qa ingest"):
        open_corpus(place, identity=made.identity, read_only=True)
    open_corpus(place, identity=made.identity).close()
    assert exists(place)


def test_a_later_program_s_store_is_refused(
    postgres_server: Any, made: Any, open_corpus: Callable[..., PostgresCorpus], schema: str
) -> None:
    open_corpus()
    with psycopg.connect(postgres_server.url(), autocommit=True) as db:
        db.execute(f"INSERT INTO {schema}.migrations VALUES (99, now())")
    assert "schema version 99" in refused(postgres_server.url(), made, schema=schema)


def test_a_store_of_the_first_form_is_brought_up_to_date(
    postgres_server: Any, made: Any, open_corpus: Callable[..., PostgresCorpus], schema: str
) -> None:
    """What passages were found by moves out of their table; nothing is written anew."""
    article = made.article("a", "The dams held.\nThe river rose, and rose.")
    made.put(open_corpus(), article)
    before = open_corpus().search(made.vector("x"), "dams rose", k=9, where=Where())
    with psycopg.connect(postgres_server.url(), autocommit=True) as db:
        db.execute(f"SET search_path = {schema}, public")
        db.execute("ALTER TABLE passages ADD words integer, ADD terms tsvector")
        db.execute(
            "UPDATE passages SET words = length, terms = lexemes.terms FROM lexemes WHERE lexemes.key = passages.key"
        )
        db.execute("CREATE INDEX passages_by_term ON passages USING gin (terms)")
        db.execute("DROP TABLE lexemes")
        db.execute("DELETE FROM migrations WHERE number > 1")
    corpus = open_corpus()
    assert corpus.search(made.vector("x"), "dams rose", k=9, where=Where()) == before
    assert corpus.verify() == []


def test_a_source_that_the_server_cannot_hold_is_refused(open_corpus: Callable[..., PostgresCorpus], made: Any) -> None:
    corpus = open_corpus()
    with pytest.raises(InvalidArticle, match="NUL"):
        made.put(corpus, made.article("a", "x y", source="a\0b"))
    assert corpus.count(Where(sources=("a\0b",))).articles == 0
    assert corpus.get("a\0b") is None


def test_without_the_driver_it_is_said_what_to_install() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from embeddings.opening import exists; from embeddings.types import Place\n"
        f"exists(Place(server='postgresql://u:{SECRET}@h/d'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "StoreError: QA_STORE names a server, and its driver is not installed" in done.stderr
    assert "requirements-postgres.lock" in done.stderr
    assert f"{SECRET}@" not in done.stderr.replace(program, "")


def test_a_place_shows_no_password() -> None:
    place = Place(server=f"postgresql://u:{SECRET}@h:5432/d?password={SECRET}")
    assert (str(place), repr(place)) == ("postgresql://h:5432/d (schema sourceline)",) * 2
