from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.evaluation.ranking import first_rank, ndcg, paired_bootstrap, reciprocal_rank, wilson

NAMES = [f"d{n}" for n in range(12)]


@given(
    ranking=st.lists(st.sampled_from(NAMES), unique=True, max_size=12),
    relevant=st.sets(st.sampled_from(NAMES), min_size=1, max_size=4),
)
def test_ndcg_and_reciprocal_rank_are_those_of_ir_measures(ranking: list[str], relevant: set[str]) -> None:
    import ir_measures

    judged = [ir_measures.Qrel("q", name, 1) for name in relevant]
    run = [ir_measures.ScoredDoc("q", name, -float(place)) for place, name in enumerate(ranking)]
    theirs = ir_measures.calc_aggregate([ir_measures.nDCG @ 10, ir_measures.RR @ 10], judged, run) if run else {}
    assert ndcg(ranking, relevant, within=10) == pytest.approx(theirs.get(ir_measures.nDCG @ 10, 0.0))
    rank = first_rank(ranking, relevant)
    assert reciprocal_rank(rank, within=10) == pytest.approx(theirs.get(ir_measures.RR @ 10, 0.0))


def test_nothing_relevant_is_worth_nothing() -> None:
    assert ndcg(["a"], set(), within=10) == 0.0
    assert first_rank([], {"a"}) is None


@given(n=st.integers(1, 500), data=st.data())
def test_a_rate_lies_in_its_interval(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    low, high = wilson(successes, n)
    assert 0.0 <= low <= successes / n + 1e-12
    assert successes / n - 1e-12 <= high <= 1.0
    assert low < high


def test_an_interval_narrows_with_n() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    widths = [high - low for low, high in (wilson(n // 2, n) for n in (10, 100, 1000))]
    assert widths == sorted(widths, reverse=True)


def test_pairs_are_compared_question_by_question() -> None:
    rng = np.random.default_rng(1)
    base = rng.normal(size=400)
    better = base + 0.1 + rng.normal(scale=0.05, size=400)
    mean, low, high = paired_bootstrap(better.tolist(), base.tolist())
    assert low < mean < high
    assert mean == pytest.approx(0.1, abs=0.01)
    assert low > 0.08
    assert paired_bootstrap(base.tolist(), base.tolist()) == (0.0, 0.0, 0.0)
    assert paired_bootstrap(better.tolist(), base.tolist()) == (mean, low, high)
    assert paired_bootstrap([], []) == (0.0, 0.0, 0.0)
