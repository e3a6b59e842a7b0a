"""The store by itself: one transaction is all or nothing, one process writes, foreign files are refused."""

from __future__ import annotations

import fcntl
import hashlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import msgspec
import pytest

from embeddings.errors import InputError, StoreBusy, StoreCorrupt, StoreError
from embeddings.store import schema
from embeddings.store.database import Store, document, fingerprint
from embeddings.store.reads import state
from embeddings.store.schema import matching, moment
from embeddings.types import Article, Where


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "data")
    yield opened
    opened.close()


def names(store: Store) -> list[str]:
    with store.reading() as db:
        return [name for (name,) in db.execute("SELECT id FROM articles ORDER BY number")]


def add(db: apsw.Connection, *names: str) -> None:
    for name in names:
        db.execute("INSERT INTO articles (id, collection, source, signature) VALUES (?, '', '', x'')", (name,))


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    with store.writing() as db:
        add(db, "kept")
    with pytest.raises(StoreError, match="UNIQUE"), store.writing() as db:
        add(db, "lost", "kept")
    assert names(store) == ["kept"]
    with store.writing() as db:
        add(db, "after")
    assert names(store) == ["kept", "after"]


def test_who_asks_whether_another_writes_keeps_nobody_from_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For that moment, the one who asks has a share of the lock."""
    Store.open(tmp_path).close()
    asking = (tmp_path / "writer.lock").open()
    fcntl.flock(asking, fcntl.LOCK_SH)
    monkeypatch.setattr(time, "sleep", lambda _: asking.close())
    Store.open(tmp_path).close()


@pytest.mark.parametrize("step", ["begun", "before commit"])
def test_a_failure_at_any_step_before_the_commit_leaves_nothing(tmp_path: Path, step: str) -> None:
    def fail(name: str) -> None:
        if name == step:
            raise OSError("disk on fire")

    store = Store.open(tmp_path, fault=fail)
    with pytest.raises(StoreError, match="disk on fire"), store.writing() as db:
        add(db, "lost")
    assert names(store) == []
    store.close()


def test_every_change_has_a_number_and_a_name_and_no_change_has_none(store: Store) -> None:
    with store.reading() as db:
        before = state(db)
    with store.writing() as db:
        db.execute("DELETE FROM articles")
    with store.reading() as db:
        assert state(db) == before
    with store.writing() as db:
        add(db, "a")
    with store.reading() as db:
        after = state(db)
    assert after.change == before.change + 1
    assert after.stamp != before.stamp
    assert after.store == before.store


def test_a_reader_sees_one_state_while_others_write(store: Store) -> None:
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM articles").get == 0
        with store.writing() as writer:
            add(writer, "a")
        assert db.execute("SELECT count(*) FROM articles").get == 0
    assert names(store) == ["a"]


def test_a_commit_waits_for_the_disk(store: Store) -> None:
    """FULL in WAL mode: without it, a commit that returned can be lost with the power."""
    with store.writing() as db:
        assert db.pragma("journal_mode") == "wal"
        assert db.pragma("synchronous") == 2


def test_removals_are_remembered_for_a_while_and_then_forgotten(store: Store) -> None:
    for change in range(1, 1004):
        with store.writing() as db:
            db.execute("INSERT INTO removals VALUES (?, 1, 1)", (change,))
    store.tidy()
    with store.reading() as db:
        assert state(db).removals_after == 3
        assert db.execute("SELECT min(change) FROM removals").get == 4


def test_only_one_writes(store: Store) -> None:
    with pytest.raises(StoreBusy, match=r"process \d+ .* is writing .*stop it"):
        Store.open(store.folder)
    reader = Store.open(store.folder, read_only=True)
    with pytest.raises(StoreError, match="reading only"), reader.writing():
        pass
    reader.close()
    store.close()
    Store.open(store.folder).close()


def test_threads_write_one_after_the_other(store: Store) -> None:
    def write(thread: int) -> None:
        for turn in range(5):
            with store.writing() as db:
                add(db, f"{thread} {turn}")

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names(store)) == 20
    with store.reading() as db:
        assert state(db).change == 20


def test_a_reader_needs_a_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="qa ingest"):
        Store.open(tmp_path, read_only=True)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "store.db").touch()
    with pytest.raises(StoreError, match="qa ingest"):
        Store.open(tmp_path, read_only=True)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"these are not the bytes of a database" * 99)
    with pytest.raises(StoreCorrupt, match="damaged"):
        Store.open(tmp_path)


def test_another_program_s_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    db = apsw.Connection(str(tmp_path / "store.db"))
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    before = hashlib.sha256((tmp_path / "store.db").read_bytes()).hexdigest()
    with pytest.raises(StoreError, match="not a store"):
        Store.open(tmp_path)
    assert hashlib.sha256((tmp_path / "store.db").read_bytes()).hexdigest() == before


def test_a_store_of_another_schema_is_refused(store: Store) -> None:
    store.close()
    db = apsw.Connection(str(store.folder / "store.db"))
    db.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    db.close()
    with pytest.raises(StoreError, match="schema version"):
        Store.open(store.folder)


def test_an_sqlite_that_corrupts_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.2")
    with pytest.raises(StoreError, match=r"3\.51\.3"):
        Store.open(tmp_path)
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.100.0")
    Store.open(tmp_path).close()


def test_a_full_disk_is_an_error_and_loses_nothing_before(store: Store) -> None:
    with store.writing() as db:
        add(db, "kept")
        db.pragma("max_page_count", db.pragma("page_count") + 5)
    with pytest.raises(StoreError, match=r"disk .* is full"), store.writing() as db:
        add(db, "x" * 1_000_000)
    assert names(store) == ["kept"]


def test_a_fingerprint_tells_everything_an_article_says() -> None:
    article = Article(id="a", version="v", title="t", text="x")
    changes = {
        "id": "b",
        "version": "w",
        "title": "u",
        "text": "y",
        "source": "s",
        "url": "u",
        "published_at": "2024-06-04",
        "language": "en",
        "authors": ("A",),
        "collection": "c",
        "pages": (0,),
        "section": "News",
        "usage_terms": "free",
        "embargoed_until": "2024-06-05T00:00:00Z",
        "status": "withheld",
        "summary_only": True,
    }
    assert changes.keys() == set(Article.__struct_fields__)
    prints = {fingerprint(msgspec.structs.replace(article, **{name: value})) for name, value in changes.items()}
    assert len(prints | {fingerprint(article)}) == len(changes) + 1


def test_a_document_reads_back_as_the_article() -> None:
    article = Article(
        id="a", version="v", title="“t”\0", text="x\u2028😀", authors=("A", "B"), published_at="2024-06-04"
    )
    assert msgspec.json.decode(document(article), type=Article) == article


def test_values_of_a_filter_never_enter_the_statement() -> None:
    hostile = "'; DROP TABLE articles; --"
    condition, values = matching(Where(collection=hostile, sources=(hostile,), article_ids=(hostile, "b")))
    assert hostile not in condition
    assert values == [hostile, hostile, hostile, "b"]
    with pytest.raises(InputError, match="at most"):
        matching(Where(article_ids=("a",) * 40_000))
    with pytest.raises(InputError, match="surrogate"):
        matching(Where(sources=("\ud800",)))


@pytest.mark.parametrize("written", ["2024-06-04", "2024-06-04T00:00:00", "2024-06-04T02:00:00+02:00"])
def test_ways_to_write_one_moment(written: str) -> None:
    assert moment(written) == moment("2024-06-04T00:00:00Z")
