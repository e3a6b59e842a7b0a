"""Connections to the server: `reading()` sees one state and changes nothing, `writing()` is one durable transaction."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from ipaddress import ip_address
from typing import Any, TypeAlias, TypeVar

import msgspec
import psycopg
from psycopg import Error, IsolationLevel, errors
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from embeddings.errors import StoreBusy, StoreError, StoreFull, StoreReadOnly
from embeddings.postgres import schema as schemas
from embeddings.postgres.schema import adapt
from embeddings.types import Place

T = TypeVar("T")
_ATTEMPT_SECONDS = 2.0
_GRACE_SECONDS = 2.0
"""What a server may take to say that time is up, before it counts as away."""
_CONNECT_SECONDS = 10
_ABANDONED_SECONDS = 60
"""A transaction in which nobody says anything for so long is undone: others wait for what it holds locked."""
Connection: TypeAlias = psycopg.Connection[TupleRow]
_BUSY = (
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.QueryCanceled,
    errors.SerializationFailure,
    errors.TooManyConnections,
)
_READ_ONLY = (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)


def exists(url: str, *, schema: str) -> bool:
    """Whether a schema of a database holds a store. Raises StoreError where the server cannot be asked."""
    address = parse(url)
    with _translated(address), psycopg.connect(address.conninfo, autocommit=True) as db:
        return schemas.version_of(db, schema, tables=schemas.ARTICLES) > 0


class _Bounded(psycopg.Connection[TupleRow]):
    """A connection that is closed when its server says nothing for too long.

    The server's own limit ends a statement only while the server is there: one that is frozen, or cut off without a
    word, would be waited for as long as the system keeps the connection, which may be hours.
    """

    patience: float | None = None
    """Seconds for one statement; None: any."""

    def wait(self, gen: PQGen[T], *args: Any, **more: Any) -> T:
        """Take part in what the driver waits for."""
        if self.patience is None:
            return super().wait(gen, *args, **more)
        try:
            return super().wait(_within(gen, self.patience), *args, **more)
        except _Silent:
            self.close()
            raise


class _Silent(psycopg.OperationalError):
    """The server says nothing."""


def _within(gen: PQGen[T], seconds: float) -> PQGen[T]:
    """Wait for the server as `gen` does; raise _Silent where nothing has come when so much time has passed."""
    until = time.monotonic() + seconds
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() >= until:
                raise _Silent(f"no answer within {seconds:g} s")
            wanted = gen.send(ready)
    except StopIteration as end:
        result: T = end.value
        return result


class Database:
    """A pool of connections to one store; any thread may use it."""

    def __init__(self, place: Place, *, read_only: bool, tables: schemas.Tables = schemas.ARTICLES) -> None:
        self.address = parse(place.server, patience=place.timeout)
        self.schema = place.schema
        self._tables = tables
        self.read_only = read_only
        self._timeout = place.timeout
        self._patience = place.timeout + _GRACE_SECONDS
        self._path = ""
        self._pool: ConnectionPool[_Bounded] = ConnectionPool(
            self.address.conninfo,
            connection_class=_Bounded,
            min_size=1,
            max_size=place.connections,
            open=False,
            # Never prepared: filters differ too much for one plan, and poolers between us and the server need not know.
            kwargs={"autocommit": True, "prepare_threshold": None},
            configure=self._configure,
            check=ConnectionPool.check_connection,
            # Given up soon, and begun again by whoever waits: else the pauses would outlast the server's.
            reconnect_timeout=_ATTEMPT_SECONDS,
            num_workers=1,
            name="sourceline",
        )

    @classmethod
    def open(cls, place: Place, *, read_only: bool, tables: schemas.Tables = schemas.ARTICLES) -> Database:
        """Connect, and bring the tables up to date where this process writes.

        Raises StoreError where the server is not there, refuses us, or is not fit for a store.
        """
        database = cls(place, read_only=read_only, tables=tables)
        address, schema = database.address, database.schema
        with _translated(address), psycopg.connect(address.conninfo, autocommit=True) as db:
            schemas.require_sound_server(db)
            schemas.ensure_vectors(db, read_only=read_only)
            schemas.migrate(db, schema, tables=tables, read_only=read_only)
            database._path = schemas.search_path(db, schema)
        with _translated(address):
            database._pool.open()
        return database

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._pool.closed

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the store for as long as it is held."""
        with self._lent() as db:
            db.isolation_level, db.read_only = IsolationLevel.REPEATABLE_READ, True
            with db.transaction():
                yield db

    @contextmanager
    def writing(self, *, alone: bool = False) -> Iterator[Connection]:
        """Give a connection for one transaction: durable when this returns, undone when it raises.

        Any number may write at once; one that wants to be `alone` waits until the others have ended, and they for it.
        """
        self.require_writing()
        with self._lent() as db:
            db.isolation_level, db.read_only = IsolationLevel.READ_COMMITTED, False
            with db.transaction():
                shared = "" if alone else "_shared"
                key = schemas.lock_key(f"writing {self._tables.kind}".rstrip(), self.schema)
                db.execute(f"SELECT pg_advisory_xact_lock{shared}(%s)", (key,))
                yield db

    @contextmanager
    def maintaining(self) -> Iterator[Connection | None]:
        """Give a connection for statements that take long and stand outside of transactions; None while another
        process has one."""
        self.require_writing()
        with self._lent() as db:
            db.isolation_level, db.read_only = IsolationLevel.READ_COMMITTED, False
            key = schemas.lock_key("maintenance", self.schema)
            if db.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone() != (True,):
                yield None
                return
            try:
                db.execute("SELECT set_config('statement_timeout', '0', false)")
                db.patience = None
                yield db
            finally:
                if not db.broken:
                    db.execute("SELECT pg_advisory_unlock(%s)", (key,))
                    self._configure(db)

    def require_writing(self) -> None:
        """Raise StoreError unless this process may write."""
        if self.closed:
            raise StoreError(f"the store {self.address.shown} was closed")
        if self.read_only:
            raise StoreReadOnly(f"the store {self.address.shown} was opened for reading only")

    def close(self) -> None:
        """Close every connection. Idempotent."""
        self._pool.close()

    @contextmanager
    def _lent(self) -> Iterator[_Bounded]:
        if self.closed:
            raise StoreError(f"the store {self.address.shown} was closed")
        with _translated(self.address):
            db = self._borrowed()
            try:
                yield db
            finally:
                self._pool.putconn(db)

    def _borrowed(self) -> _Bounded:
        """A connection that works, as soon as there is one. Raises PoolTimeout."""
        until = time.monotonic() + self._timeout
        while True:
            left = until - time.monotonic()
            try:
                return self._pool.getconn(timeout=max(0.01, min(left, _ATTEMPT_SECONDS)))
            except PoolTimeout:
                if left <= _ATTEMPT_SECONDS or time.monotonic() >= until:  # a frozen server keeps us longer
                    raise PoolTimeout(f"for {self._timeout:g} s") from None

    def _configure(self, db: _Bounded) -> None:
        db.patience = self._patience
        # As planners reckon with spinning disks unless told otherwise, they read whole tables for a tenth of the rows.
        # A client that is gone without a word, with its machine perhaps, the server takes for there for two hours.
        db.execute(
            "SELECT set_config('search_path', %s, false), set_config('statement_timeout', %s, false),"
            " set_config('random_page_cost', '1.1', false),"
            " set_config('idle_in_transaction_session_timeout', %s, false),"
            " set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false),"
            " set_config('tcp_keepalives_count', '3', false)",
            (self._path, str(int(self._timeout * 1000)), str(_ABANDONED_SECONDS * 1000)),
        )
        adapt(db)


class LateDatabase:
    """A database that is connected to when it is first asked, and anew until that succeeds; any thread may use it."""

    def __init__(self, place: Place, *, tables: schemas.Tables, read_only: bool = False) -> None:
        self._place = place
        self._read_only = read_only
        self._tables = tables
        self._lock = threading.Lock()
        self._database: Database | None = None
        self._failed: StoreError | None = None

    def reading(self) -> AbstractContextManager[Connection]:
        """See `Database.reading`. Raises StoreError, also where it cannot be opened."""
        return self._opened().reading()

    def writing(self) -> AbstractContextManager[Connection]:
        """See `Database.writing`. Raises StoreError, also where it cannot be opened."""
        return self._opened().writing()

    def close(self) -> None:
        """Close the connections. Idempotent."""
        with self._lock:
            if self._database is not None:
                self._database.close()

    def _opened(self) -> Database:
        before = self._failed
        with self._lock:
            if self._database is None and self._failed is not None and self._failed is not before:
                # Whoever was first has just tried in vain: that all try, one after the other, would add up.
                raise type(self._failed)(str(self._failed))
            if self._database is None:
                try:
                    self._database = Database.open(self._place, read_only=self._read_only, tables=self._tables)
                except StoreError as error:
                    self._failed = error
                    raise
            return self._database


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A server and a database on it."""

    conninfo: str
    """For the driver; may hold a password."""
    shown: str
    """For messages."""
    password: str
    """To be struck out of whatever others say."""


def parse(url: str, *, patience: float = _CONNECT_SECONDS) -> Address:
    """Read a URL as libpq does; to other machines connections are encrypted unless it or PGSSLMODE says otherwise.

    So it is with the time to connect: `patience`, ten seconds at most.

    Raises StoreError, which repeats nothing of the URL.

    >>> parse("postgresql://reader:secret@db.example/news").shown
    'postgresql://reader@db.example/news'
    """
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except Error:
        raise StoreError(
            "QA_STORE cannot be read as an address; write postgresql://USER:PASSWORD@HOST:5432/DATABASE, with "
            "special characters of the password as %XX (docs/postgresql.md)"
        ) from None
    alive = {"keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
    defaults = {
        "application_name": "sourceline",
        **alive,
        "connect_timeout": str(min(_CONNECT_SECONDS, math.ceil(patience))),
    }
    if not all(map(_is_near, _hosts(given).split(","))) and "PGSSLMODE" not in os.environ:
        # The system's own roots vouch for names only, and the driver refuses anything less with them.
        defaults["sslmode"] = "verify-full" if given.get("sslrootcert") == "system" else "require"
    return Address(
        conninfo=make_conninfo("", **(defaults | given)), shown=_shown(given), password=given.get("password", "")
    )


def _hosts(given: dict[str, str]) -> str:
    """Which hosts libpq connects to."""
    named = os.environ.get("PGHOSTADDR") or os.environ.get("PGHOST") or ""
    return given.get("hostaddr") or given.get("host") or named


def _shown(given: dict[str, str]) -> str:
    user = f"{given['user']}@" if "user" in given else ""
    port = f":{given['port']}" if "port" in given else ""
    return f"postgresql://{user}{given.get('host', '')}{port}/{given.get('dbname', '')}"


def _is_near(host: str) -> bool:
    """Whether a host is this machine: a socket's folder, or a loopback address."""
    if host in {"", "localhost"} or host.startswith(("/", "@")):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def _translated(address: Address) -> Iterator[None]:
    """Turn what the driver raises into our own errors, naming the server and never the password."""
    try:
        yield
    except psycopg.Error as error:
        raise _ours(error, address) from None  # the driver's own error may quote the connection's address


def _without_password(text: str, address: Address) -> str:
    """A message on one line, the password struck out should it occur."""
    said = " ".join(text.split())
    return said.replace(address.password, "***") if address.password else said


def _ours(error: psycopg.Error, address: Address) -> StoreError:
    where, said = address.shown, _without_password(str(error), address)
    if isinstance(error, PoolClosed):
        return StoreError(f"the store {where} was closed")
    if isinstance(error, PoolTimeout):
        return StoreBusy(
            f"no connection to {where} was to be had in time ({said}): it is down, or all connections of this process "
            "are at work (QA_STORE_CONNECTIONS)"
        )
    if isinstance(error, errors.DiskFull):
        return StoreFull(f"the disk of {where} is full; nothing of the last article was written. Make room there")
    if isinstance(error, _READ_ONLY):
        return StoreReadOnly(
            f"{where} does not let this user write ({said}); docs/postgresql.md says which rights it needs"
        )
    if isinstance(error, _BUSY):
        return StoreBusy(f"{where} was too busy ({said}); try again, or raise QA_STORE_TIMEOUT_SECONDS")
    if isinstance(error, psycopg.OperationalError):
        return StoreError(
            f"no connection to {where} ({said}). Does the server run, does it let this machine in, and are user and "
            "password in QA_STORE right?"
        )
    return StoreError(f"the store {where} cannot be used ({said})")
