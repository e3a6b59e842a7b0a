"""What readers thought of answers: one verdict an answer, the last one counts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from qa.conversations.database import ConversationDatabase
from qa.types import Answer, AnswerMode

__all__ = ["Feedback", "FeedbackBook", "Opinion", "Reason", "Served", "ServedAnswers", "served"]

Opinion = Literal["up", "down"]
Reason = Literal["wrong", "incomplete", "outdated", "off_topic", "unsupported"]
"""What is the matter: not so; not all of it; no longer so; not what was asked; the source does not say it."""


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of an answer, so that a verdict on it means something."""

    answer_id: str
    conversation_id: str | None
    question: str
    resolved_query: str
    answer_mode: AnswerMode
    support_score: float
    article_ids: tuple[str, ...]
    """Articles it cited."""
    collections: tuple[str, ...] | None = None
    """What whoever asked could read; null: everything."""


class Feedback(Served, frozen=True, kw_only=True):
    """A verdict on an answer, and what the answer was about."""

    verdict: Opinion
    comment: str
    given_at: str
    reasons: tuple[Reason, ...] = ()
    """What the reader chose of what is offered."""


_MOST = 2**63 - 1
_SIFTED = 500
"""Of so many it is looked at once whether they may be seen."""


def served(answer: Answer) -> Served:
    """Note of an answer what feedback on it will say."""
    return Served(
        answer_id=answer.id,
        conversation_id=answer.conversation_id,
        question=answer.question,
        resolved_query=answer.resolved_query,
        answer_mode=answer.answer_mode,
        support_score=answer.support_score,
        article_ids=tuple(dict.fromkeys(citation.article_id for citation in answer.citations)),
    )


class ServedAnswers:
    """The last answers that were served, in memory only: what nobody asked to keep is not on the disk."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._notes: OrderedDict[str, tuple[str, Served]] = OrderedDict()

    def note(self, answer: Answer, *, owner: str) -> None:
        """Remember an answer, and forget the oldest one where there are too many."""
        self._notes[answer.id] = (owner, served(answer))
        while len(self._notes) > self._limit:
            self._notes.popitem(last=False)

    def find(self, answer_id: str, *, owner: str) -> Served | None:
        """The note of an answer served to this owner, while it is remembered."""
        whose, note = self._notes.get(answer_id, ("", None))
        return note if whose == owner else None

    def forget(self, conversation_id: str) -> None:
        """Drop the notes of a conversation."""
        for name in [name for name, (_, note) in self._notes.items() if note.conversation_id == conversation_id]:
            del self._notes[name]


class FeedbackBook:
    """Feedback in the database; the oldest makes room."""

    def __init__(self, database: ConversationDatabase, *, limit: int) -> None:
        self._database = database
        self._limit = limit

    def give(
        self, about: Served, *, owner: str, verdict: Opinion, comment: str, at: str, reasons: Sequence[Reason] = ()
    ) -> Feedback:
        """Store a verdict in the place of an earlier one on the same answer; on disk when this returns."""
        why = tuple(dict.fromkeys(reasons))
        entry = Feedback(**msgspec.structs.asdict(about), verdict=verdict, comment=comment, given_at=at, reasons=why)
        with self._database.writing() as db:
            db.execute("DELETE FROM feedback WHERE answer_id = ?", (about.answer_id,))
            db.execute(
                "INSERT INTO feedback (answer_id, owner, conversation, verdict, given_at, entry)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (about.answer_id, owner, about.conversation_id, verdict, at, msgspec.json.encode(entry).decode()),
            )
            db.execute(
                "DELETE FROM feedback WHERE number <="
                " (SELECT number FROM feedback ORDER BY number DESC LIMIT 1 OFFSET ?)",
                (self._limit,),
            )
        return entry

    def page(
        self, *, owner: str | None, before: int | None, limit: int, within: tuple[str, ...] | None = None
    ) -> tuple[Sequence[Feedback], int | None]:
        """Feedback, the latest first (`owner` None: everybody's), and the `before` of the next page.

        With `within`, of those alone who could read nothing beyond these collections.
        """
        mine, owners = ("", ()) if owner is None else (" AND owner = ?", (owner,))
        found: list[tuple[int, Feedback]] = []
        at_once = limit + 1 if within is None else max(limit + 1, _SIFTED)
        with self._database.reading() as db:
            while len(found) <= limit:
                rows: list[Any] = db.execute(
                    f"SELECT number, entry FROM feedback WHERE number < ?{mine} ORDER BY number DESC LIMIT ?",  # noqa: S608
                    (_MOST if before is None else before, *owners, at_once),
                ).fetchall()
                entries = ((number, msgspec.json.decode(entry, type=Feedback)) for number, entry in rows)
                found += [(number, entry) for number, entry in entries if _is_within(entry, within)]
                if len(rows) < at_once:
                    break
                before = rows[-1][0]
        return [entry for _, entry in found[:limit]], found[limit - 1][0] if len(found) > limit else None


def _is_within(entry: Served, collections: tuple[str, ...] | None) -> bool:
    """Whether somebody who reads these collections alone (None: all) may see what was said of an answer."""
    return collections is None or (entry.collections is not None and set(entry.collections) <= set(collections))
