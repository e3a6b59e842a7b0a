"""Takes a question as it was put, gives what is really asked: a query that stands alone, a moment, a filter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from embeddings.types import Where
from qa.errors import InvalidQuestion
from qa.follow_ups.referents import without_topic
from qa.jobs import Run
from qa.moments import Period, moment, stamp
from qa.time_expressions import period_of
from qa.types import Filters, Question, SearchQuestion, Turn

__all__ = ["Resolve", "Understood", "as_put", "checked", "understand"]


class Understood(msgspec.Struct, frozen=True, kw_only=True):
    """A question that can be looked up."""

    resolved_query: str
    """What is looked up and answered; differs from the question where that is a follow-up."""
    to_read: str
    """The same for whoever reads what was found: without a topic that only helps to find it."""
    as_of: datetime
    """The moment it is asked at; what was published later is not used."""
    where: Where
    period: Period | None = None
    """What the question says of when."""


class Resolve(Protocol):
    """Turns a follow-up into a question that stands alone."""

    async def __call__(self, question: str, /, *, history: Sequence[Turn], by_model: bool, run: Run) -> str:
        """`history` is oldest first; `by_model` says whether a model may be asked; `run` is for blocking work."""


async def as_put(question: str, /, *, history: Sequence[Turn], by_model: bool, run: Run) -> str:
    """Take every question as it was put."""
    del history, by_model, run
    return question


def checked(question: Question | SearchQuestion, *, now: datetime) -> Understood:
    """Read a question that stands alone. Raises InvalidQuestion for words, a filter or a date that cannot be used."""
    text = _usable(question.question)
    as_of = moment(question.as_of, field="as_of") if question.as_of else now
    return Understood(
        resolved_query=text,
        to_read=text,
        as_of=as_of,
        where=_where(question.filters, question.collection),
        period=period_of(text, as_of=as_of),
    )


async def understand(
    question: Question | SearchQuestion, *, now: datetime, history: Sequence[Turn], resolve: Resolve, run: Run
) -> Understood:
    """Read a question in its conversation. Raises InvalidQuestion, before anything is worked on."""
    alone = checked(question, now=now)
    if not history:
        return alone
    by_model = isinstance(question, Question) and question.mode != "extractive"
    resolved = await resolve(alone.resolved_query, history=history, by_model=by_model, run=run)
    if resolved == alone.resolved_query:
        return alone
    return msgspec.structs.replace(
        alone,
        resolved_query=resolved,
        to_read=without_topic(resolved),
        period=period_of(resolved, as_of=alone.as_of),
    )


def _usable(text: str) -> str:
    folded = " ".join(text.split())
    if not any(character.isalnum() for character in folded):
        raise InvalidQuestion("the question has no words; ask in a sentence or a few key words")
    return folded


def _where(filters: Filters, collection: str | None) -> Where:
    """Filters as the corpus takes them, dates validated and written in UTC."""
    after, before = (
        stamp(moment(text, field=f"filters.{name}")) if text else None
        for name, text in (
            ("published_after", filters.published_after),
            ("published_before", filters.published_before),
        )
    )
    return Where(
        collection=collection,
        sources=filters.source,
        article_ids=filters.article_ids,
        published_after=after,
        published_before=before,
    )
