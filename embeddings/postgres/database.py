"""Connections to the server: `reading()` sees one state and changes nothing, `writing()` is one durable transaction."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

import psycopg
from psycopg import IsolationLevel
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolTimeout

from embeddings.errors import StoreError, StoreReadOnly
from embeddings.place import Place
from embeddings.postgres import schema as schemas
from embeddings.postgres.address import Address, parse
from embeddings.postgres.errors import translated
from embeddings.postgres.values import adapt

__all__ = ["Connection", "Database", "LateDatabase", "exists"]

_ATTEMPT_SECONDS = 2.0

Connection: TypeAlias = psycopg.Connection[TupleRow]


def exists(url: str, *, schema: str) -> bool:
    """Whether a schema of a database holds a store. Raises StoreError where the server cannot be asked."""
    address = parse(url)
    with translated(address), psycopg.connect(address.conninfo, autocommit=True) as db:
        return schemas.version_of(db, schema, tables=schemas.ARTICLES) > 0


class Database:
    """A pool of connections to one store; any thread may use it."""

    def __init__(
        self,
        address: Address,
        *,
        schema: str,
        read_only: bool,
        connections: int,
        timeout: float,
        tables: schemas.Tables = schemas.ARTICLES,
    ) -> None:
        self.address = address
        self.schema = schema
        self._tables = tables
        self.read_only = read_only
        self._timeout = timeout
        self._path = ""
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            address.conninfo,
            min_size=1,
            max_size=connections,
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
    def open(
        cls,
        url: str,
        *,
        schema: str,
        read_only: bool,
        connections: int,
        timeout: float,
        tables: schemas.Tables = schemas.ARTICLES,
    ) -> Database:
        """Connect, and bring the tables up to date where this process writes.

        Raises StoreError where the server is not there, refuses us, or is not fit for a store.
        """
        address = parse(url)
        database = cls(
            address, schema=schema, read_only=read_only, connections=connections, timeout=timeout, tables=tables
        )
        with translated(address), psycopg.connect(address.conninfo, autocommit=True) as db:
            schemas.require_sound_server(db)
            schemas.ensure_vectors(db, read_only=read_only)
            schemas.migrate(db, schema, tables=tables, read_only=read_only)
            database._path = schemas.search_path(db, schema)
        with translated(address):
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
    def _lent(self) -> Iterator[Connection]:
        if self.closed:
            raise StoreError(f"the store {self.address.shown} was closed")
        with translated(self.address):
            db = self._borrowed()
            try:
                yield db
            finally:
                self._pool.putconn(db)

    def _borrowed(self) -> Connection:
        """A connection that works, as soon as there is one. Raises PoolTimeout."""
        until = time.monotonic() + self._timeout
        while True:
            left = until - time.monotonic()
            try:
                return self._pool.getconn(timeout=max(0.01, min(left, _ATTEMPT_SECONDS)))
            except PoolTimeout:
                if left <= _ATTEMPT_SECONDS:
                    raise PoolTimeout(f"for {self._timeout:g} s") from None

    def _configure(self, db: Connection) -> None:
        # As planners reckon with spinning disks unless told otherwise, they read whole tables for a tenth of the rows.
        db.execute(
            "SELECT set_config('search_path', %s, false), set_config('statement_timeout', %s, false),"
            " set_config('random_page_cost', '1.1', false)",
            (self._path, str(int(self._timeout * 1000))),
        )
        adapt(db)


class LateDatabase:
    """A database that is connected to when it is first asked, and anew until that succeeds; any thread may use it."""

    def __init__(self, place: Place, *, tables: schemas.Tables, connections: int, timeout: float) -> None:
        self._place = place
        self._tables = tables
        self._connections = connections
        self._timeout = timeout
        self._lock = threading.Lock()
        self._database: Database | None = None

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
        with self._lock:
            if self._database is None:
                self._database = Database.open(
                    self._place.server,
                    schema=self._place.schema,
                    read_only=False,
                    connections=self._connections,
                    timeout=self._timeout,
                    tables=self._tables,
                )
            return self._database
