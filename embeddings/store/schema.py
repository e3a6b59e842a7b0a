"""The tables of the store, the checks before the first statement, and how a `Where` translates into SQL.

`articles` says what is current; `versions` keeps every version, text and all. A `generation` is one encoder's
view of the corpus: its passages with their vectors. `encodings` is the receipt that one article is complete in
one generation, and gives its passages as one run of keys. `removals` lets a reader that knows an earlier state
catch up with the present one without reading everything again.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import apsw

from embeddings.cleaning.unicode import as_written
from embeddings.errors import InputError, StoreError
from embeddings.types import Where

SCHEMA_VERSION = 2

_APPLICATION_ID = 0x50A12CE1
"""Marks the file as ours, so that another program's database is refused rather than filled."""

_OLDEST_SOUND_SQLITE = (3, 51, 3)
"""Earlier versions can corrupt a database in WAL mode: https://sqlite.org/wal.html#walresetbug."""

_TABLES = """
CREATE TABLE state (
    store TEXT NOT NULL,            -- random name of this store: an index file of another one never fits
    change INTEGER NOT NULL,        -- counts write transactions
    stamp TEXT NOT NULL,            -- random name of the last one: a restored backup cannot reuse a count unseen
    removals_after INTEGER NOT NULL -- `removals` is complete for changes later than this one
);
CREATE TABLE generations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    identity TEXT NOT NULL UNIQUE,  -- EncoderIdentity as JSON
    active INTEGER NOT NULL
);
CREATE UNIQUE INDEX one_active_generation ON generations (active) WHERE active;
CREATE TABLE articles (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    current INTEGER,                -- versions.number
    collection TEXT NOT NULL,
    source TEXT NOT NULL,
    published INTEGER,              -- microseconds since 1970 UTC; NULL when undated
    signature BLOB NOT NULL,
    section TEXT NOT NULL DEFAULT '',
    language TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL DEFAULT 'usable',
    embargoed INTEGER               -- microseconds since 1970 UTC; NULL without an embargo
);
CREATE TABLE versions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    article INTEGER NOT NULL,
    version TEXT NOT NULL,          -- Article.version
    document TEXT NOT NULL,         -- the Article as JSON, see store.document
    fingerprint TEXT NOT NULL,      -- SHA-256 of document
    UNIQUE (article, version)
);
CREATE INDEX versions_by_content ON versions (version);
CREATE TABLE passages (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    article INTEGER NOT NULL,
    version INTEGER NOT NULL,       -- versions.number
    start INTEGER NOT NULL,         -- code points, half open
    stop INTEGER NOT NULL,
    digest BLOB NOT NULL,           -- SHA-256 over id, text and vector
    vector BLOB NOT NULL            -- float32, little endian
);
CREATE TABLE encodings (
    generation INTEGER NOT NULL,
    article INTEGER NOT NULL,
    version INTEGER NOT NULL,       -- versions.number
    first INTEGER NOT NULL,         -- the article's passages are passages.key first..last
    last INTEGER NOT NULL,
    recipe TEXT NOT NULL,           -- how the passages were cut
    PRIMARY KEY (article, generation)
) WITHOUT ROWID;
CREATE TABLE removals (
    change INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
);
CREATE INDEX removals_by_change ON removals (change);
"""

_KNOWN_BY = """
CREATE TABLE IF NOT EXISTS known_by (
    key TEXT NOT NULL,              -- a hash: see identity.known_by
    article INTEGER NOT NULL,       -- articles.number; one that is gone is passed over
    PRIMARY KEY (key, article)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS known_by_article ON known_by (article);
"""
_RESTRICTED = """
CREATE INDEX IF NOT EXISTS restricted ON articles (number) WHERE status <> 'usable' OR embargoed IS NOT NULL;
"""

_STAMPS = """
CREATE TABLE IF NOT EXISTS stamps (
    change INTEGER PRIMARY KEY,
    stamp TEXT NOT NULL             -- what state.stamp was then: an index file of that change is of this very history
);
"""

_RIGHTS = {
    "section": "TEXT NOT NULL DEFAULT ''",
    "language": "TEXT NOT NULL DEFAULT ''",
    "status": "TEXT NOT NULL DEFAULT 'usable'",
    "embargoed": "INTEGER",
}
"""Columns that stores of before these were known lack. Nothing in them can be withheld or under embargo, nor have a
section; the language is in the document."""

_SAID_LANGUAGE = """
coalesce((SELECT json_extract(document, '$.language') FROM versions
          WHERE versions.number = articles.current AND json_valid(document)), '')
"""
_WITH_RIGHTS = f"""
CREATE TEMP VIEW IF NOT EXISTS articles AS
SELECT number, id, current, collection, source, published, signature, '' AS section, {_SAID_LANGUAGE} AS language,
       'usable' AS status, NULL AS embargoed
FROM main.articles
"""  # noqa: S608 - constants


def require_sound_sqlite() -> None:
    """Refuse an SQLite that is known to corrupt what it holds.

    Raises StoreError.
    """
    version = apsw.sqlite_lib_version()
    if tuple(int(part) for part in version.split(".")) < _OLDEST_SOUND_SQLITE:
        wanted = ".".join(map(str, _OLDEST_SOUND_SQLITE))
        raise StoreError(
            f"SQLite {version} can corrupt a store; {wanted} or later is needed. Install the apsw wheel, "
            "which brings its own SQLite."
        )


def create_tables(db: apsw.Connection, *, where: str, read_only: bool) -> None:
    """Make the tables in an empty file; accept a file that already has them.

    Raises StoreError for a file that is not a store, or is one of another schema version.
    """
    application, version = db.pragma("application_id"), db.pragma("user_version")
    if (application, version) == (_APPLICATION_ID, SCHEMA_VERSION):
        if not read_only:
            db.execute(_KNOWN_BY + _STAMPS)
            _add_rights(db)
            db.execute(_RESTRICTED)
        return
    if application == _APPLICATION_ID:
        raise StoreError(f"{where} has schema version {version}, this program reads {SCHEMA_VERSION}: use that one's")
    if db.execute("SELECT count(*) FROM sqlite_schema").get:
        raise StoreError(f"{where} is not a store of this program; choose another folder")
    if read_only:
        raise StoreError(f"{where} is empty; ingest articles first (`qa ingest PATH`)")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("BEGIN IMMEDIATE")
    db.execute(_TABLES + _KNOWN_BY + _STAMPS + _RESTRICTED)
    db.execute("INSERT INTO state VALUES (hex(randomblob(16)), 0, hex(randomblob(16)), 0)")
    db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute("COMMIT")


def show_rights(db: apsw.Connection) -> bool:
    """Let a connection that only reads find the columns that an older store lacks; say whether the store lacks them.

    Called again for each use of such a connection, since a writer may have added them meanwhile.
    """
    if not _lacks_rights(db):
        db.execute("DROP VIEW IF EXISTS temp.articles")
        return False
    db.execute(_WITH_RIGHTS)
    return True


def _add_rights(db: apsw.Connection) -> None:
    if not _lacks_rights(db):
        return
    with db:
        for name, kind in _RIGHTS.items():
            db.execute(f"ALTER TABLE articles ADD COLUMN {name} {kind}")
        db.execute(f"UPDATE articles SET language = {_SAID_LANGUAGE}")  # noqa: S608 - a constant


def _lacks_rights(db: apsw.Connection) -> bool:
    columns = {name for _, name, *_ in db.execute("PRAGMA main.table_info(articles)")}
    return bool(columns) and "status" not in columns


# --- How a `Where` reads in SQL. Values are always bound, never part of the statement
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MOST_VALUES = 30_000
"""SQLite binds at most 32,766 values to one statement."""


def moment(written: str) -> int:
    """Microseconds since 1970 UTC; a date alone is its midnight, a time without zone is UTC.

    Raises InputError for what is not ISO 8601.

    >>> moment("1970-01-02"), moment("1970-01-01T02:00:00+02:00"), moment("1970-01-01T00:00:01Z")
    (86400000000, 0, 1000000)
    """
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        raise InputError(
            f"{written!r} is not an ISO 8601 date or time; write 2024-06-04 or 2024-06-04T10:30:00Z"
        ) from None
    return ((read if read.tzinfo else read.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1)


def moment_if_any(written: str | None) -> int | None:
    """The same; None where nothing was written."""
    return None if written is None else moment(written)


def matching(where: Where) -> tuple[str, list[str | int]]:
    """Give the condition on a row `articles` and the values it binds.

    >>> matching(Where(sources=("BBC", "DW")))
    ('articles.source IN (?, ?)', ['BBC', 'DW'])
    """
    where = as_written(where)
    conditions: list[str] = []
    values: list[str | int] = []
    if where.collection is not None:
        conditions.append("articles.collection = ?")
        values.append(where.collection)
    listed = (
        ("source", where.sources),
        ("id", where.article_ids),
        ("section", where.sections),
        ("status", where.statuses),
    )
    for column, wanted in listed:
        if wanted:
            conditions.append(f"articles.{column} IN ({', '.join('?' * len(wanted))})")
            values.extend(wanted)
    if where.published_after is not None:
        conditions.append("articles.published >= ?")
        values.append(moment(where.published_after))
    if where.published_before is not None:
        conditions.append("articles.published < ?")
        values.append(moment(where.published_before))
    if where.known_by is not None:
        conditions.append("(articles.published IS NULL OR articles.published <= ?)")
        values.append(moment(where.known_by))
    for condition, more in (
        _within(where.within),
        _of_languages(where.languages),
        _of_authors(where.authors),
        _usable(where.usable_at),
    ):
        conditions += [condition] if condition else []
        values += more
    if len(values) > _MOST_VALUES:
        raise InputError(f"a filter names {len(values)} sources and articles; at most {_MOST_VALUES} are possible")
    if not all(storable(value) for value in values):
        raise InputError("a filter holds half of a surrogate pair, which is not text; send valid Unicode")
    return " AND ".join(conditions) or "TRUE", values


def _within(collections: Sequence[str] | None) -> tuple[str, list[str | int]]:
    """Those of some collections, where there are none of none."""
    if collections is None:
        return "", []
    return f"articles.collection IN ({', '.join('?' * len(collections))})", [*collections]


def _of_languages(languages: Sequence[str]) -> tuple[str, list[str | int]]:
    """Tags that are one of these, or begin with it and a hyphen."""
    one = "substr(articles.language || '-', 1, length(?)) = ?"
    tags = [f"{tag.lower()}-" for tag in languages]
    return (f"({' OR '.join([one] * len(tags))})" if tags else ""), [tag for tag in tags for _ in range(2)]


def _of_authors(authors: Sequence[str]) -> tuple[str, list[str | int]]:
    """Articles by one of these, read from the document itself; one whose bytes were altered has no authors."""
    if not authors:
        return "", []
    said = "CASE WHEN json_valid(versions.document) THEN json_extract(versions.document, '$.authors') ELSE '[]' END"
    return (
        f"EXISTS (SELECT 1 FROM versions, json_each({said}) AS author WHERE versions.number = articles.current"  # noqa: S608 - values are bound
        f" AND author.value IN ({', '.join('?' * len(authors))}))"
    ), [*authors]


def _usable(at: str | None) -> tuple[str, list[str | int]]:
    if at is None:
        return "", []
    return "articles.status = 'usable' AND (articles.embargoed IS NULL OR articles.embargoed <= ?)", [moment(at)]


def storable(value: str | int) -> bool:
    """Whether a value of a filter is a number, or text that is valid Unicode."""
    return isinstance(value, int) or value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
