from __future__ import annotations

import json
import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.evaluation.metrics.answers import (
    absent_words,
    average_precision,
    contains,
    exact_match,
    f1,
    first_rank,
    hit,
    ndcg,
    ngram_overlap,
    normalise,
    read_squad,
    recall,
    reciprocal_rank,
    said,
    span_f1,
    subset_f1,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Bab-Tobruk, district", "babtobruk district"),
        ("A cat and an owl", "cat and owl"),
        ("Theatre", "theatre"),
        ("the", ""),
        ("U.S.", "us"),
        ("4:50 a.m.", "450 am"),
        # Only ASCII punctuation counts, as in the official script.
        ("Derna’s", "derna’s"),
    ],
)
def test_normalising_as_the_official_script_does(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize(
    ("prediction", "answers", "exact", "overlap"),
    [
        ("125,000", ["125,000"], 1.0, 1.0),
        ("the 125,000.", ["125,000"], 1.0, 1.0),
        ("about 125,000 residents", ["125,000"], 0.0, 0.5),
        ("Third Division", ["Third Armored Division", "Third Division"], 1.0, 1.0),
        ("Third Division", ["Third Armored Division"], 0.0, 0.8),
        ("york york", ["new york"], 0.0, 0.5),
        ("Paris", ["London"], 0.0, 0.0),
        ("", [], 1.0, 1.0),
        ("the", [], 1.0, 1.0),
        ("Paris", [], 0.0, 0.0),
        ("", ["Paris"], 0.0, 0.0),
    ],
)
def test_scores(prediction: str, answers: list[str], exact: float, overlap: float) -> None:
    assert exact_match(prediction, answers) == exact
    assert f1(prediction, answers) == pytest.approx(overlap)


@given(st.text(max_size=40), st.text(max_size=40))
def test_scores_agree_with_each_other(one: str, other: str) -> None:
    assert f1(one, [one]) == exact_match(one, [one]) == 1.0
    assert f1(one, [other]) == pytest.approx(f1(other, [one]))
    assert 0.0 <= exact_match(one, [other]) <= f1(one, [other]) <= 1.0


def test_reading_keeps_paragraphs_and_offsets(tmp_path: Path) -> None:
    context = "  Normans (Norman: Nourmands) 🌊 gave their name to Normandy.\n"
    at = context.index("Normandy")
    questions = [
        {
            "id": "q1",
            "question": "Where?",
            "answers": [{"text": "Normandy", "answer_start": at}],
            "is_impossible": False,
        },
        {"id": "q2", "question": "Who?", "answers": [], "plausible_answers": [{"text": "x", "answer_start": 1}]},
    ]
    paragraphs = [{"context": context, "qas": questions}, {"context": "Second.", "qas": []}]
    path = tmp_path / "dev.json"
    path.write_text(json.dumps({"version": "v2.0", "data": [{"title": "Norman_people", "paragraphs": paragraphs}]}))
    articles, found = read_squad(path)
    assert [article.text for article in articles] == [context, "Second."]
    assert {article.title for article in articles} == {"Norman people"}
    assert [question.answers for question in found] == [(("Normandy", at),), ()]
    assert {question.article_id for question in found} == {articles[0].id}
    assert found[0].group == "Norman_people"


def test_real_files_are_read_whole(shared: Path) -> None:
    articles, questions = read_squad(shared / "data" / "squad" / "v2.0-dev-visible.json")
    texts = {article.id: article.text for article in articles}
    assert len(texts) == len(articles)
    assert (len(questions), sum(not question.answers for question in questions)) == (6078, 3168)
    for question in questions:
        for text, at in question.answers:
            assert texts[question.article_id][at : at + len(text)] == text


def official(prediction: str, accepted: list[str]) -> tuple[float, float]:
    """Exact match and F1 of one question as the evaluation script of SQuAD 2.0 reckons them, written anew.

    For each accepted answer: tokens of the normalised texts, their multiset intersection, precision and recall; two
    empty texts match; the best answer counts. A question without an answer accepts the empty one.
    """

    def tokens(text: str) -> list[str]:
        kept = "".join(letter for letter in text.lower() if letter not in set(string.punctuation))
        return [word for word in re.sub(r"\b(?:a|an|the)\b", " ", kept).split() if word]

    def overlap(gold: list[str], said: list[str]) -> float:
        if not gold or not said:
            return float(gold == said)
        rest = list(gold)
        same = 0
        for word in said:
            if word in rest:
                rest.remove(word)
                same += 1
        if not same:
            return 0.0
        precision, recall = same / len(said), same / len(gold)
        return 2 * precision * recall / (precision + recall)

    golds = [text for text in accepted if tokens(text)] or [""]
    said = tokens(prediction)
    return max(float(tokens(g) == said) for g in golds), max(overlap(tokens(g), said) for g in golds)


WORDS = st.lists(
    st.sampled_from(["the", "a", "An", "Derna", "derna.", "U.S.", "125,000", "-", "’s", "anthem", "flood"]), max_size=6
).map(" ".join)


@given(WORDS, st.lists(WORDS.filter(lambda text: normalise(text) != ""), max_size=3))
def test_scores_are_those_of_the_official_logic(prediction: str, accepted: list[str]) -> None:
    exact, overlap = official(prediction, accepted)
    assert exact_match(prediction, accepted) == exact
    assert f1(prediction, accepted) == pytest.approx(overlap)


@pytest.mark.parametrize(
    ("text", "answers", "expected"),
    [
        ("It was closed in 2017.", ["2017"], 1.0),
        ("It was closed in 2017.", ["7", "201"], 0.0),
        ("The Osprey Bridge, closed", ["osprey bridge"], 1.0),
        ("Closed: bridge of Osprey", ["Osprey Bridge"], 0.0),
        ("Anything", ["the"], 0.0),
        ("", ["x"], 0.0),
        ("x", [], 0.0),
    ],
)
def test_an_answer_holds_an_accepted_one_on_whole_words(text: str, answers: list[str], expected: float) -> None:
    assert contains(text, answers) == expected


@given(WORDS, WORDS)
def test_containment_is_a_run_of_whole_words(text: str, answer: str) -> None:
    wanted = normalise(answer)
    assert contains(text, [answer]) == float(bool(wanted) and f" {wanted} " in f" {normalise(text)} ")
    assert said(text, [answer]) == ((answer,) if contains(text, [answer]) else ())


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


def test_overlap_counts_ngrams_of_whole_words() -> None:
    assert ngram_overlap("The mayor won.", "the mayor lost", n=2) == 0.5
    assert ngram_overlap("", "anything", n=1) == 1.0
    assert absent_words("Vance won in Kelmar.", "kelmar: Vance lost") == ((6, 9), (10, 12))


def test_spans_are_pooled_over_responses() -> None:
    assert span_f1([[(0, 10)], []], [[(5, 10)], [(0, 5)]]) == (0.5, 0.5, 0.5)
    assert span_f1([[]], [[]])[2] == 1.0
    assert span_f1([[(0, 2), (1, 3)]], [[(0, 3)]]) == (1.0, 1.0, 1.0)


def test_the_best_of_several_accepted_sets_counts() -> None:
    assert subset_f1(frozenset({1}), [frozenset({1, 2}), frozenset({7})]) == pytest.approx(2 / 3)
    assert subset_f1(frozenset(), [frozenset({1})]) == 0.0
