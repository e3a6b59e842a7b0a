"""Balanced accuracy, thresholds and overlaps, held against independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.evaluation.metrics.confidence import balanced_accuracy, balanced_credit, best_threshold
from qa.evaluation.metrics.grounding import absent_words, ngram_overlap, span_f1, subset_f1

pytestmark = pytest.mark.usefixtures("few_draws")
CALLS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40)
SCORED = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.7, 0.9]), st.booleans()), min_size=2, max_size=30)


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


def test_overlap_counts_ngrams_of_whole_words() -> None:
    assert ngram_overlap("The mayor won.", "the mayor lost", n=2) == 0.5
    assert ngram_overlap("", "anything", n=1) == 1.0
    assert absent_words("Vance won in Kelmar.", "kelmar: Vance lost") == ((6, 9), (10, 12))


def test_spans_are_pooled_over_responses() -> None:
    precision, recall, f1 = span_f1([[(0, 10)], []], [[(5, 10)], [(0, 5)]])
    assert (precision, recall, f1) == (0.5, 0.5, 0.5)
    assert span_f1([[]], [[]])[2] == 1.0
    assert span_f1([[(0, 2), (1, 3)]], [[(0, 3)]]) == (1.0, 1.0, 1.0)


def test_the_best_of_several_accepted_sets_counts() -> None:
    assert subset_f1(frozenset({1}), [frozenset({1, 2}), frozenset({7})]) == pytest.approx(2 / 3)
    assert subset_f1(frozenset(), [frozenset({1})]) == 0.0
