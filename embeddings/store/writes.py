"""Writes to the store, each inside a writing transaction of the caller.

Each leaves the tables consistent with one another: what `encodings` says is complete is complete, and every key
that stops being searchable is in `removals`.
"""

from collections.abc import Sequence

import apsw
import msgspec

from embeddings.encoders import EncoderIdentity
from embeddings.store.database import document, fingerprint
from embeddings.store.passages import alike, encoded, passage_digest
from embeddings.store.reads import Rows, complete, generation_of
from embeddings.store.schema import matching, moment_if_any
from embeddings.types import Article, IndexedArticle, Where


def ensure_generation(db: apsw.Connection, identity: EncoderIdentity) -> int:
    """Give the number of an encoder's generation, opening one where there is none."""
    number: int = db.execute(
        "INSERT INTO generations (identity, active) VALUES (?, 0)"
        " ON CONFLICT (identity) DO UPDATE SET identity = excluded.identity RETURNING number",
        (msgspec.json.encode(identity).decode(),),
    ).get
    return number


def adopt(db: apsw.Connection, identity: EncoderIdentity) -> bool:
    """Make an encoder's generation the one that is searched, unless an article is still missing from it.

    A store without articles is complete for every encoder.
    """
    if not complete(db, generation_of(db, identity)):
        return False
    switch(db, ensure_generation(db, identity))
    return True


def switch(db: apsw.Connection, generation: int) -> None:
    """Search this generation from now on and drop every other one."""
    db.execute("UPDATE generations SET active = 0 WHERE active AND number <> ?", (generation,))
    db.execute("UPDATE generations SET active = 1 WHERE number = ?", (generation,))
    db.execute(
        "INSERT INTO removals SELECT change + 1, first, last FROM state JOIN encodings ON generation <> ?",
        (generation,),
    )
    for table in ("passages", "encodings"):
        db.execute(f"DELETE FROM {table} WHERE generation <> ?", (generation,))  # noqa: S608 - two constants
    db.execute("DELETE FROM generations WHERE number <> ?", (generation,))


def put(db: apsw.Connection, indexed: IndexedArticle, generation: int, *, earlier: Sequence[Article] = ()) -> None:
    """Make this the current version of the article, with these passages in this generation.

    `earlier` versions are kept beside those that are there. Passages that are there as given stay, under their keys.
    """
    held = encoded(db, [indexed.article.id], generation).get(indexed.article.id)
    number, version, unchanged = _put_article(db, indexed, earlier)
    db.executemany("INSERT OR IGNORE INTO known_by VALUES (?, ?)", [(key, number) for key in indexed.known_by])
    if held is not None and alike(indexed, held):
        return
    _withdraw(db, number, generation=generation, version=version if unchanged else 0)
    first = 1 + (db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'passages'").get or 0)
    db.executemany(
        "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                key,
                each.passage.id,
                generation,
                number,
                version,
                each.passage.start,
                each.passage.end,
                passage_digest(each.passage.id.encode(), each.passage.text.encode(), each.vector.tobytes()),
                each.vector.tobytes(),
            )
            for key, each in enumerate(indexed.passages, start=first)
        ],
    )
    db.execute(
        "INSERT INTO encodings VALUES (?, ?, ?, ?, ?, ?)",
        (generation, number, version, first, first + len(indexed.passages) - 1, indexed.recipe),
    )


def forget(db: apsw.Connection, where: Where) -> int:
    """Remove every matching article with all its versions; return how many."""
    condition, values = matching(where)
    found: Rows = db.execute(f"SELECT number FROM articles WHERE {condition}", values)  # noqa: S608 - values are bound
    numbers = [number for (number,) in found]
    for number in numbers:
        _withdraw(db, number)
        db.execute("DELETE FROM versions WHERE article = ?", (number,))
        db.execute("DELETE FROM known_by WHERE article = ?", (number,))
        db.execute("DELETE FROM articles WHERE number = ?", (number,))
    return len(numbers)


def _put_article(db: apsw.Connection, indexed: IndexedArticle, earlier: Sequence[Article]) -> tuple[int, int, bool]:
    """Write the article and its version; give their numbers, and whether they were there word for word."""
    article, name = indexed.article, fingerprint(indexed.article)
    number = db.execute(
        "INSERT INTO articles (id, collection, source, published, signature, section, language, status, embargoed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET collection = excluded.collection,"
        " source = excluded.source, published = excluded.published, signature = excluded.signature,"
        " section = excluded.section, language = excluded.language, status = excluded.status,"
        " embargoed = excluded.embargoed RETURNING number",
        (
            article.id,
            article.collection,
            article.source,
            moment_if_any(article.published_at),
            indexed.signature,
            article.section,
            article.language or "",
            article.status,
            moment_if_any(article.embargoed_until),
        ),
    ).get
    db.executemany(
        "INSERT OR IGNORE INTO versions (article, version, document, fingerprint) VALUES (?, ?, ?, ?)",
        [(number, old.version, document(old).decode(), fingerprint(old)) for old in earlier],
    )
    unchanged: bool = db.execute(
        "SELECT EXISTS (SELECT 1 FROM versions WHERE article = ? AND version = ? AND fingerprint = ?)",
        (number, article.version, name),
    ).get
    version = db.execute(
        "INSERT INTO versions (article, version, document, fingerprint) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (article, version) DO UPDATE SET document = excluded.document,"
        " fingerprint = excluded.fingerprint RETURNING number",
        (number, article.version, document(article).decode(), name),
    ).get
    db.execute("UPDATE articles SET current = ? WHERE number = ?", (version, number))
    return number, version, bool(unchanged)


def _withdraw(db: apsw.Connection, article: int, *, generation: int = 0, version: int = 0) -> None:
    """Take an article's passages out of search: those in this generation, and those of any version but this one.

    The defaults name no generation and no version: everything goes.
    """
    runs = db.execute(
        "DELETE FROM encodings WHERE article = ? AND (generation = ? OR version <> ?) RETURNING first, last",
        (article, generation, version),
    ).fetchall()
    for first, last in runs:
        db.execute("DELETE FROM passages WHERE key BETWEEN ? AND ?", (first, last))
        db.execute("INSERT INTO removals SELECT change + 1, ?, ? FROM state", (first, last))
