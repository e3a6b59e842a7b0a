"""What is really asked: a query that stands alone, a moment, a filter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from embeddings.types import Where
from qa.conversations.follow_ups import Resolved
from qa.conversations.referents import without_topic
from qa.errors import InvalidQuestion
from qa.executor import Run
from qa.language.time_expressions import period_of, without_period
from qa.language.timestamps import Period, moment, stamp
from qa.question.intents import Intent, intent_of
from qa.question.wordings import Correction, Spelled
from qa.types import Filters, Question, SearchQuestion, Turn

__all__ = ["Resolve", "Understood", "as_put", "as_written", "checked", "understand", "where_of"]

_WIDE = re.compile("[\uff01-\uff5e\uff65-\uff9f\u3000]+")
"""Letters as wide as an ideograph, and half as wide: what input methods write for the plain ones."""


class Understood(msgspec.Struct, frozen=True, kw_only=True):
    """A question that can be looked up."""

    resolved_query: str
    """What is looked up and answered; differs from the question where that is a follow-up."""
    lookup: str
    """What is searched for: `resolved_query`, with the conversation's words where a follow-up was not written out, and
    the topic alone where the latest on it is asked."""
    to_read: str
    """The same as `resolved_query` for whoever reads what was found: without a topic that only helps to find it."""
    as_of: datetime
    """The moment it is asked at; what was published later is not used."""
    where: Where
    period: Period | None = None
    """What the question says of when; `timestamps.shown` is how answers tell it."""
    stays_with: tuple[str, ...] = ()
    """Articles of the last answer, in which to look first, where the question leans on the conversation."""
    intent: Intent
    """Small talk is answered with no quotation; the latest on a topic with what is newest about it."""
    corrections: tuple[Correction, ...] = ()
    """Words that were misspelled; `resolved_query` has them as they are read."""
    undated: str
    """`to_read` without its words for when: for reading what was published then and does not say so
    (`timeliness.says_when`). Equal to `to_read` where it names no time."""


class Resolve(Protocol):
    """Turns a follow-up into a question that stands alone."""

    async def __call__(self, question: str, /, *, history: Sequence[Turn], by_model: bool, run: Run) -> Resolved:
        """`history` is oldest first; `by_model` says whether a model may be asked; `run` is for blocking work."""


async def as_put(question: str, /, *, history: Sequence[Turn], by_model: bool, run: Run) -> Resolved:
    """Take every question as it was put."""
    del history, by_model, run
    return Resolved(query=question, lookup=question)


def as_written(question: str) -> Spelled:
    """Take every word as it was written."""
    return Spelled(query=question)


def checked(question: Question | SearchQuestion, *, now: datetime) -> Understood:
    """Read a question that stands alone. Raises InvalidQuestion for words, a filter or a date that cannot be used."""
    text = _usable(question.question)
    as_of = moment(question.as_of, field="as_of") if question.as_of else now
    return _read(Resolved(query=text, lookup=text), as_of=as_of, where=where_of(question.filters, question.collection))


async def understand(
    question: Question | SearchQuestion,
    *,
    now: datetime,
    history: Sequence[Turn],
    resolve: Resolve,
    run: Run,
    spell: Callable[[str], Spelled] = as_written,
) -> Understood:
    """Read a question in its conversation. Raises InvalidQuestion, before anything is worked on.

    `spell` corrects what is misspelled; it is blocking work.
    """
    alone = checked(question, now=now)
    if isinstance(question, Question) and question.as_written:
        return alone
    spelled = await run(lambda: spell(alone.resolved_query))
    if spelled.corrections:
        alone = _read(
            Resolved(query=spelled.query, lookup=spelled.query),
            as_of=alone.as_of,
            where=alone.where,
            corrections=spelled.corrections,
        )
    if not history:
        return alone
    by_model = isinstance(question, Question) and question.mode != "extractive"
    resolved = await resolve(alone.resolved_query, history=history, by_model=by_model, run=run)
    if not resolved.follows:
        return alone
    understood = _read(resolved, as_of=alone.as_of, where=alone.where, corrections=alone.corrections)
    last = history[-1]
    if understood.period is None and last.as_of and not understood.intent.newest:
        # "How many were hurt?" after a question about last May asks of last May.
        carried = period_of(last.resolved_query, as_of=moment(last.as_of, field="as_of"))
        understood = msgspec.structs.replace(understood, period=carried)
    return understood


def _read(resolved: Resolved, *, as_of: datetime, where: Where, corrections: tuple[Correction, ...] = ()) -> Understood:
    intent = intent_of(resolved.query)
    to_read = without_topic(resolved.query)
    changed = resolved.lookup != resolved.query
    return Understood(
        resolved_query=resolved.query,
        lookup=resolved.lookup if changed else intent.topic,
        to_read=to_read,
        as_of=as_of,
        where=where,
        period=period_of(resolved.query, as_of=as_of),
        undated=without_period(to_read, as_of=as_of),
        stays_with=resolved.article_ids,
        intent=intent,
        corrections=corrections,
    )


def _usable(text: str) -> str:
    folded = " ".join(_WIDE.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text).split())
    if not any(character.isalnum() for character in folded):
        raise InvalidQuestion("the question has no words; ask in a sentence or a few key words")
    return folded


def where_of(filters: Filters, collection: str | None) -> Where:
    """Filters as the corpus takes them, dates validated and written in UTC. Raises InvalidQuestion for a date."""
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
        sections=filters.section,
        languages=filters.language,
        authors=filters.author,
        article_ids=filters.article_ids,
        published_after=after,
        published_before=before,
    )
