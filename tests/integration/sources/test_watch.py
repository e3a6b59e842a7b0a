"""Watched folders: what is there, what changes, and what changed while nobody watched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import apsw
import pytest

from embeddings.ingest import IngestedArticle, IngestReport
from embeddings.types import RawArticle
from qa.settings import Settings
from qa.sources import visits
from qa.sources.delivery import BrokenOff, Delivered, ToStore
from qa.sources.fetching import NotDelivered
from qa.sources.ledger import Ledger
from qa.sources.visits import Folders, wakes

TEXT = "The harbour of Velda reopened on Monday. About 4,200 people work there, the port authority said."
FILES = int(os.environ.get("WATCHED_FILES", "240"))
OTHER = "A bakery in Torsby bakes with acorn flour again. Its mill had stood still since the war, the owner said."


class Watched:
    """A folder, a store, and what the watching of the one puts into the other."""

    def __init__(self, base: Path) -> None:
        self.folder = base / "news"
        self.folder.mkdir()
        self.data = base / "data"
        self.ledger = Ledger.open(self.data)
        self.stop = Event()
        self.read: list[RawArticle] = []
        self._store = ToStore(Settings(data_dir=self.data, encoder="hashing"), collection="default")

    def deliver(self, articles: Sequence[RawArticle]) -> Delivered:
        self.read += articles
        return self._store(articles)

    def rounds(self, *acts: Callable[[], object]) -> list[Delivered]:
        """A first round, and one after each act."""

        def woken() -> Iterator[None]:
            for act in acts:
                act()
                yield None

        folders = Folders([self.folder], ledger=self.ledger, deliver=self.deliver, stop=self.stop)
        return list(folders.run(woken()))


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    found = Watched(tmp_path)
    yield found
    found.ledger.close()


def test_what_is_there_and_what_changes_is_stored(watched: Watched, make: Any) -> None:
    (watched.folder / "a.txt").write_text(TEXT)
    (watched.folder / "b.docx").write_bytes(b"no document")
    first, second, third = watched.rounds(
        lambda: (watched.folder / "a.txt").write_text(f"{TEXT} It had been shut for days."),
        lambda: None,
        lambda: (watched.folder / "deep").mkdir() or (watched.folder / "deep/c.txt").write_text(OTHER),
    )
    assert (first.outcomes, len(first.rejected)) == ({"added": 1}, 1)
    assert (second.outcomes, third.outcomes) == ({"updated": 1}, {"added": 1})
    assert {article.text[-5:] for article in make.held(watched.data)} == {"days.", "said."}
    assert len(watched.read) == 3, "what did not change was read again"


def test_a_restart_reads_everything_and_changes_nothing(watched: Watched) -> None:
    (watched.folder / "a.txt").write_text(TEXT)
    watched.rounds()
    (brought,) = watched.ledger.sources()
    (again,) = watched.rounds()
    assert again.outcomes == {"unchanged": 1}
    (after,) = watched.ledger.sources()
    assert (after.name, after.kind) == (str(watched.folder), "folder")
    assert after.brought == brought.brought < after.asked


def test_a_file_that_is_removed_takes_nothing_back(watched: Watched, make: Any) -> None:
    (watched.folder / "a.txt").write_text(TEXT)
    watched.rounds((watched.folder / "a.txt").unlink)
    assert len(make.held(watched.data)) == 1


def test_hidden_files_and_links_out_of_the_folder_are_not_read(watched: Watched, tmp_path: Path, make: Any) -> None:
    (tmp_path / "secret.txt").write_text(OTHER)
    (watched.folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (watched.folder / ".hidden.txt").write_text(OTHER)
    watched.rounds()
    assert make.held(watched.data) == []


def test_a_file_is_read_again_when_somebody_may_read_it_at_last(watched: Watched) -> None:
    (watched.folder / "a.txt").write_text(TEXT)
    (watched.folder / "a.txt").chmod(0o600)
    _, again = watched.rounds(lambda: (watched.folder / "a.txt").chmod(0o644))
    assert again.outcomes == {"unchanged": 1}, "its time, size and number are what they were"


def test_a_folder_that_vanishes_is_not_heard_of_until_it_is_back(watched: Watched) -> None:
    (watched.folder / "a.txt").write_text(TEXT)
    away, clock = watched.folder.with_name("away"), iter([1.0, 2.0, 3.0])
    heard = []

    def come_back() -> None:
        heard.extend(watched.ledger.sources())
        away.rename(watched.folder)
        (watched.folder / "b.txt").write_text(OTHER)

    acts = [lambda: watched.folder.rename(away), come_back]
    woken = (act() for act in acts)
    folders = Folders(
        [watched.folder], ledger=watched.ledger, deliver=watched.deliver, stop=watched.stop, now=lambda: next(clock)
    )
    told = list(folders.run(woken))
    assert [one.outcomes for one in told] == [{"added": 1}, {"added": 1}]
    assert [(one.asked, one.brought) for one in (*heard, *watched.ledger.sources())] == [(1.0, 1.0), (2.0, 2.0)]


def test_a_name_that_is_no_utf8_does_not_end_the_watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "_RETRY_SECONDS", 0.0)
    stop = Event()
    woken = wakes([tmp_path], stop=stop)
    next(woken)
    for name in (b"odd-\xff\xfe.txt", b"plain.txt"):
        (tmp_path / os.fsdecode(name)).write_text(TEXT)
        next(woken)
    stop.set()
    assert list(woken) == []


def test_a_folder_that_is_not_there_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "_RETRY_SECONDS", 0.0)
    stop = Event()
    woken = wakes([tmp_path, tmp_path / "missing"], stop=stop)
    next(woken)
    (tmp_path / "a.txt").write_text(TEXT)
    next(woken)
    stop.set()
    assert list(woken) == []
    none = wakes([tmp_path / "missing"], stop=(again := Event()))
    next(none)
    next(none)
    again.set()
    assert list(none) == []


def test_while_the_store_is_busy_articles_wait(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    (watched.folder / "a.txt").write_text(TEXT)
    refusals = iter([NotDelivered("another process writes")] * 2)
    waited: list[float] = []
    monkeypatch.setattr(watched.stop, "wait", waited.append)
    deliver = watched.deliver

    def busy(articles: Sequence[RawArticle]) -> Delivered:
        for refusal in refusals:
            raise refusal
        return deliver(articles)

    watched.deliver = busy  # type: ignore[method-assign]
    assert watched.rounds()[0].outcomes == {"added": 1}
    assert len(waited) == 2


def test_a_stop_tells_what_was_stored_before(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """A delivery that breaks off had stored some, a stop ends the waiting for the rest."""
    for number in range(60):
        (watched.folder / f"{number:02}.txt").write_text(f"{TEXT} It is the report number {number}.")
    deliver = watched.deliver
    one = IngestedArticle(id="a", version="v", title="", outcome="added", origin="")
    before = iter([(one, one, one)])

    def breaking(articles: Sequence[RawArticle]) -> Delivered:
        if len(articles) == 50:
            return deliver(articles)
        report = IngestReport(articles=next(before, ()), rejected=(), passages_encoded=0, seconds=0.0)
        raise BrokenOff("the service stops", report=report)

    watched.deliver = breaking  # type: ignore[method-assign]
    monkeypatch.setattr(watched.stop, "wait", lambda _: watched.stop.set())
    (told,) = watched.rounds()
    assert told.outcomes == {"added": 53}
    assert [one.brought is None for one in watched.ledger.sources()] == [False]


def stored_in(folder: Path) -> int:
    """How many articles are on disk, asked of the file itself: opening a store takes longer than storing some."""
    try:
        db = apsw.Connection(str(folder / "store.db"), flags=apsw.SQLITE_OPEN_READONLY)
    except apsw.CantOpenError:
        return 0
    db.set_busy_timeout(30_000)
    try:
        return int(db.execute("SELECT count(*) FROM articles").fetchall()[0][0])
    except apsw.SQLError:  # it is being made
        return 0
    finally:
        db.close()


def started(watched: Watched) -> subprocess.Popen[bytes]:
    """A process that watches the folder."""
    settings = {"QA_DATA_DIR": str(watched.data), "QA_ENCODER": "hashing"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QA_")} | settings
    command = [sys.executable, "-m", "qa", "watch", str(watched.folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)


def test_the_process_killed_at_work_loses_and_doubles_nothing(watched: Watched, make: Any) -> None:
    def until(texts: set[str], process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 300
        while {article.text for article in make.held(watched.data)} != texts:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.1)

    (watched.folder / "a.txt").write_text(TEXT)
    process = started(watched)
    try:
        until({TEXT}, process)
        (watched.folder / "b.txt").write_text(OTHER)
        until({TEXT, OTHER}, process)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        (watched.folder / "a.txt").write_text(f"{TEXT} It had been shut for days.")
        process = started(watched)
        until({f"{TEXT} It had been shut for days.", OTHER}, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    finally:
        process.kill()
        process.wait(60)


def test_killed_again_and_again_over_many_files_all_are_stored_once(watched: Watched, make: Any) -> None:
    """The files are in the folder before; each process is killed when it has stored some more, the last one, too."""
    texts = {f"The {n}th boat of Velda is called Orva {n}. It landed {n + 3} crates on Monday." for n in range(FILES)}
    for number, text in enumerate(texts):
        (watched.folder / f"{number}.txt").write_text(text)
    stored, kills = 0, 0
    deadline = time.monotonic() + 500
    while stored < len(texts):
        process = started(watched)
        try:
            aim = min(len(texts), stored + max(100, FILES // 5))
            while (count := stored_in(watched.data)) < aim:
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.02)
            kills += count < len(texts)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(60)
        stored = stored_in(watched.data)
    assert kills >= 2, "it was killed in the midst of its work"
    assert sorted(article.text for article in make.held(watched.data)) == sorted(texts)
    assert watched.rounds()[0].outcomes == {"unchanged": len(texts)}


def test_notes_on_what_was_stored_are_told(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    """A withdrawal names the copies that go on being shown."""
    caplog.set_level("INFO", logger="qa.sources")
    (watched.folder / "one.md").write_text(f"---\nid: one\n---\n{OTHER}\n")
    (watched.folder / "two.md").write_text(f"---\nid: two\n---\n{OTHER}\n")

    def withheld() -> None:
        (watched.folder / "two.md").write_text(f"---\nid: two\nstatus: withheld\n---\n{OTHER}\n")

    first, second = watched.rounds(withheld)
    assert (first.notes, len(second.notes)) == ((), 1)
    (line,) = [record.getMessage() for record in caplog.records if "note: " in record.getMessage()]
    assert line == second.notes[0]
    assert "the same text is held as one, too" in line
