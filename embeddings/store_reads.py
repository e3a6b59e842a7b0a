"""Questions to the store, each asked inside a transaction that the caller holds.

No text leaves here that does not match the hash it was stored under.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import apsw
import msgspec

from embeddings.encoders.protocol import EncoderIdentity
from embeddings.errors import StoreCorrupt
from embeddings.store_filters import matching
from embeddings.types import Article, CorpusCounts, Passage, StoredPassage, Where

__all__ = [
    "Generation",
    "Rows",
    "State",
    "StoredVector",
    "article",
    "complete",
    "counts",
    "generation_of",
    "holders",
    "intact_fingerprints",
    "key_runs",
    "page",
    "passage_digest",
    "passages",
    "removed_runs",
    "state",
    "vectors_after",
]

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


class StoredVector(msgspec.Struct, frozen=True, kw_only=True):
    """What the derived indexes need of one passage."""

    key: int
    title: str
    text: str
    vector: bytes


def passage_digest(passage_id: bytes, text: bytes, vector: bytes) -> bytes:
    """Seal a stored passage: its span, its words and its vector belong together."""
    return hashlib.sha256(b"\0".join((passage_id, text, vector))).digest()


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
    return None if row is None else _intact(*row, name=article_id)


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
    return [_intact(stored, expected, name=name) for stored, expected, name in rows]


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


def key_runs(db: apsw.Connection, where: Where, generation: int) -> list[tuple[int, int]]:
    """First and last passage key of every matching article."""
    condition, values = matching(where)
    runs: Rows = db.execute(
        "SELECT first, last FROM articles JOIN encodings ON encodings.article = articles.number"  # noqa: S608
        f" WHERE encodings.generation = ? AND {condition}",
        (generation, *values),
    )
    return [(first, last) for first, last in runs]


def removed_runs(db: apsw.Connection, *, since: int) -> list[tuple[int, int]]:
    """First and last key of passages removed after a change, article by article."""
    runs: Rows = db.execute("SELECT first, last FROM removals WHERE change > ?", (since,))
    return [(first, last) for first, last in runs]


def vectors_after(db: apsw.Connection, generation: int, key: int) -> Iterator[StoredVector | int]:
    """Passages of a generation from the one after `key`, by key; of a damaged one only its key."""
    rows: Rows = db.execute(
        "SELECT key, version, CAST(id AS BLOB), start, stop, digest, vector FROM passages"
        " WHERE key > ? AND generation = ? ORDER BY key",
        (key, generation),
    )
    version, holder = None, None
    for number, of_version, name, start, stop, digest, vector in rows:
        if of_version != version:
            version, holder = of_version, _version(db, of_version)
        text = _sealed_words(holder, name, start, stop, digest, vector)
        if holder is None or text is None:
            yield number
        else:
            yield StoredVector(key=number, title=holder.title, text=text, vector=vector)


def passages(db: apsw.Connection, keys: Collection[int]) -> tuple[dict[int, StoredPassage], list[int]]:
    """Look passages up by key: those that are intact, and the keys of those that are not."""
    found: dict[int, StoredPassage] = {}
    damaged: list[int] = []
    versions: dict[int, Article | None] = {}
    for numbers in _batches(keys):
        rows: Rows = db.execute(
            "SELECT key, CAST(passages.id AS BLOB), version, start, stop, digest, vector, signature FROM passages"  # noqa: S608
            f" JOIN articles ON articles.number = passages.article WHERE key IN ({_marks(numbers)})",
            numbers,
        )
        for key, name, version, start, stop, digest, vector, signature in list(rows):
            if version not in versions:
                versions[version] = _version(db, version)
            holder = versions[version]
            text = _sealed_words(holder, name, start, stop, digest, vector)
            if holder is None or text is None:
                damaged.append(key)
            else:
                found[key] = _stored_passage(key, holder, (name.decode(), start, stop, text), signature)
    return found, damaged


def intact_fingerprints(db: apsw.Connection, article_ids: Collection[str], generation: int) -> dict[str, str]:
    """Fingerprints of the articles that are stored whole and undamaged in a generation, as they should be."""
    found: dict[str, str] = {}
    for names in _batches(article_ids):
        rows: Rows = db.execute(
            "SELECT articles.id, CAST(document AS BLOB), fingerprint, first, last FROM articles"  # noqa: S608
            " JOIN versions ON versions.number = articles.current"
            " JOIN encodings ON encodings.article = articles.number AND encodings.version = articles.current"
            f" WHERE generation = ? AND articles.id IN ({_marks(names)})",
            (generation, *names),
        )
        for name, stored, expected, first, last in list(rows):
            held = _unless_altered(stored, expected)
            if held is not None and held.id == name and _all_sealed(db, held, range(first, last + 1)):
                found[name] = expected
    return found


def holders(db: apsw.Connection, versions: Collection[str]) -> Mapping[str, str]:
    """Which article holds each of these texts now; the first by id where several do."""
    found: dict[str, str] = {}
    for names in _batches(versions):
        rows: Rows = db.execute(
            "SELECT version, min(articles.id) FROM versions JOIN articles ON articles.current = versions.number"  # noqa: S608
            f" WHERE version IN ({_marks(names)}) GROUP BY version",
            names,
        )
        found.update((version, name) for version, name in rows)
    return found


def _stored_passage(key: int, holder: Article, span: tuple[str, int, int, str], signature: bytes) -> StoredPassage:
    name, start, stop, text = span
    passage = Passage(id=name, article_id=holder.id, article_version=holder.version, start=start, end=stop, text=text)
    return StoredPassage(
        key=key,
        passage=passage,
        title=holder.title,
        source=holder.source,
        url=holder.url,
        published_at=holder.published_at,
        collection=holder.collection,
        signature=signature,
    )


def _all_sealed(db: apsw.Connection, holder: Article, keys: range) -> bool:
    """Whether every passage of an article is there, with the words and the vector it was stored with."""
    rows: Rows = db.execute(
        "SELECT CAST(id AS BLOB), start, stop, digest, vector FROM passages WHERE key BETWEEN ? AND ?",
        (keys[0], keys[-1]),
    )
    whole = [_sealed_words(holder, *row) is not None for row in rows]
    return len(whole) == len(keys) and all(whole)


def _sealed_words(
    holder: Article | None, name: bytes, start: int, stop: int, digest: bytes, vector: bytes
) -> str | None:
    """The words of a passage, or None where they, the span or the vector were altered."""
    try:
        text = holder.text[start:stop] if holder else ""
        return text if holder and passage_digest(name, text.encode(), vector) == digest else None
    except TypeError:  # an altered byte can turn a number into a text
        return None


def _version(db: apsw.Connection, number: int) -> Article | None:
    row = db.execute("SELECT CAST(document AS BLOB), fingerprint FROM versions WHERE number = ?", (number,)).fetchone()
    return None if row is None else _unless_altered(*row)


def _intact(stored: bytes, expected: str, *, name: str) -> Article:
    read = _unless_altered(stored, expected)
    if read is None:
        raise StoreCorrupt(
            f"article {name!r} no longer matches the hash it was stored under: bytes on the disk were altered. "
            "Ingest it again, or delete it; `qa index verify` lists everything that is damaged"
        )
    return read


def _unless_altered(stored: bytes, expected: str) -> Article | None:
    if hashlib.sha256(stored).hexdigest() != expected:
        return None
    return msgspec.json.decode(stored, type=Article)


def _batches(values: Iterable[object]) -> Iterator[tuple[object, ...]]:
    everything = tuple(values)
    for start in range(0, len(everything), _BATCH):
        yield everything[start : start + _BATCH]


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
