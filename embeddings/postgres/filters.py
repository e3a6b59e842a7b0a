"""How a `Where` reads in PostgreSQL. Values are always bound, never part of the statement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from embeddings.errors import InputError
from embeddings.store.filters import moment, storable
from embeddings.types import Where

__all__ = ["Values", "among", "matching", "possible"]

Values = list[str | int | list[str]]

_NOTHING = "\0"
"""The server's texts cannot hold it, so no article has a name with it."""


def matching(where: Where, table: Literal["articles", "passages"] = "articles") -> tuple[str, Values]:
    """Give the condition on a row of a table and the values it binds.

    >>> matching(Where(sources=("BBC", "DW")))
    ('articles.source = ANY(%s)', [['BBC', 'DW']])
    """
    conditions: list[str] = []
    values: Values = []
    texts = (where.sources, where.article_ids, (where.collection or "",))
    if not all(storable(text) for group in texts for text in group):
        raise InputError("a filter holds half of a surrogate pair, which is not text; send valid Unicode")
    if where.collection is not None:
        conditions.append(f"{table}.collection = ANY(%s)")
        values.append(possible((where.collection,)))
    if where.sources:
        conditions.append(f"{table}.source = ANY(%s)")
        values.append(possible(where.sources))
    if where.article_ids:
        named = "articles.id = ANY(%s)"
        conditions.append(
            named if table == "articles" else f"passages.article IN (SELECT number FROM articles WHERE {named})"  # noqa: S608
        )
        values.append(possible(where.article_ids))
    if where.published_after is not None:
        conditions.append(f"{table}.published >= %s")
        values.append(moment(where.published_after))
    if where.published_before is not None:
        conditions.append(f"{table}.published < %s")
        values.append(moment(where.published_before))
    if where.known_by is not None:
        conditions.append(f"({table}.published IS NULL OR {table}.published <= %s)")
        values.append(moment(where.known_by))
    return " AND ".join(conditions) or "TRUE", values


def among(where: Where) -> tuple[str, Values]:
    """The condition on a passage whose articles are looked up first: for filters that few of them pass."""
    if not where.restricts():
        return "TRUE", []
    condition, values = matching(where)
    return f"passages.article IN (SELECT number FROM articles WHERE {condition})", values  # noqa: S608 - values are bound


def possible(texts: Iterable[str]) -> list[str]:
    """Those of some texts that the server could hold at all."""
    return [text for text in texts if _NOTHING not in text and storable(text)]
