"""Questions counted and listed, and reviews, in the file; a file of before is brought up."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from qa.conversations import database, question_log
from qa.conversations.database import FILE, SCHEMA_VERSION, Database
from qa.conversations.feedback import Review, ReviewBook
from qa.conversations.history import Bounds, History
from qa.conversations.question_log import DayOfQuestions, days, questions
from qa.errors import NotFound
from qa.types import Answer, Usage

ROOMY = Bounds(turns=1000, conversations=1000, size=10**9)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Database]:
    found = Database.open(tmp_path)
    yield found
    found.close()


def answer(name: str, **more: Any) -> Answer:
    said: dict[str, Any] = {
        "id": name,
        "conversation_id": f"conv {name}",
        "question": f"What about {name}?",
        "resolved_query": "",
        "as_of": "2024-06-04T00:00:00Z",
        "answer": "It is.",
        "answer_mode": "extractive",
        "fallback_reason": None,
        "abstain_reason": None,
        "short_answer": None,
        "claims": (),
        "citations": (),
        "conflicts": (),
        "search_results": (),
        "support_score": 0.5,
        "usage": Usage(),
        "timings_ms": {},
    }
    return Answer(**said | more)


def keep(opened: Database, name: str, at: str, *, bounds: Bounds = ROOMY, **more: Any) -> None:
    History(opened, bounds=bounds).append(answer(name, **more), at=at, owner="", begin=True)


def review(name: str) -> Review:
    said: dict[str, Any] = {"question": "q", "asked_at": "a", "earlier": (), "answer_mode": "extractive"}
    return Review(answer_id=name, reviewer="desk", reviewed_at="r", **said)


def test_days_are_counted_from_the_index_alone(opened: Database) -> None:
    keep(opened, "a", "2024-06-03T23:59:59Z")
    keep(opened, "b", "2024-06-04T00:00:00Z", answer_mode="generated")
    keep(opened, "c", "2024-06-04T23:59:59Z", answer_mode="abstained", abstain_reason="no_match")
    assert days(opened, since="2024-06-04") == [DayOfQuestions(day="2024-06-04", answered=1, declined=1)]
    with opened.reading() as db:
        statement = "SELECT substr(asked_at, 1, 10), mode, count(*) FROM turns WHERE asked_at >= ? GROUP BY 1, 2"
        plan: Any = db.execute(f"EXPLAIN QUERY PLAN {statement}", ("2024",)).fetchall()
    assert any("COVERING INDEX turns_by_day" in step[3] for step in plan), "answers would be read, however large"


def test_a_turn_that_cannot_be_read_any_more_is_left_out(opened: Database) -> None:
    keep(opened, "a", "2024-06-04T00:00:00Z")
    keep(opened, "b", "2024-06-04T01:00:00Z")
    with opened.writing() as db:
        db.execute("UPDATE turns SET answer = '{\"answer_mode' WHERE answer_id = 'a'")
    found, following = questions(opened, outcome=None, day="2024-06-04", before=None, limit=5)
    assert ([one.answer_id for one in found], following) == (["b"], None)
    assert days(opened, since="2024") == [DayOfQuestions(day="2024-06-04", answered=2)], "it was asked all the same"


def test_a_review_outlives_an_answer_that_made_room_and_no_other(opened: Database) -> None:
    one = Bounds(turns=1, conversations=1, size=10**9)
    keep(opened, "a", "2024-06-04T00:00:00Z", bounds=one)
    book = ReviewBook(opened)
    book.save(review("a"))
    keep(opened, "b", "2024-06-05T00:00:00Z", bounds=one)
    assert book.of("a") == review("a")
    with pytest.raises(NotFound, match="nothing was saved"):
        book.save(review("a"))
    book.save(review("b"))
    History(opened, bounds=one).delete("conv b", owner="")
    assert book.all() == [review("a")]


@pytest.fixture
def older(tmp_path: Path) -> Callable[[], Database]:
    """A file as schema version 1 had it, with an answer and feedback, and a damaged one of each."""
    db = sqlite3.connect(tmp_path / FILE)
    db.executescript(database._TABLES)
    db.execute("PRAGMA application_id = 0x50A12CE2")
    db.execute("PRAGMA user_version = 1")
    db.execute("INSERT INTO conversations VALUES (1, 'c', '', 't', 't', 't', 2, 9, 2)")
    for name, entry in (("a1", '{"verdict": "down", "given_at": "2024-06-04T01:00:00Z"}'), ("a2", "{broken")):
        db.execute("INSERT INTO feedback (answer_id, owner, entry) VALUES (?, '', ?)", (name, entry))
    for number, document in ((1, msgspec.json.encode(answer("a")).decode()), (2, "{broken")):
        db.execute("INSERT INTO turns VALUES (?, 1, ?, '2024-06-04T00:00:00Z', ?)", (number, f"a{number}", document))
    db.commit()
    db.close()
    return lambda: Database.open(tmp_path)


def test_a_file_of_before_is_brought_up_once(older: Callable[[], Database]) -> None:
    for _ in range(2):
        opened = older()
        assert days(opened, since="2024") == [DayOfQuestions(day="2024-06-04", answered=1, down=1)]
        ReviewBook(opened).save(review("a1"))
        assert question_log.earlier_questions(opened, "a2") == ("What about a?",)
        with opened.reading() as db:
            assert db.pragma("user_version") == SCHEMA_VERSION
        opened.close()
