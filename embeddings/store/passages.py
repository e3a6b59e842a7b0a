"""Passages in the store: a seal covers each one's words and vector, and is checked on every read."""

import hashlib
from collections.abc import Collection, Iterator

import apsw
import msgspec
import numpy as np

from embeddings.store.database import with_recipe
from embeddings.store.reads import Rows, in_batches, marks, unless_altered, version_by_number, versions_by_number
from embeddings.types import Article, EncodedPassage, Held, HeldPage, IndexedArticle, Passage, StoredPassage


class StoredVector(msgspec.Struct, frozen=True, kw_only=True):
    """What the derived indexes need of one passage."""

    key: int
    title: str
    text: str
    vector: bytes


def passage_digest(passage_id: bytes, text: bytes, vector: bytes) -> bytes:
    """Seal a stored passage: its span, its words and its vector belong together."""
    return hashlib.sha256(b"\0".join((passage_id, text, vector))).digest()


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
            version, holder = of_version, version_by_number(db, of_version)
        text = sealed_words(holder, name, start, stop, digest, vector)
        if holder is None or text is None:
            yield number
        else:
            yield StoredVector(key=number, title=holder.title, text=text, vector=vector)


def stored_vectors(db: apsw.Connection, keys: Collection[int]) -> dict[int, bytes]:
    """Vectors of passages by key, in order of key; those that are there. `passages` tells which are intact."""
    found: dict[int, bytes] = {}
    for numbers in in_batches(sorted(keys)):
        rows: Rows = db.execute(
            f"SELECT key, vector FROM passages WHERE key IN ({marks(numbers)}) ORDER BY key",  # noqa: S608 - values are bound
            numbers,
        )
        found.update(rows)
    return found


def passages(db: apsw.Connection, keys: Collection[int]) -> tuple[dict[int, StoredPassage], list[int]]:
    """Look passages up by key: those that are intact, and the keys of those that are not."""
    found: dict[int, StoredPassage] = {}
    damaged: list[int] = []
    for numbers in in_batches(keys):
        rows: Rows = db.execute(
            "SELECT key, CAST(passages.id AS BLOB), version, start, stop, digest, vector, signature FROM passages"  # noqa: S608
            f" JOIN articles ON articles.number = passages.article WHERE key IN ({marks(numbers)})",
            numbers,
        )
        read = list(rows)
        versions = versions_by_number(db, {row[2] for row in read})
        for key, name, version, start, stop, digest, vector, signature in read:
            holder = versions.get(version)
            text = sealed_words(holder, name, start, stop, digest, vector)
            if holder is None or text is None:
                damaged.append(key)
            else:
                found[key] = stored_passage(key, holder, (name.decode(), start, stop, text), signature)
    return found, damaged


def intact_fingerprints(db: apsw.Connection, article_ids: Collection[str], generation: int) -> dict[str, str]:
    """Fingerprints of the articles that are stored whole and undamaged in a generation, as they should be."""
    found = _intact(db, article_ids, generation)
    return {one.article.id: with_recipe(expected, one.recipe) for one, expected in found}


def encoded(db: apsw.Connection, article_ids: Collection[str], generation: int) -> dict[str, IndexedArticle]:
    """The same articles, with their passages in that generation."""
    return {one.article.id: one for one, _ in _intact(db, article_ids, generation)}


def _intact(db: apsw.Connection, article_ids: Collection[str], generation: int) -> Iterator[tuple[IndexedArticle, str]]:
    """Articles that are stored whole and undamaged in a generation, each with the hash of its document."""
    for names in in_batches(article_ids):
        rows: Rows = db.execute(
            "SELECT articles.id, signature, CAST(document AS BLOB), fingerprint, recipe, first, last FROM articles"  # noqa: S608
            " JOIN versions ON versions.number = articles.current"
            " JOIN encodings ON encodings.article = articles.number AND encodings.version = articles.current"
            f" WHERE generation = ? AND articles.id IN ({marks(names)})",
            (generation, *names),
        )
        for name, signature, stored, expected, recipe, first, last in list(rows):
            held = unless_altered(stored, expected)
            if held is not None and held.id == name and (own := _passages(db, held, first, last)):
                yield IndexedArticle(article=held, passages=own, signature=signature, recipe=recipe), expected


def alike(one: IndexedArticle, other: IndexedArticle) -> bool:
    """Whether two forms of an article are found by the same: title, words and vectors, cut in the same way."""
    found = [
        (each.article.title, each.recipe, [(of.passage, of.vector.tobytes()) for of in each.passages])
        for each in (one, other)
    ]
    return found[0] == found[1]


def stored_passage(key: int, holder: Article, span: tuple[str, int, int, str], signature: bytes) -> StoredPassage:
    """What a result list shows of a passage; `span` is its id, where it begins and ends, and its words."""
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
        pages=holder.pages,
    )


def sealed_passages(holder: Article, rows: Rows, *, promised: int) -> tuple[EncodedPassage, ...] | None:
    """An article's passages, of rows of id, span, digest and vector; None where one is damaged or missing."""
    found = []
    for name, start, stop, digest, vector in rows:
        text = sealed_words(holder, name, start, stop, digest, vector)
        if text is None:
            return None
        passage = Passage(
            id=name.decode(), article_id=holder.id, article_version=holder.version, start=start, end=stop, text=text
        )
        found.append(EncodedPassage(passage=passage, vector=np.frombuffer(vector, dtype="<f4")))
    return tuple(found) if len(found) == promised else None


def sealed_words(
    holder: Article | None, name: bytes, start: int, stop: int, digest: bytes, vector: bytes
) -> str | None:
    """The words of a passage, or None where they, the span or the vector were altered."""
    try:
        text = holder.text[start:stop] if holder else ""
        return text if holder and passage_digest(name, text.encode(), vector) == digest else None
    except TypeError:  # an altered byte can turn a number into a text
        return None


def whole(db: apsw.Connection, generation: int, *, after: int | None, limit: int) -> HeldPage:
    """Articles in order of their passages' keys in a generation, from the key after `after`.

    The first page also names all articles that have no passages there.
    """
    selected: Rows = db.execute(
        "SELECT articles.number, articles.id, signature, CAST(document AS BLOB), fingerprint, first, last, recipe"
        " FROM encodings JOIN articles ON articles.number = encodings.article"
        " JOIN versions ON versions.number = articles.current AND versions.number = encodings.version"
        " WHERE generation = ? AND first > ? ORDER BY first LIMIT ?",
        (generation, after or 0, limit),
    )
    rows = list(selected)
    found: list[Held] = []
    left_out = _without_passages(db, generation) if after is None else []
    for number, name, signature, stored, expected, first, last, recipe in rows:
        article = unless_altered(stored, expected)
        passages = None if article is None else _passages(db, article, first, last)
        if article is None or not passages:
            left_out.append(name)
            continue
        indexed = IndexedArticle(
            article=article, passages=passages, signature=signature, recipe=recipe, known_by=_known_by(db, number)
        )
        found.append(Held(indexed=indexed, earlier=_earlier(db, number)))
    return HeldPage(held=tuple(found), left_out=tuple(left_out), last=rows[-1][5] if rows else None)


def _without_passages(db: apsw.Connection, generation: int) -> list[str]:
    rows: Rows = db.execute(
        "SELECT id FROM articles LEFT JOIN encodings ON encodings.article = articles.number AND generation = ?"
        " AND encodings.version = articles.current WHERE first IS NULL ORDER BY id",
        (generation,),
    )
    return [name for (name,) in rows]


def _passages(db: apsw.Connection, article: Article, first: int, last: int) -> tuple[EncodedPassage, ...] | None:
    """An article's passages; None where one is missing or damaged."""
    rows: Rows = db.execute(
        "SELECT CAST(id AS BLOB), start, stop, digest, vector FROM passages WHERE key BETWEEN ? AND ? ORDER BY key",
        (first, last),
    )
    return sealed_passages(article, rows, promised=last - first + 1)


def _known_by(db: apsw.Connection, number: int) -> tuple[str, ...]:
    rows: Rows = db.execute("SELECT key FROM known_by WHERE article = ? ORDER BY key", (number,))
    return tuple(key for (key,) in rows)


def _earlier(db: apsw.Connection, number: int) -> tuple[Article, ...]:
    """Versions that are not the current one, the oldest first; one that was altered is left out."""
    rows: Rows = db.execute(
        "SELECT CAST(document AS BLOB), fingerprint FROM versions JOIN articles ON articles.number = article"
        " WHERE article = ? AND versions.number <> current ORDER BY versions.number",
        (number,),
    )
    return tuple(read for stored, expected in rows if (read := unless_altered(stored, expected)))
