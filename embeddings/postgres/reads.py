"""Reads articles from the store, inside a transaction of the caller; translates a `Where` into SQL.

No text leaves here that does not match the hash it was stored under.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain

from psycopg.rows import TupleRow

from embeddings.cleaning.unicode import as_written
from embeddings.errors import InputError, StoreCorrupt
from embeddings.postgres.database import Connection
from embeddings.store.reads import intact, tallied, unless_altered
from embeddings.store.schema import moment, storable
from embeddings.types import Article, CorpusCounts, Overview, SourceTally, Where

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000_000
Values = list[str | int | float | list[str]]
_Conditions = tuple[list[str], Values]
_NOTHING = "\0"
"""The server's texts cannot hold it, so no article has a name with it."""


def article(db: Connection, article_id: str, version: str | None) -> Article | None:
    """One article in its current version, or in the one named.

    Raises StoreCorrupt where a byte of it was altered.
    """
    names = possible([article_id])
    wanted = possible([version]) if version is not None else []
    named = "versions.number = articles.current" if version is None else "versions.version = ANY(%s)"
    row = db.execute(
        "SELECT document, fingerprint FROM articles JOIN versions"  # noqa: S608 - a constant
        f" ON versions.article = articles.number AND {named} WHERE articles.id = ANY(%s)",
        (names,) if version is None else (wanted, names),
        binary=True,
    ).fetchone()
    return None if row is None else intact(*row, name=article_id)


def versions(db: Connection, article_id: str) -> tuple[Article, ...]:
    """Earlier versions of an article, the oldest first; one that was altered is left out."""
    rows = db.execute(
        "SELECT document, fingerprint FROM articles JOIN versions ON versions.article = articles.number"
        " WHERE articles.id = %s AND versions.number <> articles.current ORDER BY versions.number",
        (article_id,),
        binary=True,
    )
    return tuple(read for stored, expected in rows if (read := unless_altered(stored, expected)))


def page(db: Connection, where: Where, *, after: str | None, limit: int) -> list[Article]:
    """Current articles in order of id, from the one after `after`.

    Raises StoreCorrupt where a byte of one was altered.
    """
    condition, values = matching(where)
    beyond = "" if after is None else " AND articles.id > %s"
    rows = db.execute(
        "SELECT document, fingerprint, articles.id FROM articles"  # noqa: S608 - values are bound
        " JOIN versions ON versions.number = articles.current"
        f" WHERE {condition}{beyond} ORDER BY articles.id LIMIT %s",
        (*values, *([] if after is None else [after.replace("\0", "")]), limit),
        binary=True,
    ).fetchall()
    return [intact(stored, expected, name=name) for stored, expected, name in rows]


def the_row(db: Connection, statement: str, values: Sequence[object] = ()) -> TupleRow:
    """The first row of a statement that always gives one."""
    row = db.execute(statement, values or None).fetchone()
    if row is None:
        raise StoreCorrupt("the server gave no row where there must be one; `qa index verify` looks for what is wrong")
    return row


def counts(db: Connection, where: Where, generation: int) -> CorpusCounts:
    """Count what can be searched in a generation."""
    condition, values = matching(where)
    articles, found = the_row(
        db,
        "SELECT count(*), coalesce(sum(passages), 0)::bigint FROM articles"  # noqa: S608 - values are bound
        f" JOIN encodings ON encodings.article = articles.number WHERE encodings.generation = %s AND {condition}",
        (generation, *values),
    )
    return CorpusCounts(articles=articles, passages=found)


def overview(db: Connection, where: Where, *, newest: int) -> Overview:
    """What current articles there are, and the `newest` of them; one that was altered is left out.

    Days are those in UTC.
    """
    condition, values = matching(where)
    articles, sources, earliest, latest = the_row(
        db,
        "SELECT count(*), count(DISTINCT nullif(source, '')), min(published), max(published)"  # noqa: S608
        f" FROM articles WHERE {condition}",
        values,
    )
    rows = db.execute(
        "SELECT document, fingerprint FROM articles"  # noqa: S608 - values are bound
        f" JOIN versions ON versions.number = articles.current WHERE {condition}"
        " ORDER BY published DESC NULLS LAST, articles.number DESC LIMIT %s",
        (*values, newest),
        binary=True,
    )
    found = tuple(read for stored, expected in rows if (read := unless_altered(stored, expected)))
    return Overview(articles=articles, sources=sources, earliest=_day(earliest), latest=_day(latest), newest=found)


def tally(db: Connection, where: Where, *, since: str) -> tuple[SourceTally, ...]:
    """Current articles by source, the source with the most first; days are those in UTC, from `since` on."""
    condition, values = matching(where)
    rows = db.execute(
        "SELECT source, min(published), count(*) FROM articles"  # noqa: S608 - values are bound
        f" WHERE {condition} AND published >= %s GROUP BY source, published / {_DAY} ORDER BY source, min(published)",
        (*values, moment(since)),
    )
    totals = db.execute(
        "SELECT source, count(*), count(*) - count(published), min(published), max(published)"  # noqa: S608
        f' FROM articles WHERE {condition} GROUP BY source ORDER BY count(*) DESC, source COLLATE "C"',
        values,
    )
    return tallied(
        ((*counted, _day(earliest), _day(latest)) for *counted, earliest, latest in totals),
        ((source, _day(first), articles) for source, first, articles in rows),
    )


def holders(db: Connection, versions: Collection[str], *, collection: str | None) -> Mapping[str, tuple[str, ...]]:
    """Which articles of a collection (None: of all) hold each of these texts now, by id in order."""
    rows = db.execute(
        "SELECT version, articles.id FROM versions JOIN articles ON articles.current = versions.number"
        " WHERE version = ANY(%s) AND (%s OR collection = ANY(%s)) ORDER BY articles.id",
        (possible(versions), collection is None, possible([collection or ""])),
    )
    return _grouped(rows)


def homes(db: Connection, article_ids: Collection[str]) -> Mapping[str, str]:
    """The collection of each of these articles, for those held."""
    return dict(db.execute("SELECT id, collection FROM articles WHERE id = ANY(%s)", (possible(article_ids),)))


def known(db: Connection, keys: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """Which articles (ids, the earliest first) are known by each of these keys."""
    rows = db.execute(
        "SELECT key, articles.id FROM known_by JOIN articles ON articles.number = article"
        " WHERE key = ANY(%s) ORDER BY article",
        (possible(keys),),
    )
    return _grouped(rows)


def version_by_number(db: Connection, number: int) -> Article | None:
    """One version of an article; None where it is not there or was altered."""
    row = db.execute("SELECT document, fingerprint FROM versions WHERE number = %s", (number,), binary=True).fetchone()
    return None if row is None else unless_altered(*row)


def _grouped(rows: Iterable[TupleRow]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key, name in rows:
        found[key] = (*found.get(key, ()), name)
    return found


def _day(published: int | None) -> str | None:
    return None if published is None else (_EPOCH + timedelta(microseconds=published)).date().isoformat()


def matching(where: Where) -> tuple[str, Values]:
    """Give the condition on a row `articles` and the values it binds.

    >>> matching(Where(sources=("BBC", "DW")))
    ('articles.source = ANY(%s)', [['BBC', 'DW']])
    """
    where = _checked(where)
    conditions, values = _joined(_of_both(where, "articles"), _of_articles(where))
    if where.usable_at is not None:
        conditions.append("articles.status = 'usable' AND (articles.embargoed IS NULL OR articles.embargoed <= %s)")
        values.append(moment(where.usable_at))
    return " AND ".join(conditions) or "TRUE", values


def of_passages(where: Where) -> tuple[str, Values]:
    """The same condition on a row `passages`: for a walk through passages, which tries many that do not match.

    Of what may not be shown there is little: it is looked up, not what may.
    """
    where = _checked(where)
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


def _checked(where: Where) -> Where:
    """A filter with its names as cleaning writes them, too. Raises InputError where it holds what is no text."""
    lists = (where.sources, where.article_ids, where.sections, where.languages, where.authors, where.within or ())
    if not all(map(storable, chain(*lists, (where.collection or "",)))):
        raise InputError("a filter holds half of a surrogate pair, which is not text; send valid Unicode")
    return as_written(where)
