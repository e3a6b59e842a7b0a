"""Measures of a ranking, and how sure one can be of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np

__all__ = ["first_rank", "ndcg", "paired_bootstrap", "reciprocal_rank", "wilson"]

_RESAMPLES = 10_000
_CONFIDENCE_Z = 1.959964
"""Two-sided 95 %."""


def first_rank(ranking: Sequence[str], relevant: Collection[str]) -> int | None:
    """Place, from 1, of the first relevant id; None where there is none.

    >>> first_rank(["a", "b"], {"b"}), first_rank(["a"], {"b"})
    (2, None)
    """
    return next((place for place, name in enumerate(ranking, start=1) if name in relevant), None)


def reciprocal_rank(rank: int | None, *, within: int) -> float:
    """One over a place, 0 beyond `within`.

    >>> reciprocal_rank(2, within=10), reciprocal_rank(11, within=10), reciprocal_rank(None, within=10)
    (0.5, 0.0, 0.0)
    """
    return 1.0 / rank if rank is not None and rank <= within else 0.0


def ndcg(ranking: Sequence[str], relevant: Collection[str], *, within: int) -> float:
    """Normalised discounted cumulative gain, every relevant id worth the same (Järvelin and Kekäläinen, 2002).

    >>> round(ndcg(["x", "gold"], {"gold"}, within=10), 3)
    0.631
    """
    gains = [1.0 / math.log2(place + 1) for place, name in enumerate(ranking[:within], start=1) if name in relevant]
    ideal = sum(1.0 / math.log2(place + 1) for place in range(1, min(len(relevant), within) + 1))
    return sum(gains) / ideal if ideal else 0.0


def wilson(successes: int, n: int) -> tuple[float, float]:
    """95 % interval of a rate (Wilson, 1927).

    >>> tuple(round(end, 3) for end in wilson(8, 10))
    (0.49, 0.943)
    """
    if n == 0:
        return 0.0, 1.0
    z2 = _CONFIDENCE_Z**2
    middle = (successes + z2 / 2) / (n + z2)
    half = _CONFIDENCE_Z / (n + z2) * math.sqrt(successes * (n - successes) / n + z2 / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


def paired_bootstrap(one: Sequence[float], other: Sequence[float], *, seed: int = 0) -> tuple[float, float, float]:
    """Mean difference (`one` - `other`) over the same questions, with its 95 % interval by resampling questions."""
    differences = np.asarray(one, np.float64) - np.asarray(other, np.float64)
    if not differences.size:
        return 0.0, 0.0, 0.0
    draws = np.random.default_rng(seed).integers(0, differences.size, (_RESAMPLES, differences.size))
    means = differences[draws].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(differences.mean()), float(low), float(high)
