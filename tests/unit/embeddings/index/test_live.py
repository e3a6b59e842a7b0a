"""Searches run on a picture of the very state they read; merging and removal keep it small, and it exact."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest

from embeddings.encoders import EncoderIdentity
from embeddings.index import files
from embeddings.index.files import read_manifest
from embeddings.index.live import LiveIndex
from embeddings.index.snapshot import Snapshot, allowed, exact_from, search
from embeddings.index.terms import Terms
from embeddings.store.database import Store, no_fault
from embeddings.store.reads import state
from embeddings.store.writes import adopt, ensure_generation, forget, put
from embeddings.types import Article, EncodedPassage, IndexedArticle, Passage, Where, article_version

IDENTITY = EncoderIdentity(name="made", revision="1" * 64, dimension=4, max_tokens=64, normalised=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path)
    with opened.writing() as db:
        adopt(db, IDENTITY)
    yield opened
    opened.close()


@pytest.fixture
def live(tmp_path: Path) -> LiveIndex:
    return LiveIndex(tmp_path / "index", terms=Terms(), fault=no_fault)


def add(store: Store, *names: str) -> None:
    for name in names:
        vector = np.random.default_rng(int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)).normal(size=4)
        text = f"text of {name}"
        article = Article(id=name, version=article_version(text), title="", text=text)
        passage = Passage(
            id=f"p {name}", article_id=name, article_version=article.version, start=0, end=len(text), text=text
        )
        encoded = EncodedPassage(passage=passage, vector=(vector / np.linalg.norm(vector)).astype(np.float32))
        with store.writing() as db:
            indexed = IndexedArticle(article=article, passages=(encoded,), signature=b"")
            put(db, indexed, ensure_generation(db, IDENTITY))


def remove(store: Store, *names: str) -> None:
    with store.writing() as db:
        forget(db, Where(article_ids=names))


def picture(store: Store, live: LiveIndex) -> Snapshot:
    with store.reading() as db:
        found = live.at(db, state(db))
    assert found is not None
    return found


def held(snapshot: Snapshot) -> list[int]:
    """The keys that can be found, and proof that both halves of every segment hold the same."""
    keys = []
    for segment in snapshot.segments:
        assert segment.near.keys.tolist() == segment.posted.keys.tolist()
        keys += [key for key in segment.near.keys.tolist() if snapshot.alive[key]]
    assert keys == sorted(set(keys))
    assert keys == np.flatnonzero(snapshot.alive).tolist()
    return keys


def test_a_search_that_began_before_a_write_is_told_to_look_again(store: Store, live: LiveIndex) -> None:
    """The filter it would compute is of the earlier state, the picture of the later one."""
    add(store, "a")
    with store.reading() as earlier:
        seen = state(earlier)
        add(store, "b")
        picture(store, live)
        assert live.at(earlier, seen) is None


def test_a_picture_once_taken_never_changes(store: Store, live: LiveIndex) -> None:
    add(store, "a", "b")
    first = picture(store, live)
    before = held(first)
    add(store, "c")
    remove(store, "a")
    second = picture(store, live)
    live.merge()
    assert held(first) == before == [1, 2]
    assert held(second) == held(picture(store, live)) == [2, 3]


def test_catching_up_reads_only_what_came_since(store: Store, live: LiveIndex) -> None:
    add(store, *map(str, range(50)))
    first = picture(store, live)
    add(store, "new")
    second = picture(store, live)
    assert second.segments[:-1] == first.segments
    assert second.segments[-1].near.keys.tolist() == [51]


def test_a_reader_too_far_behind_reads_everything_again(store: Store, live: LiveIndex) -> None:
    add(store, "a", "b")
    picture(store, live)
    remove(store, "a")
    db = apsw.Connection(str(store.folder / "store.db"))
    db.execute("DELETE FROM removals")
    db.execute("UPDATE state SET removals_after = change")
    db.close()
    assert held(picture(store, live)) == [2]


def test_many_small_writes_leave_few_segments(store: Store, live: LiveIndex) -> None:
    most = 0
    for number in range(100):
        add(store, f"a{number}")
        picture(store, live)
        live.merge()
        most = max(most, len(picture(store, live).segments))
    assert most <= 7  # log2(100)
    assert held(picture(store, live)) == list(range(1, 101))


def test_removed_passages_are_dropped_from_memory_in_the_end(
    store: Store, live: LiveIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embeddings.index.snapshot._DEAD_LEAST", 3)
    add(store, *map(str, range(16)))
    picture(store, live)
    for number in range(16):
        remove(store, str(number))
        picture(store, live)
        live.merge()
        now = picture(store, live)
        assert held(now) == list(range(number + 2, 17))
        rows = sum(len(segment.near.keys) for segment in now.segments)
        assert rows - len(held(now)) <= max(3, rows // 4)


def test_saved_files_hold_one_segment_and_nothing_removed(store: Store, live: LiveIndex, tmp_path: Path) -> None:
    add(store, *"abcdef")
    picture(store, live)
    remove(store, "b", "e")
    add(store, "g")
    with store.reading() as db:
        live.save(db, state(db))
    again = LiveIndex(tmp_path / "index", terms=Terms(), fault=no_fault)
    loaded = picture(store, again)
    assert len(loaded.segments) == 1
    assert held(loaded) == held(picture(store, live)) == [1, 3, 4, 6, 7]
    assert [segment.rows for segment in read_manifest(tmp_path / "index").segments] == [5]


def test_saving_again_what_is_saved_writes_nothing(store: Store, live: LiveIndex, tmp_path: Path) -> None:
    add(store, "a")
    stamps = []
    for _ in range(2):
        with store.reading() as db:
            live.save(db, state(db))
        stamps.append({path: path.stat().st_mtime_ns for path in (tmp_path / "index").iterdir()})
    assert stamps[0] == stamps[1]
    assert len(stamps[0]) == 3


def test_an_index_of_nothing_leaves_no_manifest(store: Store, live: LiveIndex, tmp_path: Path) -> None:
    add(store, "a")
    with store.reading() as db:
        live.save(db, state(db))
    remove(store, "a")
    with store.reading() as db:
        live.save(db, state(db))
    assert list((tmp_path / "index").iterdir()) == []
    again = LiveIndex(tmp_path / "index", terms=Terms(), fault=no_fault)
    assert held(picture(store, again)) == []


def saved(store: Store, live: LiveIndex) -> None:
    with store.reading() as db:
        live.save(db, state(db))


def written_by_another_process(store: Store, *names: str, removed: tuple[str, ...] = ()) -> LiveIndex:
    """Add articles as a process does that never searches."""
    writing = LiveIndex(store.folder / "index", terms=Terms(), fault=no_fault)
    with store.reading() as db:
        writing.keep_up(db, state(db))
    add(store, *names)
    if removed:
        remove(store, *removed)
    with store.reading() as db:
        writing.keep_up(db, state(db))
    return writing


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the segments that were read from files."""
    sizes: list[int] = []

    def noted(folder: Path, record: files.SegmentRecord, *, dimension: int) -> files.Segment:
        sizes.append(record.rows)
        return real(folder, record, dimension=dimension)

    real = files.opened
    monkeypatch.setattr(files, "opened", noted)
    return sizes


def test_a_process_that_only_writes_reads_and_writes_no_large_segment(
    store: Store, live: LiveIndex, opened: list[int]
) -> None:
    add(store, *map(str, range(50)))
    saved(store, live)
    before = {path.name for path in (store.folder / "index").iterdir()}
    saved(store, written_by_another_process(store, "x", removed=("7",)))
    assert opened == []
    assert [segment.rows for segment in read_manifest(store.folder / "index").segments] == [50, 1]
    assert len(before - {path.name for path in (store.folder / "index").iterdir()}) == 0
    saved(store, written_by_another_process(store, "y"))
    assert opened == [1]
    assert [segment.rows for segment in read_manifest(store.folder / "index").segments] == [50, 2]
    again = LiveIndex(store.folder / "index", terms=Terms(), fault=no_fault)
    assert held(picture(store, again)) == held(picture(store, live)) == [*range(1, 8), *range(9, 53)]


def test_a_search_in_a_process_that_has_written_finds_what_it_wrote(
    store: Store, live: LiveIndex, opened: list[int]
) -> None:
    add(store, *map(str, range(50)))
    saved(store, live)
    writing = written_by_another_process(store, "x", removed=("7",))
    assert held(picture(store, writing)) == [*range(1, 8), *range(9, 52)]
    assert opened == [50]
    saved(store, writing)
    again = LiveIndex(store.folder / "index", terms=Terms(), fault=no_fault)
    assert held(picture(store, again)) == held(picture(store, writing))


def test_files_altered_since_are_not_added_to(store: Store, live: LiveIndex, caplog: pytest.LogCaptureFixture) -> None:
    add(store, "a")
    saved(store, live)
    writing = written_by_another_process(store, "b")
    for path in (store.folder / "index").glob("*.terms"):
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    saved(store, writing)
    assert "is not the file that was saved" in caplog.text
    again = LiveIndex(store.folder / "index", terms=Terms(), fault=no_fault)
    assert held(picture(store, again)) == [1, 2]


def test_a_removed_passage_is_never_found_by_a_later_process(store: Store, live: LiveIndex) -> None:
    add(store, *map(str, range(5000, 5030)))
    saved(store, live)
    saved(store, written_by_another_process(store, removed=("5003", "5029")))
    assert [segment.rows for segment in read_manifest(store.folder / "index").segments] == [30]
    again = LiveIndex(store.folder / "index", terms=Terms(), fault=no_fault)
    assert held(picture(store, again)) == [key for key in range(1, 30) if key != 4]


def cosines(store: Store, query: np.ndarray) -> dict[int, float]:
    """Of all passages that the store holds."""
    with store.reading() as db:
        rows = db.execute("SELECT key, vector FROM passages").fetchall()
    return {key: float(np.frombuffer(vector, dtype="<f4") @ query) for key, vector in rows}


def test_a_large_store_is_searched_in_quantised_segments_with_exact_scores(
    store: Store, live: LiveIndex, monkeypatch: pytest.MonkeyPatch, opened: list[int]
) -> None:
    monkeypatch.setattr("embeddings.index.snapshot._EXACT_MOST", 60)
    monkeypatch.setattr("embeddings.index.snapshot._QUANTISED_LEAST", 32)
    monkeypatch.setattr("embeddings.index.snapshot._BATCH", 8)

    def kinds() -> list[tuple[int, bool]]:
        return [(segment.rows, segment.quantised) for segment in read_manifest(store.folder / "index").segments]

    def found(by: LiveIndex) -> dict[int, float]:
        query = np.array([0.5, 0.5, -0.5, 0.5], dtype=np.float32)
        with store.reading() as db:
            snapshot = by.at(db, state(db))
            assert snapshot is not None
            chosen = allowed(snapshot, db, Where())
            hits = search(query, ["text"], k=15, among=chosen, counted=chosen, exact=exact_from(db, IDENTITY))
        expected = sorted(cosines(store, query).items(), key=lambda item: -item[1])[:15]
        assert {hit.key: hit.score for hit in hits.dense} == pytest.approx(dict(expected), abs=1e-6)
        assert len(hits.lexical) == 15
        return dict(expected)

    add(store, *map(str, range(70)))
    picture(store, live)
    found(live)
    saved(store, live)
    assert kinds() == [(32, True), (32, True), (6, False)]
    saved(store, written_by_another_process(store, *map(str, range(70, 82)), removed=("3", "40", "75")))
    assert opened == [6]
    assert kinds() == [(32, True), (32, True), (17, False)]
    opened.clear()
    saved(store, written_by_another_process(store, *map(str, range(82, 99))))
    assert opened == [17]
    assert kinds() == [(32, True), (32, True), (34, True)]
    again = LiveIndex(store.folder / "index", terms=Terms(), fault=no_fault)
    assert held(picture(store, again)) == held(picture(store, live))
    assert found(again) == found(live)
    live.merge()
    saved(store, live)
    assert held(picture(store, LiveIndex(store.folder / "index", terms=Terms(), fault=no_fault))) == held(
        picture(store, live)
    )


def test_a_store_that_has_grown_large_has_its_exact_segment_quantised(
    store: Store, live: LiveIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, *map(str, range(40)))
    assert [segment.quantised for segment in picture(store, live).segments] == [False]
    saved(store, live)
    monkeypatch.setattr("embeddings.index.snapshot._EXACT_MOST", 39)
    monkeypatch.setattr("embeddings.index.snapshot._QUANTISED_LEAST", 32)
    saved(store, written_by_another_process(store, "x"))
    assert [(each.rows, each.quantised) for each in read_manifest(store.folder / "index").segments] == [(41, True)]
    add(store, "y")
    picture(store, live)
    live.merge()
    now = picture(store, live)
    assert [(segment.size, segment.quantised) for segment in now.segments] == [(40, True), (2, False)]
    assert held(now) == list(range(1, 43))


def test_after_a_crash_only_what_came_since_is_read(store: Store, live: LiveIndex, opened: list[int]) -> None:
    add(store, *map(str, range(50)))
    saved(store, live)
    add(store, "x", "y")
    remove(store, "7")
    for searching in (True, False):
        again = LiveIndex(store.folder / "index", terms=Terms(), fault=no_fault)
        if searching:
            assert held(picture(store, again)) == [*range(1, 8), *range(9, 53)]
            assert opened == [50]
        else:
            with store.reading() as db:
                again.keep_up(db, state(db))
            saved(store, again)
    assert opened == [50]
    assert [segment.rows for segment in read_manifest(store.folder / "index").segments] == [50, 2]
    last = LiveIndex(store.folder / "index", terms=Terms(), fault=no_fault)
    assert held(picture(store, last)) == [*range(1, 8), *range(9, 53)]


def test_files_of_another_history_are_not_caught_up(store: Store, live: LiveIndex, opened: list[int]) -> None:
    """A backup was restored, and went another way: the number of changes says nothing."""
    add(store, "a", "b")
    saved(store, live)
    with store.writing() as db:
        db.execute("UPDATE stamps SET stamp = 'another'")
    add(store, "c")
    again = LiveIndex(store.folder / "index", terms=Terms(), fault=no_fault)
    assert held(picture(store, again)) == [1, 2, 3]
    assert opened == []


def test_a_reader_whose_files_were_exchanged_while_it_read_looks_again(
    store: Store, live: LiveIndex, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    add(store, *map(str, range(9)))
    saved(store, live)
    reader = LiveIndex(store.folder / "index", terms=Terms(), fault=no_fault)
    read_manifest = files.read_manifest

    def slow(folder: Path) -> files.Manifest:
        found = read_manifest(folder)
        monkeypatch.setattr(files, "read_manifest", read_manifest)
        add(store, *map(str, range(20, 40)))
        saved(store, live)
        return found

    with store.reading() as db:
        seen = state(db)
        monkeypatch.setattr(files, "read_manifest", slow)
        picture(store, live)
        assert reader.at(db, seen) is None
    assert held(picture(store, reader)) == list(range(1, 30))
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


def test_a_reader_that_becomes_the_writer_names_no_file_that_was_removed_meanwhile(
    store: Store, live: LiveIndex, monkeypatch: pytest.MonkeyPatch, opened: list[int]
) -> None:
    add(store, *map(str, range(20)))
    saved(store, live)
    reader = LiveIndex(store.folder / "index", terms=Terms(), fault=no_fault)
    picture(store, reader)
    add(store, "x")
    saved(store, live)  # as one segment: the files that the reader has open are gone
    monkeypatch.setattr("embeddings.index.live._SMALL", 0)
    add(store, "y")
    saved(store, reader)
    opened.clear()
    again = LiveIndex(store.folder / "index", terms=Terms(), fault=no_fault)
    assert held(picture(store, again)) == list(range(1, 23))
    assert opened == [20, 2]


def test_a_search_that_began_before_files_were_added_to_looks_again(store: Store, live: LiveIndex) -> None:
    """Else what came between its state and the files' would never be found."""
    add(store, "a")
    saved(store, live)
    writing = LiveIndex(store.folder / "index", terms=Terms(), fault=no_fault)
    with store.reading() as earlier:
        seen = state(earlier)
        writing.keep_up(earlier, seen)
        add(store, "b")
        saved(store, writing)
        assert writing.at(earlier, seen) is None
    assert held(picture(store, writing)) == [1, 2]
