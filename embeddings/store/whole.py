"""Articles with everything the store keeps of them, page by page: for another store to take over."""

from __future__ import annotations

import apsw
import numpy as np

from embeddings.store.passages import sealed_words
from embeddings.store.reads import Rows, unless_altered
from embeddings.types import Article, EncodedPassage, Held, HeldPage, IndexedArticle, Passage

__all__ = ["whole"]


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
    found = []
    for name, start, stop, digest, vector in rows:
        text = sealed_words(article, name, start, stop, digest, vector)
        if text is None:
            return None
        passage = Passage(
            id=name.decode(), article_id=article.id, article_version=article.version, start=start, end=stop, text=text
        )
        found.append(EncodedPassage(passage=passage, vector=np.frombuffer(vector, dtype="<f4")))
    return tuple(found) if len(found) == last - first + 1 else None


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
