"""Takes two runs' values for the same questions, gives their difference and whether chance could have made it.

Sources: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), for the interval; Fisher's randomisation test
as Smucker, Allan and Carterette (2007) recommend it for retrieval, for the probability. Both draw whole groups.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

__all__ = ["Difference", "compare", "paired_bootstrap"]

_RESAMPLES = 10_000
_AT_ONCE = 500
_DIGITS = 6


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Mean of `one - other` over the same questions."""

    mean: float
    low: float
    high: float
    p: float
    """Two-sided: how often exchanging the runs at random gives a difference as large."""
    n: int
    groups: int

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves out 0 and chance is an unlikely explanation (p < 0.05)."""
        return self.p < 0.05 and not self.low <= 0.0 <= self.high


def compare(one: Sequence[float], other: Sequence[float], *, groups: Sequence[str], seed: int = 0) -> Difference:
    """Compare question by question; deterministic for a seed. Raises ValueError where the lengths differ.

    >>> compare([1, 1], [1, 1], groups=["a", "b"]).p
    1.0
    """
    if not len(one) == len(other) == len(groups):
        raise ValueError(f"{len(one)}, {len(other)} and {len(groups)} values are not pairs with their groups")
    differences = np.asarray(one, np.float64) - np.asarray(other, np.float64)
    if not differences.any():
        return Difference(mean=0.0, low=0.0, high=0.0, p=1.0, n=len(one), groups=len(set(groups)))
    order = {name: number for number, name in enumerate(dict.fromkeys(groups))}
    numbers = np.fromiter((order[name] for name in groups), np.int64, len(groups))
    sums, sizes = np.bincount(numbers, differences), np.bincount(numbers)
    rng = np.random.default_rng(seed)
    means: list[float] = []
    extreme = 0
    for _ in range(_RESAMPLES // _AT_ONCE):
        drawn = rng.integers(0, sums.size, (_AT_ONCE, sums.size))
        means.extend(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
        signs = rng.integers(0, 2, (_AT_ONCE, sums.size)) * 2 - 1
        # A hair's breadth of tolerance: the same sum added up in another order is as large.
        extreme += int(np.sum(np.abs((signs * sums).sum(axis=1)) >= abs(sums.sum()) - 1e-9))
    low, high = np.quantile(means, [0.025, 0.975])
    return Difference(
        mean=round(float(differences.mean()), _DIGITS),
        low=round(float(low), _DIGITS),
        high=round(float(high), _DIGITS),
        p=round((extreme + 1) / (_RESAMPLES + 1), _DIGITS),
        n=len(one),
        groups=int(sums.size),
    )


def paired_bootstrap(one: Sequence[float], other: Sequence[float], *, seed: int = 0) -> tuple[float, float, float]:
    """Mean difference (`one` - `other`) over the same questions, each its own group, with its 95 % interval."""
    found = compare(one, other, groups=[str(number) for number in range(len(one))], seed=seed)
    return found.mean, found.low, found.high
