"""Conversations and feedback in their file: order, bounds, owners, erasing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from qa.conversations.database import FILE, Database
from qa.conversations.feedback import FeedbackBook, ServedAnswers, served
from qa.conversations.history import Bounds, History, new_id
from qa.errors import HistoryUnavailable, NotFound
from qa.types import Answer, Usage

ROOMY = Bounds(turns=1000, conversations=1000, size=10**9)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def history(database: Database) -> History:
    return History(database, bounds=ROOMY)


def answer(conversation: str | None, name: str, **more: Any) -> Answer:
    return Answer(
        **{
            "id": name,
            "conversation_id": conversation,
            "question": f"What about {name}?",
            "resolved_query": f"What about {name}?",
            "as_of": "2024-06-04T00:00:00Z",
            "answer": f"It is {name} 🏆.",
            "answer_mode": "extractive",
            "fallback_reason": None,
            "abstain_reason": None,
            "short_answer": None,
            "claims": (),
            "citations": (),
            "conflicts": (),
            "search_results": (),
            "support_score": 0.8125,
            "usage": Usage(query_encodings=1),
            "timings_ms": {"total": 1.25},
        }
        | more
    )


def tell(history: History, conversation: str, *names: str, owner: str = "", begin: bool = True) -> list[Answer]:
    told = [answer(conversation, name) for name in names]
    for number, each in enumerate(told):
        assert history.append(each, at="2024-06-04T10:00:00Z", owner=owner, begin=begin and number == 0)
    return told


def kept(history: History, conversation: str, *, owner: str = "") -> list[Answer]:
    found, following = history.turns(conversation, owner=owner, after=0, limit=1000)
    assert following is None
    return [turn.answer for turn in found]


def listed(history: History, *, owner: str = "") -> list[str]:
    return [one.id for one in history.page(owner=owner, before=None, limit=1000)[0]]


def test_turns_come_back_as_they_were_in_order(history: History) -> None:
    told = tell(history, "one", "a", "b", "c")
    tell(history, "two", "d")
    assert kept(history, "one") == told
    assert [turn.answer for turn in history.last_turns("one", owner="", limit=2)] == told[1:]
    about = history.conversation("one", owner="")
    assert (about.title, about.turns) == ("What about a?", 3)
    assert history.answer("b", owner="") == told[1]


def test_a_file_opened_again_holds_the_same(tmp_path: Path) -> None:
    first = Database.open(tmp_path)
    told = tell(History(first, bounds=ROOMY), "one", "a", "b")
    first.close()
    second = Database.open(tmp_path)
    assert kept(History(second, bounds=ROOMY), "one") == told
    second.close()


def test_pages_of_turns_and_conversations_follow_each_other(history: History) -> None:
    for number in range(5):
        tell(history, f"c{number}", *(f"a{number}{turn}" for turn in range(3)))
    tell(history, "c1", "late", begin=False)
    found: list[str] = []
    before = None
    while True:
        page, before = history.page(owner="", before=before, limit=2)
        found += [one.id for one in page]
        if before is None:
            break
    assert found == ["c1", "c4", "c3", "c2", "c0"], "the last used first"
    page, after = history.turns("c1", owner="", after=0, limit=3)
    assert after is not None
    assert [turn.answer.id for turn in page] == ["a10", "a11", "a12"]
    assert [turn.answer.id for turn in history.turns("c1", owner="", after=after, limit=3)[0]] == ["late"]


def test_nobody_sees_what_is_anothers(history: History, database: Database) -> None:
    tell(history, "hers", "a", owner="her")
    book = FeedbackBook(database, limit=10)
    book.give(served(answer("hers", "a")), owner="her", verdict="up", comment="", at="t")
    assert listed(history, owner="him") == []
    assert history.answer("a", owner="him") is None
    assert not history.append(answer("hers", "b"), at="t", owner="him", begin=False)
    for act in (
        lambda: history.conversation("hers", owner="him"),
        lambda: history.turns("hers", owner="him", after=0, limit=1),
        lambda: history.last_turns("hers", owner="him", limit=1),
        lambda: history.delete("hers", owner="him"),
    ):
        with pytest.raises(NotFound) as foreign:
            act()
        assert str(foreign.value) == str(missing(history)), "a foreign one looks like one that is not there"
    assert len(kept(history, "hers", owner="her")) == 1
    assert book.page(owner="him", before=None, limit=5)[0] == []


def missing(history: History) -> NotFound:
    with pytest.raises(NotFound) as none:
        history.conversation("hers", owner="nobody")
    return none.value


def test_the_oldest_turns_make_room(database: Database) -> None:
    history = History(database, bounds=Bounds(turns=3, conversations=9, size=10**9))
    told = tell(history, "one", *"abcde")
    assert kept(history, "one") == told[2:]
    assert history.conversation("one", owner="").turns == 3
    assert history.answer("a", owner="") is None


def test_the_least_used_conversations_make_room(database: Database) -> None:
    history = History(database, bounds=Bounds(turns=9, conversations=3, size=10**9))
    for name in ("c1", "c2", "c3"):
        tell(history, name, f"{name}-a")
    tell(history, "c1", "c1-b", begin=False)
    tell(history, "c4", "c4-a")
    assert listed(history) == ["c4", "c1", "c3"]


def test_bytes_are_bounded_and_the_current_conversation_stays(database: Database) -> None:
    size = len(msgspec.json.encode(answer("c0", "c0-a", answer="x" * 1000)))
    history = History(database, bounds=Bounds(turns=9, conversations=99, size=3 * size + 10))
    for name in ("c0", "c1", "c2", "c3", "c4"):
        assert history.append(answer(name, f"{name}-a", answer="x" * 1000), at="t", owner="", begin=True)
    assert listed(history) == ["c4", "c3", "c2"]
    assert history.append(answer("c5", "big", answer="x" * 9000), at="t", owner="", begin=True)
    assert listed(history) == ["c5"]


def test_what_is_deleted_is_gone_from_the_disk_and_stays_gone(tmp_path: Path, database: Database) -> None:
    history = History(database, bounds=ROOMY)
    tell(history, "one", "canary-in-a-question", "b")
    tell(history, "two", "other")
    book = FeedbackBook(database, limit=10)
    for name in ("canary-in-a-question", "other"):
        conversation = "one" if name.startswith("canary") else "two"
        note = served(answer(conversation, name))
        book.give(note, owner="", verdict="up", comment="canary-in-a-comment", at="t")
    history.delete("one", owner="")
    assert listed(history) == ["two"]
    assert [entry.answer_id for entry in book.page(owner=None, before=None, limit=5)[0]] == ["other"]
    assert not history.append(answer("one", "c"), at="t", owner="", begin=False)
    assert listed(history) == ["two"]
    on_disk = b"".join(path.read_bytes() for path in tmp_path.glob(f"{FILE}*"))
    assert b"canary-in-a-question" not in on_disk
    assert b"canary-in-a-comment" in on_disk, "that of the other one"


def test_a_turn_that_cannot_be_read_does_not_hide_the_others(
    tmp_path: Path, history: History, caplog: pytest.LogCaptureFixture
) -> None:
    told = tell(history, "one", "a", "b", "c")
    other = sqlite3.connect(tmp_path / FILE)
    with other:
        other.execute("UPDATE turns SET answer = substr(answer, 5) WHERE answer_id = 'b'")
    other.close()
    assert kept(history, "one") == [told[0], told[2]]
    assert "cannot be read" in caplog.text


def test_one_verdict_an_answer_and_the_last_one_counts(database: Database) -> None:
    book = FeedbackBook(database, limit=3)
    for verdict, comment in (("up", ""), ("down", "wrong year")):
        book.give(served(answer(None, "a")), owner="", verdict=verdict, comment=comment, at="t")  # type: ignore[arg-type]
    (entry,) = book.page(owner=None, before=None, limit=9)[0]
    assert (entry.verdict, entry.comment, entry.question) == ("down", "wrong year", "What about a?")
    for name in "bcde":
        book.give(served(answer(None, name)), owner="", verdict="up", comment="", at="t")
    first, before = book.page(owner=None, before=None, limit=2)
    assert before is not None
    rest, end = book.page(owner=None, before=before, limit=2)
    assert ([entry.answer_id for entry in [*first, *rest]], end) == (["e", "d", "c"], None)


def test_of_answers_that_nobody_keeps_only_the_last_are_remembered() -> None:
    notes = ServedAnswers(limit=2)
    for name in "abc":
        notes.note(answer(None, name), owner="her")
    assert notes.find("a", owner="her") is None
    found = notes.find("c", owner="her")
    assert found is not None
    assert found.question == "What about c?"
    assert notes.find("c", owner="him") is None
    notes.note(answer("conv", "d"), owner="her")
    notes.forget("conv")
    assert notes.find("d", owner="her") is None


@pytest.mark.usefixtures("database")
def test_two_processes_do_not_share_the_file(tmp_path: Path) -> None:
    with pytest.raises(HistoryUnavailable, match="another process"):
        Database.open(tmp_path)


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be read as one" * 40, b""])
def test_what_is_no_file_of_ours(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    if not content:
        Database.open(tmp_path).close()
        return
    with pytest.raises(HistoryUnavailable, match="damaged"):
        Database.open(tmp_path)


@pytest.mark.parametrize("statement", ["CREATE TABLE foreign_table (x)", "PRAGMA user_version = 99"])
def test_another_programs_file_and_another_schema_are_refused(tmp_path: Path, statement: str) -> None:
    if "user_version" in statement:
        Database.open(tmp_path).close()
    other = sqlite3.connect(tmp_path / FILE)
    other.execute(statement)
    other.commit()
    other.close()
    with pytest.raises(HistoryUnavailable, match=r"not a file of this program|schema version 99"):
        Database.open(tmp_path)


def test_a_write_that_fails_leaves_nothing_behind(history: History) -> None:
    tell(history, "one", "a")
    with pytest.raises(HistoryUnavailable):
        history.append(answer("two", "a"), at="t", owner="", begin=True)  # the id of an answer comes once
    assert listed(history) == ["one"]


def test_ids_are_long_and_random() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
    assert all(len(new_id()) <= 64 for _ in range(10))
