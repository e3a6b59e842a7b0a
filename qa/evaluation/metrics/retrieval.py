"""What a ranking of ids is worth, given the relevant ones."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

__all__ = ["average_precision", "first_rank", "hit", "ndcg", "recall", "reciprocal_rank"]


def first_rank(ranking: Sequence[str], relevant: Collection[str]) -> int | None:
    """Place, from 1, of the first relevant id; None where there is none.

    >>> first_rank(["a", "b"], {"b"}), first_rank(["a"], {"b"})
    (2, None)
    """
    return next((place for place, name in enumerate(ranking, start=1) if name in relevant), None)


def hit(ranking: Sequence[str], relevant: Collection[str], *, within: int) -> float:
    """1 where one of the first `within` ids is relevant: Hit@k, or success@k."""
    return float(any(name in relevant for name in ranking[:within]))


def recall(ranking: Sequence[str], relevant: Collection[str], *, within: int) -> float:
    """Share of the relevant ids that are among the first `within`; 0 where nothing is relevant.

    >>> recall(["a", "b", "c"], {"b", "z"}, within=2)
    0.5
    """
    return len(set(ranking[:within]).intersection(relevant)) / len(relevant) if relevant else 0.0


def reciprocal_rank(rank: int | None, *, within: int) -> float:
    """One over a place, 0 beyond `within`.

    >>> reciprocal_rank(2, within=10), reciprocal_rank(11, within=10), reciprocal_rank(None, within=10)
    (0.5, 0.0, 0.0)
    """
    return 1.0 / rank if rank is not None and rank <= within else 0.0


def ndcg(ranking: Sequence[str], relevant: Collection[str], *, within: int) -> float:
    """Normalised discounted cumulative gain.

    >>> round(ndcg(["x", "gold"], {"gold"}, within=10), 3)
    0.631
    """
    gains = [1.0 / math.log2(place + 1) for place, name in enumerate(ranking[:within], start=1) if name in relevant]
    ideal = sum(1.0 / math.log2(place + 1) for place in range(1, min(len(relevant), within) + 1))
    return sum(gains) / ideal if ideal else 0.0


def average_precision(ranking: Sequence[str], relevant: Collection[str], *, within: int) -> float:
    """Precision at the place of each relevant id, averaged over all relevant ids; its mean over questions is MAP.

    >>> round(average_precision(["gold", "x", "too"], {"gold", "too"}, within=10), 3)
    0.833
    """
    found = 0
    total = 0.0
    for place, name in enumerate(ranking[:within], start=1):
        if name in relevant:
            found += 1
            total += found / place
    return total / len(relevant) if relevant else 0.0
