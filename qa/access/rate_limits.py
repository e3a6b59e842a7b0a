"""Rate limits for each client: token buckets for requests per minute, a limit for concurrent requests.

Seats keep one client from holding the whole queue while others wait. The buckets of one process are used from its
event loop only, so that plain arithmetic is exact; `shared.SharedAccess` keeps those of several.
"""

import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Protocol

import msgspec


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
