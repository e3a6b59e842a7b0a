"""How a `Where` reads in PostgreSQL. Values are always bound, never part of the statement."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from embeddings.errors import InputError
from embeddings.store.filters import moment, storable
from embeddings.types import Where

__all__ = ["Values", "among", "matching", "of_lexemes", "of_passages", "possible"]

Values = list[str | int | float | list[str]]
_Conditions = tuple[list[str], Values]

_NOTHING = "\0"
"""The server's texts cannot hold it, so no article has a name with it."""


def matching(where: Where) -> tuple[str, Values]:
    """Give the condition on a row `articles` and the values it binds.

    >>> matching(Where(sources=("BBC", "DW")))
    ('articles.source = ANY(%s)', [['BBC', 'DW']])
    """
    _require_texts(where)
    conditions, values = _joined(_of_both(where, "articles"), _of_articles(where))
    if where.usable_at is not None:
        conditions.append("articles.status = 'usable' AND (articles.embargoed IS NULL OR articles.embargoed <= %s)")
        values.append(moment(where.usable_at))
    return " AND ".join(conditions) or "TRUE", values


def of_passages(where: Where) -> tuple[str, Values]:
    """The same condition on a row `passages`: for a walk through passages, which tries many that do not match.

    Of what may not be shown there is little: it is looked up, not what may.
    """
    _require_texts(where)
    conditions, values = _of_both(where, "passages")
    inner, bound = _of_articles(where)
    if inner:
        conditions.append(_in_articles(" AND ".join(inner)))
        values += bound
    if where.usable_at is not None:
        hidden = "(status <> 'usable' OR embargoed IS NOT NULL) AND (status <> 'usable' OR embargoed > %s)"
        conditions.append(f"NOT {_in_articles(hidden)}")
        values.append(moment(where.usable_at))
    return " AND ".join(conditions) or "TRUE", values


def of_lexemes(where: Where) -> tuple[str, Values]:
    """The same condition on a row `lexemes`, which knows its article and no more."""
    condition, values = matching(where)
    return (f"lexemes.article IN (SELECT number FROM articles WHERE {condition})" if values else "TRUE"), values  # noqa: S608


def among(where: Where) -> tuple[str, Values]:
    """The same condition on a row `passages`, articles looked up first: for filters that few of them pass."""
    if not where.restricts():
        return of_passages(where)
    condition, values = matching(where)
    return _in_articles(condition), values


def possible(texts: Iterable[str]) -> list[str]:
    """Those of some texts that the server could hold at all."""
    return [text for text in texts if _NOTHING not in text and storable(text)]


def _of_both(where: Where, table: str) -> _Conditions:
    """What stands in the rows of articles and of passages."""
    conditions: list[str] = []
    values: Values = []
    if where.collection is not None:
        conditions.append(f"{table}.collection = ANY(%s)")
        values.append(possible((where.collection,)))
    if where.within is not None:
        conditions.append(f"{table}.collection = ANY(%s)")
        values.append(possible(where.within))
    if where.sources:
        conditions.append(f"{table}.source = ANY(%s)")
        values.append(possible(where.sources))
    if where.published_after is not None:
        conditions.append(f"{table}.published >= %s")
        values.append(moment(where.published_after))
    if where.published_before is not None:
        conditions.append(f"{table}.published < %s")
        values.append(moment(where.published_before))
    if where.known_by is not None:
        conditions.append(f"({table}.published IS NULL OR {table}.published <= %s)")
        values.append(moment(where.known_by))
    return conditions, values


def _of_articles(where: Where) -> _Conditions:
    """What stands in the rows of articles alone."""
    conditions: list[str] = []
    values: Values = []
    listed = (("id", where.article_ids), ("section", where.sections), ("status", where.statuses))
    for column, wanted in listed:
        if wanted:
            conditions.append(f"articles.{column} = ANY(%s)")
            values.append(possible(wanted))
    if where.languages:
        one = "starts_with(articles.language || '-', tag)"
        conditions.append(f"EXISTS (SELECT 1 FROM unnest(%s::text[]) AS given (tag) WHERE {one})")  # noqa: S608
        values.append([f"{tag.lower()}-" for tag in possible(where.languages)])
    if where.authors:
        conditions.append("articles.authors && %s::text[]")
        values.append(possible(where.authors))
    return conditions, values


def _joined(one: _Conditions, other: _Conditions) -> _Conditions:
    return [*one[0], *other[0]], [*one[1], *other[1]]


def _in_articles(condition: str) -> str:
    return f"passages.article IN (SELECT number FROM articles WHERE {condition})"  # noqa: S608 - values are bound


def _require_texts(where: Where) -> None:
    """Raise InputError where a filter holds what is no text."""
    lists = (where.sources, where.article_ids, where.sections, where.languages, where.authors, where.within or ())
    if not all(map(storable, chain(*lists, (where.collection or "",)))):
        raise InputError("a filter holds half of a surrogate pair, which is not text; send valid Unicode")
