"""Mean, interval and percentiles of a value per question; the difference of two runs and its p-value.

Questions on one article are not independent: intervals come from resampling whole groups of them (cluster bootstrap,
Field and Welsh, 2007; Efron and Tibshirani, 1993), or from Wilson's formula (1927) where every question stands alone
and is right or wrong. The probability that chance made a difference is that of Fisher's randomisation test, as
Smucker, Allan and Carterette (2007) recommend it for retrieval. Both draw whole groups of questions, and both runs'
values of a group together. A run may have no value for a question (it declined it): means are then over different
questions, and it is still the means that are compared. Percentiles interpolate between order statistics (Hyndman and
Fan, 1996, definition 7).
"""

import math
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

RESAMPLES = 2_000
_STATISTIC_RESAMPLES = 500
_AT_ONCE = 250
_CONFIDENCE = 0.95
_Z = 1.959963984540054
"""Two-sided, of the normal distribution."""
_DIGITS = 6
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
_RESAMPLES = 10_000
_PAIRS_AT_ONCE = 500
_ROUNDING = 1e-9
"""The same sum added up in another order is as large."""
Values = Sequence[float | None]
Pair = tuple[Values, Values]
"""What one run and the other have for each question; None where a run has nothing."""


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


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Mean of one run less that of the other."""

    mean: float
    low: float
    high: float
    p: float
    """Two-sided: how often exchanging the runs at random, group by group, gives a difference as large."""
    n: tuple[int, int]
    """Values of either run."""
    groups: int

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves out 0 and chance is an unlikely explanation (p < 0.05)."""
        return self.p < 0.05 and not self.low <= 0.0 <= self.high


def compare(one: Values, other: Values, *, groups: Sequence[str]) -> Difference:
    """Compare two runs in one measure; see `compare_all`.

    >>> compare([1, 1], [1, 1], groups=["a", "b"]).p
    1.0
    """
    return compare_all([(one, other)], groups=groups)[0]


def compare_all(pairs: Sequence[Pair], *, groups: Sequence[str], seed: int = 0) -> list[Difference]:
    """Compare in several measures, by the same draws of groups; deterministic for a seed.

    Raises ValueError where the lengths differ, or a run has no value at all.
    """
    for one, other in pairs:
        if not len(one) == len(other) == len(groups):
            raise ValueError(f"{len(one)}, {len(other)} and {len(groups)} values are not pairs with their groups")
        if all(value is None for value in one) or all(value is None for value in other):
            raise ValueError("there is nothing to compare where a run has no value")
    numbers, count = _numbered(groups)
    sums = np.stack([_by_group(values, numbers, count) for pair in pairs for values in pair])
    sums = sums.reshape(len(pairs), 2, 2, count)
    drawn, exchanged = _resampled(sums, np.random.default_rng(seed))
    return [
        _difference(pair, sums[number], drawn[:, number], exchanged[:, number]) for number, pair in enumerate(pairs)
    ]


def _by_group(values: Values, numbers: npt.NDArray[np.int64], count: int) -> Floats:
    """Sum and number of a run's values in each group."""
    known = np.fromiter((value is not None for value in values), np.bool_, len(values))
    filled = np.fromiter((value or 0.0 for value in values), np.float64, len(values))
    return np.stack([np.bincount(numbers, filled, count), np.bincount(numbers, known, count)])


def _resampled(sums: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Differences of the means over groups drawn with replacement, and with the runs exchanged in random groups."""
    groups = sums.shape[-1]
    ours, theirs = sums[:, 0].reshape(-1, groups), sums[:, 1].reshape(-1, groups)
    shape = (_PAIRS_AT_ONCE, sums.shape[0], 2)
    drawn, exchanged = [], []
    for _ in range(_RESAMPLES // _PAIRS_AT_ONCE):
        weights = rng.multinomial(groups, np.full(groups, 1 / groups), _PAIRS_AT_ONCE).astype(np.float64)
        drawn.append(_gap((weights @ ours.T).reshape(shape), (weights @ theirs.T).reshape(shape)))
        kept = rng.integers(0, 2, (_PAIRS_AT_ONCE, groups)).astype(np.float64)
        mixed = kept @ (ours - theirs).T
        exchanged.append(_gap((theirs.sum(axis=1) + mixed).reshape(shape), (ours.sum(axis=1) - mixed).reshape(shape)))
    return np.concatenate(drawn), np.concatenate(exchanged)


def _gap(ours: Floats, theirs: Floats) -> Floats:
    """Difference of two means given as (sum, number); NaN where a sample has no value of one run."""
    with np.errstate(invalid="ignore", divide="ignore"):
        gap: Floats = ours[..., 0] / ours[..., 1] - theirs[..., 0] / theirs[..., 1]
    return gap


def _difference(pair: Pair, sums: Floats, drawn: Floats, exchanged: Floats) -> Difference:
    groups = int((sums[:, 1].sum(axis=0) > 0).sum())
    n = (int(sums[0, 1].sum()), int(sums[1, 1].sum()))
    if list(pair[0]) == list(pair[1]):
        return Difference(mean=0.0, low=0.0, high=0.0, p=1.0, n=n, groups=groups)
    gap = float(_gap(sums[0].sum(axis=-1), sums[1].sum(axis=-1)))
    low, high = np.quantile(drawn[np.isfinite(drawn)], [0.025, 0.975])
    known = exchanged[np.isfinite(exchanged)]
    extreme = int((np.abs(known) >= abs(gap) - _ROUNDING).sum())
    return Difference(
        mean=_rounded(gap),
        low=_rounded(float(low)),
        high=_rounded(float(high)),
        p=round((extreme + 1) / (known.size + 1), _DIGITS),
        n=n,
        groups=groups,
    )


def _rounded(value: float) -> float:
    return round(value, _DIGITS) + 0.0  # never -0.0


def percentile(milliseconds: Sequence[float] | Floats, share: float) -> float | None:
    """What `share` % of the questions did not take longer than; None where nothing was measured.

    >>> percentile([10.0, 20.0, 30.0], 50)
    20.0
    """
    return float(np.percentile(np.asarray(milliseconds, np.float64), share)) if len(milliseconds) else None
