"""Takes one value per question and what each question belongs to, gives their mean with n and a 95 % interval.

Questions on one article are not independent: intervals come from resampling whole groups of them (cluster bootstrap,
Field and Welsh, 2007), or from Wilson's formula (1927) where every question stands alone and is right or wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = ["NOTHING", "Estimate", "Floats", "Indices", "mean", "resampled", "wilson"]

RESAMPLES = 2_000
_STATISTIC_RESAMPLES = 500
_AT_ONCE = 250
_CONFIDENCE = 0.95
_Z = 1.959963984540054
"""Two-sided, of the normal distribution."""
_DIGITS = 6

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A measured value, what it was measured on, and how sure one can be of it."""

    value: float | None
    """None where nothing was measured: never NaN."""
    low: float | None
    high: float | None
    n: int
    """Questions, claims or citations, as the measure says."""
    groups: int
    """Groups among them that are taken to be independent."""
    method: Literal["wilson", "bootstrap", "none"]


NOTHING = Estimate(value=None, low=None, high=None, n=0, groups=0, method="none")
"""What is known of a measure that applied to nothing."""


def wilson(successes: int, n: int) -> tuple[float, float]:
    """95 % interval of a rate.

    >>> tuple(round(end, 3) for end in wilson(8, 10))
    (0.49, 0.943)
    """
    if n == 0:
        return 0.0, 1.0
    z2 = _Z**2
    middle = (successes + z2 / 2) / (n + z2)
    half = _Z / (n + z2) * math.sqrt(successes * (n - successes) / n + z2 / 4)
    # At the ends the formula gives 0 and 1 but for rounding.
    return 0.0 if successes == 0 else middle - half, 1.0 if successes == n else middle + half


def mean(values: Sequence[float], *, groups: Sequence[str], seed: int = 0) -> Estimate:
    """Mean of one value per item, items of one group counting as one draw.

    >>> mean([1, 0, 1, 1], groups=["a", "b", "c", "d"]).value
    0.75
    """
    measured = np.asarray(values, np.float64)
    if not measured.size:
        return NOTHING
    numbers, count = _numbered(groups)
    # Where all values are the same the bootstrap sees no spread; the groups then count as so many trials.
    same = bool(np.all(measured == measured[0])) and measured[0] in (0.0, 1.0)
    if same or (count == measured.size and bool(np.all((measured == 0.0) | (measured == 1.0)))):
        low, high = wilson(round(float(measured.mean()) * count), count)
        return _estimate(float(measured.mean()), low, high, measured.size, count, "wilson")
    means = _resampled_means(measured, numbers, count, seed)
    low, high = np.quantile(means, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    return _estimate(float(measured.mean()), float(low), float(high), measured.size, count, "bootstrap")


def resampled(statistic: Callable[[Indices], float | None], *, groups: Sequence[str], seed: int = 0) -> Estimate:
    """A statistic of items given by their indices, with an interval from resampling groups.

    Samples in which it does not exist (None) are left out.
    """
    numbers, count = _numbered(groups)
    everything = np.arange(len(groups))
    value = statistic(everything) if everything.size else None
    if value is None:
        return NOTHING
    members = [np.flatnonzero(numbers == number) for number in range(count)]
    rng = np.random.default_rng(seed)
    drawn = (
        statistic(np.concatenate([members[number] for number in rng.integers(0, count, count)]))
        for _ in range(_STATISTIC_RESAMPLES)
    )
    known = [one for one in drawn if one is not None]
    if not known or min(known) == max(known):
        # No spread among samples is no certainty: with so few mistakes the bootstrap has nothing to say.
        return Estimate(value=round(value, _DIGITS), low=None, high=None, n=len(groups), groups=count, method="none")
    low, high = np.quantile(known, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    return _estimate(value, float(low), float(high), len(groups), count, "bootstrap")


def _numbered(groups: Sequence[str]) -> tuple[Indices, int]:
    """Groups as numbers in the order of their first appearance, and how many there are."""
    order = {name: number for number, name in enumerate(dict.fromkeys(groups))}
    return np.fromiter((order[name] for name in groups), np.int64, len(groups)), len(order)


def _resampled_means(values: Floats, numbers: Indices, count: int, seed: int) -> Floats:
    sums, sizes = np.bincount(numbers, values, count), np.bincount(numbers, minlength=count)
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(RESAMPLES // _AT_ONCE):
        drawn = rng.integers(0, count, (_AT_ONCE, count))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    return np.concatenate(means)


def _estimate(
    value: float, low: float, high: float, n: int, groups: int, method: Literal["wilson", "bootstrap"]
) -> Estimate:
    return Estimate(
        value=round(value, _DIGITS),
        low=round(low, _DIGITS),
        high=round(high, _DIGITS),
        n=n,
        groups=groups,
        method=method,
    )
