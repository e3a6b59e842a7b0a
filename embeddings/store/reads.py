"""Reads from the store, inside a transaction of the caller.

No text leaves here that does not match the hash it was stored under.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import apsw
import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.encoders import EncoderIdentity
from embeddings.errors import StoreCorrupt
from embeddings.store.schema import matching, moment, storable
from embeddings.types import Article, CorpusCounts, DayTally, Overview, SourceTally, Where

Rows = Iterable[tuple[Any, ...]]
"""What a statement gives; the schema says which types its columns have."""

_BATCH = 500
"""Values bound to one statement."""


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """One encoder's passages and vectors."""

    number: int
    identity: EncoderIdentity


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Which state of which store this is."""

    store: str
    change: int
    stamp: str
    removals_after: int
    active: Generation | None
    """The generation that is searched; None while nothing was ever stored."""


def state(db: apsw.Connection) -> State:
    """Read which state the transaction sees."""
    row = db.execute(
        "SELECT store, change, stamp, removals_after, number, identity FROM state LEFT JOIN generations ON active"
    ).fetchone()
    if row is None:
        raise StoreCorrupt("the store lost the row that says which state it is in; restore a backup or ingest again")
    store, change, stamp, removals_after, number, identity = row
    active = None
    if number is not None:
        active = Generation(number=number, identity=msgspec.json.decode(identity, type=EncoderIdentity))
    return State(store=store, change=change, stamp=stamp, removals_after=removals_after, active=active)


def was_in(db: apsw.Connection, change: int, stamp: str) -> bool:
    """Whether the store was once in this state, and all that came since came after it; no older program tells."""
    if not db.execute("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'stamps')").get:
        return False
    return bool(db.execute("SELECT EXISTS (SELECT 1 FROM stamps WHERE change = ? AND stamp = ?)", (change, stamp)).get)


def generation_of(db: apsw.Connection, identity: EncoderIdentity) -> int | None:
    """Find the generation made by an encoder, active or not."""
    found: int | None = db.execute(
        "SELECT number FROM generations WHERE identity = ?", (msgspec.json.encode(identity).decode(),)
    ).get
    return found


def complete(db: apsw.Connection, generation: int | None) -> bool:
    """Whether every article has the passages of its current version in this generation."""
    return not db.execute(
        "SELECT EXISTS (SELECT 1 FROM articles LEFT JOIN encodings ON encodings.article = articles.number"
        " AND encodings.generation = ? AND encodings.version = articles.current WHERE encodings.first IS NULL)",
        (generation,),
    ).get


def article(db: apsw.Connection, article_id: str, version: str | None) -> Article | None:
    """One article in its current version, or in the one named.

    Raises StoreCorrupt where a byte of it was altered.
    """
    named = "versions.number = articles.current" if version is None else "versions.version = ?"
    row = db.execute(
        "SELECT CAST(document AS BLOB), fingerprint FROM articles JOIN versions"  # noqa: S608 - a constant
        f" ON versions.article = articles.number AND {named} WHERE articles.id = ?",
        (article_id,) if version is None else (version, article_id),
    ).fetchone()
    return None if row is None else intact(*row, name=article_id)


def page(db: apsw.Connection, where: Where, *, after: str | None, limit: int) -> list[Article]:
    """Current articles in order of id, from the one after `after`.

    Raises StoreCorrupt where a byte of one was altered.
    """
    condition, values = matching(where)
    rows: Rows = db.execute(
        "SELECT CAST(document AS BLOB), fingerprint, articles.id FROM articles"  # noqa: S608 - values are bound
        " JOIN versions ON versions.number = articles.current"
        f" WHERE {condition} AND (? IS NULL OR articles.id > ?) ORDER BY articles.id LIMIT ?",
        (*values, after, after, limit),
    )
    return [intact(stored, expected, name=name) for stored, expected, name in rows]


def counts(db: apsw.Connection, where: Where, generation: int) -> CorpusCounts:
    """Count what can be searched in a generation."""
    condition, values = matching(where)
    totals: Rows = db.execute(
        "SELECT count(*), coalesce(sum(last - first + 1), 0) FROM articles"  # noqa: S608 - values are bound
        f" JOIN encodings ON encodings.article = articles.number WHERE encodings.generation = ? AND {condition}",
        (generation, *values),
    )
    ((articles, found),) = totals
    return CorpusCounts(articles=articles, passages=found)


def overview(db: apsw.Connection, where: Where, *, newest: int) -> Overview:
    """What current articles there are, and the `newest` of them; one that was altered is left out.

    Days are those in UTC.
    """
    condition, values = matching(where)
    totals: Rows = db.execute(
        "SELECT count(*), count(DISTINCT nullif(source, '')), date(min(published) / 1000000, 'unixepoch'),"  # noqa: S608
        f" date(max(published) / 1000000, 'unixepoch') FROM articles WHERE {condition}",
        values,
    )
    ((articles, sources, earliest, latest),) = totals
    rows: Rows = db.execute(
        "SELECT CAST(document AS BLOB), fingerprint FROM articles"  # noqa: S608 - values are bound
        f" JOIN versions ON versions.number = articles.current WHERE {condition}"
        " ORDER BY published DESC NULLS LAST, articles.number DESC LIMIT ?",
        (*values, newest),
    )
    found = tuple(read for stored, expected in rows if (read := unless_altered(stored, expected)))
    return Overview(articles=articles, sources=sources, earliest=earliest, latest=latest, newest=found)


def tally(db: apsw.Connection, where: Where, *, since: str) -> tuple[SourceTally, ...]:
    """Current articles by source, the source with the most first; days are those in UTC, from `since` on."""
    condition, values = matching(where)
    rows: Rows = db.execute(
        "SELECT source, date(published / 1000000, 'unixepoch'), count(*) FROM articles"  # noqa: S608 - values are bound
        f" WHERE {condition} AND published >= ? GROUP BY 1, 2 ORDER BY 1, 2",
        (*values, moment(since)),
    )
    totals: Rows = db.execute(
        "SELECT source, count(*), count(*) - count(published), date(min(published) / 1000000, 'unixepoch'),"  # noqa: S608
        f" date(max(published) / 1000000, 'unixepoch') FROM articles WHERE {condition}"
        " GROUP BY source ORDER BY count(*) DESC, source",
        values,
    )
    return tallied(totals, rows)


def tallied(totals: Rows, of_days: Rows) -> tuple[SourceTally, ...]:
    """Read rows of sources (articles, undated ones, first day, last day), and rows of their days."""
    days: dict[str, list[DayTally]] = {}
    for source, day, articles in of_days:
        days.setdefault(source, []).append(DayTally(day=day, articles=articles))
    return tuple(
        SourceTally(
            source=source,
            articles=articles,
            undated=undated,
            earliest=earliest,
            latest=latest,
            days=tuple(days.get(source, ())),
        )
        for source, articles, undated, earliest, latest in totals
    )


def key_runs(db: apsw.Connection, where: Where, generation: int) -> npt.NDArray[np.int64]:
    """First and last passage key of every matching article, shape (articles, 2)."""
    condition, values = matching(where)
    runs: Rows = db.execute(
        "SELECT first, last FROM articles JOIN encodings ON encodings.article = articles.number"  # noqa: S608
        f" WHERE encodings.generation = ? AND {condition}",
        (generation, *values),
    )
    return np.fromiter(chain.from_iterable(runs), dtype=np.int64).reshape(-1, 2)


def held_runs(db: apsw.Connection, generation: int) -> npt.NDArray[np.int64]:
    """First and last passage key of every article in a generation, shape (articles, 2)."""
    runs: Rows = db.execute("SELECT first, last FROM encodings WHERE generation = ?", (generation,))
    return np.fromiter(chain.from_iterable(runs), dtype=np.int64).reshape(-1, 2)


def held_keys(db: apsw.Connection, generation: int, *, first: int) -> npt.NDArray[np.int64]:
    """Keys of the passages of a generation, from `first` on, in order."""
    keys: Rows = db.execute(
        "SELECT key FROM passages WHERE key >= ? AND generation = ? ORDER BY key", (first, generation)
    )
    return np.fromiter(chain.from_iterable(keys), dtype=np.int64)


def restricted_runs(db: apsw.Connection, generation: int, *, at: str) -> list[tuple[int, int]]:
    """First and last passage key of every article of which nothing may be shown at a moment."""
    runs: Rows = db.execute(
        "SELECT first, last FROM articles JOIN encodings ON encodings.article = articles.number"
        " WHERE (status <> 'usable' OR embargoed IS NOT NULL) AND generation = ?"
        " AND (status <> 'usable' OR embargoed > ?)",
        (generation, moment(at)),
    )
    return [(first, last) for first, last in runs]


def removed_runs(db: apsw.Connection, *, since: int) -> list[tuple[int, int]]:
    """First and last key of passages removed after a change, article by article."""
    runs: Rows = db.execute("SELECT first, last FROM removals WHERE change > ?", (since,))
    return [(first, last) for first, last in runs]


def holders(db: apsw.Connection, versions: Collection[str], *, collection: str | None) -> Mapping[str, tuple[str, ...]]:
    """Which articles of a collection (None: of all) hold each of these texts now, by id in order."""
    place, only = ("", ()) if collection is None else (" AND collection = ?", (collection,))
    found: dict[str, tuple[str, ...]] = {}
    for names in in_batches(versions):
        rows: Rows = db.execute(
            "SELECT version, articles.id FROM versions JOIN articles ON articles.current = versions.number"  # noqa: S608
            f" WHERE version IN ({marks(names)}){place} ORDER BY articles.id",
            (*names, *only),
        )
        for version, name in rows:
            found[version] = (*found.get(version, ()), name)
    return found


def homes(db: apsw.Connection, article_ids: Collection[str]) -> Mapping[str, str]:
    """The collection of each of these articles, for those held."""
    found: dict[str, str] = {}
    for names in in_batches([name for name in article_ids if storable(name)]):
        rows: Rows = db.execute(f"SELECT id, collection FROM articles WHERE id IN ({marks(names)})", names)  # noqa: S608
        found.update(rows)
    return found


def known(db: apsw.Connection, keys: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """Which articles (ids, the earliest first) are known by each of these keys."""
    found: dict[str, tuple[str, ...]] = {}
    for names in in_batches(keys):
        rows: Rows = db.execute(
            "SELECT key, articles.id FROM known_by JOIN articles ON articles.number = article"  # noqa: S608
            f" WHERE key IN ({marks(names)}) ORDER BY article",
            names,
        )
        for key, name in rows:
            found[key] = (*found.get(key, ()), name)
    return found


def version_by_number(db: apsw.Connection, number: int) -> Article | None:
    """One version of an article; None where it is not there or was altered."""
    return versions_by_number(db, [number]).get(number)


def versions_by_number(db: apsw.Connection, numbers: Collection[int]) -> dict[int, Article | None]:
    """Versions of articles, for those that are there; None for one that was altered."""
    found: dict[int, Article | None] = {}
    for some in in_batches(numbers):
        rows: Rows = db.execute(
            f"SELECT number, CAST(document AS BLOB), fingerprint FROM versions WHERE number IN ({marks(some)})",  # noqa: S608
            some,
        )
        found.update((number, unless_altered(stored, expected)) for number, stored, expected in rows)
    return found


def intact(stored: bytes, expected: str, *, name: str) -> Article:
    """Read a stored document. Raises StoreCorrupt where it no longer has the hash it was stored under."""
    read = unless_altered(stored, expected)
    if read is None:
        raise StoreCorrupt(
            f"article {name!r} no longer matches the hash it was stored under: bytes on the disk were altered. "
            "Ingest it again, or delete it; `qa index verify` lists everything that is damaged"
        )
    return read


def unless_altered(stored: bytes, expected: str) -> Article | None:
    """Read a stored document, if it still has the hash it was stored under."""
    if hashlib.sha256(stored).hexdigest() != expected:
        return None
    return msgspec.json.decode(stored, type=Article)


def in_batches(values: Iterable[object]) -> Iterator[tuple[object, ...]]:
    """Cut values into as many as are bound to one statement."""
    everything = tuple(values)
    for start in range(0, len(everything), _BATCH):
        yield everything[start : start + _BATCH]


def marks(values: Collection[object]) -> str:
    """As many question marks as there are values to bind."""
    return ", ".join("?" * len(values))
