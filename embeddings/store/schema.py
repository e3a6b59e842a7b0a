"""The tables of the store, and the checks made before the first statement runs.

`articles` says what is current; `versions` keeps every version, text and all. A `generation` is one encoder's
view of the corpus: its passages with their vectors. `encodings` is the receipt that one article is complete in
one generation, and gives its passages as one run of keys. `removals` lets a reader that knows an earlier state
catch up with the present one without reading everything again.
"""

from __future__ import annotations

import apsw

from embeddings.errors import StoreError

__all__ = ["SCHEMA_VERSION", "create_tables", "require_sound_sqlite", "show_rights"]

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
