"""An answerer broken in one way is caught by the metric meant for that, and by no other of the hard ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import cycle
from pathlib import Path

import msgspec
import pytest

from qa.answers import ABSTENTION
from qa.evaluation import Prediction, Scores
from qa.evaluation.run_folder import read_run
from qa.evaluation.scoring import score_run
from qa.grounding.mismatches import LexicalChecker
from qa.types import Answer, Citation, Claim

Score = Callable[[Iterable[Prediction]], dict[str, float]]


@pytest.fixture(scope="module")
def score(write_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Score:
    """Values by metric."""

    def of(predictions: Iterable[Prediction]) -> dict[str, float]:
        scores: Scores = score_run(
            read_run(write_run(tmp_path_factory.mktemp("run"), predictions)), checker=LexicalChecker()
        )
        return {one.metric: one.value for one in scores.scores if one.value is not None}

    return of


@pytest.fixture(scope="module")
def unbroken(score: Score, honest: tuple[Prediction, ...]) -> dict[str, float]:
    return score(honest)


def each(predictions: Iterable[Prediction], change: Callable[[Answer], Answer]) -> list[Prediction]:
    return [msgspec.structs.replace(one, answer=change(one.answer)) for one in predictions if one.answer is not None]


def reworded(answer: Answer, reword: Callable[[str], str]) -> Answer:
    """The answer with other claims, their citations as they were."""
    claims: list[Claim] = []
    at = 0
    for claim in answer.claims:
        text = reword(claim.text)
        claims.append(msgspec.structs.replace(claim, text=text, start=at, end=at + len(text)))
        at += len(text) + 1
    return msgspec.structs.replace(
        answer, claims=tuple(claims), answer=" ".join(c.text for c in claims) or answer.answer
    )


def changed(scores: dict[str, float], unbroken: dict[str, float], *, by: float = 0.02) -> set[str]:
    """Metrics of grounding and abstention that are not what they were."""
    watched = [name for name in unbroken if name.startswith(("grounding.", "abstention.", "answer."))]
    return {name for name in watched if abs(scores.get(name, 0.0) - unbroken[name]) > by}


def test_the_answerer_that_makes_no_mistake_is_found_without_fault(unbroken: dict[str, float]) -> None:
    best = {
        name: value for name, value in unbroken.items() if name.startswith(("grounding.", "abstention.", "answer."))
    }
    faults = {"grounding.claims_contradicted", *(name for name in best if "unsupported" in name)}
    assert {best.pop(name) for name in faults} == {0.0}
    del best["answer.answered"]
    assert len(best) > 15
    assert set(best.values()) == {1.0}, best


def test_off_by_one_spans_are_caught(score: Score, honest: tuple[Prediction, ...], unbroken: dict[str, float]) -> None:
    def shifted(citation: Citation) -> Citation:
        start, end = citation.start_char_index + 1, citation.end_char_index + 1
        return msgspec.structs.replace(citation, start_char_index=start, end_char_index=end)

    broken = each(
        honest,
        lambda one: msgspec.structs.replace(one, citations=tuple(map(shifted, one.citations)), short_answer=None),
    )
    scores = score(broken)
    assert scores["grounding.exact_spans"] == 0.0
    hard = changed(scores, unbroken) - {"answer.exact_match", "answer.f1"}
    assert {name for name in hard if name.startswith("grounding")} == {"grounding.exact_spans"}


def test_shuffled_citations_are_caught(
    score: Score, honest: tuple[Prediction, ...], unbroken: dict[str, float]
) -> None:
    """Every citation is of exact words, and of the wrong ones."""
    cited = [one.answer.citations for one in honest if one.answer is not None and one.answer.citations]
    others = cycle([*cited[40:], *cited[:40]])

    def shuffled(answer: Answer) -> Answer:
        if not answer.citations:
            return answer
        wrong = next(others)[0]
        citations = tuple(
            msgspec.structs.replace(wrong, id=one.id, start=one.start, end=one.end) for one in answer.citations
        )
        return msgspec.structs.replace(answer, citations=citations)

    scores = score(each(honest, shuffled))
    assert scores["grounding.citation_recall"] < 0.1
    assert scores["grounding.citation_precision"] < 0.1
    assert scores["grounding.exact_spans"] == 1.0
    assert "answer.right" not in changed(scores, unbroken)


def test_needless_citations_are_caught(score: Score, honest: tuple[Prediction, ...]) -> None:
    """Beside its own citation every claim has one that says nothing of it."""
    cited = [one.answer.citations[0] for one in honest if one.answer is not None and one.answer.citations]
    others = cycle([*cited[40:], *cited[:40]])

    def padded(answer: Answer) -> Answer:
        if not answer.citations:
            return answer
        extra = msgspec.structs.replace(next(others), id="extra")
        claims = tuple(
            msgspec.structs.replace(claim, citation_ids=(*claim.citation_ids, "extra")) for claim in answer.claims
        )
        return msgspec.structs.replace(answer, claims=claims, citations=(*answer.citations, extra))

    scores = score(each(honest, padded))
    assert scores["grounding.citation_recall"] == 1.0
    assert scores["grounding.citation_precision"] == pytest.approx(0.5, abs=0.05)
    assert scores["grounding.citation_minimality"] < 0.1


NEGATION = re.compile(r"\b(?:not|never|no) |(?<=\w)n['’]t\b")


def test_a_dropped_negation_is_caught(score: Score, honest: tuple[Prediction, ...], unbroken: dict[str, float]) -> None:
    def negated(answer: Answer) -> bool:
        return any(NEGATION.search(claim.text) for claim in answer.claims)

    about = [one for one in honest if one.answer is not None and negated(one.answer)]
    assert len(about) >= 4
    broken = each(about, lambda one: reworded(one, lambda text: NEGATION.sub("", text)))
    before, after = score(about), score(broken)
    assert before["grounding.unsupported_negation"] == 0.0
    assert after["grounding.unsupported_negation"] >= 0.6
    assert before["grounding.claims_supported"] == 1.0
    assert after["grounding.claims_supported"] <= 0.4
    assert after["grounding.exact_spans"] == 1.0
    assert unbroken["grounding.unsupported_negation"] == 0.0


def test_an_invented_number_is_caught(score: Score, honest: tuple[Prediction, ...], unbroken: dict[str, float]) -> None:
    number = re.compile(r"(?<![\w.,])\d[\d,]*(?![\w,]*\d)")

    def invented(text: str) -> str:
        return number.sub("7,351", text, count=1)

    about = [
        one
        for one in honest
        if one.answer is not None and any(number.search(claim.text) for claim in one.answer.claims)
    ]
    assert len(about) >= 20
    scores = score(each(about, lambda one: reworded(one, invented)))
    assert scores["grounding.unsupported_numbers"] >= 0.75
    assert scores["grounding.claims_supported"] <= 0.25
    assert scores["grounding.unsupported_negation"] <= 0.05
    assert scores["grounding.exact_spans"] == 1.0
    assert unbroken["grounding.unsupported_numbers"] == 0.0


def test_one_who_always_abstains_is_caught(
    score: Score, honest: tuple[Prediction, ...], unbroken: dict[str, float]
) -> None:
    def abstaining(answer: Answer) -> Answer:
        return msgspec.structs.replace(
            answer, answer=ABSTENTION, answer_mode="abstained", claims=(), citations=(), short_answer=None
        )

    scores = score(each(honest, abstaining))
    unanswerable = 1 - unbroken["answer.answered"]
    assert scores["answer.answered"] == 0.0
    assert scores["abstention.recall"] == 1.0
    assert scores["abstention.precision"] == pytest.approx(unanswerable, abs=1e-6)
    assert scores["answer.right"] == pytest.approx(unanswerable, abs=1e-6)
    assert scores["answer.f1.has_answer"] == 0.0


def test_one_who_never_abstains_is_caught(
    score: Score, honest: tuple[Prediction, ...], unbroken: dict[str, float]
) -> None:
    said = next(one.answer for one in honest if one.answer is not None and one.answer.claims)

    def answering(answer: Answer) -> Answer:
        return answer if answer.claims else msgspec.structs.replace(said, id=answer.id, question=answer.question)

    scores = score(each(honest, answering))
    assert scores["answer.answered"] == 1.0
    assert scores["abstention.recall"] == 0.0
    assert "abstention.precision" not in scores, "nothing was declined: there is no share of it"
    assert scores["answer.right_when_answered"] == pytest.approx(unbroken["answer.answered"], abs=1e-6)
    assert scores["grounding.citation_recall"] == 1.0, "what it says is true, and not what was asked"
