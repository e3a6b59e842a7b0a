"""A backup taken while somebody writes is one state of the store, and comes back whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import HashingEncoder
from embeddings.errors import InputError, StoreCorrupt, StoreError
from embeddings.ingest import ingest
from embeddings.opening import back_up, restore
from embeddings.types import RawArticle, Where

ENCODER = HashingEncoder()
NAMES = ("store.db", "conversations.db")


@pytest.fixture
def corpus(tmp_path: Path) -> Iterator[EmbeddedCorpus]:
    with closing(EmbeddedCorpus.open(tmp_path / "data", identity=ENCODER.identity)) as opened:
        yield opened


def add(corpus: EmbeddedCorpus, number: int) -> None:
    """One article says in two places, in its text and in its title, which turn wrote it."""
    items = [RawArticle(id=f"a{number % 5}", title=f"Turn {number}", text=f"The dams held in turn {number}.")]
    assert ingest(items, corpus=corpus, encoder=ENCODER).rejected == ()


def test_what_stands_in_the_log_only_is_backed_up(corpus: EmbeddedCorpus, tmp_path: Path) -> None:
    for number in range(3):
        add(corpus, number)
    copied = back_up(tmp_path / "data", tmp_path / "backup", names=NAMES)
    assert [file.name for file in copied.files] == ["store.db"]
    assert restore(tmp_path / "backup", tmp_path / "restored") == copied
    with closing(EmbeddedCorpus.open(tmp_path / "restored", identity=ENCODER.identity)) as restored:
        assert [finding for finding in restored.verify() if finding.kind != "index_outdated"] == []
        assert restored.scan(where=Where(), after=None, limit=9) == corpus.scan(where=Where(), after=None, limit=9)
        add(restored, 8)
        assert restored.count(Where()).articles == 4


def test_a_backup_under_way_of_writing_is_one_state(corpus: EmbeddedCorpus, tmp_path: Path) -> None:
    acknowledged: list[int] = []
    stop, begun = threading.Event(), threading.Event()

    def write() -> None:
        while not stop.is_set():
            add(corpus, len(acknowledged))
            acknowledged.append(len(acknowledged))
            if len(acknowledged) > 5:
                begun.set()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert begun.wait(300)
        for turn in range(3):
            least = len(acknowledged)
            back_up(tmp_path / "data", tmp_path / f"backup {turn}", names=NAMES)
            restore(tmp_path / f"backup {turn}", tmp_path / f"restored {turn}")
            with closing(EmbeddedCorpus.open(tmp_path / f"restored {turn}", identity=ENCODER.identity)) as restored:
                assert [finding for finding in restored.verify() if finding.kind != "index_outdated"] == []
                held = restored.scan(where=Where(), after=None, limit=9)
                assert max(int(article.title.split()[-1]) for article in held) >= least - 1
                assert all(f"in turn {article.title.split()[-1]}." in article.text for article in held)
        stop.set()
        writing.result()


def test_conversations_are_backed_up_with_it(corpus: EmbeddedCorpus, tmp_path: Path) -> None:
    add(corpus, 1)
    with closing(apsw.Connection(str(tmp_path / "data" / "conversations.db"))) as db:
        db.execute("CREATE TABLE said (words TEXT); INSERT INTO said VALUES ('How many?')")
    assert len(back_up(tmp_path / "data", tmp_path / "backup", names=NAMES).files) == 2
    restore(tmp_path / "backup", tmp_path / "restored")
    with closing(apsw.Connection(str(tmp_path / "restored" / "conversations.db"))) as db:
        assert db.execute("SELECT words FROM said").get == "How many?"


def test_a_damaged_backup_is_not_restored(corpus: EmbeddedCorpus, tmp_path: Path) -> None:
    add(corpus, 1)
    back_up(tmp_path / "data", tmp_path / "backup", names=NAMES)
    path = tmp_path / "backup" / "store.db"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreCorrupt, match="nothing was restored"):
        restore(tmp_path / "backup", tmp_path / "restored")
    assert not (tmp_path / "restored" / "store.db").exists()


def test_nothing_is_written_over(corpus: EmbeddedCorpus, tmp_path: Path) -> None:
    add(corpus, 1)
    back_up(tmp_path / "data", tmp_path / "backup", names=NAMES)
    with pytest.raises(InputError, match="is there already"):
        back_up(tmp_path / "data", tmp_path / "backup", names=NAMES)
    with pytest.raises(InputError, match="is there already"):
        restore(tmp_path / "backup", tmp_path / "data")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "store.db-wal").touch()
    with pytest.raises(InputError, match=r"store\.db-wal is there already"):
        restore(tmp_path / "backup", tmp_path / "other")


def test_what_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store"):
        back_up(tmp_path, tmp_path / "backup", names=NAMES)
    with pytest.raises(InputError, match="is no backup"):
        restore(tmp_path, tmp_path / "restored")


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd"])
def test_a_backup_reaches_nothing_outside(tmp_path: Path, name: str) -> None:
    (tmp_path / "backup.json").write_text(
        f'{{"made_at": "2026-01-01", "files": [{{"name": "{name}", "size": 0, "sha256": ""}}]}}'
    )
    with pytest.raises(InputError, match="outside of itself"):
        restore(tmp_path, tmp_path / "restored")
