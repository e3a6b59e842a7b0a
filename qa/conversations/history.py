"""The history of conversations: keeps answers turn by turn within bounds, returns them, deletes them."""

import logging
import secrets
from collections.abc import Sequence
from typing import Any

import msgspec

from qa.conversations.database import ConversationDatabase, Session
from qa.errors import NotFound
from qa.types import Answer

_SHOWN_TITLE = 200

logger = logging.getLogger(__name__)


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept; what is oldest goes first."""

    turns: int
    """Of one conversation."""
    conversations: int
    size: int
    """Bytes of all answers together."""


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation without its turns."""

    id: str
    title: str
    """Its first question, shortened."""
    begun_at: str
    updated_at: str
    turns: int
    """How many are kept."""


class KeptTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One question with the answer as it was served."""

    number: int
    """Orders turns; never used again."""
    asked_at: str
    answer: Answer


def new_id() -> str:
    """Name a conversation so that nobody can guess it.

    >>> len(new_id()) == 37 and new_id() != new_id()
    True
    """
    return f"conv_{secrets.token_urlsafe(24)}"


def standing(turns: Sequence[KeptTurn]) -> Sequence[KeptTurn]:
    """Of turns in order, those that none was asked in the place of; the one replaced may lie before them all."""
    found: list[KeptTurn] = []
    for turn in turns:
        if turn.answer.replaces is not None:
            ids = [one.answer.id for one in found]
            del found[ids.index(turn.answer.replaces) if turn.answer.replaces in ids else 0 :]
        found.append(turn)
    return found


class History:
    """The conversations of all owners; each call sees those of one, as if there were no others."""

    def __init__(self, database: ConversationDatabase, *, bounds: Bounds) -> None:
        self._database = database
        self._bounds = bounds

    def append(self, answer: Answer, *, at: str, owner: str, begin: bool) -> bool:
        """Add an answer to the conversation it names; on disk when this returns.

        With `begin` the conversation is made. Without it, one that was deleted meanwhile stays deleted: False.
        """
        document = msgspec.json.encode(answer).decode()
        with self._database.writing() as db:
            if begin:
                db.execute(
                    "INSERT INTO conversations (id, owner, title, begun_at, updated_at, turns, bytes, last_turn)"
                    " VALUES (?, ?, ?, ?, ?, 0, 0, 0)",
                    (answer.conversation_id, owner, answer.question[:_SHOWN_TITLE], at, at),
                )
            conversation = _number(db, answer.conversation_id or "", owner)
            if conversation is None:
                return False
            ((turn,),) = db.execute(
                "INSERT INTO turns (conversation, answer_id, asked_at, answer, mode) VALUES (?, ?, ?, ?, ?)"
                " RETURNING number",
                (conversation, answer.id, at, document, answer.answer_mode),
            ).fetchall()
            db.execute(
                "UPDATE conversations SET updated_at = ?, turns = turns + 1, bytes = bytes + ?, last_turn = ?"
                " WHERE number = ?",
                (at, len(document.encode()), turn, conversation),
            )
            self._prune_turns(db, conversation)
            self._prune_conversations(db, conversation)
        return True

    def page(self, *, owner: str, before: int | None, limit: int) -> tuple[Sequence[Conversation], int | None]:
        """Conversations, the last used first; with them the `before` of the next page, None on the last one."""
        with self._database.reading() as db:
            rows: list[Any] = db.execute(
                "SELECT id, title, begun_at, updated_at, turns, last_turn FROM conversations"
                " WHERE owner = ? AND last_turn < ? ORDER BY last_turn DESC LIMIT ?",
                (owner, _MOST if before is None else before, limit + 1),
            ).fetchall()
        found = [
            Conversation(id=id_, title=title, begun_at=begun, updated_at=updated, turns=turns)
            for id_, title, begun, updated, turns, _ in rows[:limit]
        ]
        return found, rows[limit - 1][5] if len(rows) > limit else None

    def conversation(self, conversation_id: str, *, owner: str) -> Conversation:
        """One conversation. Raises NotFound, also for somebody else's."""
        with self._database.reading() as db:
            row: Any = db.execute(
                "SELECT id, title, begun_at, updated_at, turns FROM conversations WHERE id = ? AND owner = ?",
                (conversation_id, owner),
            ).fetchone()
        if row is None:
            raise _unknown(conversation_id)
        return Conversation(id=row[0], title=row[1], begun_at=row[2], updated_at=row[3], turns=row[4])

    def turns(
        self, conversation_id: str, *, owner: str, after: int, limit: int
    ) -> tuple[Sequence[KeptTurn], int | None]:
        """Turns in order, from the one after `after`, and the `after` of the next page. Raises NotFound."""
        with self._database.reading() as db:
            conversation = _required(db, conversation_id, owner)
            rows: list[Any] = db.execute(
                "SELECT number, asked_at, answer FROM turns WHERE conversation = ? AND number > ?"
                " ORDER BY number LIMIT ?",
                (conversation, after, limit + 1),
            ).fetchall()
        return _read(rows[:limit]), rows[limit - 1][0] if len(rows) > limit else None

    def last_turns(
        self, conversation_id: str, *, owner: str, limit: int, until: str | None = None
    ) -> Sequence[KeptTurn]:
        """The last turns, in order; with `until`, those up to this answer. Raises NotFound."""
        with self._database.reading() as db:
            conversation = _required(db, conversation_id, owner)
            last = _MOST if until is None else _turn(db, conversation, until)
            rows: list[Any] = db.execute(
                "SELECT number, asked_at, answer FROM turns WHERE conversation = ? AND number <= ?"
                " ORDER BY number DESC LIMIT ?",
                (conversation, last, limit),
            ).fetchall()
        return _read(rows[::-1])

    def answer(self, answer_id: str, *, owner: str | None) -> Answer | None:
        """The kept answer with this id; of whomever, where `owner` is None."""
        try:
            return self.kept(answer_id, owner=owner).answer
        except NotFound:
            return None

    def kept(self, answer_id: str, *, owner: str | None) -> KeptTurn:
        """The turn of a kept answer; of whomever, where `owner` is None. Raises NotFound."""
        with self._database.reading() as db:
            row: Any = db.execute(
                "SELECT turns.number, asked_at, answer FROM turns"  # noqa: S608 - a constant is added
                " JOIN conversations ON conversations.number = turns.conversation"
                f" WHERE answer_id = ?{'' if owner is None else ' AND owner = ?'}",
                (answer_id,) if owner is None else (answer_id, owner),
            ).fetchone()
        read = _read([] if row is None else [row])
        if not read:
            raise NotFound(
                f"no answer {answer_id!r} is kept; its conversation was deleted, or made room for newer ones"
            )
        return read[0]

    def delete(self, conversation_id: str, *, owner: str) -> None:
        """Erase a conversation, its turns, feedback and reviews; gone from the disk too. Raises NotFound."""
        with self._database.writing() as db:
            conversation = _required(db, conversation_id, owner)
            _forget(db, conversation)
            db.execute("DELETE FROM reviews WHERE conversation = ?", (conversation_id,))
        self._database.erase()

    def _prune_turns(self, db: Session, conversation: int) -> None:
        ((kept,),) = db.execute("SELECT turns FROM conversations WHERE number = ?", (conversation,)).fetchall()
        if (count := kept - self._bounds.turns) <= 0:
            return
        rows: list[Any] = db.execute(
            "SELECT number, octet_length(answer) FROM turns WHERE conversation = ? ORDER BY number LIMIT ?",
            (conversation, count),
        ).fetchall()
        db.execute("DELETE FROM turns WHERE conversation = ? AND number <= ?", (conversation, rows[-1][0]))
        db.execute(
            "UPDATE conversations SET turns = turns - ?, bytes = bytes - ? WHERE number = ?",
            (len(rows), sum(size for _, size in rows), conversation),
        )

    def _prune_conversations(self, db: Session, current: int) -> None:
        """Drop the least used ones until both bounds hold; never the one that is being written to."""
        ((count, size),) = db.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM conversations").fetchall()
        if count <= self._bounds.conversations and size <= self._bounds.size:
            return
        oldest = db.execute(
            "SELECT number, bytes FROM conversations WHERE number != ? ORDER BY last_turn", (current,)
        ).fetchall()
        doomed: list[int] = []
        for number, taken in oldest:
            if count <= self._bounds.conversations and size <= self._bounds.size:
                break
            doomed.append(number)
            count, size = count - 1, size - taken
        for number in doomed:
            _forget(db, number)


_MOST = 2**63 - 1


def _number(db: Session, conversation_id: str, owner: str) -> int | None:
    statement = "SELECT number FROM conversations WHERE id = ? AND owner = ?"
    found = db.execute(statement, (conversation_id, owner)).fetchall()
    return int(found[0][0]) if found else None


def _required(db: Session, conversation_id: str, owner: str) -> int:
    found = _number(db, conversation_id, owner)
    if found is None:
        raise _unknown(conversation_id)
    return found


def _turn(db: Session, conversation: int, answer_id: str) -> int:
    statement = "SELECT number FROM turns WHERE conversation = ? AND answer_id = ?"
    found = db.execute(statement, (conversation, answer_id)).fetchall()
    if not found:
        raise NotFound(f"no answer {answer_id!r} is kept in this conversation, so none can be asked in its place")
    return int(found[0][0])


def _unknown(conversation_id: str) -> NotFound:
    return NotFound(
        f"no conversation {conversation_id!r}; it was deleted, or made room for newer ones."
        " To begin one, ask without `conversation_id` and with `store: true`"
    )


def _forget(db: Session, conversation: int) -> None:
    db.execute(
        "DELETE FROM feedback WHERE conversation = (SELECT id FROM conversations WHERE number = ?)", (conversation,)
    )
    db.execute("DELETE FROM turns WHERE conversation = ?", (conversation,))
    db.execute("DELETE FROM conversations WHERE number = ?", (conversation,))


def _read(rows: Sequence[Any]) -> list[KeptTurn]:
    """Parse rows; one that cannot be read any more is left out, and the log says so."""
    found = []
    for number, asked_at, document in rows:
        try:
            answer = msgspec.json.decode(document, type=Answer)
        except msgspec.MsgspecError as error:
            logger.error("turn %s of the conversations cannot be read: %s", number, error)
            continue
        found.append(KeptTurn(number=number, asked_at=asked_at, answer=answer))
    return found
