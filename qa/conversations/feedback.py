"""Feedback of readers and reviews of editors: one of each per answer; the last one counts.

Reviews make a dataset. A review names the words that answer by their place, never by the words: they are read from
the articles when the dataset is made, so that nothing is passed on that may not be shown any more.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Literal

import msgspec

from embeddings.cleaning.identity import MAX_ID
from embeddings.types import Article
from qa.conversations.database import ConversationDatabase
from qa.errors import NotFound
from qa.types import Answer, AnswerMode

Opinion = Literal["up", "down"]
Reason = Literal["wrong", "incomplete", "outdated", "off_topic", "unsupported"]
"""What is the matter: not so; not all of it; no longer so; not what was asked; the source does not say it."""
Finding = Literal["no_issue", "some_issues", "significant_issues"]
_Short = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
_Shorts = Annotated[tuple[_Short, ...], msgspec.Meta(max_length=20)]


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
        self, *, before: int | None, limit: int, within: tuple[str, ...] | None = None
    ) -> tuple[Sequence[Feedback], int | None]:
        """Feedback, the latest first, and the `before` of the next page.

        With `within`, of those alone who could read nothing beyond these collections.
        """
        found: list[tuple[int, Feedback]] = []
        at_once = limit + 1 if within is None else max(limit + 1, _SIFTED)
        with self._database.reading() as db:
            while len(found) <= limit:
                rows: list[Any] = db.execute(
                    "SELECT number, entry FROM feedback WHERE number < ? ORDER BY number DESC LIMIT ?",
                    (_MOST if before is None else before, at_once),
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


class Criteria(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the European Broadcasting Union asks of an answer over news; null where it was not judged."""

    accuracy: Finding | None = None
    """Is what it says right?"""
    sourcing: Finding | None = None
    """Do the sources say it, and are they the right ones?"""
    context: Finding | None = None
    """Is what one needs to understand it there?"""
    fact_and_opinion: Finding | None = None
    """Is opinion told from fact, and whose opinion it is said?"""
    fair_representation: Finding | None = None
    """Is nobody made to say what they did not, nothing coloured that the source does not colour?"""


class QuotedWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of an article that answer the question."""

    article_id: Annotated[str, msgspec.Meta(max_length=MAX_ID)]
    article_version: Annotated[str, msgspec.Meta(max_length=64)]
    start_char_index: Annotated[int, msgspec.Meta(ge=0)]
    end_char_index: Annotated[int, msgspec.Meta(ge=1)]


class Verdicts(msgspec.Struct, frozen=True, kw_only=True):
    """What an editor fills in."""

    criteria: Criteria = Criteria()
    answerable: bool | None = None
    """Whether the articles answer the question; null where the editor does not know."""
    answers: _Shorts = ()
    """Short answers that are right, any of them."""
    must_not_say: _Shorts = ()
    """Words that a right answer does not hold."""
    quotes: Annotated[tuple[QuotedWords, ...], msgspec.Meta(max_length=20)] = ()
    """Words that answer."""
    note: Annotated[str, msgspec.Meta(max_length=5000)] = ""


class Review(Verdicts, frozen=True, kw_only=True):
    """A review, and what it is about."""

    answer_id: str
    question: str
    asked_at: str
    """The moment that the question meant: `as_of` of its answer."""
    earlier: tuple[str, ...]
    """What was asked before in the same conversation."""
    answer_mode: AnswerMode
    reviewer: str
    """Name of the key it was made with; empty where the service has none."""
    reviewed_at: str


class GoldWords(msgspec.Struct, frozen=True, kw_only=True):
    """As `qa.evaluation.GoldSpan`."""

    article_id: str
    text: str
    start: int
    end: int


class DatasetRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A review as a line of a dataset: read by `qa evaluate run`, which describes the fields (docs/evaluation.md)."""

    id: str
    question: str
    asked_at: str
    answerable: bool | None = None
    answers: tuple[str, ...] = ()
    gold: tuple[GoldWords, ...] = ()
    must_not_say: tuple[str, ...] = ()
    conversation: tuple[str, ...] = ()
    group: str = ""
    tags: tuple[str, ...] = ()


class ReviewBook:
    """The reviews in the database; none makes room for others."""

    def __init__(self, database: ConversationDatabase) -> None:
        self._database = database

    def save(self, review: Review) -> None:
        """Store a review in the place of an earlier one of the same answer; on disk when this returns.

        Raises NotFound where the answer is gone.
        """
        with self._database.writing() as db:
            kept = db.execute(
                "SELECT conversations.id FROM turns JOIN conversations ON conversations.number = turns.conversation"
                " WHERE answer_id = ?",
                (review.answer_id,),
            ).fetchall()
            if not kept:
                raise NotFound(f"the answer {review.answer_id!r} is no longer kept, so nothing was saved")
            db.execute(
                "INSERT INTO reviews (answer_id, conversation, entry) VALUES (?, ?, ?)"
                " ON CONFLICT (answer_id) DO UPDATE SET entry = excluded.entry",
                (review.answer_id, kept[0][0], msgspec.json.encode(review).decode()),
            )

    def of(self, answer_id: str) -> Review | None:
        """The review of an answer."""
        with self._database.reading() as db:
            row: Any = db.execute("SELECT entry FROM reviews WHERE answer_id = ?", (answer_id,)).fetchone()
        return None if row is None else msgspec.json.decode(row[0], type=Review)

    def page(self, *, before: int | None, limit: int) -> tuple[Sequence[Review], int | None]:
        """Reviews, those begun last first, and the `before` of the next page."""
        with self._database.reading() as db:
            rows: list[Any] = db.execute(
                "SELECT number, entry FROM reviews WHERE number < ? ORDER BY number DESC LIMIT ?",
                (_MOST if before is None else before, limit + 1),
            ).fetchall()
        found = [msgspec.json.decode(entry, type=Review) for _, entry in rows[:limit]]
        return found, rows[limit - 1][0] if len(rows) > limit else None

    def all(self) -> Sequence[Review]:
        """Every review, the first one first."""
        with self._database.reading() as db:
            rows: list[Any] = db.execute("SELECT entry FROM reviews ORDER BY number").fetchall()
        return [msgspec.json.decode(entry, type=Review) for (entry,) in rows]


def row_of(review: Review, *, find: Callable[[str, str | None], Article | None]) -> DatasetRow | None:
    """A review as a line of a dataset; None where words that it names may not be shown now, or no longer stand there.

    `find` gives an article as readers may see it now, in a version or, with None, as it is.
    """
    gold = [_gold(quote, find) for quote in review.quotes]
    if None in gold:
        return None
    return DatasetRow(
        id=review.answer_id,
        question=review.question,
        asked_at=review.asked_at,
        answerable=review.answerable,
        answers=review.answers,
        gold=tuple(one for one in gold if one),
        must_not_say=review.must_not_say,
        conversation=review.earlier,
        group=review.quotes[0].article_id if review.quotes else "",
        tags=tuple(_tags(review)),
    )


def _gold(quote: QuotedWords, find: Callable[[str, str | None], Article | None]) -> GoldWords | None:
    """The words and their place in the article as it is now."""
    article, current = find(quote.article_id, quote.article_version), find(quote.article_id, None)
    if article is None or current is None:
        return None
    text = article.text[quote.start_char_index : quote.end_char_index]
    start = quote.start_char_index if article.version == current.version else current.text.find(text)
    if start < 0:
        return None
    return GoldWords(article_id=quote.article_id, text=text, start=start, end=start + len(text))


def _tags(review: Review) -> Iterator[str]:
    yield "reviewed"
    for name, finding in msgspec.structs.asdict(review.criteria).items():
        if finding is not None:
            yield f"{name}:{finding}"
