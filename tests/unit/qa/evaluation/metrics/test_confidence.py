"""Abstention, selective answers, calibration, balanced accuracy and latency, held against sklearn and brute force."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.evaluation.metrics.confidence import (
    abstention_f1,
    abstention_precision,
    abstention_recall,
    auroc,
    balanced_accuracy,
    balanced_credit,
    best_threshold,
    brier,
    coverage_accuracy,
    coverage_accuracy_area,
    expected_calibration_error,
    reliability,
)
from qa.evaluation.metrics.statistics import percentile

pytestmark = pytest.mark.usefixtures("few_draws")
CALLS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40)
SCORED = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.7, 0.9]), st.booleans()), min_size=2, max_size=30)
# Coarse, so that many are equal: ties are where implementations differ.
SCORES = st.integers(0, 20).map(lambda n: n / 20)
JUDGED = st.lists(st.tuples(SCORES, st.booleans()), min_size=1, max_size=40)


def mean_of(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


@given(JUDGED)
def test_auroc_is_that_of_sklearn(pairs: list[tuple[float, bool]]) -> None:
    from sklearn.metrics import roc_auc_score

    scores, positive = [score for score, _ in pairs], [kind for _, kind in pairs]
    if len(set(positive)) < 2:
        assert auroc(scores, positive) is None
    else:
        assert auroc(scores, positive) == pytest.approx(roc_auc_score(positive, scores))


@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.booleans()), min_size=1, max_size=40))
def test_reliability_is_that_of_sklearn(pairs: list[tuple[float, bool]]) -> None:
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import brier_score_loss

    # Away from the edges between bins, to which side sklearn's own rounding puts them.
    scores = [round(score, 3) * 0.998 + 0.0003 for score, _ in pairs]
    right = [float(kind) for _, kind in pairs]
    found = reliability(scores, right)
    accuracy, confidence = calibration_curve(right, scores, n_bins=10, strategy="uniform")
    assert [one.accuracy for one in found] == pytest.approx(list(accuracy), abs=1e-6)
    assert [one.confidence for one in found] == pytest.approx(list(confidence), abs=1e-6)
    weights = [one.n / len(pairs) for one in found]
    expected = float(np.dot(weights, np.abs(accuracy - confidence)))
    assert expected_calibration_error(scores, right) == pytest.approx(expected, abs=1e-6)
    squared = statistics.fmean(map(brier, scores, right))
    assert squared == pytest.approx(brier_score_loss(right, scores, pos_label=1.0))


@given(JUDGED)
def test_the_area_is_the_mean_accuracy_over_all_orders_of_equals(pairs: list[tuple[float, bool]]) -> None:
    """By definition: for each k, the expected share of right ones among the k surest."""
    sure = sorted((score for score, _ in pairs), reverse=True)
    total = 0.0
    for k in range(1, len(pairs) + 1):
        least = sure[k - 1]
        above = [kind for score, kind in pairs if score > least]
        equal = [kind for score, kind in pairs if score == least]
        total += (sum(above) + sum(equal) / len(equal) * (k - len(above))) / k
    found = coverage_accuracy_area([score for score, _ in pairs], [float(kind) for _, kind in pairs])
    assert found == pytest.approx(total / len(pairs))


@given(JUDGED, st.integers(0, 10))
def test_every_point_of_the_curve_is_what_answering_from_its_threshold_gives(
    pairs: list[tuple[float, bool]], declined: int
) -> None:
    asked = len(pairs) + declined
    curve = coverage_accuracy([score for score, _ in pairs], [float(kind) for _, kind in pairs], asked=asked)
    assert len(curve) == len({score for score, _ in pairs})
    for point in curve:
        answered = [kind for score, kind in pairs if score >= point.threshold - 1e-9]
        assert point.coverage == pytest.approx(len(answered) / asked, abs=1e-6)
        assert point.accuracy == pytest.approx(sum(answered) / len(answered), abs=1e-6)
    assert [point.coverage for point in curve] == sorted(point.coverage for point in curve)


def test_a_long_curve_keeps_its_ends() -> None:
    scores = [n / 5000 for n in range(5000)]
    curve = coverage_accuracy(scores, [1.0] * 5000, asked=5000)
    assert 90 < len(curve) <= 101
    assert (curve[0].coverage, curve[-1].coverage) == (1 / 5000, 1.0)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_abstention_is_judged_as_sklearn_judges_a_classifier(pairs: list[tuple[bool, bool]]) -> None:
    from sklearn.metrics import precision_recall_fscore_support

    declined, answerable = [one for one, _ in pairs], [other for _, other in pairs]
    groups = [str(n) for n in range(len(pairs))]
    precision, recall, f1, _ = precision_recall_fscore_support(
        [not known for known in answerable], declined, pos_label=True, average="binary", zero_division=0.0
    )
    ours = mean_of(abstention_precision(declined=one, answerable=other) for one, other in pairs)
    assert ours == (pytest.approx(precision, abs=1e-6) if any(declined) else None)
    ours = mean_of(abstention_recall(declined=one, answerable=other) for one, other in pairs)
    assert ours == (None if all(answerable) else pytest.approx(recall, abs=1e-6))
    ours = abstention_f1(declined, answerable, groups=groups).value
    assert ours == (None if all(answerable) else pytest.approx(f1, abs=1e-6))


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=60))
def test_percentiles_are_those_of_the_standard_library(taken: list[float]) -> None:
    cuts = statistics.quantiles(taken, n=100, method="inclusive")
    for share in (50, 90, 95, 99):
        assert percentile(taken, share) == pytest.approx(cuts[share - 1], abs=1e-6)


def test_nothing_measured_is_no_number() -> None:
    assert coverage_accuracy([], [], asked=3) == ()
    assert coverage_accuracy_area([], []) is None
    assert expected_calibration_error([], []) is None
    assert percentile([], 50) is None


@given(calls=CALLS)
def test_balanced_accuracy_is_that_of_sklearn(calls: list[tuple[bool, bool]]) -> None:
    from sklearn.metrics import balanced_accuracy_score

    guesses, kinds = [guess for guess, _ in calls], [kind for _, kind in calls]
    found = balanced_accuracy(guesses, kinds, groups=[str(at) for at in range(len(calls))])
    if len(set(kinds)) < 2:
        assert found.value is None
        return
    expected = balanced_accuracy_score(kinds, guesses)
    assert found.value == pytest.approx(expected, abs=1e-6)
    assert balanced_credit(guesses, kinds).mean() == pytest.approx(expected)


@given(scored=SCORED)
def test_no_threshold_is_better_than_the_best(scored: list[tuple[float, bool]]) -> None:
    scores, kinds = np.array([score for score, _ in scored]), np.array([kind for _, kind in scored])
    if kinds.all() or not kinds.any():
        return

    def reached(cut: float) -> float:
        return float(balanced_credit(list(scores >= cut), list(kinds)).mean())

    best = reached(best_threshold(list(scores), list(kinds)))
    assert best >= max(reached(cut) for cut in [*scores, 2.0]) - 1e-9


def test_intervals_know_that_rows_of_one_document_go_together() -> None:
    calls, kinds = [True, False] * 50, [True, True, False, False] * 25
    alone = balanced_accuracy(calls, kinds, groups=[str(at) for at in range(100)])
    together = balanced_accuracy(calls, kinds, groups=[str(at // 25) for at in range(100)])
    assert (alone.groups, together.groups) == (100, 4)
