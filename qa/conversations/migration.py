"""Moves conversations, feedback and reviews from one store to another: takes two open databases, says what was copied
and whether both hold the same.

The source may serve meanwhile. What the target holds is not written again, so that the same call goes on after an
interruption. Nothing is pruned: the bounds of whoever serves the target hold from its next answer on.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Literal

import msgspec

from embeddings.types import Place
from qa.conversations.database import FILE, ConversationDatabase, Database, Session
from qa.conversations.feedback import Review
from qa.conversations.history import Bounds, History
from qa.errors import NotFound

_PAGE = 200
_ROUNDS = 3
_UNBOUNDED = Bounds(turns=2**62, conversations=2**62, size=2**62)
_Table = Literal["turns", "feedback", "reviews"]
_TABLES: tuple[_Table, ...] = ("turns", "feedback", "reviews")
_ROWS = {
    "turns": "SELECT turns.number, answer_id, conversations.id, owner, asked_at, answer, mode, title, begun_at"
    " FROM turns JOIN conversations ON conversations.number = turns.conversation",
    "feedback": "SELECT feedback.number, answer_id, conversation, owner, given_at, entry, verdict FROM feedback",
    "reviews": "SELECT reviews.number, answer_id, conversation, entry FROM reviews",
}
_SAID = {"turns": 6, "feedback": 6, "reviews": 4}
"""So many columns, but for the first, are compared: others follow from them, or were shortened."""
Row = tuple[Any, ...]


class RecordsReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one copy did, and how the two compare at its end."""

    turns: int = 0
    """Answers written, each with its conversation."""
    feedback: int = 0
    reviews: int = 0
    different: int = 0
    """Answers, verdicts and reviews that the two hold differently, or that one of them alone holds."""

    @property
    def verified(self) -> bool:
        """Whether both hold exactly the same."""
        return not self.different


def open_source(place: Place) -> ConversationDatabase | None:
    """Open what a place keeps beside articles, also while services use it; None where there is no file of it.

    Raises HistoryUnavailable.
    """
    if place.server:
        return open_target(place)
    return Database.open_to_read(place.folder) if (place.folder / FILE).exists() else None


def open_target(place: Place) -> ConversationDatabase:
    """Open it for writing, making what is missing; a file is one process's. Raises HistoryUnavailable."""
    if not place.server:
        return Database.open(place.folder)
    from qa.conversations.server_database import ServerDatabase  # the driver is there only where it is needed

    return ServerDatabase.open(place)


def copy_records(source: ConversationDatabase, target: ConversationDatabase) -> RecordsReport:
    """Bring over every answer with its conversation, and every verdict and review, then compare the two.

    What is deleted in the source meanwhile is deleted in the target, too. Of two verdicts on one answer the later one
    stays. Raises HistoryUnavailable.
    """
    owners: dict[str, str] = {}
    written = dict.fromkeys(_TABLES, 0)
    for _ in range(_ROUNDS):
        more = _turns(source, target, owners)
        written["turns"] += more
        if not more:
            break
    _follow_deletions(source, target, owners)
    written["feedback"] = _replace_older(source, target, "feedback")
    written["reviews"] = _replace_older(source, target, "reviews")
    return RecordsReport(**written, different=sum(_different(source, target, table) for table in _TABLES))


def _pages(database: ConversationDatabase, table: _Table) -> Iterator[list[Row]]:
    after = 0
    while True:
        with database.reading() as db:
            statement = f"{_ROWS[table]} WHERE {table}.number > ? ORDER BY {table}.number LIMIT ?"
            rows: list[Row] = db.execute(statement, (after, _PAGE)).fetchall()
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def _held(db: Session, table: _Table, answer_id: str) -> Row | None:
    row: Row | None = db.execute(f"{_ROWS[table]} WHERE answer_id = ?", (answer_id,)).fetchone()
    return row


def _turns(source: ConversationDatabase, target: ConversationDatabase, owners: dict[str, str]) -> int:
    """Copy turns that the target lacks, in order of use; note in `owners` whose the conversations are."""
    written = 0
    for rows in _pages(source, "turns"):
        with target.writing() as db:
            for row in rows:
                owners[row[2]] = row[3]
                if _held(db, "turns", row[1]) is None:
                    _put_turn(db, row)
                    written += 1
    return written


def _put_turn(db: Session, row: Row) -> None:
    _, answer_id, conversation, owner, asked_at, answer, mode, title, begun_at = row
    db.execute(
        "INSERT INTO conversations (id, owner, title, begun_at, updated_at, turns, bytes, last_turn)"
        " VALUES (?, ?, ?, ?, ?, 0, 0, 0) ON CONFLICT (id) DO NOTHING",
        (conversation, owner, title, begun_at, asked_at),
    )
    ((number,),) = db.execute(
        "INSERT INTO turns (conversation, answer_id, asked_at, answer, mode)"
        " SELECT number, ?, ?, ?, ? FROM conversations WHERE id = ? RETURNING number",
        (answer_id, asked_at, answer, mode, conversation),
    ).fetchall()
    db.execute(
        "UPDATE conversations SET updated_at = ?, turns = turns + 1, bytes = bytes + ?, last_turn = ? WHERE id = ?",
        (asked_at, len(answer.encode()), number, conversation),
    )


def _follow_deletions(source: ConversationDatabase, target: ConversationDatabase, owners: dict[str, str]) -> None:
    """Delete what this run has copied or met, and the source has no more."""
    with source.reading() as db:
        kept = {name for (name,) in db.execute("SELECT id FROM conversations").fetchall()}
    for name in owners.keys() - kept:
        with suppress(NotFound):
            History(target, bounds=_UNBOUNDED).delete(name, owner=owners[name])


def _replace_older(source: ConversationDatabase, target: ConversationDatabase, table: _Table) -> int:
    """Copy verdicts or reviews that the target lacks, or holds an earlier one of."""
    written = 0
    for rows in _pages(source, table):
        with target.writing() as db:
            for row in rows:
                held = _held(db, table, row[1])
                if held is None or _given_at(held, table) < _given_at(row, table):
                    db.execute(f"DELETE FROM {table} WHERE answer_id = ?", (row[1],))  # noqa: S608 - a constant
                    _put(db, table, row)
                    written += 1
    return written


def _given_at(row: Row, table: _Table) -> str:
    if table == "reviews":
        return msgspec.json.decode(row[3], type=Review).reviewed_at
    return row[4] or ""


def _put(db: Session, table: _Table, row: Row) -> None:
    columns = "answer_id, conversation, entry"
    if table == "feedback":
        columns = "answer_id, conversation, owner, given_at, entry, verdict"
    marks = ", ".join("?" * (len(row) - 1))
    db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", row[1:])  # noqa: S608 - constants


def _different(source: ConversationDatabase, target: ConversationDatabase, table: _Table) -> int:
    """How many rows the two hold differently, or one of them alone."""
    same = seen = met = 0
    for rows in _pages(source, table):
        seen += len(rows)
        with target.reading() as db:
            for row in rows:
                held = _held(db, table, row[1])
                met += held is not None
                same += held is not None and held[1 : _SAID[table]] == row[1 : _SAID[table]]
    with target.reading() as db:
        ((there,),) = db.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608 - a constant
    return seen - same + max(0, int(there) - met)
