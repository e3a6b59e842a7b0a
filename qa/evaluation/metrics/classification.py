"""Takes scores and which items are positive, gives how well a threshold parts the two kinds, each kind counting half.

Source: balanced accuracy (Brodersen et al., 2010), as the grounding sets are scored: a set where nine of ten claims
are supported must not reward whoever believes everything.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qa.evaluation.metrics.intervals import Estimate, Floats, Indices, resampled

__all__ = ["balanced_accuracy", "balanced_credit", "best_threshold"]


def balanced_accuracy(predicted: Sequence[bool], positive: Sequence[bool], *, groups: Sequence[str]) -> Estimate:
    """Mean of the shares of positive and of negative items judged right; nothing where either kind is absent."""
    guesses, kinds = np.asarray(predicted, np.bool_), np.asarray(positive, np.bool_)

    def score(chosen: Indices) -> float | None:
        right, wanted = guesses[chosen] == kinds[chosen], kinds[chosen]
        if wanted.all() or not wanted.any():
            return None
        return float(right[wanted].mean() + right[~wanted].mean()) / 2

    return resampled(score, groups=groups)


def balanced_credit(predicted: Sequence[bool], positive: Sequence[bool]) -> Floats:
    """One value per item whose mean is the balanced accuracy, so that two judges can be compared item by item.

    >>> balanced_credit([True, True, False], [True, False, False]).mean()
    np.float64(0.75)
    """
    kinds = np.asarray(positive, np.bool_)
    share = np.where(kinds, kinds.mean(), 1.0 - kinds.mean())
    return np.asarray((np.asarray(predicted, np.bool_) == kinds) / (2.0 * share), np.float64)


def best_threshold(
    scores: Sequence[float], positive: Sequence[bool], *, weights: Sequence[float] = (), false_positive: float = 1.0
) -> float:
    """The score from which calling an item positive gives the highest balanced accuracy; halfway between two scores.

    `false_positive` is what calling a negative item positive costs, where the opposite costs 1.

    >>> best_threshold([0.1, 0.4, 0.6, 0.9], [False, False, True, True])
    0.5
    >>> best_threshold([0.1, 0.3, 0.6, 0.9], [False, True, False, True], false_positive=2.0)
    0.75
    """
    values, kinds = np.asarray(scores, np.float64), np.asarray(positive, np.bool_)
    mass = np.asarray(weights, np.float64) if len(weights) else np.ones(values.size)
    order = np.argsort(values, kind="stable")
    values, kinds, mass = values[order], kinds[order], mass[order]
    for_positive, for_negative = mass * kinds, mass * ~kinds
    # A cut before item i calls everything from i on positive.
    hits = for_positive.sum() - np.append(0.0, np.cumsum(for_positive))
    refused = np.append(0.0, np.cumsum(for_negative))
    gain = hits / max(for_positive.sum(), 1e-12) + false_positive * refused / max(for_negative.sum(), 1e-12)
    real = np.append(True, np.append(values[1:] != values[:-1], True))
    cut = int(np.where(real, gain, -1.0).argmax())
    if cut == 0:
        return float(values[0]) if values.size else 0.5
    return float(values[-1] + 1e-6) if cut == values.size else float((values[cut - 1] + values[cut]) / 2)
