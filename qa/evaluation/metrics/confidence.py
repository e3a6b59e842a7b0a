"""How well the confidence of an answerer or a judge separates right from wrong.

Sources: Naeini, Cooper and Hauskrecht (2015) and Guo et al. (2017) for the expected calibration error over bins of
equal width; Brier (1950) for the mean squared error; El-Yaniv and Wiener (2010) and Geifman and El-Yaniv (2017) for
the coverage–accuracy curve and its area; Hanley and McNeil (1982) for the area under the ROC curve as a rank
statistic; van Rijsbergen (1979) for precision, recall and F1 of "declined" as a classifier of unanswerable questions;
Brodersen et al. (2010) for balanced accuracy, as the grounding sets are scored: a set where nine of ten claims are
supported must not reward whoever believes everything.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from qa.evaluation.metrics.statistics import NOTHING, Estimate, Floats, Indices, resampled, wilson

_BINS = 10
_DIGITS = 6
_POINTS = 101


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


def reliability(confidence: Sequence[float], right: Sequence[float]) -> tuple[ReliabilityBin, ...]:
    """Non-empty bins of equal width over 0 to 1; 1 belongs to the last.

    >>> [(b.low, b.n, b.accuracy) for b in reliability([0.95, 1.0, 0.15], [1, 0, 0])]
    [(0.1, 1, 0.0), (0.9, 2, 0.5)]
    """
    sure, good = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    numbers = np.clip((sure * _BINS).astype(np.int64), 0, _BINS - 1)
    found = []
    for number in np.unique(numbers):
        here = numbers == number
        n, hits = int(here.sum()), float(good[here].sum())
        low, high = wilson(round(hits), n)
        found.append(
            ReliabilityBin(
                low=round(float(number) / _BINS, _DIGITS),
                high=round(float(number + 1) / _BINS, _DIGITS),
                n=n,
                confidence=round(float(sure[here].mean()), _DIGITS),
                accuracy=round(hits / n, _DIGITS),
                accuracy_low=round(low, _DIGITS),
                accuracy_high=round(high, _DIGITS),
            )
        )
    return tuple(found)


def expected_calibration_error(confidence: Sequence[float] | Floats, right: Sequence[float] | Floats) -> float | None:
    """Distance between confidence and accuracy, averaged over bins by their size; None where there is nothing.

    >>> expected_calibration_error([0.75, 0.75], [1, 0])
    0.25
    """
    if not len(confidence):
        return None
    sure, good = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    numbers = np.clip((sure * _BINS).astype(np.int64), 0, _BINS - 1)
    # Bin by bin |sum of confidences - number right| is its size times the distance of the means.
    return float(np.abs(np.bincount(numbers, sure) - np.bincount(numbers, good)).sum() / sure.size)


def brier(confidence: float, right: float) -> float:
    """Squared distance between confidence and outcome of one answer; the score is its mean."""
    return (confidence - right) ** 2


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


def auroc_estimate(scores: Sequence[float], positive: Sequence[bool], *, groups: Sequence[str]) -> Estimate:
    """The same with its interval."""
    values, kinds = np.asarray(scores, np.float64), np.asarray(positive, np.bool_)
    return resampled(lambda chosen: auroc(values[chosen], kinds[chosen]), groups=groups)


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


def best_threshold(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """The score from which calling an item positive gives the highest balanced accuracy; halfway between two scores.

    >>> best_threshold([0.1, 0.4, 0.6, 0.9], [False, False, True, True])
    0.5
    """
    values, kinds = np.asarray(scores, np.float64), np.asarray(positive, np.bool_)
    order = np.argsort(values, kind="stable")
    values, kinds = values[order], kinds[order]
    # A cut before item i calls everything from i on positive.
    hits = kinds.sum() - np.append(0, np.cumsum(kinds))
    refused = np.append(0, np.cumsum(~kinds))
    gain = hits / max(kinds.sum(), 1) + refused / max((~kinds).sum(), 1)
    real = np.append(True, np.append(values[1:] != values[:-1], True))
    cut = int(np.where(real, gain, -1.0).argmax())
    if cut == 0:
        return float(values[0]) if values.size else 0.5
    return float(values[-1] + 1e-6) if cut == values.size else float((values[cut - 1] + values[cut]) / 2)
