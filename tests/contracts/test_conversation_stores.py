"""Conversations, feedback and reviews, in a file and on a server: order, bounds, owners, erasing, several services."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from embeddings.types import Place
from qa.conversations import migration as records
from qa.conversations import question_log
from qa.conversations.database import FILE, ConversationDatabase, Database
from qa.conversations.feedback import FeedbackBook, Review, ReviewBook, ServedAnswers, served
from qa.conversations.history import Bounds, History, new_id
from qa.conversations.migration import copy_records
from qa.conversations.question_log import DayOfQuestions, Outcome
from qa.conversations.server_database import ServerDatabase
from qa.errors import HistoryUnavailable, NotFound
from qa.server import kept_starters
from qa.server.starters import Made, Tried
from qa.types import Answer, Usage

ROOMY = Bounds(turns=1000, conversations=1000, size=10**9)


@pytest.fixture
def file_database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def place(postgres_server: Any) -> Place:
    return Place(server=postgres_server.url(), schema=f"test_{uuid4().hex}", timeout=300)


@pytest.fixture
def server_database(place: Place) -> Iterator[ServerDatabase]:
    """With nothing in it; its tables are made once."""
    opened = ServerDatabase.open(place)
    with opened.writing() as db:
        for table in ("kept_starters", "reviews", "feedback", "turns", "conversations"):
            db.execute(f"DELETE FROM {table}")
    yield opened
    opened.close()


@pytest.fixture(params=["file_database", "server_database"])
def database(request: pytest.FixtureRequest) -> ConversationDatabase:
    """To prove another implementation, name its fixture here."""
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


@pytest.fixture
def history(database: ConversationDatabase) -> History:
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
    assert [turn.answer for turn in history.last_turns("one", owner="", limit=2, until=told[1].id)] == told[:2]
    with pytest.raises(NotFound):
        history.last_turns("one", owner="", limit=2, until="other")
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


def test_nobody_sees_what_is_anothers(history: History) -> None:
    tell(history, "hers", "a", owner="her")
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


def missing(history: History) -> NotFound:
    with pytest.raises(NotFound) as none:
        history.conversation("hers", owner="nobody")
    return none.value


def test_the_oldest_turns_make_room(database: ConversationDatabase) -> None:
    history = History(database, bounds=Bounds(turns=3, conversations=9, size=10**9))
    told = tell(history, "one", *"abcde")
    assert kept(history, "one") == told[2:]
    assert history.conversation("one", owner="").turns == 3
    assert history.answer("a", owner="") is None


def test_the_least_used_conversations_make_room(database: ConversationDatabase) -> None:
    history = History(database, bounds=Bounds(turns=9, conversations=3, size=10**9))
    for name in ("c1", "c2", "c3"):
        tell(history, name, f"{name}-a")
    tell(history, "c1", "c1-b", begin=False)
    tell(history, "c4", "c4-a")
    assert listed(history) == ["c4", "c1", "c3"]


def test_bytes_are_bounded_and_the_current_conversation_stays(database: ConversationDatabase) -> None:
    size = len(msgspec.json.encode(answer("c0", "c0-a", answer="x" * 1000)))
    history = History(database, bounds=Bounds(turns=9, conversations=99, size=3 * size + 10))
    for name in ("c0", "c1", "c2", "c3", "c4"):
        assert history.append(answer(name, f"{name}-a", answer="x" * 1000), at="t", owner="", begin=True)
    assert listed(history) == ["c4", "c3", "c2"]
    assert history.append(answer("c5", "big", answer="x" * 9000), at="t", owner="", begin=True)
    assert listed(history) == ["c5"]


def test_what_is_deleted_is_gone_and_stays_gone(database: ConversationDatabase, tmp_path: Path) -> None:
    """Of a file, also from the disk."""
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
    assert [entry.answer_id for entry in book.page(before=None, limit=5)[0]] == ["other"]
    assert not history.append(answer("one", "c"), at="t", owner="", begin=False)
    assert listed(history) == ["two"]
    on_disk = b"".join(path.read_bytes() for path in tmp_path.glob(f"{FILE}*"))
    assert b"canary-in-a-question" not in on_disk
    assert (b"canary-in-a-comment" in on_disk) == isinstance(database, Database), "that of the other one"


def test_a_turn_that_cannot_be_read_does_not_hide_the_others(
    tmp_path: Path, file_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    history = History(file_database, bounds=ROOMY)
    told = tell(history, "one", "a", "b", "c")
    other = sqlite3.connect(tmp_path / FILE)
    with other:
        other.execute("UPDATE turns SET answer = substr(answer, 5) WHERE answer_id = 'b'")
    other.close()
    assert kept(history, "one") == [told[0], told[2]]
    assert "cannot be read" in caplog.text


def test_one_verdict_an_answer_and_the_last_one_counts(database: ConversationDatabase) -> None:
    book = FeedbackBook(database, limit=3)
    for verdict, comment in (("up", ""), ("down", "wrong year")):
        book.give(served(answer(None, "a")), owner="", verdict=verdict, comment=comment, at="t")  # type: ignore[arg-type]
    (entry,) = book.page(before=None, limit=9)[0]
    assert (entry.verdict, entry.comment, entry.question) == ("down", "wrong year", "What about a?")
    for name in "bcde":
        book.give(served(answer(None, name)), owner="", verdict="up", comment="", at="t")
    first, before = book.page(before=None, limit=2)
    assert before is not None
    rest, end = book.page(before=before, limit=2)
    assert ([entry.answer_id for entry in [*first, *rest]], end) == (["e", "d", "c"], None)


def review(name: str, **more: Any) -> Review:
    about: dict[str, Any] = {"question": "q", "asked_at": "a", "earlier": (), "answer_mode": "extractive"}
    return Review(answer_id=name, reviewer="desk", reviewed_at="r", **about | more)


def test_one_review_an_answer_and_it_goes_with_its_conversation(database: ConversationDatabase) -> None:
    history, book = History(database, bounds=Bounds(turns=2, conversations=9, size=10**9)), ReviewBook(database)
    tell(history, "one", "a", "b")
    tell(history, "two", "c")
    for name in "abc":
        book.save(review(name))
    book.save(review("a", note="What of\0it?"))
    assert book.all() == [review("a", note="What of\0it?"), review("b"), review("c")]
    first, before = book.page(before=None, limit=2)
    assert (first, book.page(before=before, limit=2)) == ([review("c"), review("b")], ([book.of("a")], None))
    tell(history, "one", "d", begin=False)
    assert book.of("a") is not None, "its answer made room, and was not erased"
    with pytest.raises(NotFound, match="nothing was saved"):
        book.save(review("a"))
    history.delete("one", owner="")
    assert book.all() == [review("c")]


def test_questions_are_counted_and_listed_by_how_they_came_out(database: ConversationDatabase) -> None:
    history, book = History(database, bounds=ROOMY), FeedbackBook(database, limit=9)
    declined = {"answer_mode": "abstained", "abstain_reason": "no_match"}
    for name, at, more in (
        ("a", "2024-06-03T23:59:59Z", {}),
        ("b", "2024-06-04T00:00:00Z", {}),
        ("c", "2024-06-04T23:59:59Z", declined),
    ):
        history.append(answer("one", name, **more), at=at, owner="", begin=name == "a")
    for name, verdict in (("b", "up"), ("c", "down"), ("lost", "down")):
        book.give(served(answer(None, name)), owner="", verdict=verdict, comment="", at="2024-06-05T00:00:00Z")  # type: ignore[arg-type]
    ReviewBook(database).save(review("c"))
    assert question_log.days(database, since="2024-06-04") == [
        DayOfQuestions(day="2024-06-04", answered=1, declined=1),
        DayOfQuestions(day="2024-06-05", up=1, down=2),
    ]

    def found(outcome: Outcome | None, day: str | None = None, before: int | None = None) -> list[str]:
        page = question_log.questions(database, outcome=outcome, day=day, before=before, limit=9)
        assert page[1] is None
        return [one.answer_id for one in page[0]]

    assert (found(None), found("answered"), found("declined")) == (["c", "b", "a"], ["b", "a"], ["c"])
    assert (found(None, "2024-06-04"), found("up", "2024-06-05"), found("up", "2024-06-04")) == (["c", "b"], ["b"], [])
    (lost, last), end = question_log.questions(database, outcome="down", day=None, before=None, limit=2)
    assert ((lost.answer_id, lost.kept, lost.reviewed), end) == (("lost", False, False), None)
    assert (last.kept, last.reviewed, last.asked_at) == (True, True, "2024-06-04T23:59:59Z")
    (latest,), before = question_log.questions(database, outcome=None, day=None, before=None, limit=1)
    assert (latest.answer_id, found(None, before=before)) == ("c", ["b", "a"])
    assert question_log.earlier_questions(database, "c") == ("What about a?", "What about b?")
    opinion = question_log.feedback_on(database, "lost")
    assert opinion is not None
    assert opinion.verdict == "down"


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


@pytest.mark.usefixtures("file_database")
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


def test_what_a_server_cannot_hold_is_not_found(history: History) -> None:
    with pytest.raises(NotFound):
        history.conversation("a\0b", owner="")
    assert history.append(answer("one", "a", question="What of\0it?"), at="t", owner="", begin=True)
    assert kept(history, "one")[0].question == "What of\0it?"


def test_several_services_keep_the_same_conversations(place: Place, server_database: ServerDatabase) -> None:
    """Six threads of two services write to one conversation and begin others: nothing is lost, and bounds hold."""
    other = ServerDatabase.open(place)
    bounds = Bounds(turns=20, conversations=40, size=10**9)
    one, two = (History(database, bounds=bounds) for database in (server_database, other))
    tell(one, "shared", "first")

    def write(writer: int) -> None:
        mine = (one, two)[writer % 2]
        for turn in range(5):
            tell(mine, "shared", f"s{writer}{turn}", begin=False)
            tell(mine, f"c{writer}{turn}", f"c{writer}{turn}-a")

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(write, writer) for writer in range(6)]:
            done.result()
    assert listed(one) == listed(two)
    assert len(listed(one)) == 31
    assert kept(one, "shared") == kept(two, "shared")
    assert two.conversation("shared", owner="").turns == len(kept(one, "shared")) == 20
    tell(History(other, bounds=Bounds(turns=20, conversations=5, size=10**9)), "shared", "last", begin=False)
    assert len(listed(one)) == 5
    assert listed(one)[0] == "shared"
    two.delete("shared", owner="")
    assert "shared" not in listed(one)
    assert not one.append(answer("shared", "late"), at="t", owner="", begin=False)
    other.close()


def test_questions_to_begin_with_are_kept_by_name(database: ConversationDatabase) -> None:
    def made(state: str) -> Made:
        place: Any = {"article_id": "a", "article_version": "v", "start": 0, "end": 9}
        return Made(of=state, questions=(Tried(question=f"Who is {state}\U0001fa81?", **place),))

    assert kept_starters.kept(database, name="all") is None
    for state in ("one", "two"):
        kept_starters.keep(database, name="all", made=made(state))
    assert kept_starters.kept(database, name="all") == made("two")
    for number in range(kept_starters.MOST):
        kept_starters.keep(database, name=str(number), made=made("three"))
    assert kept_starters.kept(database, name="all") is None, "the one made longest ago makes room"
    assert kept_starters.kept_names(database) == [str(number) for number in reversed(range(kept_starters.MOST))]
    with database.writing() as db:
        db.execute("UPDATE kept_starters SET made = 'broken' WHERE name = '1'")
    assert kept_starters.kept(database, name="1") is None


def test_ids_are_long_and_random() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
    assert all(len(new_id()) <= 64 for _ in range(10))


@pytest.fixture(params=[True, False], ids=["to a server", "to a file"])
def moving(
    request: pytest.FixtureRequest, tmp_path: Path, file_database: Database, server_database: ServerDatabase
) -> Iterator[tuple[ConversationDatabase, ConversationDatabase, ConversationDatabase]]:
    """Where records are written, the same as a copy reads it, and where it writes."""
    if not request.param:
        yield server_database, server_database, file_database
        return
    reading = Database.open_to_read(tmp_path)
    yield file_database, reading, server_database
    reading.close()


def everything(database: ConversationDatabase) -> Any:
    """All that owners and editors see, without the numbers that order it."""
    history, books = History(database, bounds=ROOMY), (FeedbackBook(database, limit=99), ReviewBook(database))
    of = {owner: history.page(owner=owner, before=None, limit=99)[0] for owner in ("ann", "bo")}
    turns = [
        (turn.asked_at, turn.answer)
        for owner, conversations in of.items()
        for one in conversations
        for turn in history.turns(one.id, owner=owner, after=0, limit=99)[0]
    ]
    return of, turns, books[0].page(before=None, limit=99)[0], books[1].all()


def test_all_that_is_kept_moves_both_ways(moving: Any) -> None:
    source, reading, target = moving
    history, ids = History(source, bounds=ROOMY), {owner: new_id() for owner in ("ann", "bo")}
    for number in range(6):
        owner = ("ann", "bo")[number % 2]
        told = answer(ids[owner], f"{owner} {number}")
        assert history.append(told, at=f"2024-06-0{number + 1}", owner=owner, begin=number < 2)
        FeedbackBook(source, limit=99).give(served(told), owner=owner, verdict="up", comment="", at="2024-06-07")
    ReviewBook(source).save(review("bo 3"))
    first = copy_records(reading, target)
    assert (first.turns, first.feedback, first.reviews, first.verified) == (6, 6, 1, True)
    assert everything(target) == everything(source)
    again = copy_records(reading, target)
    assert (again.turns, again.feedback, again.reviews, again.verified) == (0, 0, 0, True)
    late = answer(ids["ann"], "ann late")
    history.append(late, at="2024-06-08", owner="ann", begin=False)
    for database, verdict, at in ((source, "down", "2024-06-09"), (target, "up", "2024-06-08")):
        about = served(answer(ids["bo"], "bo 1"))
        FeedbackBook(database, limit=99).give(about, owner="bo", verdict=verdict, comment="", at=at)
    further = copy_records(reading, target)
    assert (further.turns, further.feedback, further.verified) == (1, 1, True), "the later verdict stays"
    assert History(target, bounds=ROOMY).last_turns(ids["ann"], owner="ann", limit=1)[0].answer == late
    history.delete(ids["bo"], owner="bo")
    assert not copy_records(reading, target).verified, "what the target alone holds is told"


def test_what_is_deleted_while_it_is_copied_is_deleted_there_too(moving: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source, reading, target = moving
    history, ids = History(source, bounds=ROOMY), [new_id(), new_id()]
    for name in ids:
        history.append(answer(name, name), at="2024-06-01", owner="ann", begin=True)
    put = records._put_turn

    def put_and_delete(db: Any, row: Any) -> None:
        put(db, row)
        if row[2] == ids[0]:
            history.delete(ids[0], owner="ann")

    monkeypatch.setattr(records, "_put_turn", put_and_delete)
    assert copy_records(reading, target).verified
    assert [one.id for one in History(target, bounds=ROOMY).page(owner="ann", before=None, limit=9)[0]] == [ids[1]]
