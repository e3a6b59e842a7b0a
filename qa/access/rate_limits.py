"""How much each client may ask for: token buckets for what is asked in a minute, seats for what is under way at once.

Seats keep one client from holding the whole queue while others wait. The buckets of one process are used from its
event loop only, so that plain arithmetic is exact; `SharedAccess` keeps those of several.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Protocol

import msgspec

from embeddings.errors import StoreError
from embeddings.postgres.database import Connection, LateDatabase
from embeddings.postgres.schema import Tables
from embeddings.types import Place

__all__ = ["Budgets", "ConcurrencyLimit", "RateLimits", "SharedAccess", "Spending", "TokenBucket", "spent"]


class TokenBucket(msgspec.Struct, frozen=True, kw_only=True):
    """What one client may spend: `per_minute` at once, after that as much again each minute."""

    owner: str
    per_minute: int


class Spending(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an attempt to spend; of several buckets, the one that is nearest to empty."""

    allowed: bool
    limit: int
    remaining: int
    full_in_seconds: int
    """Until nothing of the bucket is spent."""
    retry_after: int
    """Seconds until the same attempt succeeds; 0 where it did."""


class Budgets(Protocol):
    """What clients have left."""

    async def take(self, buckets: Sequence[TokenBucket], *, cost: int) -> Spending:
        """Take the cost out of every bucket (of at least one), or, where one holds too little, out of none."""


def spent(
    buckets: Sequence[TokenBucket], before: Sequence[tuple[float, float]], *, cost: int
) -> tuple[Spending, list[float]]:
    """What spending comes to, and what is left in each bucket.

    `before`: what was in each when it was last looked at, and how many seconds ago that was.

    >>> spent([TokenBucket(owner="a", per_minute=60)], [(3.0, 2.0)], cost=10)[0].retry_after
    5
    """
    left = [
        min(float(bucket.per_minute), rest + ago * bucket.per_minute / 60)
        for bucket, (rest, ago) in zip(buckets, before, strict=True)
    ]
    # What costs more than a full bucket must stay possible.
    costs = [min(cost, bucket.per_minute) for bucket in buckets]
    waits = [
        max(0.0, (price - rest) * 60 / bucket.per_minute)
        for bucket, rest, price in zip(buckets, left, costs, strict=True)
    ]
    allowed = not any(waits)
    if allowed:
        left = [rest - price for rest, price in zip(left, costs, strict=True)]
    rest, bucket = min(zip(left, buckets, strict=True), key=lambda pair: pair[0] / pair[1].per_minute)
    spending = Spending(
        allowed=allowed,
        limit=bucket.per_minute,
        remaining=int(rest),
        full_in_seconds=math.ceil((bucket.per_minute - rest) * 60 / bucket.per_minute),
        retry_after=math.ceil(max(waits)),
    )
    return spending, left


class RateLimits:
    """The buckets of all clients; those of clients long unseen are full again and forgotten."""

    def __init__(self, *, clock: Callable[[], float] = monotonic, most: int = 100_000) -> None:
        """At most so many clients are remembered; the least recent are forgotten first."""
        self._clock = clock
        self._most = most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def take(self, buckets: Sequence[TokenBucket], *, cost: int) -> Spending:
        """See `Budgets`."""
        return self.spend(buckets, cost=cost)

    def spend(self, buckets: Sequence[TokenBucket], *, cost: int) -> Spending:
        """Take the cost out of every bucket (of at least one), or, where one holds too little, out of none."""
        now = self._clock()
        spending, left = spent(buckets, [self._before(bucket, now) for bucket in buckets], cost=cost)
        for bucket, rest in zip(buckets, left, strict=True):
            self._left[bucket.owner] = (rest, now)
            self._left.move_to_end(bucket.owner)
        while len(self._left) > self._most:
            self._left.popitem(last=False)
        return spending

    def _before(self, bucket: TokenBucket, now: float) -> tuple[float, float]:
        rest, seen = self._left.get(bucket.owner, (float(bucket.per_minute), now))
        return rest, now - seen


class ConcurrencyLimit:
    """The seats taken now, by client."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def take(self, limits: Mapping[str, int]) -> bool:
        """Take one seat of each client, or, where one has as many as its limit, of none."""
        if any(self._taken[client] >= limit for client, limit in limits.items()):
            return False
        self._taken.update(limits.keys())
        return True

    def free(self, clients: Iterable[str]) -> None:
        """Give seats back."""
        for client in clients:
            self._taken[client] -= 1
            if self._taken[client] <= 0:
                del self._taken[client]


# --- What several services on one database share of access: the budgets of their callers, and the secret that signs
# The keys themselves are a setting (`QA_API_KEYS`), which must say the same to all of them.
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
        self._database = LateDatabase(
            place, tables=_TABLES, connections=_CONNECTIONS, timeout=min(_PATIENCE_SECONDS, place.timeout)
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
            spending, left = spent(ordered, [held[owner] for owner in owners], cost=cost)
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
