from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.evaluation.metrics.retrieval import average_precision, first_rank, hit, ndcg, recall, reciprocal_rank

NAMES = [f"d{n}" for n in range(16)]


@given(
    ranking=st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=16),
    relevant=st.sets(st.sampled_from(NAMES), min_size=1, max_size=6),
    k=st.sampled_from([1, 4, 10]),
)
def test_measures_of_a_ranking_are_those_of_ir_measures(ranking: list[str], relevant: set[str], k: int) -> None:
    import ir_measures
    from ir_measures import AP, RR, R, Success, nDCG

    judged = [ir_measures.Qrel("q", name, 1) for name in relevant]
    run = [ir_measures.ScoredDoc("q", name, -float(place)) for place, name in enumerate(ranking)]
    theirs = ir_measures.calc_aggregate([Success @ k, R @ k, RR @ k, nDCG @ k, AP @ k], judged, run)
    assert hit(ranking, relevant, within=k) == theirs[Success @ k]
    assert recall(ranking, relevant, within=k) == pytest.approx(theirs[R @ k])
    assert reciprocal_rank(first_rank(ranking, relevant), within=k) == pytest.approx(theirs[RR @ k])
    assert ndcg(ranking, relevant, within=k) == pytest.approx(theirs[nDCG @ k])
    assert average_precision(ranking, relevant, within=k) == pytest.approx(theirs[AP @ k])


def test_nothing_relevant_or_nothing_found_is_worth_nothing() -> None:
    for measure in (hit, recall, ndcg, average_precision):
        assert measure(["a"], set(), within=10) == 0.0
        assert measure([], {"a"}, within=10) == 0.0
    assert first_rank([], {"a"}) is None
