"""What is wrong in a store on a server, and how large it is: reads everything, changes nothing."""

import hashlib

import msgspec

from embeddings.integrity import INGEST, Finding, Stats, generation_stats
from embeddings.postgres import search
from embeddings.postgres.database import Connection
from embeddings.postgres.passages import damaged_keys
from embeddings.postgres.reads import possible, the_row
from embeddings.postgres.writes import dropped
from embeddings.store.schema import moment_if_any
from embeddings.types import Article

_REBUILD = "nothing is lost, searches only take longer: `qa index rebuild` sets it right"


def findings(db: Connection) -> list[Finding]:
    """Check every article version, every passage, and whether all are there that should be."""
    generations = [number for (number,) in db.execute("SELECT number FROM generations")]
    found = _articles(db)
    for number in generations:
        for key in damaged_keys(db, number):
            detail = "its words, its span or its vector were altered: it is not shown"
            found.append(Finding(kind="passage", where=f"passage {key}", detail=detail, remedy=INGEST))
        found += _incomplete(db, number) + _index(db, number)
    detail = "passages of an encoder that is used no more are there still"
    return found + [
        Finding(kind="index_outdated", where=f"generation {number}", detail=detail, remedy=_REBUILD)
        for number in dropped(db)
    ]


def statistics(db: Connection) -> Stats:
    """Count what is held and ask the server how large it is."""
    rows = db.execute(
        "SELECT identity, active, count(article), coalesce(sum(passages), 0)::bigint FROM generations"
        " LEFT JOIN encodings ON generation = number GROUP BY number ORDER BY number"
    )
    articles, versions, tables, indexes = the_row(
        db,
        "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM versions),"
        " coalesce(sum(pg_table_size(oid)), 0)::bigint, coalesce(sum(pg_indexes_size(oid)), 0)::bigint"
        " FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'",
    )
    return Stats(
        articles=articles,
        versions=versions,
        generations=generation_stats(rows),
        changes=0,
        database_bytes=tables,
        index_bytes=indexes,
        sqlite="",
        engine=f"PostgreSQL {db.info.server_version // 10_000}.{db.info.server_version % 10_000}",
    )


def _articles(db: Connection) -> list[Finding]:
    """Versions that do not match their hash, and articles filed under something they do not say."""
    found = []
    with db.cursor("articles", binary=True) as cursor:
        cursor.execute(
            "SELECT versions.number, document, fingerprint, version, current, articles.id, collection, source,"
            " published, section, language, authors, status, embargoed"
            " FROM versions JOIN articles ON articles.number = article"
        )
        for number, stored, expected, version, current, *filed in cursor:
            if hashlib.sha256(stored).hexdigest() != expected:
                detail = "its text or what is said about it was altered"
            else:
                article = msgspec.json.decode(stored, type=Article)
                if version == article.version and (number != current or filed == _said(article)):
                    continue
                detail = "it is filed under an id, version, collection, source, date or state that is not its own"
            found.append(Finding(kind="article", where=f"article {filed[0]!r}", detail=detail, remedy=INGEST))
    return found


def _said(article: Article) -> list[object]:
    """What the columns should say of an article, in their order."""
    published, embargoed = moment_if_any(article.published_at), moment_if_any(article.embargoed_until)
    filed = [article.id, article.collection, article.source, published, article.section, article.language or ""]
    return [*filed, possible(article.authors), article.status, embargoed]


def _incomplete(db: Connection, generation: int) -> list[Finding]:
    """Articles whose passages are not all there."""
    rows = db.execute(
        "SELECT articles.id, encodings.passages, count(lexemes.key) FROM encodings"
        " JOIN articles ON articles.number = encodings.article LEFT JOIN passages"
        " ON passages.article = encodings.article AND passages.generation = encodings.generation"
        " AND passages.version = encodings.version LEFT JOIN lexemes USING (key) WHERE encodings.generation = %s"
        " GROUP BY articles.id, encodings.passages HAVING count(lexemes.key) <> encodings.passages",
        (generation,),
    )
    return [
        Finding(
            kind="database",
            where=f"article {name!r}",
            detail=f"of its {promised} passages {held} are there",
            remedy=INGEST,
        )
        for name, promised, held in rows
    ]


def _index(db: Connection, generation: int) -> list[Finding]:
    """Whether a generation that is large has its index."""
    (held,) = the_row(db, "SELECT coalesce(sum(passages), 0) FROM encodings WHERE generation = %s", (generation,))
    if held <= search.EXACT_MOST or search.is_indexed(db, generation):
        return []
    detail = f"generation {generation} has no whole index of its vectors"
    return [Finding(kind="index_outdated", where=search.index_name(generation), detail=detail, remedy=_REBUILD)]
