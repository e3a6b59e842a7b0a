"""Takes which questions had an answer and which were declined, gives how well declining was chosen.

Source: precision, recall and F1 (van Rijsbergen, 1979) of "declined" as a classifier of unanswerable questions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qa.evaluation.metrics.intervals import NOTHING, Estimate, Indices, resampled

__all__ = ["abstention_f1", "abstention_precision", "abstention_recall"]


def abstention_precision(*, declined: bool, answerable: bool) -> float | None:
    """What one question adds to the share of declined ones that indeed had no answer; None where it was answered."""
    return float(not answerable) if declined else None


def abstention_recall(*, declined: bool, answerable: bool) -> float | None:
    """What one question adds to the share of those without an answer that were declined; None where it had one."""
    return None if answerable else float(declined)


def abstention_f1(
    declined: Sequence[bool], answerable: Sequence[bool], *, groups: Sequence[str], seed: int = 0
) -> Estimate:
    """Harmonic mean of the two; nothing where every question had an answer."""
    if all(answerable):
        return NOTHING
    refused, without = np.asarray(declined, np.bool_), ~np.asarray(answerable, np.bool_)

    def f1(chosen: Indices) -> float | None:
        total = int(refused[chosen].sum() + without[chosen].sum())
        return 2 * int((refused[chosen] & without[chosen]).sum()) / total if total else None

    return resampled(f1, groups=groups, seed=seed)
