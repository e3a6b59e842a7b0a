"""Takes how sure an answerer was and whether it was right, gives how well the one tells the other.

Sources: El-Yaniv and Wiener (2010) and Geifman and El-Yaniv (2017) for the coverage–accuracy curve and its area;
Hanley and McNeil (1982) for the area under the ROC curve as a rank statistic.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from qa.evaluation.metrics.intervals import Floats

__all__ = ["CurvePoint", "auroc", "coverage_accuracy", "coverage_accuracy_area"]

_POINTS = 101
_DIGITS = 6


class CurvePoint(msgspec.Struct, frozen=True, kw_only=True):
    """What one would get by answering only the questions one is surest of."""

    coverage: float
    """Share of all questions answered."""
    accuracy: float
    """Share of those that are right."""
    threshold: float
    """Confidence of the least sure answer among them."""


def auroc(scores: Sequence[float] | Floats, positive: Sequence[bool] | npt.NDArray[np.bool_]) -> float | None:
    """Probability that a positive item scores above a negative one, ties counting half; None without both kinds.

    >>> auroc([0.9, 0.8, 0.1], [True, False, False])
    1.0
    """
    kinds = np.asarray(positive, np.bool_)
    wanted, rest = int(kinds.sum()), int((~kinds).sum())
    if not wanted or not rest:
        return None
    _, block, sizes = np.unique(np.asarray(scores, np.float64), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[block]  # from 1; equal scores share the middle of their ranks
    return float((ranks[kinds].sum() - wanted * (wanted + 1) / 2) / (wanted * rest))


def coverage_accuracy(confidence: Sequence[float], right: Sequence[float], *, asked: int) -> tuple[CurvePoint, ...]:
    """The curve over answered questions, surest first, as shares of all `asked`; at most a hundred points.

    Equal confidences come together, in no order: a point ends no run of them in the middle.
    """
    if not len(confidence):
        return ()
    sure, cumulative = _cumulative(confidence, right)
    ends = np.flatnonzero(np.append(sure[1:] != sure[:-1], True))
    if ends.size > _POINTS:
        ends = ends[np.unique(np.linspace(0, ends.size - 1, _POINTS).astype(np.int64))]
    return tuple(
        CurvePoint(
            coverage=round((int(end) + 1) / asked, _DIGITS),
            accuracy=round(float(cumulative[end]) / (int(end) + 1), _DIGITS),
            threshold=round(float(sure[end]), _DIGITS),
        )
        for end in ends
    )


def coverage_accuracy_area(confidence: Sequence[float] | Floats, right: Sequence[float] | Floats) -> float | None:
    """Accuracy averaged over every coverage of the answered questions (1 - AURC); None where none was answered.

    >>> coverage_accuracy_area([0.9, 0.1], [1, 0]), coverage_accuracy_area([0.5, 0.5], [1, 0])
    (0.75, 0.5)
    """
    if not len(confidence):
        return None
    _, cumulative = _cumulative(confidence, right)
    return float(np.mean(cumulative / np.arange(1, cumulative.size + 1)))


def _cumulative(confidence: Sequence[float] | Floats, right: Sequence[float] | Floats) -> tuple[Floats, Floats]:
    """Confidences, highest first, and right answers so far; those of equal confidence shared out evenly."""
    sure, good = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    distinct, block = np.unique(-sure, return_inverse=True)
    sizes = np.bincount(block)
    evened = np.repeat(np.bincount(block, good) / sizes, sizes)
    return np.repeat(-distinct, sizes), np.cumsum(evened)
