from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.evaluation.metrics.statistics import (
    NOTHING,
    Indices,
    compare,
    compare_all,
    mean,
    resampled,
    wilson,
)


def alone(values: Sequence[float]) -> list[str]:
    """Every value a group of its own."""
    return [str(n) for n in range(len(values))]


@given(n=st.integers(1, 500), data=st.data())
def test_the_interval_of_a_rate_is_wilsons_as_scipy_has_it(n: int, data: st.DataObject) -> None:
    from scipy.stats import binomtest

    successes = data.draw(st.integers(0, n))
    low, high = wilson(successes, n)
    theirs = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    found = mean([1.0] * successes + [0.0] * (n - successes), groups=[str(k) for k in range(n)])
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)
    assert (found.n, found.groups, found.method) == (n, n, "wilson")


def test_an_interval_narrows_with_n() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    widths = [high - low for low, high in (wilson(n // 2, n) for n in (10, 100, 1000))]
    assert widths == sorted(widths, reverse=True)


def test_a_mean_of_single_items_has_scipys_bootstrap_interval() -> None:
    from scipy.stats import bootstrap

    values = np.random.default_rng(3).gamma(2.0, size=80)
    found = mean(values.tolist(), groups=alone(values.tolist()))
    theirs = bootstrap((values,), np.mean, n_resamples=5000, method="percentile", random_state=1).confidence_interval
    assert found.value == pytest.approx(values.mean(), abs=1e-6)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_questions_on_one_article_count_as_one_draw() -> None:
    """Ten copies of each of ten questions say no more than the ten did."""
    ten = [1.0, 0.0, 0.5, 1.0, 0.25, 0.0, 1.0, 0.75, 0.0, 1.0]
    once = mean(ten, groups=alone(ten))
    copied = mean(ten * 10, groups=alone(ten) * 10)
    naive = mean(ten * 10, groups=alone(ten * 10))
    assert (copied.value, copied.low, copied.high) == (once.value, once.low, once.high)
    assert (copied.n, copied.groups) == (100, 10)
    assert naive.high - naive.low < 0.5 * (copied.high - copied.low)


def test_one_value_throughout_is_not_taken_for_certainty() -> None:
    found = mean([1.0] * 12, groups=["a"] * 6 + ["b"] * 6)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(wilson(2, 2)[0], abs=1e-6)


def test_nothing_measured_is_no_number() -> None:
    assert mean([], groups=[]) == NOTHING
    assert resampled(lambda _: 1.0, groups=[]) == NOTHING
    assert resampled(lambda _: None, groups=["a"]) == NOTHING


def test_a_statistic_is_resampled_by_group_and_repeatably() -> None:
    values = np.asarray([0.0, 0.0, 1.0, 1.0, 5.0, 5.0])

    def middle(chosen: Indices) -> float:
        return float(np.median(values[chosen]))

    found = resampled(middle, groups=["a", "a", "b", "b", "c", "c"])
    assert (found.value, found.low, found.high, found.n, found.groups) == (1.0, 0.0, 5.0, 6, 3)
    assert resampled(middle, groups=["a", "a", "b", "b", "c", "c"]) == found


def test_a_statistic_without_spread_has_no_interval() -> None:
    found = resampled(lambda _: 1.0, groups=["a", "b", "c"])
    assert (found.value, found.low, found.high) == (1.0, None, None)


# --- two runs


def test_pairs_are_compared_question_by_question() -> None:
    rng = np.random.default_rng(1)
    base = rng.normal(size=400)
    better = base + 0.1 + rng.normal(scale=0.05, size=400)
    groups = list(map(str, range(400)))
    found = compare(better.tolist(), base.tolist(), groups=groups)
    assert 0.08 < found.low < found.mean < found.high
    assert found.mean == pytest.approx(0.1, abs=0.01)
    assert compare(better.tolist(), base.tolist(), groups=groups) == found


@settings(max_examples=20)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30))
def test_a_run_does_not_differ_from_itself(values: list[float]) -> None:
    found = compare(values, list(values), groups=alone(values))
    assert (found.mean, found.low, found.high, found.p, found.is_sure) == (0.0, 0.0, 0.0, 1.0, False)


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.3])
def test_chance_is_judged_as_scipy_judges_it(shift: float) -> None:
    from scipy.stats import bootstrap, permutation_test

    rng = np.random.default_rng(7)
    one, other = rng.normal(loc=shift, size=30), rng.normal(size=30)
    one -= one.mean() - shift
    other -= other.mean()
    found = compare(one.tolist(), other.tolist(), groups=alone(one.tolist()))
    theirs = permutation_test(
        (one, other), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=9999, rng=0
    )
    assert found.mean == pytest.approx(shift, abs=1e-6)
    assert found.p == pytest.approx(theirs.pvalue, abs=0.02)
    interval = bootstrap((one - other,), np.mean, method="percentile", random_state=0).confidence_interval
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=0.03)


def test_one_article_with_many_questions_makes_no_sure_difference() -> None:
    """Sixty questions on two articles: whichever run an article likes, it likes sixty times."""
    one, other = [1.0] * 60, [0.0] * 60
    found = compare(one, other, groups=["a"] * 30 + ["b"] * 30)
    assert found.p > 0.3
    assert not found.is_sure
    assert compare(one, other, groups=alone(one)).is_sure


def test_runs_that_answer_different_questions_are_compared_by_their_own_means() -> None:
    """One answers ten and gets all right, the other answers those and twenty more, and gets those wrong."""
    careful: list[float | None] = [1.0] * 10 + [None] * 20
    bold: list[float | None] = [1.0] * 10 + [0.0] * 20
    found = compare(careful, bold, groups=alone([0.0] * 30))
    assert found.mean == pytest.approx(2 / 3, abs=1e-6)
    assert found.n == (10, 30)
    assert found.is_sure
    back = compare(bold, careful, groups=alone([0.0] * 30))
    assert (back.mean, back.p) == (pytest.approx(-found.mean), pytest.approx(found.p, abs=0.01))


@settings(max_examples=15)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=20))
def test_measures_compared_together_are_compared_as_alone(pairs: list[tuple[float, float]]) -> None:
    one, other = [a for a, _ in pairs], [b for _, b in pairs]
    together = compare_all([(one, other), (other, one), (one, one)], groups=alone(one))
    assert together[0] == compare(one, other, groups=alone(one))
    assert together[0].mean == pytest.approx(np.mean(one) - np.mean(other), abs=2e-6)
    assert together[1].mean == pytest.approx(-together[0].mean, abs=2e-6)
    assert together[2].p == 1.0


def test_what_is_no_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="2, 1 and 2"):
        compare([1.0, 2.0], [1.0], groups=["a", "b"])
    with pytest.raises(ValueError, match="nothing to compare"):
        compare([None, None], [1.0, 1.0], groups=["a", "b"])
