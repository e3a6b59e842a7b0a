"""Passages in the store: a seal covers each one's words and vector, and is checked on every read."""

from collections.abc import Collection, Iterator

from embeddings.postgres.database import Connection
from embeddings.postgres.reads import possible, version_by_number, versions
from embeddings.postgres.schema import received
from embeddings.store.database import with_recipe
from embeddings.store.passages import sealed_passages, sealed_words, stored_passage
from embeddings.store.reads import in_batches, unless_altered
from embeddings.types import Article, EncodedPassage, Held, HeldPage, IndexedArticle, StoredPassage

_LARGEST_KEY = 2**63 - 1
_Row = tuple[str, int, int, bytes, bytes]


def passages(db: Connection, keys: Collection[int]) -> tuple[dict[int, StoredPassage], list[int]]:
    """Look passages up by key: those that are intact, and the keys of those that are not."""
    found: dict[int, StoredPassage] = {}
    damaged: list[int] = []
    versions: dict[int, Article | None] = {}
    rows = db.execute(
        "SELECT key, version, signature, passages.id, start, stop, digest, vector_send(embedding) FROM passages"
        " JOIN articles ON articles.number = passages.article WHERE key = ANY(%s)",
        ([key for key in keys if 0 < key <= _LARGEST_KEY],),
        binary=True,
    ).fetchall()
    for key, version, signature, *row in rows:
        if version not in versions:
            versions[version] = version_by_number(db, version)
        holder = versions[version]
        text = _words(holder, (row[0], row[1], row[2], row[3], row[4]))
        if holder is None or text is None:
            damaged.append(key)
        else:
            found[key] = stored_passage(key, holder, (row[0], row[1], row[2], text), signature)
    return found, damaged


def intact_fingerprints(db: Connection, article_ids: Collection[str], generation: int) -> dict[str, str]:
    """Fingerprints of the articles that are stored whole and undamaged in a generation, as they should be."""
    found = _intact(db, article_ids, generation)
    return {one.article.id: with_recipe(expected, one.recipe) for one, expected in found}


def encoded(db: Connection, article_ids: Collection[str], generation: int) -> dict[str, IndexedArticle]:
    """The same articles, with their passages in that generation."""
    return {one.article.id: one for one, _ in _intact(db, article_ids, generation)}


def _intact(db: Connection, article_ids: Collection[str], generation: int) -> Iterator[tuple[IndexedArticle, str]]:
    """Articles that are stored whole and undamaged in a generation, each with the hash of its document."""
    for names in in_batches(possible(article_ids)):
        rows = db.execute(
            "SELECT articles.number, articles.id, signature, document, fingerprint, recipe, passages FROM articles"
            " JOIN versions ON versions.number = articles.current"
            " JOIN encodings ON encodings.article = articles.number AND encodings.version = articles.current"
            " WHERE generation = %s AND articles.id = ANY(%s)"
            " AND encodings.passages = (SELECT count(*) FROM lexemes WHERE lexemes.article = encodings.article"
            " AND lexemes.generation = encodings.generation AND lexemes.version = encodings.version)",
            (generation, list(names)),
            binary=True,
        ).fetchall()
        for number, name, signature, stored, expected, recipe, promised in rows:
            held = unless_altered(stored, expected)
            own = held and _passages(db, held, number, generation, promised=promised)
            if held and held.id == name and own:
                yield IndexedArticle(article=held, passages=own, signature=signature, recipe=recipe), expected


def damaged_keys(db: Connection, generation: int) -> Iterator[int]:
    """The passages of a generation whose words, span or vector were altered."""
    with db.cursor("passages", binary=True) as cursor:
        cursor.execute(
            "SELECT key, version, id, start, stop, digest, vector_send(embedding) FROM passages"
            " WHERE generation = %s ORDER BY key",
            (generation,),
        )
        version, holder = None, None
        for key, of_version, *row in cursor:
            if of_version != version:
                version, holder = of_version, version_by_number(db, of_version)
            if _words(holder, (row[0], row[1], row[2], row[3], row[4])) is None:
                yield key


def _words(holder: Article | None, row: _Row) -> str | None:
    name, start, stop, digest, vector = row
    return sealed_words(holder, name.encode(), start, stop, digest, received(vector))


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
        passages = None if article is None else _passages(db, article, number, generation, promised=promised)
        if article is None or not passages:
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


def _passages(
    db: Connection, article: Article, number: int, generation: int, *, promised: int
) -> tuple[EncodedPassage, ...] | None:
    """An article's passages; None where one is missing or damaged."""
    rows = db.execute(
        "SELECT id, start, stop, digest, vector_send(embedding) FROM passages"
        " WHERE article = %s AND generation = %s ORDER BY key",
        (number, generation),
        binary=True,
    )
    sent = ((name.encode(), start, stop, digest, received(vector)) for name, start, stop, digest, vector in rows)
    return sealed_passages(article, sent, promised=promised)


def _known_by(db: Connection, number: int) -> tuple[str, ...]:
    rows = db.execute("SELECT key FROM known_by WHERE article = %s ORDER BY key", (number,))
    return tuple(key for (key,) in rows)
