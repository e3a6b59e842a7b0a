"""Token buckets: who asks and what it costs in, allowed or when to come back out.

Used from the event loop only, so that plain arithmetic is exact.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from time import monotonic

import msgspec

__all__ = ["RateLimits", "Spending", "TokenBucket"]


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


class RateLimits:
    """The buckets of all clients; those of clients long unseen are full again and forgotten."""

    def __init__(self, *, clock: Callable[[], float] = monotonic, most: int = 100_000) -> None:
        """At most so many clients are remembered; the least recent are forgotten first."""
        self._clock = clock
        self._most = most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def spend(self, buckets: Sequence[TokenBucket], *, cost: int) -> Spending:
        """Take the cost out of every bucket (of at least one), or, where one holds too little, out of none."""
        now = self._clock()
        left = [self._in(bucket, now) for bucket in buckets]
        costs = [
            min(cost, bucket.per_minute) for bucket in buckets
        ]  # what costs more than a full bucket must stay possible
        waits = [
            max(0.0, (price - rest) * 60 / bucket.per_minute)
            for bucket, rest, price in zip(buckets, left, costs, strict=True)
        ]
        allowed = not any(waits)
        if allowed:
            left = [rest - price for rest, price in zip(left, costs, strict=True)]
        for bucket, rest in zip(buckets, left, strict=True):
            self._left[bucket.owner] = (rest, now)
            self._left.move_to_end(bucket.owner)
        while len(self._left) > self._most:
            self._left.popitem(last=False)
        rest, bucket = min(zip(left, buckets, strict=True), key=lambda pair: pair[0] / pair[1].per_minute)
        return Spending(
            allowed=allowed,
            limit=bucket.per_minute,
            remaining=int(rest),
            full_in_seconds=math.ceil((bucket.per_minute - rest) * 60 / bucket.per_minute),
            retry_after=math.ceil(max(waits)),
        )

    def _in(self, bucket: TokenBucket, now: float) -> float:
        rest, seen = self._left.get(bucket.owner, (float(bucket.per_minute), now))
        return min(float(bucket.per_minute), rest + (now - seen) * bucket.per_minute / 60)
