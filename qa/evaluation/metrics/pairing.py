"""Takes two runs' values for the same questions, gives their difference and whether chance could have made it.

Sources: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), for the interval; Fisher's randomisation test
as Smucker, Allan and Carterette (2007) recommend it for retrieval, for the probability. Both draw whole groups of
questions, and both runs' values of a group together. A run may have no value for a question (it declined it): means
are then over different questions, and it is still the means that are compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = ["Difference", "Pair", "compare", "compare_all", "paired_bootstrap"]

_RESAMPLES = 10_000
_AT_ONCE = 500
_DIGITS = 6
_ROUNDING = 1e-9
"""The same sum added up in another order is as large."""

Values = Sequence[float | None]
Pair = tuple[Values, Values]
"""What one run and the other have for each question; None where a run has nothing."""
Matrix = npt.NDArray[np.float64]


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


def compare(one: Values, other: Values, *, groups: Sequence[str], seed: int = 0) -> Difference:
    """Compare two runs in one measure; see `compare_all`.

    >>> compare([1, 1], [1, 1], groups=["a", "b"]).p
    1.0
    """
    return compare_all([(one, other)], groups=groups, seed=seed)[0]


def compare_all(pairs: Sequence[Pair], *, groups: Sequence[str], seed: int = 0) -> list[Difference]:
    """Compare in several measures, by the same draws of groups; deterministic for a seed.

    Raises ValueError where the lengths differ, or a run has no value at all.
    """
    for one, other in pairs:
        if not len(one) == len(other) == len(groups):
            raise ValueError(f"{len(one)}, {len(other)} and {len(groups)} values are not pairs with their groups")
        if all(value is None for value in one) or all(value is None for value in other):
            raise ValueError("there is nothing to compare where a run has no value")
    order = {name: number for number, name in enumerate(dict.fromkeys(groups))}
    numbers = np.fromiter((order[name] for name in groups), np.int64, len(groups))
    sums = np.stack([_by_group(values, numbers, len(order)) for pair in pairs for values in pair])
    sums = sums.reshape(len(pairs), 2, 2, len(order))
    drawn, exchanged = _resampled(sums, np.random.default_rng(seed))
    return [
        _difference(pair, sums[number], drawn[:, number], exchanged[:, number]) for number, pair in enumerate(pairs)
    ]


def paired_bootstrap(one: Sequence[float], other: Sequence[float], *, seed: int = 0) -> tuple[float, float, float]:
    """Mean difference (`one` - `other`) over the same questions, each its own group, with its 95 % interval."""
    if not len(one):
        return 0.0, 0.0, 0.0
    found = compare(one, other, groups=[str(number) for number in range(len(one))], seed=seed)
    return found.mean, found.low, found.high


def _by_group(values: Values, numbers: npt.NDArray[np.int64], count: int) -> Matrix:
    """Sum and number of a run's values in each group."""
    known = np.fromiter((value is not None for value in values), np.bool_, len(values))
    filled = np.fromiter((value or 0.0 for value in values), np.float64, len(values))
    return np.stack([np.bincount(numbers, filled, count), np.bincount(numbers, known, count)])


def _resampled(sums: Matrix, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
    """Differences of the means over groups drawn with replacement, and with the runs exchanged in random groups."""
    groups = sums.shape[-1]
    ours, theirs = sums[:, 0].reshape(-1, groups), sums[:, 1].reshape(-1, groups)
    shape = (_AT_ONCE, sums.shape[0], 2)
    drawn, exchanged = [], []
    for _ in range(_RESAMPLES // _AT_ONCE):
        weights = rng.multinomial(groups, np.full(groups, 1 / groups), _AT_ONCE).astype(np.float64)
        drawn.append(_gap((weights @ ours.T).reshape(shape), (weights @ theirs.T).reshape(shape)))
        kept = rng.integers(0, 2, (_AT_ONCE, groups)).astype(np.float64)
        mixed = kept @ (ours - theirs).T
        exchanged.append(_gap((theirs.sum(axis=1) + mixed).reshape(shape), (ours.sum(axis=1) - mixed).reshape(shape)))
    return np.concatenate(drawn), np.concatenate(exchanged)


def _gap(ours: Matrix, theirs: Matrix) -> Matrix:
    """Difference of two means given as (sum, number); NaN where a sample has no value of one run."""
    with np.errstate(invalid="ignore", divide="ignore"):
        gap: Matrix = ours[..., 0] / ours[..., 1] - theirs[..., 0] / theirs[..., 1]
    return gap


def _difference(pair: Pair, sums: Matrix, drawn: Matrix, exchanged: Matrix) -> Difference:
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
