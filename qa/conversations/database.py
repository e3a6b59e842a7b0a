"""The database of conversations: its interface, and the default implementation in a SQLite file.

Of the file: one connection, one thread at a time, every commit on disk. `server_database` is the like on a server.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Protocol

import apsw

from embeddings.errors import StoreError
from embeddings.store.schema import require_sound_sqlite
from qa.errors import HistoryUnavailable

FILE = "conversations.db"
SCHEMA_VERSION = 3

_APPLICATION_ID = 0x50A12CE2
"""Marks the file as ours, so that another program's database is refused rather than filled."""

_TABLES = """
CREATE TABLE conversations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,        -- random
    owner TEXT NOT NULL,            -- who may see it; every query asks for it
    title TEXT NOT NULL,            -- its first question
    begun_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    turns INTEGER NOT NULL,         -- how many are kept
    bytes INTEGER NOT NULL,         -- what they take
    last_turn INTEGER NOT NULL      -- turns.number: orders conversations by use, never the same for two
);
CREATE UNIQUE INDEX conversations_by_use ON conversations (last_turn);
CREATE INDEX conversations_by_owner ON conversations (owner, last_turn);
CREATE TABLE turns (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL,  -- conversations.number
    answer_id TEXT NOT NULL UNIQUE,
    asked_at TEXT NOT NULL,
    answer TEXT NOT NULL            -- qa.types.Answer as it was served, as JSON
);
CREATE INDEX turns_by_conversation ON turns (conversation, number);
CREATE TABLE feedback (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    answer_id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    conversation TEXT,              -- conversations.id, NULL where the answer belongs to none
    entry TEXT NOT NULL             -- qa.conversations.feedback.Feedback as JSON
);
CREATE INDEX feedback_by_conversation ON feedback (conversation) WHERE conversation IS NOT NULL;
"""

_SECOND = """
ALTER TABLE turns ADD COLUMN mode TEXT; -- Answer.answer_mode, so that days are counted without reading answers
UPDATE turns SET mode = json_extract(answer, '$.answer_mode') WHERE json_valid(answer);
CREATE INDEX turns_by_day ON turns (asked_at, mode);
ALTER TABLE feedback ADD COLUMN verdict TEXT;   -- Feedback.verdict
ALTER TABLE feedback ADD COLUMN given_at TEXT;  -- Feedback.given_at
UPDATE feedback SET verdict = json_extract(entry, '$.verdict'), given_at = json_extract(entry, '$.given_at')
    WHERE json_valid(entry);
CREATE TABLE reviews (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    answer_id TEXT NOT NULL UNIQUE,
    conversation TEXT NOT NULL,     -- conversations.id: erased with it, and kept where it makes room for newer ones
    entry TEXT NOT NULL             -- qa.conversations.feedback.Review as JSON
);
CREATE INDEX reviews_by_conversation ON reviews (conversation);
CREATE TABLE ingests (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    sender TEXT NOT NULL,           -- Job.by
    service TEXT NOT NULL,          -- whose it is: see qa.server.jobs.own_mark
    state TEXT NOT NULL,            -- Job.state
    job TEXT NOT NULL               -- qa.server.administration.Job as JSON
);
CREATE INDEX ingests_at_work ON ingests (number) WHERE state = 'running';
"""
"""What files of schema version 1 lack."""

_THIRD = """
CREATE TABLE kept_starters (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,      -- from where they are asked for: see qa.server.kept_starters
    made TEXT NOT NULL              -- qa.server.starters.Made as JSON; can be made anew at any time
);
"""
_CHANGES = (_TABLES, _SECOND, _THIRD)
"""What brings a file from each schema version to the next."""


class Rows(Protocol):
    """What a statement gave."""

    def fetchone(self) -> Any:
        """The next row; None where there is none."""

    def fetchall(self) -> list[Any]:
        """All further rows."""


class Session(Protocol):
    """What statements are sent to: `?` stands for a value, and both databases understand the rest alike."""

    def execute(self, statement: str, values: Sequence[str | int | None] = (), /) -> Rows:
        """Run one statement."""


class ConversationDatabase(Protocol):
    """Where conversations, feedback, reviews and jobs lie. Raises HistoryUnavailable where it cannot be used.

    Transactions that write come one after the other, also those of different processes.
    """

    def reading(self) -> AbstractContextManager[Session]:
        """Give a session for reads that see one state."""

    def writing(self) -> AbstractContextManager[Session]:
        """Give a session for one transaction: durable when this returns, undone when it raises."""

    def erase(self) -> None:
        """Let nothing remain of what was deleted, as far as that is in our hands."""

    def close(self) -> None:
        """Release it."""


class Database:
    """The open file. The caller sees to it that one thread at a time uses it."""

    def __init__(self, db: apsw.Connection, lock: TextIOWrapper | None, *, path: Path) -> None:
        self._db = db
        self._lock = lock
        self._path = path

    @classmethod
    def open(cls, folder: Path) -> Database:
        """Open the file in `folder`, making what is missing; other processes are kept out until `close`.

        Raises HistoryUnavailable where another process holds it, or it is not ours or damaged.
        """
        path = folder / FILE
        with _translated(path):
            require_sound_sqlite()
            folder.mkdir(parents=True, exist_ok=True)
            lock = (folder / f"{FILE}.lock").open("a")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                db = _connected(path)
            except BaseException:
                lock.close()
                raise
        return cls(db, lock, path=path)

    @classmethod
    def open_to_read(cls, folder: Path) -> Database:
        """Open the file in `folder` as it is, also while another process writes to it; nothing can be written.

        Raises HistoryUnavailable where it is not ours, of an older program, or damaged.
        """
        path = folder / FILE
        with _translated(path):
            db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            db.set_busy_timeout(5_000)
            found = (db.pragma("application_id"), db.pragma("user_version"))
        if found != (_APPLICATION_ID, SCHEMA_VERSION):
            db.close()
            raise HistoryUnavailable(
                f"{path} is not a file of this program and version; where it is of an older one, start `qa serve` once"
            )
        return cls(db, None, path=path)

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """Give the connection for reads that see one state."""
        with _translated(self._path):
            self._db.execute("BEGIN")
            try:
                yield self._db
            finally:
                self._db.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[apsw.Connection]:
        """Give the connection for one transaction: on disk when this returns, undone when it raises."""
        with _translated(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def erase(self) -> None:
        """Let nothing of what was deleted remain in the log beside the file (in the file it is zeroed already)."""
        with _translated(self._path), suppress(apsw.BusyError):
            self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def close(self) -> None:
        """Release the file."""
        self._db.close()
        if self._lock is not None:
            self._lock.close()


def _connected(path: Path) -> apsw.Connection:
    db = apsw.Connection(str(path))
    try:
        db.set_busy_timeout(5_000)
        db.pragma("synchronous", "FULL")
        db.pragma("secure_delete", "ON")
        db.pragma("journal_size_limit", 16_777_216)
        _create_tables(db, path=path)
    except BaseException:
        db.close()
        raise
    return db


def _create_tables(db: apsw.Connection, *, path: Path) -> None:
    application, version = db.pragma("application_id"), db.pragma("user_version")
    if (application, version) == (_APPLICATION_ID, SCHEMA_VERSION):
        return
    if application == _APPLICATION_ID and 1 <= version < SCHEMA_VERSION:
        _run(db, "".join(_CHANGES[version:]))
        return
    if application == _APPLICATION_ID:
        raise HistoryUnavailable(f"{path} has schema version {version}, this program reads {SCHEMA_VERSION}")
    if db.execute("SELECT count(*) FROM sqlite_schema").get:
        raise HistoryUnavailable(f"{path} is not a file of this program; move it away")
    db.execute("PRAGMA journal_mode = WAL")
    _run(db, "".join(_CHANGES))


def _run(db: apsw.Connection, statements: str) -> None:
    """Bring the file to this schema: all of it or nothing."""
    db.execute("BEGIN IMMEDIATE")
    db.execute(statements)
    db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute("COMMIT")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into our own error, naming the file."""
    try:
        yield
    except BlockingIOError as error:
        raise HistoryUnavailable(f"another process has {path} open; stop it first") from error
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise HistoryUnavailable(f"{path} is damaged ({error}); restore a backup, or move it away") from error
    except (apsw.Error, StoreError, OSError) as error:
        raise HistoryUnavailable(f"{path} cannot be used: {error}") from error
