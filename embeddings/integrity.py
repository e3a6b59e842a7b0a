"""What is wrong in a store, and how large it is, without changing it; and what may be stored at all."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import apsw
import msgspec
import numpy as np

from embeddings.encoders import EncoderIdentity
from embeddings.errors import EncoderError, IndexDamaged, InvalidArticle
from embeddings.index import files
from embeddings.index.dense import checked
from embeddings.index.snapshot import Segment
from embeddings.store.passages import vectors_after
from embeddings.store.reads import Rows, key_runs, state
from embeddings.store.schema import moment_if_any
from embeddings.types import Article, EncodedPassage, IndexedArticle, Where, article_version

INGEST = "ingest the article again, or delete it (`qa articles delete`)"
_RESTORE = "restore a backup, or ingest into a new folder"
_REBUILD = "nothing is lost: `qa index rebuild`, or the next start, makes it again"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as it was stored."""

    kind: Literal["database", "article", "passage", "index_damaged", "index_outdated"]
    """`index_outdated` is normal while another process writes, and after a crash; everything else is damage."""
    where: str
    detail: str
    remedy: str


class GenerationStats(msgspec.Struct, frozen=True, kw_only=True):
    """One encoder's part of the store."""

    identity: EncoderIdentity
    active: bool
    articles: int
    passages: int


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes, and which state the store is in."""

    articles: int
    versions: int
    generations: tuple[GenerationStats, ...]
    changes: int
    database_bytes: int
    index_bytes: int
    sqlite: str
    """Its version; empty on a server."""
    engine: str = ""
    """What holds the store, and its version."""


def findings(db: apsw.Connection, index_folder: Path) -> list[Finding]:
    """Check the database, every article version, every passage and the index files."""
    found: list[Finding] = []
    for check in (_database, _articles, _passages, lambda db: _index(db, index_folder)):
        try:
            found += check(db)
        except (apsw.CorruptError, UnicodeDecodeError, TypeError, msgspec.MsgspecError) as error:
            found.append(Finding(kind="database", where="store.db", detail=str(error), remedy=_RESTORE))
    return found


def statistics(db: apsw.Connection, folder: Path) -> Stats:
    """Count what is held and measure the files."""
    rows: Rows = db.execute(
        "SELECT identity, active, count(article), coalesce(sum(last - first + 1), 0) FROM generations"
        " LEFT JOIN encodings ON generation = number GROUP BY number"
    )
    return Stats(
        articles=db.execute("SELECT count(*) FROM articles").get,
        versions=db.execute("SELECT count(*) FROM versions").get,
        generations=generation_stats(rows),
        changes=state(db).change,
        database_bytes=sum(path.stat().st_size for path in folder.glob("store.db*")),
        index_bytes=sum(path.stat().st_size for path in folder.glob("index/*")),
        sqlite=apsw.sqlite_lib_version(),
        engine=f"SQLite {apsw.sqlite_lib_version()}",
    )


def generation_stats(rows: Rows) -> tuple[GenerationStats, ...]:
    """Read rows of an encoder's identity, whether its passages are searched, and how many articles and passages."""
    return tuple(
        GenerationStats(
            identity=msgspec.json.decode(identity, type=EncoderIdentity),
            active=bool(active),
            articles=articles,
            passages=passages,
        )
        for identity, active, articles, passages in rows
    )


def _database(db: apsw.Connection) -> list[Finding]:
    """What SQLite itself can see."""
    lines = [line for (line,) in db.execute("PRAGMA integrity_check") if line != "ok"]
    return [Finding(kind="database", where="store.db", detail=line, remedy=_RESTORE) for line in lines]


def _articles(db: apsw.Connection) -> list[Finding]:
    """Versions that do not match their hash, and articles filed under something they do not say."""
    found = []
    rows: Rows = db.execute(
        "SELECT versions.number, CAST(document AS BLOB), fingerprint, CAST(version AS BLOB), current,"
        " CAST(articles.id AS BLOB), CAST(collection AS BLOB), CAST(source AS BLOB), published,"
        " CAST(section AS BLOB), CAST(language AS BLOB), CAST(status AS BLOB), embargoed"
        " FROM versions LEFT JOIN articles ON articles.number = article"
    )
    for number, stored, expected, version, current, name, *filed in rows:
        where = f"article {(name or b'?').decode(errors='replace')!r}"
        if hashlib.sha256(stored).hexdigest() != expected:
            detail = "its text or what is said about it was altered"
        else:
            article = msgspec.json.decode(stored, type=Article)
            if version == article.version.encode() and (number != current or (name, filed) == _filed(article)):
                continue
            detail = "it is filed under an id, version, collection, source, date or state that is not its own"
        found.append(Finding(kind="article", where=where, detail=detail, remedy=INGEST))
    return found


def _filed(article: Article) -> tuple[bytes, list[bytes | int | None]]:
    """What the columns say of an article: its id and the rest, in their order."""
    published, embargoed = moment_if_any(article.published_at), moment_if_any(article.embargoed_until)
    collection, source, section, language, status = (
        text.encode()
        for text in (article.collection, article.source, article.section, article.language or "", article.status)
    )
    return article.id.encode(), [collection, source, published, section, language, status, embargoed]


def _passages(db: apsw.Connection) -> list[Finding]:
    """Passages whose words, span or vector were altered, and articles whose passages are not all there."""
    found = []
    generations: Rows = db.execute("SELECT number FROM generations")
    for (generation,) in list(generations):
        held = set()
        for row in vectors_after(db, generation, 0):
            if isinstance(row, int):
                detail = "its words, its span or its vector were altered: it is neither found nor shown"
                found.append(Finding(kind="passage", where=f"passage {row}", detail=detail, remedy=INGEST))
            held.add(row if isinstance(row, int) else row.key)
        promised = {key for first, last in key_runs(db, Where(), generation).tolist() for key in range(first, last + 1)}
        if held != promised:
            detail = f"{len(promised - held)} passages are missing and {len(held - promised)} belong to no article"
            where = f"generation {generation}"
            found.append(Finding(kind="database", where=where, detail=detail, remedy=_RESTORE))
    return found


def _index(db: apsw.Connection, folder: Path) -> list[Finding]:
    """Whether the index files are exactly what the store holds."""
    seen = state(db)
    if seen.active is None or not len(key_runs(db, Where(), seen.active.number)):
        return []
    try:
        manifest = files.manifest_of(folder, seen)
        held = [files.opened(folder, each, dimension=manifest.identity.dimension) for each in manifest.segments]
    except files.IndexOutdated as reason:
        return [Finding(kind="index_outdated", where=str(folder), detail=str(reason), remedy=_REBUILD)]
    except IndexDamaged as reason:
        return [Finding(kind="index_damaged", where=str(folder), detail=str(reason), remedy=_REBUILD)]
    return _differences(held, db, seen.active.number, folder)


def _differences(held: Sequence[Segment], db: apsw.Connection, generation: int, folder: Path) -> list[Finding]:
    stored = np.array([row.key for row in vectors_after(db, generation, 0) if not isinstance(row, int)], dtype=np.int64)
    if np.isin(stored, np.concatenate([segment.near.keys for segment in held])).all():
        return []
    detail = "the index files lack passages that the store holds"
    return [Finding(kind="index_damaged", where=str(folder), detail=detail, remedy=_REBUILD)]


# --- What may be stored: takes articles with their passages, proves them sound before anything is written
def sound(articles: Sequence[IndexedArticle], identity: EncoderIdentity) -> list[IndexedArticle]:
    """Give the articles with their vectors as float32, each checked against the others and against its own text.

    Raises InvalidArticle or EncoderError naming the article; then nothing of the call may be written.
    """
    ids = [indexed.article.id for indexed in articles]
    if len(set(ids)) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise InvalidArticle(f"article {twice!r} comes twice in one call; send one version of it")
    for indexed in articles:
        _check_article(indexed)
        _check_passages(indexed)
    return [_with_checked_vectors(indexed, identity) for indexed in articles]


def _check_article(indexed: IndexedArticle) -> None:
    article = indexed.article
    if not article.id or "\0" in article.id:
        raise InvalidArticle(f"{article.id!r} cannot be an article id; use text without NUL")
    try:
        msgspec.json.encode(article)
        version = article_version(article.text)
    except UnicodeEncodeError as error:
        raise InvalidArticle(
            f"article {article.id!r} holds half of a surrogate pair ({error}); clean it first"
        ) from error
    if article.version != version:
        raise InvalidArticle(
            f"article {article.id!r} is marked as version {article.version}, but its text is {version}"
        )
    for written in (article.published_at, article.embargoed_until):
        moment_if_any(written)


def _check_passages(indexed: IndexedArticle) -> None:
    article = indexed.article
    if not indexed.passages:
        raise InvalidArticle(f"article {article.id!r} comes without passages, so that nothing could find it")
    ids = [encoded.passage.id for encoded in indexed.passages]
    if len(set(ids)) < len(ids):
        raise InvalidArticle(f"article {article.id!r} has two passages of the same id")
    for passage in (encoded.passage for encoded in indexed.passages):
        if (passage.article_id, passage.article_version) != (article.id, article.version):
            raise InvalidArticle(f"passage {passage.id} of article {article.id!r} names another article or version")
        if not 0 <= passage.start < passage.end <= len(article.text):
            raise InvalidArticle(f"passage {passage.id} of article {article.id!r} lies outside its text")
        if article.text[passage.start : passage.end] != passage.text:
            raise InvalidArticle(f"passage {passage.id} of article {article.id!r} is not what its span says")


def _with_checked_vectors(indexed: IndexedArticle, identity: EncoderIdentity) -> IndexedArticle:
    name = f"article {indexed.article.id!r}"
    for encoded in indexed.passages:
        shape = np.shape(encoded.vector)
        if shape != (identity.dimension,):
            raise EncoderError(f"{name}: a vector of shape {shape}; {identity.name} makes {identity.dimension} numbers")
    vectors = checked(
        np.stack([encoded.vector for encoded in indexed.passages]),
        dimension=identity.dimension,
        unit=identity.normalised,
        of=name,
    )
    passages = tuple(
        EncodedPassage(passage=encoded.passage, vector=vector)
        for encoded, vector in zip(indexed.passages, vectors, strict=True)
    )
    return msgspec.structs.replace(indexed, passages=passages)
