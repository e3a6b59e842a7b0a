"""Access data that services on one database share: the budgets of their callers, and the secret that signs.

The keys themselves are a setting (`QA_API_KEYS`), which must say the same to all of them. Only whoever keeps articles
on a server imports this: the driver is there only where it is needed.
"""

import asyncio
import logging
import secrets
from collections.abc import Sequence

import msgspec

from embeddings.errors import StoreError
from embeddings.postgres.database import Connection, LateDatabase
from embeddings.postgres.schema import Tables
from embeddings.types import Place
from qa.access.rate_limits import RateLimits, Spending, TokenBucket, spent

_log = logging.getLogger(__name__)

_CONNECTIONS = 4
_PATIENCE_SECONDS = 2.0
"""For the server to say what a caller has left, before this process counts for itself."""
_SECRET_BYTES = 32
_UNSEEN_SECONDS = 3_600
_TIDIED = 1_000
"""Once in so many times, buckets long unseen are removed: they are full again."""

_TABLES = Tables(
    kind="access",
    migrations=(
        """
-- Not in the server's log, and so not on its replicas: after a crash all budgets are full again.
CREATE UNLOGGED TABLE budgets (
    owner text COLLATE "C" PRIMARY KEY,
    rest double precision NOT NULL,
    seen timestamptz NOT NULL
);
CREATE TABLE secrets (
    name text PRIMARY KEY,
    value bytea NOT NULL
);
""",
    ),
)


class SharedAccess:
    """Budgets and the secret, of all services on one database. Connects when it is first asked."""

    def __init__(self, place: Place) -> None:
        timeout = min(_PATIENCE_SECONDS, place.timeout)
        self._database = LateDatabase(
            msgspec.structs.replace(place, connections=_CONNECTIONS, timeout=timeout), tables=_TABLES
        )
        self._secret: bytes | None = None
        self._own = RateLimits()
        self._takings = 0

    async def take(self, buckets: Sequence[TokenBucket], *, cost: int) -> Spending:
        """Take the cost out of every bucket, or out of none; while the server is away, of this process alone."""
        try:
            return await asyncio.to_thread(self._take, buckets, cost)
        except StoreError as error:
            _log.warning("budgets are counted by this process alone: %s", error)
            return self._own.spend(buckets, cost=cost)

    def value(self) -> bytes:
        """The secret, made by the service that first asks. Raises OSError where it can be neither read nor made."""
        if self._secret is None:
            try:
                self._secret = self._kept_secret()
            except StoreError as error:
                raise OSError(f"the secret that signs tokens cannot be had: {error}") from error
        return self._secret

    def close(self) -> None:
        """Close the connections. Idempotent."""
        self._database.close()

    def _kept_secret(self) -> bytes:
        with self._database.writing() as db:
            new = secrets.token_bytes(_SECRET_BYTES)
            db.execute("INSERT INTO secrets VALUES ('signing', %s) ON CONFLICT DO NOTHING", (new,))
            ((found,),) = db.execute("SELECT value FROM secrets WHERE name = 'signing'").fetchall()
        return bytes(found)

    def _take(self, buckets: Sequence[TokenBucket], cost: int) -> Spending:
        """Owners are locked in alphabetical order, so that no two services wait for each other."""
        ordered = sorted(buckets, key=lambda bucket: bucket.owner)
        owners = [bucket.owner for bucket in ordered]
        with self._database.writing() as db:
            db.execute(
                "INSERT INTO budgets SELECT owner, rest, clock_timestamp() FROM unnest(%s::text[], %s::float8[])"
                " AS given (owner, rest) ON CONFLICT DO NOTHING",
                (owners, [float(bucket.per_minute) for bucket in ordered]),
            )
            rows = db.execute(
                "SELECT owner, rest, extract(epoch FROM clock_timestamp() - seen)::float8 FROM budgets"
                " WHERE owner = ANY(%s) ORDER BY owner FOR UPDATE",
                (owners,),
            )
            held = {owner: (rest, max(0.0, ago)) for owner, rest, ago in rows}
            # What another service has just tidied away was full.
            full = {bucket.owner: (float(bucket.per_minute), 0.0) for bucket in ordered}
            spending, left = spent(ordered, [(full | held)[owner] for owner in owners], cost=cost)
            db.execute(
                "UPDATE budgets SET rest = given.rest, seen = clock_timestamp()"
                " FROM unnest(%s::text[], %s::float8[]) AS given (owner, rest) WHERE budgets.owner = given.owner",
                (owners, left),
            )
            self._tidy(db)
        return spending

    def _tidy(self, db: Connection) -> None:
        self._takings += 1
        if self._takings % _TIDIED == 0:
            db.execute(
                "DELETE FROM budgets WHERE owner IN (SELECT owner FROM budgets"
                " WHERE seen < clock_timestamp() - make_interval(secs => %s) FOR UPDATE SKIP LOCKED)",
                (_UNSEEN_SECONDS,),
            )
