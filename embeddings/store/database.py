"""The SQLite file: one writer, many readers, every acknowledged transaction on disk.

WAL with `synchronous = FULL`: a commit that returned survives kill -9 and, where the disk honours fsync, power
loss. Readers hold short read transactions of their own and neither wait for the writer nor delay it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

import apsw
import msgspec

from embeddings.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull, StoreReadOnly
from embeddings.store.schema import create_tables, require_sound_sqlite, show_rights
from embeddings.types import Article

Fault = Callable[[str], None]
"""Called with the name of each step that a crash must not harm; tests kill the process there."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_NO_RIGHT = {errno.EROFS, errno.EACCES, errno.EPERM}
_REMEMBERED_CHANGES = 1_000
"""A reader that is further behind reads everything again, which costs it seconds and nothing else."""
_REMEMBERED_STAMPS = 1_000_000
"""Index files that are further behind are made again."""
_PAUSES = (0.005, 0.02)
"""Seconds for which the write lock is asked for once more."""


def no_fault(step: str) -> None:
    """Let every step pass."""


_DEFAULTS = tuple((field.name, field.default) for field in msgspec.structs.fields(Article))


def document(article: Article) -> bytes:
    """Write an article as JSON, always the same way.

    Fields left at their default are not written, so that a field added later changes nothing stored.
    """
    said = {name: value for name, default in _DEFAULTS if (value := getattr(article, name)) != default}
    return msgspec.json.encode(said)


def fingerprint(article: Article) -> str:
    """Name everything an article says, its text and what is said about it: equal fingerprints, nothing to do.

    >>> fingerprint(Article(id="a", version="v", title="t", text="x"))[:12]
    'b1ce560db70b'
    """
    return hashlib.sha256(document(article)).hexdigest()


def with_recipe(fingerprint: str, recipe: str) -> str:
    """Name what an article says together with how it was cut into passages."""
    return hashlib.sha256(f"{fingerprint} {recipe}".encode()).hexdigest() if recipe else fingerprint


class Store:
    """Connections to one store file: `reading()` from any thread, `writing()` from one at a time."""

    def __init__(self, folder: Path, *, fault: Fault) -> None:
        self.folder = folder
        self._path = str(folder / "store.db")
        self._fault = fault
        self._lock: TextIOWrapper | None = None
        self._writer: apsw.Connection | None = None
        self.closed = False
        self._idle: deque[apsw.Connection] = deque()
        self._lacks_rights = False
        """Whether a connection met a store of an older program."""
        self._one_writer = threading.Lock()

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False, fault: Fault = no_fault) -> Store:
        """Open the store in `folder`; a writer creates what is missing and holds the write lock until `close`.

        Raises StoreBusy when another process writes, StoreError when the folder holds no usable store.
        """
        require_sound_sqlite()
        store = cls(folder, fault=fault)
        try:
            with _translated(folder):
                store._open_to_read() if read_only else store._open_to_write()
        except BaseException:
            store.close()
            raise
        return store

    @property
    def read_only(self) -> bool:
        """Whether this process may only read."""
        return self._lock is None

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """Give a connection that sees one state of the store for as long as it is held."""
        with _translated(self.folder):
            db = self._borrow()
            try:
                db.execute("BEGIN")
                yield db
            finally:
                with suppress(apsw.Error):
                    db.execute("ROLLBACK")
                self._give_back(db)

    @contextmanager
    def writing(self) -> Iterator[apsw.Connection]:
        """Give the writing connection for one transaction: durable when this returns, undone when it raises."""
        with self._one_writer, _translated(self.folder):
            db = self._writing_connection()
            db.execute("BEGIN IMMEDIATE")
            try:
                before = db.total_changes()
                self._fault("begun")
                yield db
                if db.total_changes() != before:
                    db.execute("UPDATE state SET change = change + 1, stamp = hex(randomblob(16))")
                    db.execute("INSERT OR REPLACE INTO stamps SELECT change, stamp FROM state")
                self._fault("before commit")
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            self._fault("after commit")

    def tidy(self) -> None:
        """Move the log into the database file, and forget removals that a reader is unlikely to ask for still."""
        with self._one_writer, _translated(self.folder):
            db = self._writing_connection()
            with db:
                db.execute("UPDATE state SET removals_after = max(removals_after, change - ?)", (_REMEMBERED_CHANGES,))
                db.execute("DELETE FROM removals WHERE change <= (SELECT removals_after FROM state)")
                db.execute("DELETE FROM stamps WHERE change <= (SELECT change FROM state) - ?", (_REMEMBERED_STAMPS,))
            with suppress(apsw.BusyError):  # a reader is at work: the next call moves the rest
                db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def close(self) -> None:
        """Close every idle connection and release the lock; connections still lent out close when given back."""
        with self._one_writer:
            self.closed = True
            self._close_idle()
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def is_written_elsewhere(self) -> bool:
        """Whether another process holds the write lock now. Asked for by taking a share of it, for no time."""
        if self._lock is not None:
            return False
        try:
            with (self.folder / "writer.lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # nobody ever wrote, or it is not to be seen
            return False
        return False

    def require_writing(self) -> None:
        """Raise StoreError unless this process may write."""
        self._writing_connection()

    def take_over(self) -> None:
        """Become the writer of a store that was opened for reading; nothing to do for one that is it already.

        Raises StoreBusy while another process writes.
        """
        with self._one_writer, _translated(self.folder):
            if self._writer is None and not self.closed:
                self._open_to_write()

    def _open_to_read(self) -> None:
        if not Path(self._path).exists():
            raise StoreError(f"no store in {self.folder}; ingest articles first (`qa ingest PATH`)")
        db = self._borrow()
        self._idle.append(db)
        create_tables(db, where=self._path, read_only=True)

    def _open_to_write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = _write_lock(self.folder)
        self._writer = db = _configured(apsw.Connection(self._path))
        db.pragma("synchronous", "FULL")
        db.pragma("journal_size_limit", 67_108_864)
        create_tables(db, where=self._path, read_only=False)

    def _borrow(self) -> apsw.Connection:
        if self.closed:
            raise StoreError(f"the store in {self.folder} was closed")
        try:
            db = self._idle.pop()
        except IndexError:
            db = _configured(_reader(self._path))
            self._lacks_rights |= show_rights(db)
        else:
            if self._lacks_rights:
                show_rights(db)
        return db

    def _give_back(self, db: apsw.Connection) -> None:
        self._idle.append(db)
        if self.closed:
            self._close_idle()

    def _close_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def _writing_connection(self) -> apsw.Connection:
        if self._writer is not None:
            return self._writer
        if self.closed:
            raise StoreError(f"the store in {self.folder} was closed")
        raise StoreReadOnly(f"the store in {self.folder} was opened for reading only")


def _reader(path: str) -> apsw.Connection:
    """A connection that only reads.

    Readers share a file beside the database, which somebody has to be able to make. Where nobody can and nobody is
    writing (there is no such file, and nothing in the log), the database is as good as a file that never changes.
    """
    shared, log = Path(f"{path}-shm"), Path(f"{path}-wal")
    alone = not shared.exists() and not (log.exists() and log.stat().st_size)
    if alone and not os.access(Path(path).parent, os.W_OK):
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        return apsw.Connection(f"{Path(path).absolute().as_uri()}?immutable=1", flags=flags)
    return apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)


def _configured(db: apsw.Connection) -> apsw.Connection:
    db.set_busy_timeout(5_000)
    db.pragma("cache_size", -16_000)
    return db


def _write_lock(folder: Path) -> TextIOWrapper:
    """Take the lock that one writing process holds; the file says who holds it."""
    lock = (folder / "writer.lock").open("a+")
    try:
        _take(lock)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise StoreBusy(
            f"{holder} is writing to the store in {folder}. Send the articles to that service "
            "(POST /api/articles, or QA_SERVICE_URL with its address), or stop it first; reading is possible meanwhile"
        ) from error
    lock.truncate(0)
    lock.write(f"process {os.getpid()} (since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC)")
    lock.flush()
    return lock


def _take(lock: TextIOWrapper) -> None:
    """Take it; whoever only asks whether it is taken has a share of it for a moment, and is waited for."""
    for pause in _PAUSES:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause)
        else:
            return
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into our own errors, naming the store."""
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise StoreCorrupt(
            f"the database in {folder} is damaged ({error}). Restore a backup, or move the folder away and ingest again"
        ) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StoreBusy(f"the store in {folder} stayed locked by another process ({error}); try again") from error
    except apsw.FullError as error:
        raise _full(folder) from error
    except UnicodeDecodeError as error:
        raise StoreCorrupt(
            f"the store in {folder} holds bytes that are no text ({error}); see `qa index verify`"
        ) from error
    except (apsw.Error, OSError) as error:
        if getattr(error, "errno", None) in _NO_ROOM:
            raise _full(folder) from error
        if isinstance(error, apsw.ReadOnlyError) or getattr(error, "errno", None) in _NO_RIGHT:
            raise StoreReadOnly(f"the folder {folder} cannot be written: {error}") from error
        raise StoreError(f"the store in {folder} cannot be used: {error}") from error


def _full(folder: Path) -> StoreFull:
    return StoreFull(
        f"the disk of {folder} is full; nothing of the last article was written. Make room, then send it again; "
        "what is stored can be searched meanwhile"
    )


def copy_database(source: Path, target: Path) -> None:
    """Copy a database with what stands in its log only, as one state; nobody who uses it has to wait.

    Raises StoreError where the source cannot be read whole, or the target not be written.
    """
    try:
        opened = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)
        copied = apsw.Connection(str(target))
        try:
            opened.set_busy_timeout(5_000)
            with copied.backup("main", opened, "main") as copying:
                copying.step(-1)
            copied.pragma("journal_mode", "delete")  # one file, no log beside it
            copied.pragma("synchronous", "extra")
            damaged = copied.pragma("integrity_check")
        finally:
            copied.close()
            opened.close()
    except (apsw.Error, OSError) as error:
        raise StoreError(f"{source} cannot be copied to {target}: {error}") from error
    if damaged != "ok":
        raise StoreError(f"the copy of {source} is damaged, most likely as the file itself is; see `qa index verify`")
