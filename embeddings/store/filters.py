"""How a `Where` reads in SQL. Values are always bound, never part of the statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from embeddings.errors import InputError
from embeddings.types import Where

__all__ = ["matching", "moment", "moment_if_any", "storable"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MOST_VALUES = 30_000
"""SQLite binds at most 32,766 values to one statement."""


def moment(written: str) -> int:
    """Microseconds since 1970 UTC; a date alone is its midnight, a time without zone is UTC.

    Raises InputError for what is not ISO 8601.

    >>> moment("1970-01-02"), moment("1970-01-01T02:00:00+02:00"), moment("1970-01-01T00:00:01Z")
    (86400000000, 0, 1000000)
    """
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        raise InputError(
            f"{written!r} is not an ISO 8601 date or time; write 2024-06-04 or 2024-06-04T10:30:00Z"
        ) from None
    return ((read if read.tzinfo else read.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1)


def moment_if_any(written: str | None) -> int | None:
    """The same; None where nothing was written."""
    return None if written is None else moment(written)


def matching(where: Where) -> tuple[str, list[str | int]]:
    """Give the condition on a row `articles` and the values it binds.

    >>> matching(Where(sources=("BBC", "DW")))
    ('articles.source IN (?, ?)', ['BBC', 'DW'])
    """
    conditions: list[str] = []
    values: list[str | int] = []
    if where.collection is not None:
        conditions.append("articles.collection = ?")
        values.append(where.collection)
    listed = (
        ("source", where.sources),
        ("id", where.article_ids),
        ("section", where.sections),
        ("status", where.statuses),
    )
    for column, wanted in listed:
        if wanted:
            conditions.append(f"articles.{column} IN ({', '.join('?' * len(wanted))})")
            values.extend(wanted)
    if where.published_after is not None:
        conditions.append("articles.published >= ?")
        values.append(moment(where.published_after))
    if where.published_before is not None:
        conditions.append("articles.published < ?")
        values.append(moment(where.published_before))
    if where.known_by is not None:
        conditions.append("(articles.published IS NULL OR articles.published <= ?)")
        values.append(moment(where.known_by))
    for condition, more in (
        _within(where.within),
        _of_languages(where.languages),
        _of_authors(where.authors),
        _usable(where.usable_at),
    ):
        conditions += [condition] if condition else []
        values += more
    if len(values) > _MOST_VALUES:
        raise InputError(f"a filter names {len(values)} sources and articles; at most {_MOST_VALUES} are possible")
    if not all(storable(value) for value in values):
        raise InputError("a filter holds half of a surrogate pair, which is not text; send valid Unicode")
    return " AND ".join(conditions) or "TRUE", values


def _within(collections: Sequence[str] | None) -> tuple[str, list[str | int]]:
    """Those of some collections, where there are none of none."""
    if collections is None:
        return "", []
    return f"articles.collection IN ({', '.join('?' * len(collections))})", [*collections]


def _of_languages(languages: Sequence[str]) -> tuple[str, list[str | int]]:
    """Tags that are one of these, or begin with it and a hyphen."""
    one = "substr(articles.language || '-', 1, length(?)) = ?"
    tags = [f"{tag.lower()}-" for tag in languages]
    return (f"({' OR '.join([one] * len(tags))})" if tags else ""), [tag for tag in tags for _ in range(2)]


def _of_authors(authors: Sequence[str]) -> tuple[str, list[str | int]]:
    """Articles by one of these, read from the document itself; one whose bytes were altered has no authors."""
    if not authors:
        return "", []
    said = "CASE WHEN json_valid(versions.document) THEN json_extract(versions.document, '$.authors') ELSE '[]' END"
    return (
        f"EXISTS (SELECT 1 FROM versions, json_each({said}) AS author WHERE versions.number = articles.current"  # noqa: S608 - values are bound
        f" AND author.value IN ({', '.join('?' * len(authors))}))"
    ), [*authors]


def _usable(at: str | None) -> tuple[str, list[str | int]]:
    if at is None:
        return "", []
    return "articles.status = 'usable' AND (articles.embargoed IS NULL OR articles.embargoed <= ?)", [moment(at)]


def storable(value: str | int) -> bool:
    """Whether a value of a filter is a number, or text that is valid Unicode."""
    return isinstance(value, int) or value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
