"""Several processes on one database: what one writes all others find, no deadlock, no lost update, one version each."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg
import pytest

from embeddings.errors import EncoderMismatch
from embeddings.postgres import search, writes
from embeddings.postgres.corpus import PostgresCorpus
from embeddings.types import CorpusCounts, Held, Place, Where

OpenPostgres = Callable[..., PostgresCorpus]
EVERYTHING = Where()


def test_what_one_writes_the_others_find_at_once(open_corpus: OpenPostgres, made: Any) -> None:
    one, other = open_corpus(), open_corpus()
    made.put(one, made.article("a", "The dams held."))
    assert len(other.search(made.vector("x"), "dams", k=3, where=EVERYTHING).lexical) == 1
    made.put(other, made.article("a", "The dams broke."))
    assert one.get("a").text == "The dams broke."
    assert one.search(made.vector("x"), "held", k=3, where=EVERYTHING).lexical == ()
    assert one.delete(Where(article_ids=("a",))) == 1
    assert other.search(made.vector("x"), "dams", k=3, where=EVERYTHING).dense == ()


def test_nobody_waits_until_the_vectors_before_are_deleted(
    open_corpus: OpenPostgres, made: Any, postgres_server: Any, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are searched no more, and go one after the other, each piece as fast as a statement must be."""
    monkeypatch.setattr(writes, "_SWEPT_ARTICLES", 1)
    articles = [made.article(f"a{number}", f"a storm {number}") for number in range(6)]
    made.put(open_corpus(), *articles)
    slow_to_delete(postgres_server, schema, seconds=1)
    new, other = open_corpus(identity=made.other), open_corpus(identity=made.other)
    with ThreadPoolExecutor(1) as pool:
        switching = pool.submit(new.encode_anew, [made.indexed(article, made.other) for article in articles])
        while not switching.done() and searched_by(other) != made.other:
            time.sleep(0.05)
        made.put(other, made.article("b", "a storm b"), identity=made.other)
        assert len(found(other, made, made.other)) == 7
        assert not switching.done(), "it still deletes"
        switching.result()
    assert new.verify() == []
    assert passages_of_all_encoders(postgres_server, schema) == 7


def test_what_a_switch_could_not_delete_is_told_and_deleted_later(
    open_corpus: OpenPostgres, made: Any, postgres_server: Any, schema: str
) -> None:
    article = made.article("a", "a storm")
    made.put(old := open_corpus(), article)
    before = old.search(made.vector("x"), "storm", k=9, where=EVERYTHING).dense
    slow_to_delete(postgres_server, schema, seconds=3)
    place = Place(server=postgres_server.url(), schema=schema, timeout=1)
    with closing(PostgresCorpus.open(place, identity=made.other)) as new:
        new.encode_anew([made.indexed(article, made.other)])
        assert len(found(new, made, made.other)) == 1
        assert [finding.kind for finding in new.verify()] == ["index_outdated"]
        with new._database.reading() as db:
            assert not search.all_there(db, before, where=EVERYTHING), "a replica that is behind would find them still"
    slow_to_delete(postgres_server, schema, seconds=0)
    new = open_corpus(identity=made.other)
    new.rebuild()
    assert new.verify() == []
    assert passages_of_all_encoders(postgres_server, schema) == 1


def slow_to_delete(server: Any, schema: str, *, seconds: int) -> None:
    """Have it take so long to delete a passage."""
    with psycopg.connect(server.url(), autocommit=True) as db:
        db.execute(f"SET search_path = {schema}, public")
        slowly = f"BEGIN PERFORM pg_sleep({seconds}); RETURN OLD; END"
        db.execute(f"CREATE OR REPLACE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS '{slowly}'")
        db.execute("CREATE OR REPLACE TRIGGER slowly BEFORE DELETE ON passages FOR EACH ROW EXECUTE FUNCTION slowly()")


def searched_by(corpus: PostgresCorpus) -> Any:
    """The encoder whose vectors are searched."""
    return next(each.identity for each in corpus.stats().generations if each.active)


def passages_of_all_encoders(server: Any, schema: str) -> int:
    with psycopg.connect(server.url()) as db:
        return db.execute(f"SELECT count(*) FROM {schema}.passages").fetchone()[0]  # type: ignore[index, no-any-return]


def test_what_is_filled_is_indexed_once(open_corpus: OpenPostgres, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "EXACT_MOST", 2)
    corpus = open_corpus()

    def fill(name: str) -> None:
        made.put(corpus, made.article(name, f"{name} storm\n{name} calm\n{name} rain"))

    def broken_off() -> None:
        with corpus.filling():
            fill("a")
            raise KeyError

    with pytest.raises(KeyError):
        broken_off()
    assert [finding.kind for finding in corpus.verify()] == ["index_outdated"], "whoever is stopped waits for nothing"
    with corpus.filling():
        fill("b")
        assert len(found(corpus, made)) == 6, "it is searched all the same"
        assert [finding.kind for finding in corpus.verify()] == ["index_outdated"]
    assert corpus.verify() == []


def test_another_encoder_s_vectors_are_indexed_once_they_are_whole(
    open_corpus: OpenPostgres, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "EXACT_MOST", 2)
    articles = [made.article(name, f"{name} storm\n{name} calm\n{name} rain") for name in "ab"]
    made.put(open_corpus(), *articles)
    new = open_corpus(identity=made.other)

    def indexed() -> bool:
        with new._database.reading() as db:
            return search.is_indexed(db, writes.of(db, made.other) or 0)

    new.encode_anew([made.indexed(articles[0], made.other)])
    assert not indexed()
    new.encode_anew([made.indexed(articles[1], made.other)])
    assert indexed()
    assert new.verify() == []


def test_several_may_start_at_once_in_a_new_database(made: Any, postgres_server: Any, schema: str) -> None:
    with psycopg.connect(postgres_server.url(), autocommit=True) as db:
        db.execute(f"CREATE DATABASE {schema}")
    url, together = postgres_server.url(database=schema), threading.Barrier(6)

    def begin() -> int:
        together.wait()
        with closing(PostgresCorpus.open(Place(server=url, timeout=300), identity=made.identity)) as corpus:
            return corpus.count(EVERYTHING).articles

    with ThreadPoolExecutor(6) as pool:
        begun = [pool.submit(begin) for _ in range(6)]
    assert [each.result() for each in begun] == [0] * 6


def test_writers_of_the_same_articles_neither_wait_for_ever_nor_lose_anything(
    open_corpus: OpenPostgres, made: Any, postgres_server: Any
) -> None:
    """Each writer takes the articles in an order of its own, deletes some, and meets terms nobody had before."""
    deadlocks = count_of_deadlocks(postgres_server)
    together = threading.Barrier(6)

    def write(writer: int, corpus: PostgresCorpus) -> None:
        chance = random.Random(writer)
        together.wait()
        for turn in range(6):
            numbers = chance.sample(range(8), 4)
            lines = "{0} storm {1} word{1}x{2}\n{0} river word{2}y{1}"
            made.put(corpus, *(made.article(f"a{n}", lines.format(f"a{n}", turn, writer)) for n in numbers))
            if turn % 3 == 2:
                corpus.delete(Where(article_ids=tuple(f"a{n}" for n in chance.sample(range(8), 5))))
        made.put(corpus, *(made.article(f"a{n}", f"a{n} storm\na{n} river {writer}") for n in range(8)))

    corpora = [open_corpus() for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(write, writer, corpora[writer % 3]) for writer in range(6)]:
            done.result()
    corpus = open_corpus()
    assert corpus.count(EVERYTHING) == CorpusCounts(articles=8, passages=16)
    assert corpus.verify() == []
    hits = corpus.search(made.vector("x"), "storm river", k=100, where=EVERYTHING)
    assert len(hits.dense) == len(hits.lexical) == 16
    found = corpus.passages([hit.key for hit in hits.dense])
    for stored in found.values():
        assert stored.passage.article_version == corpus.get(stored.passage.article_id).version
    assert count_of_deadlocks(postgres_server) == deadlocks


def test_a_batch_is_soon_written(made: Any) -> None:
    sizes = (100, 200, 20, 1, 400, 5, 5)
    held = [
        Held(indexed=made.indexed(made.article(f"a{n}", "\n".join(map(str, range(size))))))
        for n, size in enumerate(sizes)
    ]
    assert [[len(one.indexed.passages) for one in batch] for batch in writes.batches(held)] == [
        *([100, 200, 20], [1], [400], [5, 5]),
    ]


def test_new_changed_and_equal_articles_are_written_together(open_corpus: OpenPostgres, made: Any) -> None:
    """In one transaction each gets what it needs: its version, its passages, its earlier text kept."""
    corpus = open_corpus()
    first = [made.article(f"a{n}", f"storm {n}\nriver {n}", published_at="2024-06-04") for n in range(4)]
    made.put(corpus, *first)
    keys = {hit.key for hit in corpus.search(made.vector("x"), "storm", k=9, where=EVERYTHING).lexical}
    second = [
        *(first[0], made.article("b", "calm b"), made.article("a1", "calm 1")),
        made.article("a2", first[2].text, title="Another title", source="elsewhere"),
    ]
    made.put(corpus, *second)
    assert [corpus.get(f"a{n}") for n in range(4)] == [first[0], second[2], second[3], first[3]]
    assert corpus.get("a1", version=first[1].version) == first[1]
    assert corpus.get("b") == second[1]
    assert corpus.count(EVERYTHING) == CorpusCounts(articles=5, passages=8)
    assert corpus.count(Where(sources=("elsewhere",))) == CorpusCounts(articles=1, passages=2)
    hits = corpus.search(made.vector("x"), "storm", k=9, where=EVERYTHING).lexical
    found = corpus.passages([hit.key for hit in hits])
    assert {stored.passage.article_id for stored in found.values()} == {"a0", "a2", "a3"}
    assert len(keys & found.keys()) == 2, (
        "what is written again as it stands keeps its keys, what is said otherwise not"
    )
    assert corpus.verify() == []


def count_of_deadlocks(server: Any) -> int:
    with psycopg.connect(server.url()) as db:
        return db.execute("SELECT sum(deadlocks) FROM pg_stat_database").fetchone()[0]  # type: ignore[index, no-any-return]


def test_the_encoder_before_serves_until_the_new_one_is_whole(open_corpus: OpenPostgres, made: Any) -> None:
    """A process searches on while another fills the store anew, and is told by whom when that one is through."""
    names = [f"a{number}" for number in range(6)]
    old = open_corpus()
    made.put(old, *(made.article(name, f"{name} storm") for name in names))
    new = open_corpus(identity=made.other)
    for name in names:
        assert len(old.search(made.vector("x"), "storm", k=9, where=EVERYTHING).dense) == len(names)
        with pytest.raises(EncoderMismatch, match="no passages"):
            new.activate(made.other)
        made.put(new, made.article(name, f"{name} storm"), identity=made.other)
    assert len(new.search(made.vector("x", made.other), "storm", k=9, where=EVERYTHING).dense) == len(names)
    with pytest.raises(EncoderMismatch, match="filled by encoder other"):
        old.search(made.vector("x"), "storm", k=9, where=EVERYTHING)
    assert [each.passages for each in new.stats().generations] == [len(names)]


def test_who_encodes_anew_undoes_nothing_that_others_did_meanwhile(open_corpus: OpenPostgres, made: Any) -> None:
    """`qa index rebuild` read these articles before others changed one and deleted one."""
    old, read = open_corpus(), [made.article(name, f"{name} storm") for name in ("a", "b", "c")]
    made.put(old, *read)
    new = open_corpus(identity=made.other)
    made.put(old, made.article("a", "a calm"))
    old.delete(Where(article_ids=("b",)))
    new.encode_anew([made.indexed(article, made.other) for article in read])
    assert (new.get("a").text, new.get("b")) == ("a calm", None)
    assert [stored.passage.text for stored in found(old, made)] == ["a calm", "c storm"], "and nobody switched"
    new.encode_anew([made.indexed(made.article("a", "a calm"), made.other)])
    assert {stored.passage.text for stored in found(new, made, made.other)} == {"a calm", "c storm"}
    assert new.verify() == []


def test_nothing_is_stored_any_more_for_an_encoder_that_was_replaced(open_corpus: OpenPostgres, made: Any) -> None:
    """Else it would be acknowledged, and found by nobody."""
    old = open_corpus()
    made.put(old, made.article("a", "a storm"))
    new = open_corpus(identity=made.other)
    made.put(new, made.article("a", "a storm"), identity=made.other)
    with pytest.raises(EncoderMismatch, match="filled by encoder other"):
        made.put(old, made.article("a", "a calm"))
    assert new.get("a").text == "a storm"
    assert [stored.passage.text for stored in found(new, made, made.other)] == ["a storm"]
    made.put(open_corpus(), made.article("a", "a calm"))
    assert new.get("a").text == "a calm", "whoever opens it for the encoder before begins to fill it for that"


def found(corpus: PostgresCorpus, made: Any, identity: Any = None) -> list[Any]:
    vector = made.vector("x", identity or made.identity)
    hits = corpus.search(vector, "storm", k=9, where=EVERYTHING).dense
    return sorted(corpus.passages([hit.key for hit in hits]).values(), key=lambda stored: stored.passage.article_id)


def test_what_was_altered_on_the_server_is_neither_shown_nor_taken_for_done(
    open_corpus: OpenPostgres, made: Any, postgres_server: Any, schema: str
) -> None:
    corpus = open_corpus()
    articles = [made.article(name, f"{name} storm\n{name} river") for name in ("a", "b", "c", "d", "e")]
    made.put(corpus, *articles)
    with psycopg.connect(postgres_server.url(), autocommit=True) as db:
        db.execute(f"SET search_path = {schema}, public")
        db.execute("UPDATE versions SET document = overlay(document PLACING 'X' FROM 10) WHERE number = 1")
        db.execute("UPDATE passages SET stop = stop - 1 WHERE article = 2 AND start = 0")
        db.execute("UPDATE passages SET embedding = embedding + embedding WHERE article = 3 AND start > 0")
        db.execute("DELETE FROM passages WHERE article = 4 AND start > 0")
        db.execute("DELETE FROM lexemes WHERE article = 5")
    hits = corpus.search(made.vector("x"), "", k=9, where=EVERYTHING).dense
    shown = {stored.passage.text for stored in corpus.passages([hit.key for hit in hits]).values()}
    assert shown == {"b river", "c storm", "d storm", "e storm", "e river"}
    assert corpus.fingerprints(["a", "b", "c", "d", "e"]) == {}, "so that the next ingest puts them back"
    assert sorted(finding.kind for finding in corpus.verify()) == ["article", "database", "database", *["passage"] * 4]
    made.put(corpus, *articles)
    assert corpus.verify() == []
