"""The questions asked, for the operator: counts by day, and lists.

Of answers, only the outcome is given here.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Literal

import msgspec

from qa.conversations.database import ConversationDatabase
from qa.conversations.feedback import Feedback, Opinion, Reason
from qa.errors import AbstainReason
from qa.types import AnswerMode

Outcome = Literal["answered", "declined", "up", "down"]
"""What became of a question: an answer, or none; or what a reader thought of that."""

_log = logging.getLogger(__name__)

_EARLIER = 6
"""A follow-up points back at most so many turns."""


class DayOfQuestions(msgspec.Struct, frozen=True, kw_only=True):
    """The questions of one day."""

    day: str
    """ISO 8601, in UTC."""
    answered: int = 0
    """Kept answers that answered, as they were served."""
    declined: int = 0
    up: int = 0
    """Feedback given on that day, also on answers that were not kept."""
    down: int = 0


class AskedQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """One question and how its answer came out."""

    answer_id: str
    asked_at: str
    """When it was answered; of an answer that is not kept, when the feedback was given."""
    question: str
    resolved_query: str
    answer_mode: AnswerMode
    abstain_reason: AbstainReason | None
    support_score: float
    kept: bool
    """Whether the answer can be read still."""
    reviewed: bool
    verdict: Opinion | None = None
    reasons: tuple[Reason, ...] = ()
    comment: str = ""


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a list shows of an answer, or of feedback on one that is not kept."""

    question: str
    resolved_query: str
    answer_mode: AnswerMode
    support_score: float
    abstain_reason: AbstainReason | None = None


def days(database: ConversationDatabase, *, since: str) -> Sequence[DayOfQuestions]:
    """Counts for each day from `since` (ISO 8601) on that has any, the first day first."""
    counts: dict[str, dict[str, int]] = {}
    with database.reading() as db:
        turns = db.execute(
            "SELECT substr(asked_at, 1, 10), CASE mode WHEN 'abstained' THEN 'declined' ELSE 'answered' END, count(*)"
            " FROM turns WHERE asked_at >= ? AND mode IS NOT NULL GROUP BY 1, 2",
            (since,),
        ).fetchall()
        opinions = db.execute(
            "SELECT substr(given_at, 1, 10), verdict, count(*) FROM feedback WHERE given_at >= ? GROUP BY 1, 2",
            (since,),
        ).fetchall()
    for day, what, count in [*turns, *opinions]:
        counts.setdefault(day, {})[what] = count
    return [DayOfQuestions(day=day, **found) for day, found in sorted(counts.items())]


def questions(
    database: ConversationDatabase, *, outcome: Outcome | None, day: str | None, before: int | None, limit: int
) -> tuple[Sequence[AskedQuestion], int | None]:
    """Questions, the latest first, and the `before` of the next page; `day` is an ISO 8601 day in UTC."""
    bounds: list[str | int] = [day or _FIRST, _next(day) if day else _END, _MOST if before is None else before]
    if outcome in {"up", "down"}:
        statement, values = _OF_FEEDBACK, [outcome, *bounds, limit + 1]
    else:
        statement, values = _OF_TURNS[outcome], [*bounds, limit + 1]
    with database.reading() as db:
        rows = db.execute(statement, values).fetchall()
    found = [question for row in rows[:limit] if (question := _question(row))]
    return found, rows[limit - 1][0] if len(rows) > limit else None


def earlier_questions(database: ConversationDatabase, answer_id: str) -> tuple[str, ...]:
    """What was asked before in the conversation of a kept answer, the last of it, in order."""
    with database.reading() as db:
        rows = db.execute(
            "SELECT earlier.answer_id, earlier.answer FROM turns JOIN turns AS earlier"
            " ON earlier.conversation = turns.conversation AND earlier.number < turns.number"
            " WHERE turns.answer_id = ? ORDER BY earlier.number DESC LIMIT ?",
            (answer_id, _EARLIER),
        ).fetchall()
    return tuple(said.question for name, document in rows[::-1] if (said := _said(name, document)))


def feedback_on(database: ConversationDatabase, answer_id: str) -> Feedback | None:
    """What a reader thought of an answer."""
    with database.reading() as db:
        row = db.execute("SELECT entry FROM feedback WHERE answer_id = ?", (answer_id,)).fetchone()
    return None if row is None else msgspec.json.decode(row[0], type=Feedback)


_FIRST, _END = "", "9999"
"""Before and after every date."""
_MOST = 2**63 - 1

_ANY_TURN = """
SELECT turns.number, turns.answer_id, asked_at, answer, TRUE, feedback.entry, reviews.number
FROM turns LEFT JOIN feedback ON feedback.answer_id = turns.answer_id
           LEFT JOIN reviews ON reviews.answer_id = turns.answer_id
WHERE asked_at >= ? AND asked_at < ? AND turns.number < ?{} ORDER BY turns.number DESC LIMIT ?
"""
_OF_TURNS: Mapping[str | None, str] = {
    None: _ANY_TURN.format(""),
    "answered": _ANY_TURN.format(" AND mode <> 'abstained'"),
    "declined": _ANY_TURN.format(" AND mode = 'abstained'"),
}
_OF_FEEDBACK = """
SELECT feedback.number, feedback.answer_id, coalesce(asked_at, given_at), coalesce(answer, entry),
       mode IS NOT NULL, entry, (SELECT number FROM reviews WHERE reviews.answer_id = feedback.answer_id)
FROM feedback LEFT JOIN turns ON turns.answer_id = feedback.answer_id AND mode IS NOT NULL
WHERE verdict = ? AND given_at >= ? AND given_at < ? AND feedback.number < ? ORDER BY feedback.number DESC LIMIT ?
"""


def _question(row: Sequence[Any]) -> AskedQuestion | None:
    """One row; None where its answer cannot be read any more, and the log says so."""
    _, answer_id, asked_at, document, kept, entry, review = row
    if (said := _said(answer_id, document)) is None:
        return None
    opinion = None if entry is None else msgspec.json.decode(entry, type=Feedback)
    return AskedQuestion(
        answer_id=answer_id,
        asked_at=asked_at,
        question=said.question,
        resolved_query=said.resolved_query,
        answer_mode=said.answer_mode,
        abstain_reason=said.abstain_reason,
        support_score=said.support_score,
        kept=bool(kept),
        reviewed=review is not None,
        verdict=opinion.verdict if opinion else None,
        reasons=opinion.reasons if opinion else (),
        comment=opinion.comment if opinion else "",
    )


def _said(answer_id: str, document: str) -> _Said | None:
    try:
        return msgspec.json.decode(document, type=_Said)
    except msgspec.MsgspecError as error:
        _log.error("the kept answer %s cannot be read: %s", answer_id, error)
        return None


def _next(day: str) -> str:
    """The day after."""
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
