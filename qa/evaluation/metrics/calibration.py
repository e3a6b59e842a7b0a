"""Takes confidences and whether each was borne out, gives how far the two lie apart.

Sources: Naeini, Cooper and Hauskrecht (2015) and Guo et al. (2017) for the expected calibration error over bins of
equal width; Brier (1950) for the mean squared error.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from qa.evaluation.metrics.intervals import Floats, wilson

__all__ = ["ReliabilityBin", "brier", "expected_calibration_error", "reliability"]

_BINS = 10
_DIGITS = 6


class ReliabilityBin(msgspec.Struct, frozen=True, kw_only=True):
    """Answers given with about the same confidence."""

    low: float
    high: float
    n: int
    confidence: float
    """Their mean confidence."""
    accuracy: float
    """The share of them that are right; equal to `confidence` where it is calibrated."""
    accuracy_low: float
    accuracy_high: float


def reliability(
    confidence: Sequence[float], right: Sequence[float], *, bins: int = _BINS
) -> tuple[ReliabilityBin, ...]:
    """Non-empty bins of equal width over 0 to 1; 1 belongs to the last.

    >>> [(b.low, b.n, b.accuracy) for b in reliability([0.95, 1.0, 0.15], [1, 0, 0])]
    [(0.1, 1, 0.0), (0.9, 2, 0.5)]
    """
    sure, good = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    numbers = np.clip((sure * bins).astype(np.int64), 0, bins - 1)
    found = []
    for number in np.unique(numbers):
        here = numbers == number
        n, hits = int(here.sum()), float(good[here].sum())
        low, high = wilson(round(hits), n)
        found.append(
            ReliabilityBin(
                low=round(float(number) / bins, _DIGITS),
                high=round(float(number + 1) / bins, _DIGITS),
                n=n,
                confidence=round(float(sure[here].mean()), _DIGITS),
                accuracy=round(hits / n, _DIGITS),
                accuracy_low=round(low, _DIGITS),
                accuracy_high=round(high, _DIGITS),
            )
        )
    return tuple(found)


def expected_calibration_error(
    confidence: Sequence[float] | Floats, right: Sequence[float] | Floats, *, bins: int = _BINS
) -> float | None:
    """Distance between confidence and accuracy, averaged over bins by their size; None where there is nothing.

    >>> expected_calibration_error([0.75, 0.75], [1, 0])
    0.25
    """
    if not len(confidence):
        return None
    sure, good = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    numbers = np.clip((sure * bins).astype(np.int64), 0, bins - 1)
    # Bin by bin |sum of confidences - number right| is its size times the distance of the means.
    return float(np.abs(np.bincount(numbers, sure) - np.bincount(numbers, good)).sum() / sure.size)


def brier(confidence: float, right: float) -> float:
    """Squared distance between confidence and outcome of one answer; the score is its mean."""
    return (confidence - right) ** 2
