"""Changes to the store, each made inside a writing transaction that the caller holds.

Locks are taken in one order, so that no two writers wait for each other: the store's own (see `Database.writing`), a
generation, an article or several by id, terms of the vocabulary in alphabetical order.
"""

from __future__ import annotations

from collections.abc import Sequence

from embeddings.index.dense import directions
from embeddings.index.lexical import TITLE_WEIGHT
from embeddings.index.terms import Terms
from embeddings.postgres.database import Connection
from embeddings.postgres.filters import matching, possible
from embeddings.postgres.reads import the_row
from embeddings.postgres.values import Counts, counted
from embeddings.store.database import document, fingerprint
from embeddings.store.filters import moment_if_any
from embeddings.store.passages import passage_digest
from embeddings.types import Article, Held, IndexedArticle, Where

__all__ = ["forget", "put"]


class _Worded:
    """The passages of an article with what they are found by."""

    def __init__(self, indexed: IndexedArticle, terms: Terms) -> None:
        title = terms.of_text(indexed.article.title) * TITLE_WEIGHT
        held = [terms.of_text(encoded.passage.text) + title for encoded in indexed.passages]
        self.lengths = list(map(len, held))
        self.counts: list[Counts] = list(map(counted, held))

    def all_terms(self) -> list[str]:
        """Every term once, in alphabetical order."""
        return sorted({term for counts in self.counts for term in counts.of})


def put(db: Connection, held: Held, generation: int, *, terms: Terms, unit: bool) -> None:
    """Make this the current version of the article, with these passages in this generation.

    Earlier versions are kept beside those that are there. `unit`: its vectors have length 1 already.
    """
    indexed = held.indexed
    worded = _Worded(indexed, terms)
    number, version, unchanged = _put_article(db, indexed, held.earlier)
    _withdraw(db, number, generation=generation, version=version if unchanged else 0)
    _copy(db, indexed, worded, (generation, number, version), unit=unit)
    db.execute(
        "INSERT INTO encodings (article, generation, version, first, passages, words, recipe)"
        " SELECT %s, %s, %s, min(key), %s, %s, %s FROM passages WHERE article = %s AND generation = %s",
        (
            *(number, generation, version),
            *(len(indexed.passages), sum(worded.lengths), indexed.recipe),
            *(number, generation),
        ),
    )
    _learn(db, worded.all_terms())


def forget(db: Connection, where: Where) -> int:
    """Remove every matching article with all its versions; return how many."""
    condition, values = matching(where)
    found = db.execute(
        f"SELECT number FROM articles WHERE {condition} ORDER BY id FOR UPDATE",  # noqa: S608 - values are bound
        values,
    ).fetchall()
    numbers = [number for (number,) in found]
    db.execute("DELETE FROM encodings WHERE article = ANY(%s)", (numbers,))
    db.execute("DELETE FROM passages WHERE article = ANY(%s)", (numbers,))
    db.execute("DELETE FROM articles WHERE number = ANY(%s)", (numbers,))
    return len(numbers)


def _put_article(db: Connection, indexed: IndexedArticle, earlier: Sequence[Article]) -> tuple[int, int, bool]:
    """Write the article and its version; give their numbers, and whether they were there word for word.

    From here on no other writer changes this article until the transaction ends.
    """
    article, name = indexed.article, fingerprint(indexed.article)
    (number,) = the_row(
        db,
        "INSERT INTO articles"
        " (id, collection, source, published, signature, section, language, authors, status, embargoed)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO UPDATE SET"
        " collection = excluded.collection, source = excluded.source, published = excluded.published,"
        " signature = excluded.signature, section = excluded.section, language = excluded.language,"
        " authors = excluded.authors, status = excluded.status, embargoed = excluded.embargoed RETURNING number",
        (
            *(article.id, article.collection, article.source, moment_if_any(article.published_at), indexed.signature),
            *(article.section, article.language or "", possible(article.authors), article.status),
            moment_if_any(article.embargoed_until),
        ),
    )
    for old in earlier:
        db.execute(
            "INSERT INTO versions (article, version, document, fingerprint) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (article, version) DO NOTHING",
            (number, old.version, document(old), fingerprint(old)),
        )
    unchanged = db.execute(
        "SELECT 1 FROM versions WHERE article = %s AND version = %s AND fingerprint = %s",
        (number, article.version, name),
    ).fetchone()
    (version,) = the_row(
        db,
        "INSERT INTO versions (article, version, document, fingerprint) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (article, version) DO UPDATE SET document = excluded.document,"
        " fingerprint = excluded.fingerprint RETURNING number",
        (number, article.version, document(article), name),
    )
    db.execute("UPDATE articles SET current = %s WHERE number = %s", (version, number))
    db.execute(
        "INSERT INTO known_by (key, article) SELECT key, %s FROM unnest(%s::text[]) AS given (key)"
        " ON CONFLICT DO NOTHING",
        (number, list(indexed.known_by)),
    )
    return number, version, unchanged is not None


def _withdraw(db: Connection, article: int, *, generation: int, version: int) -> None:
    """Take an article's passages out of search: those in this generation, and those of any version but this one."""
    for table in ("encodings", "passages"):
        db.execute(
            f"DELETE FROM {table} WHERE article = %s AND (generation = %s OR version <> %s)",  # noqa: S608
            (article, generation, version),
        )


def _copy(
    db: Connection, indexed: IndexedArticle, worded: _Worded, numbers: tuple[int, int, int], *, unit: bool
) -> None:
    article = indexed.article
    published = moment_if_any(article.published_at)
    columns = "generation, article, version, id, start, stop, digest, collection, source, published, words, terms"
    with (
        db.cursor() as cursor,
        cursor.copy(f"COPY passages ({columns}, embedding) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.set_types(_TYPES)
        for encoded, length, counts in zip(indexed.passages, worded.lengths, worded.counts, strict=True):
            passage = encoded.passage
            vector = encoded.vector if unit else directions(encoded.vector[None])[0]
            digest = passage_digest(passage.id.encode(), passage.text.encode(), vector.astype("<f4").tobytes())
            about = (passage.id, passage.start, passage.end, digest, article.collection, article.source, published)
            copy.write_row((*numbers, *about, length, counts, vector))


_TYPES = ("int8", "int8", "int8", "text", "int4", "int4", "bytea", "text", "text", "int8", "int4", "tsvector", "vector")


def _learn(db: Connection, held: Sequence[str]) -> None:
    """Add the terms that are new, in alphabetical order."""
    known = {term for (term,) in db.execute("SELECT term FROM vocabulary WHERE term = ANY(%s)", (list(held),))}
    new = [term for term in held if term not in known]
    if new:
        db.execute(
            "INSERT INTO vocabulary (term) SELECT term FROM unnest(%s::text[]) AS given (term)"
            ' ORDER BY term COLLATE "C" ON CONFLICT DO NOTHING',
            (new,),
        )
