"""Writes to the store, each inside a writing transaction of the caller.

Locks are taken in one order, so that no two writers wait for each other: the store's own (see `Database.writing`), a
generation, an article or several by id, terms of the vocabulary in alphabetical order.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

import msgspec

from embeddings.encoders import EncoderIdentity
from embeddings.errors import StoreError
from embeddings.index.dense import directions
from embeddings.index.lexical import TITLE_WEIGHT
from embeddings.index.terms import Terms
from embeddings.postgres.database import Connection
from embeddings.postgres.passages import encoded
from embeddings.postgres.reads import matching, possible
from embeddings.postgres.schema import Counts, counted
from embeddings.store.database import document, fingerprint
from embeddings.store.passages import alike, passage_digest
from embeddings.store.reads import Generation
from embeddings.store.schema import moment_if_any
from embeddings.types import Article, Held, IndexedArticle, Where

_BATCH_PASSAGES = 320
"""So many are written in one transaction: each costs a write to the server's disk, and holds its articles locked."""
_SWEPT_ARTICLES = 64
"""The passages of so many are deleted in one transaction, for the same reason."""
_OF_GENERATIONS = ("encodings", "lexemes", "passages")
"""The tables whose rows are each of one generation."""


class _Placed(msgspec.Struct, frozen=True):
    """An article's row and that of its current version."""

    number: int
    version: int
    unchanged: bool
    """Whether this version was there word for word."""
    fresh: bool
    """Whether nothing of the article was there before."""
    kept: bool
    """Whether its passages are there as given, filed as they should be."""


def batches(articles: Sequence[Held]) -> Iterator[Sequence[Held]]:
    """Part articles, in their order, so that each batch is soon written."""
    batch: list[Held] = []
    passages = 0
    for held in articles:
        more = len(held.indexed.passages)
        if batch and passages + more > _BATCH_PASSAGES:
            yield batch
            batch, passages = [], 0
        batch.append(held)
        passages += more
    if batch:
        yield batch


def put(db: Connection, batch: Sequence[Held], generation: int, *, terms: Terms, unit: bool) -> None:
    """Make each the current version of its article, with its passages in this generation; no id occurs twice.

    Earlier versions are kept beside those that are there. `unit`: the vectors have length 1 already. Passages that are
    there as given stay, under their keys.
    """
    placed = zip(batch, _put_articles(db, batch, generation), strict=True)
    moved = [(held, place) for held, place in placed if not place.kept]
    if not moved:
        return
    batch, places = [held for held, _ in moved], [place for _, place in moved]
    worded = [_Worded(held.indexed, terms) for held in batch]
    _withdraw(db, [place for place in places if not place.fresh], generation)
    firsts = _copy(db, batch, worded, places, generation, unit=unit)
    db.execute(
        "INSERT INTO encodings (article, version, first, passages, words, recipe, generation) SELECT *, %s"
        " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::integer[], %s::bigint[], %s::text[])",
        (
            generation,
            [place.number for place in places],
            [place.version for place in places],
            firsts,
            [len(held.indexed.passages) for held in batch],
            [sum(one.lengths) for one in worded],
            [held.indexed.recipe for held in batch],
        ),
    )
    _learn(db, sorted({term for one in worded for counts in one.counts for term in counts.of}))


def unchanged(db: Connection, batch: Sequence[Held]) -> list[Held]:
    """Those of some articles that are held word for word as given; they stay so until the transaction ends."""
    articles = [held.indexed.article for held in batch]
    rows = db.execute(
        "SELECT articles.id FROM articles JOIN versions ON versions.number = articles.current"
        " JOIN unnest(%s::text[], %s::text[]) AS given (id, fingerprint) ON given.id = articles.id"
        " AND given.fingerprint = versions.fingerprint ORDER BY articles.id FOR UPDATE OF articles",
        ([article.id for article in articles], [fingerprint(article) for article in articles]),
    )
    names = {name for (name,) in rows}
    return [held for held in batch if held.indexed.article.id in names]


def forget(db: Connection, where: Where) -> int:
    """Remove every matching article with all its versions; return how many."""
    condition, values = matching(where)
    found = db.execute(
        f"SELECT number FROM articles WHERE {condition} ORDER BY id FOR UPDATE",  # noqa: S608 - values are bound
        values,
    ).fetchall()
    numbers = [number for (number,) in found]
    for table in _OF_GENERATIONS:
        db.execute(f"DELETE FROM {table} WHERE article = ANY(%s)", (numbers,))  # noqa: S608 - three constants
    db.execute("DELETE FROM articles WHERE number = ANY(%s)", (numbers,))
    return len(numbers)


class _Worded:
    """The passages of an article with what they are found by."""

    def __init__(self, indexed: IndexedArticle, terms: Terms) -> None:
        title = terms.of_text(indexed.article.title) * TITLE_WEIGHT
        held = [terms.of_text(each.passage.text) + title for each in indexed.passages]
        self.lengths = list(map(len, held))
        self.counts: list[Counts] = list(map(counted, held))


def _put_articles(db: Connection, batch: Sequence[Held], generation: int) -> list[_Placed]:
    """Write the articles and their versions, and say where they are.

    From here on no other writer changes these articles until the transaction ends.
    """
    found = _put_rows(db, sorted((held.indexed for held in batch), key=lambda indexed: indexed.article.id))
    numbers = [found[held.indexed.article.id][0] for held in batch]
    kept = _kept(db, [held.indexed for held in batch if not found[held.indexed.article.id][1]], generation)
    earlier = [(number, old) for number, held in zip(numbers, batch, strict=True) for old in held.earlier]
    if earlier:
        given = _versions([number for number, _ in earlier], [old for _, old in earlier])
        db.execute(
            f"INSERT INTO versions (article, version, document, fingerprint) SELECT * FROM {_GIVEN_VERSIONS}"  # noqa: S608
            " ON CONFLICT (article, version) DO NOTHING",
            given,
        )
    rows = db.execute(
        f"WITH given AS (SELECT * FROM {_GIVEN_VERSIONS}), before AS (SELECT versions.number FROM versions"  # noqa: S608
        " JOIN given USING (article, version, fingerprint)), written AS ("
        " INSERT INTO versions (article, version, document, fingerprint) SELECT * FROM given"
        " ON CONFLICT (article, version) DO UPDATE SET document = excluded.document,"
        " fingerprint = excluded.fingerprint RETURNING number, article), pointed AS ("
        " UPDATE articles SET current = written.number FROM written WHERE articles.number = written.article)"
        " SELECT article, number, number IN (SELECT number FROM before) FROM written",
        _versions(numbers, [held.indexed.article for held in batch]),
    )
    versions = {article: (version, unchanged) for article, version, unchanged in rows}
    fresh = dict(found.values())
    return [
        _Placed(number, *versions[number], fresh=fresh[number], kept=held.indexed.article.id in kept)
        for number, held in zip(numbers, batch, strict=True)
    ]


def _kept(db: Connection, given: Sequence[IndexedArticle], generation: int) -> set[str]:
    """The articles (ids) whose passages stand in a generation as given, and say the same of their article."""
    held = encoded(db, [one.article.id for one in given], generation)
    known = [(one, held[one.article.id]) for one in given if one.article.id in held]
    return {one.article.id for one, old in known if alike(one, old) and _filed(one.article) == _filed(old.article)}


def _filed(article: Article) -> tuple[str, str, int | None]:
    """What each passage says of its article."""
    return article.collection, article.source, moment_if_any(article.published_at)


def _put_rows(db: Connection, ordered: Sequence[IndexedArticle]) -> dict[str, tuple[int, bool]]:
    """Write what is said of articles; give by id each one's number, and whether it is new."""
    articles = [indexed.article for indexed in ordered]
    rows = db.execute(
        "INSERT INTO articles"
        " (id, collection, source, published, signature, section, language, authors, status, embargoed)"
        " SELECT id, collection, source, published, signature, section, language,"
        " ARRAY(SELECT jsonb_array_elements_text(authors::jsonb)), status, embargoed"
        " FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::bytea[], %s::text[], %s::text[],"
        " %s::text[], %s::text[], %s::bigint[])"
        " AS given (id, collection, source, published, signature, section, language, authors, status, embargoed)"
        ' ORDER BY id COLLATE "C" ON CONFLICT (id) DO UPDATE SET'
        " collection = excluded.collection, source = excluded.source, published = excluded.published,"
        " signature = excluded.signature, section = excluded.section, language = excluded.language,"
        " authors = excluded.authors, status = excluded.status, embargoed = excluded.embargoed"
        " RETURNING id, number, xmax = 0",
        (
            [article.id for article in articles],
            [article.collection for article in articles],
            [article.source for article in articles],
            [moment_if_any(article.published_at) for article in articles],
            [indexed.signature for indexed in ordered],
            [article.section for article in articles],
            [article.language or "" for article in articles],
            [msgspec.json.encode(possible(article.authors)).decode() for article in articles],
            [article.status for article in articles],
            [moment_if_any(article.embargoed_until) for article in articles],
        ),
    )
    found = {name: (number, fresh) for name, number, fresh in rows}
    keys = [(found[indexed.article.id][0], key) for indexed in ordered for key in indexed.known_by]
    db.execute(
        "INSERT INTO known_by (article, key) SELECT * FROM unnest(%s::bigint[], %s::text[]) ON CONFLICT DO NOTHING",
        ([number for number, _ in keys], [key for _, key in keys]),
    )
    return found


_GIVEN_VERSIONS = (
    "unnest(%s::bigint[], %s::text[], %s::bytea[], %s::text[]) AS given (article, version, document, fingerprint)"
)


def _versions(
    numbers: Sequence[int], articles: Sequence[Article]
) -> tuple[list[int], list[str], list[bytes], list[str]]:
    return (
        list(numbers),
        [article.version for article in articles],
        [document(article) for article in articles],
        [fingerprint(article) for article in articles],
    )


def _withdraw(db: Connection, places: Sequence[_Placed], generation: int) -> None:
    """Take articles' passages out of search: those in this generation, and those of any version but this one."""
    if not places:
        return
    kept = [place.version if place.unchanged else 0 for place in places]
    for table in _OF_GENERATIONS:
        db.execute(
            f"DELETE FROM {table} USING unnest(%s::bigint[], %s::bigint[]) AS given (number, kept)"  # noqa: S608
            " WHERE article = number AND (generation = %s OR version <> kept)",
            ([place.number for place in places], kept, generation),
        )


def _copy(
    db: Connection,
    batch: Sequence[Held],
    worded: Sequence[_Worded],
    places: Sequence[_Placed],
    generation: int,
    *,
    unit: bool,
) -> list[int]:
    """Write the passages with their vectors, and what they are found by; give each article's first key."""
    rows = db.execute(
        "SELECT nextval(pg_get_serial_sequence('passages', 'key')) FROM generate_series(1, %s)",
        (sum(len(held.indexed.passages) for held in batch),),
    )
    keys = iter([key for (key,) in rows])
    numbered = [tuple(islice(keys, len(held.indexed.passages))) for held in batch]
    with _copying(db, "passages", _PASSAGES) as write:
        for held, place, own in zip(batch, places, numbered, strict=True):
            about = _filed(held.indexed.article)
            for each, key in zip(held.indexed.passages, own, strict=True):
                passage = each.passage
                vector = each.vector if unit else directions(each.vector[None])[0]
                digest = passage_digest(passage.id.encode(), passage.text.encode(), vector.astype("<f4").tobytes())
                words = (passage.id, passage.start, passage.end, digest)
                write((key, generation, place.number, place.version, *words, *about, vector))
    with _copying(db, "lexemes", _LEXEMES) as write:
        for words_of, place, own in zip(worded, places, numbered, strict=True):
            for key, length, counts in zip(own, words_of.lengths, words_of.counts, strict=True):
                write((key, generation, place.number, place.version, length, counts))
    return [own[0] for own in numbered]


_PASSAGES = (
    "key int8, generation int8, article int8, version int8, id text, start int4, stop int4, digest bytea,"
    " collection text, source text, published int8, embedding vector"
)
_LEXEMES = "key int8, generation int8, article int8, version int8, length int4, terms tsvector"


@contextmanager
def _copying(db: Connection, table: str, columns: str) -> Iterator[Callable[[Sequence[object]], None]]:
    """Give what writes one row after the other into a table, all in one stream; `columns` are names with types."""
    names, types = zip(*(column.split() for column in columns.split(",")), strict=True)
    statement = f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT binary)"
    with db.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        yield copy.write_row


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


def active(db: Connection) -> Generation | None:
    """The generation that is searched; None while nothing was ever stored."""
    row = db.execute("SELECT number, identity FROM generations WHERE active").fetchone()
    if row is None:
        return None
    return Generation(number=row[0], identity=msgspec.json.decode(row[1], type=EncoderIdentity))


def of(db: Connection, identity: EncoderIdentity) -> int | None:
    """The number of the generation made by an encoder, active or not."""
    row = db.execute("SELECT number FROM generations WHERE identity = %s", (_written(identity),)).fetchone()
    return None if row is None else row[0]


def ensure(db: Connection, identity: EncoderIdentity) -> int:
    """Give the number of an encoder's generation, opening one where there is none."""
    number = of(db, identity)
    if number is None:
        statement = "INSERT INTO generations (identity, active) VALUES (%s, false) ON CONFLICT (identity) DO NOTHING"
        db.execute(statement, (_written(identity),))
        number = of(db, identity)
    if number is None:
        raise StoreError("the store's generation of this encoder vanished while it was written to; try again")
    return number


def complete(db: Connection, generation: int | None) -> bool:
    """Whether every article has the passages of its current version in this generation."""
    row = db.execute(
        "SELECT NOT EXISTS (SELECT 1 FROM articles LEFT JOIN encodings ON encodings.article = articles.number"
        " AND encodings.generation = %s AND encodings.version = articles.current WHERE encodings.article IS NULL)",
        (generation,),
    ).fetchone()
    return row == (True,)


def adopt(db: Connection, identity: EncoderIdentity) -> bool:
    """Search an encoder's generation from now on and drop all others, unless an article is still missing from it.

    `db` must be writing alone. A store without articles is complete for every encoder. What the others held is left to
    `sweep`: nobody looks at it any more, and all writers would wait until it is deleted.
    """
    if not complete(db, of(db, identity)):
        return False
    number = ensure(db, identity)
    db.execute("UPDATE generations SET active = false WHERE active AND number <> %s", (number,))
    db.execute("UPDATE generations SET active = true WHERE number = %s", (number,))
    db.execute("DELETE FROM generations WHERE number <> %s", (number,))
    return True


def dropped(db: Connection) -> list[int]:
    """The generations that were dropped, and have left something."""
    rows = db.execute("SELECT DISTINCT generation FROM encodings EXCEPT SELECT number FROM generations")
    return [number for (number,) in rows]


def sweep(db: Connection, generation: int, *, after: int) -> int | None:
    """Delete some of what a dropped generation left, from the place after `after`; the place of the last, if any."""
    rows = db.execute(
        "SELECT article, first FROM encodings WHERE generation = %s AND first > %s ORDER BY first LIMIT %s",
        (generation, after, _SWEPT_ARTICLES),
    ).fetchall()
    articles = [article for article, _ in rows]
    db.execute("SELECT 1 FROM articles WHERE number = ANY(%s) ORDER BY id FOR UPDATE", (articles,))
    for table in _OF_GENERATIONS:
        db.execute(
            f"DELETE FROM {table} WHERE article = ANY(%s) AND generation = %s",  # noqa: S608 - three constants
            (articles, generation),
        )
    return rows[-1][1] if rows else None


def _written(identity: EncoderIdentity) -> str:
    return msgspec.json.encode(identity).decode()
