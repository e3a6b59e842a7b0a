"""Articles with everything the store keeps of them, page by page: for another store to take over."""

from __future__ import annotations

import numpy as np

from embeddings.postgres.database import Connection
from embeddings.postgres.reads import versions
from embeddings.postgres.values import received
from embeddings.store.passages import sealed_words
from embeddings.store.reads import unless_altered
from embeddings.types import Article, EncodedPassage, Held, HeldPage, IndexedArticle, Passage

__all__ = ["whole"]


def whole(db: Connection, generation: int, *, after: int | None, limit: int) -> HeldPage:
    """Articles in order of their passages' keys in a generation, from the key after `after`.

    The first page also names all articles that have no passages there.
    """
    rows = db.execute(
        "SELECT articles.number, articles.id, signature, document, fingerprint, first, passages, recipe"
        " FROM encodings JOIN articles ON articles.number = encodings.article"
        " JOIN versions ON versions.number = articles.current AND versions.number = encodings.version"
        " WHERE generation = %s AND first > %s ORDER BY first LIMIT %s",
        (generation, after or 0, limit),
        binary=True,
    ).fetchall()
    found: list[Held] = []
    left_out = _without_passages(db, generation) if after is None else []
    for number, name, signature, stored, expected, _, promised, recipe in rows:
        article = unless_altered(stored, expected)
        passages = None if article is None else _passages(db, article, number, generation)
        if article is None or not passages or len(passages) != promised:
            left_out.append(name)
            continue
        indexed = IndexedArticle(
            article=article, passages=passages, signature=signature, recipe=recipe, known_by=_known_by(db, number)
        )
        found.append(Held(indexed=indexed, earlier=versions(db, article.id)))
    return HeldPage(held=tuple(found), left_out=tuple(left_out), last=rows[-1][5] if rows else None)


def _without_passages(db: Connection, generation: int) -> list[str]:
    rows = db.execute(
        "SELECT id FROM articles LEFT JOIN encodings ON encodings.article = articles.number AND generation = %s"
        " AND encodings.version = articles.current WHERE first IS NULL ORDER BY id",
        (generation,),
    )
    return [name for (name,) in rows]


def _passages(db: Connection, article: Article, number: int, generation: int) -> tuple[EncodedPassage, ...] | None:
    """An article's passages; None where one is damaged."""
    rows = db.execute(
        "SELECT id, start, stop, digest, vector_send(embedding) FROM passages"
        " WHERE article = %s AND generation = %s ORDER BY key",
        (number, generation),
        binary=True,
    )
    found = []
    for name, start, stop, digest, sent in rows:
        vector = received(sent)
        text = sealed_words(article, name.encode(), start, stop, digest, vector)
        if text is None:
            return None
        passage = Passage(
            id=name, article_id=article.id, article_version=article.version, start=start, end=stop, text=text
        )
        found.append(EncodedPassage(passage=passage, vector=np.frombuffer(vector, dtype="<f4")))
    return tuple(found)


def _known_by(db: Connection, number: int) -> tuple[str, ...]:
    rows = db.execute("SELECT key FROM known_by WHERE article = %s ORDER BY key", (number,))
    return tuple(key for (key,) in rows)
