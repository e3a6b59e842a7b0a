"""The tables, created and changed by numbered migrations; several processes may start at once.

`articles` says what is current; `versions` keeps every version, text and all. A generation is one encoder's view of
the corpus: its passages with their vectors. `encodings` is the receipt that one article is complete in one generation.
"""

import hashlib
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import msgspec
import numpy as np
import psycopg
from psycopg import errors, sql
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.types import TypeInfo

from embeddings.errors import StoreError
from embeddings.types import Vector

_OLDEST_SERVER = 15
_OLDEST_SOUND_VECTORS = (0, 8, 3)
"""Earlier versions of pgvector can corrupt an HNSW index when the table is vacuumed."""

_FIRST = """
CREATE TABLE generations (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    identity text NOT NULL UNIQUE,  -- EncoderIdentity as JSON
    active boolean NOT NULL
);
CREATE UNIQUE INDEX one_active_generation ON generations (active) WHERE active;
CREATE TABLE articles (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    current bigint,                 -- versions.number
    collection text NOT NULL,
    source text NOT NULL,
    published bigint,               -- microseconds since 1970 UTC; NULL when undated
    signature bytea NOT NULL,
    section text NOT NULL,
    language text NOT NULL,         -- empty where nobody knows
    authors text[] NOT NULL,
    status text NOT NULL,           -- see types.Status
    embargoed bigint                -- microseconds since 1970 UTC; NULL without an embargo
);
CREATE INDEX articles_restricted ON articles (number) WHERE status <> 'usable' OR embargoed IS NOT NULL;
CREATE INDEX articles_by_collection ON articles (collection);
CREATE INDEX articles_by_source ON articles (source);
CREATE INDEX articles_by_date ON articles (published);
CREATE TABLE versions (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    article bigint NOT NULL REFERENCES articles ON DELETE CASCADE,
    version text COLLATE "C" NOT NULL,
    document bytea NOT NULL,        -- the Article as JSON, see store.document
    fingerprint text NOT NULL,      -- SHA-256 of document
    UNIQUE (article, version)
);
CREATE INDEX versions_by_content ON versions (version);
CREATE TABLE encodings (
    article bigint NOT NULL REFERENCES articles ON DELETE CASCADE,
    generation bigint NOT NULL,
    version bigint NOT NULL,        -- versions.number
    first bigint NOT NULL,          -- the least of its passages' keys
    passages integer NOT NULL,      -- how many
    words bigint NOT NULL,          -- passages.words of all of them together
    recipe text NOT NULL,           -- how the passages were cut
    PRIMARY KEY (article, generation)
);
CREATE INDEX encodings_by_place ON encodings (generation, first);
CREATE TABLE passages (
    key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL,
    generation bigint NOT NULL,
    article bigint NOT NULL REFERENCES articles ON DELETE CASCADE,
    version bigint NOT NULL,        -- versions.number
    start integer NOT NULL,         -- code points, half open
    stop integer NOT NULL,
    digest bytea NOT NULL,          -- SHA-256 over id, text and vector
    collection text NOT NULL,       -- of its article, so that a walk through the vectors can filter
    source text NOT NULL,
    published bigint,
    words integer NOT NULL,         -- terms, those of the title with their weight
    terms tsvector NOT NULL,        -- stemmed as the embedded store does; how often each occurs
    embedding vector NOT NULL
);
-- A search compares many vectors and many terms: neither should lie in another table.
ALTER TABLE passages ALTER COLUMN embedding SET STORAGE MAIN, ALTER COLUMN terms SET STORAGE MAIN;
ALTER TABLE passages SET (toast_tuple_target = 4080);
CREATE INDEX passages_by_article ON passages (article, generation);
CREATE INDEX passages_by_term ON passages USING gin (terms);
CREATE TABLE known_by (
    key text COLLATE "C" NOT NULL,  -- a hash: see identity.known_by
    article bigint NOT NULL REFERENCES articles ON DELETE CASCADE,
    PRIMARY KEY (key, article)
);
CREATE INDEX known_by_article ON known_by (article);
CREATE TABLE vocabulary (
    term text COLLATE "C" PRIMARY KEY -- every term that any passage ever held: for guesses at what was misspelt
);
CREATE INDEX vocabulary_by_shape ON vocabulary (left(term, 1), length(term));
"""

_SECOND = """
-- A search by words reads many rows, and counting how rare a term is still more: they lie apart from the vectors, so
-- that they are few pages.
CREATE TABLE lexemes (
    key bigint PRIMARY KEY,         -- passages.key
    generation bigint NOT NULL,
    article bigint NOT NULL,        -- articles.number
    version bigint NOT NULL,        -- versions.number
    length integer NOT NULL,        -- terms, those of the title with their weight
    terms tsvector NOT NULL         -- stemmed as the embedded store does; how often each occurs
);
ALTER TABLE lexemes ALTER COLUMN terms SET STORAGE MAIN;
ALTER TABLE lexemes SET (toast_tuple_target = 4080);
INSERT INTO lexemes SELECT key, generation, article, version, words, terms FROM passages ORDER BY key;
-- What is new lies beside the index at first, and every search reads it: so it is kept short.
CREATE INDEX lexemes_by_term ON lexemes USING gin (terms) WITH (gin_pending_list_limit = 512);
CREATE INDEX lexemes_by_article ON lexemes (article, generation);
ALTER TABLE passages DROP COLUMN terms, DROP COLUMN words;  -- and with it the index
"""


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """Tables that are made together, and changed together; several kinds may lie in one schema."""

    kind: str
    """Empty: those of the articles."""
    migrations: tuple[str, ...]
    """Statements that make them, and that bring those of an earlier version up to the next."""

    @property
    def history(self) -> str:
        """The table that says which migrations were applied."""
        return f"{self.kind}_migrations" if self.kind else "migrations"


ARTICLES = Tables(kind="", migrations=(_FIRST, _SECOND))


def require_sound_server(db: psycopg.Connection) -> None:
    """Refuse a server that is too old, or a database that cannot hold every text. Raises StoreError."""
    if db.info.server_version < _OLDEST_SERVER * 10_000:
        raise StoreError(f"the server is PostgreSQL {db.info.server_version // 10_000}; {_OLDEST_SERVER} is needed")
    row = db.execute("SELECT current_setting('server_encoding')").fetchone()
    if row != ("UTF8",):
        raise StoreError(
            f"the database has encoding {row and row[0]}; make one with ENCODING 'UTF8' TEMPLATE template0"
        )


def require_sound_vectors(version: str | None) -> None:
    """Refuse a pgvector that is not there or is known to corrupt what it indexes. Raises StoreError."""
    wanted = ".".join(map(str, _OLDEST_SOUND_VECTORS))
    if version is None:
        raise StoreError(
            f"the database has no extension vector; install pgvector {wanted} or later on the server, then let an "
            "administrator say CREATE EXTENSION vector in this database"
        )
    if tuple(int(part) for part in version.split(".")) < _OLDEST_SOUND_VECTORS:
        raise StoreError(
            f"pgvector {version} can corrupt its index; install {wanted} or later (0.8.6 is recommended), then let "
            "an administrator say ALTER EXTENSION vector UPDATE in this database"
        )


def ensure_vectors(db: psycopg.Connection, *, read_only: bool) -> None:
    """See to it that the database has a sound pgvector, installing it where this user may. Raises StoreError."""
    version = _vectors_version(db)
    if version is None and not read_only:
        with (
            _one_at_a_time(db, lock_key("extension", "")),
            suppress(errors.InsufficientPrivilege, errors.FeatureNotSupported, errors.UndefinedFile),
        ):
            db.execute("CREATE EXTENSION IF NOT EXISTS vector")
        version = _vectors_version(db)
    require_sound_vectors(version)


def migrate(db: psycopg.Connection, schema: str, *, tables: Tables, read_only: bool) -> None:
    """Bring the tables of a schema up to this program's version, one process at a time.

    Raises StoreError where that is not possible, or where they are of a later version.
    """
    version, wanted = version_of(db, schema, tables=tables), len(tables.migrations)
    if version > wanted:
        raise StoreError(f"the store has schema version {version}, this program knows {wanted}: use that one's")
    if version == wanted:
        return
    if read_only:
        raise StoreError(
            f"the store has schema version {version}, this program wants {wanted}: ingest something first, "
            "as a user who may change tables (`qa ingest PATH`)"
        )
    # Locked before the transaction: one that has begun may go on believing that there are no tables.
    with _one_at_a_time(db, lock_key("migrations", schema)), db.transaction():
        _make(db, schema, tables=tables, beginning=version_of(db, schema, tables=tables))


def lock_key(purpose: str, schema: str) -> int:
    """The number of an advisory lock: every process of one store agrees, two stores in a database do not.

    >>> lock_key("migrations", "sourceline") == lock_key("migrations", "sourceline")
    True
    """
    return int.from_bytes(hashlib.sha256(f"sourceline {schema} {purpose}".encode()).digest()[:8], "big", signed=True)


def search_path(db: psycopg.Connection, schema: str) -> str:
    """Our schema first, then where pgvector lies, which an administrator chose."""
    row = db.execute("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'vector'").fetchone()
    return f"{sql.Identifier(schema).as_string(db)}, {row[0] if row else 'public'}"


@contextmanager
def _one_at_a_time(db: psycopg.Connection, key: int) -> Iterator[None]:
    db.execute("SELECT pg_advisory_lock(%s)", (key,))
    try:
        yield
    finally:
        db.execute("SELECT pg_advisory_unlock(%s)", (key,))


def _vectors_version(db: psycopg.Connection) -> str | None:
    row = db.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
    return None if row is None else str(row[0])


def version_of(db: psycopg.Connection, schema: str, *, tables: Tables) -> int:
    """How many migrations some tables of a schema have seen; none where they are not there."""
    table = sql.Identifier(schema, tables.history)
    if db.execute("SELECT to_regclass(%s)", (table.as_string(db),)).fetchone() == (None,):
        return 0
    row = db.execute(sql.SQL("SELECT coalesce(max(number), 0) FROM {}").format(table)).fetchone()
    return 0 if row is None else int(row[0])


def _make(db: psycopg.Connection, schema: str, *, tables: Tables, beginning: int) -> None:
    if db.execute("SELECT to_regnamespace(%s)", (sql.Identifier(schema).as_string(db),)).fetchone() == (None,):
        try:
            db.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        except errors.InsufficientPrivilege:
            raise StoreError(
                f"the database has no schema {schema!r}, and this user may not make one; let an administrator say "
                f"CREATE SCHEMA {schema} AUTHORIZATION its user (docs/postgresql.md)"
            ) from None
    db.execute("SELECT set_config('search_path', %s, true)", (search_path(db, schema),))
    history = sql.Identifier(tables.history)
    form = "CREATE TABLE IF NOT EXISTS {} (number integer PRIMARY KEY, applied_at timestamptz NOT NULL)"
    db.execute(sql.SQL(form).format(history))
    for number, statements in enumerate(tables.migrations[beginning:], start=beginning + 1):
        db.execute(statements)
        db.execute(sql.SQL("INSERT INTO {} VALUES (%s, now())").format(history), (number,))


# --- How vectors and terms travel to the server: in its binary formats, exact to the last bit
_LONGEST_TERM = 200
"""Characters of a term that count; the server refuses lexemes of 2 kB."""
_MOST_COUNTED = 255
"""The server keeps so many places of a lexeme."""


class Counts(msgspec.Struct, frozen=True):
    """How often each term occurs in a passage: a tsvector whose places are 1, 2 … count."""

    of: dict[str, int]


def lexeme(term: str) -> str:
    """A term as the server keeps it."""
    return term[:_LONGEST_TERM]


def counted(terms: Iterable[str]) -> Counts:
    """Count terms.

    >>> counted(["dam", "river", "dam"]).of
    {'dam': 2, 'river': 1}
    """
    return Counts(dict(Counter(map(lexeme, terms))))


def received(sent: bytes) -> bytes:
    """The numbers of a vector, float32 and little endian, from what the server's vector_send gives."""
    return np.frombuffer(sent, dtype=">f4", offset=4).astype("<f4").tobytes()


def adapt(db: psycopg.Connection) -> None:
    """Let a connection take vectors and counted terms as parameters, and read its library in."""
    kind = TypeInfo.fetch(db, "vector")
    if kind is None:
        raise StoreError("the extension vector is no longer on the search path of the database")
    kind.register(db)
    number = kind.oid

    class OfVector(_VectorDumper):
        oid = number

    db.adapters.register_dumper(np.ndarray, OfVector)
    db.adapters.register_dumper(Counts, _CountsDumper)
    db.execute("SELECT '[1]'::vector")  # settings of hnsw.* exist only once the library is loaded


class _VectorDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Vector) -> Buffer:
        """Dimension, nothing, numbers; all big endian."""
        return struct.pack(">hh", len(obj), 0) + obj.astype(">f4").tobytes()


class _CountsDumper(Dumper):
    format = Format.BINARY
    oid = psycopg.adapters.types["tsvector"].oid

    def dump(self, obj: Counts) -> Buffer:
        """Number of lexemes, then each with the number of its places and these."""
        parts = [struct.pack(">i", len(obj.of))]
        for term, count in obj.of.items():
            parts += [term.encode(), _PLACES[min(count, _MOST_COUNTED)]]
        return b"".join(parts)


_PLACES = [b"\0" + struct.pack(f">{count + 1}H", count, *range(1, count + 1)) for count in range(_MOST_COUNTED + 1)]
"""What follows a lexeme that occurs so often: how many places it has, and these."""
