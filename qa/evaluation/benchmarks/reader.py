"""Takes SQuAD questions and their paragraphs, gives how well the extractive reader answers them and when it declines.

Source of the measures: Rajpurkar et al., "Know What You Don't Know" (2018); what the official script reports.
The answer is the words that the reader found; declining is the empty answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from embeddings.types import Article, Passage, StoredPassage, Where, passage_id
from qa.evaluation.metrics.intervals import Estimate, mean, resampled
from qa.evaluation.metrics.selective import auroc
from qa.evaluation.metrics.squad import SquadQuestion, exact_match, f1
from qa.evaluation.types import Score
from qa.reading.read import read
from qa.reading.reader import Reader
from qa.retrieval.search import READ, retrieve
from qa.types import Evidence

__all__ = ["BestThreshold", "Read", "ReaderReport", "best_threshold", "given", "read_all", "report", "searched"]

Setting = Literal["given", "open"]
"""The paragraph is given; or every paragraph is searched."""


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What the reader made of one question, before anything is declined."""

    group: str
    answers: tuple[str, ...]
    """Empty where the right thing is to decline."""
    said: str
    """Its best answer; empty only where it found nothing at all."""
    probability: float


class BestThreshold(msgspec.Struct, frozen=True, kw_only=True):
    """The most that declining below some probability could have reached on these very questions."""

    value: float
    threshold: float


class ReaderReport(msgspec.Struct, frozen=True, kw_only=True):
    """One setting, measured."""

    setting: Setting
    n: int
    answerable: int
    threshold: float
    """The shipped one, fixed before; `scores` are measured with it."""
    scores: tuple[Score, ...]
    best_exact_match: BestThreshold
    """Chosen on these answers: an upper bound, not a result."""
    best_f1: BestThreshold
    floor: float
    """Exact match, and F1, of declining always."""
    fitted_on_these: bool
    """Whether the shipped reader was fitted on these files: then nothing here is an estimate for others."""


def read_all(
    questions: Sequence[SquadQuestion],
    *,
    evidence_of: Callable[[SquadQuestion], Sequence[Evidence]],
    reader: Reader,
    told: Callable[[int], None] = lambda _: None,
) -> list[Read]:
    """Read every question as the service does, in the passages that `evidence_of` gives for it."""
    found = []
    for number, question in enumerate(questions):
        told(number)
        reading = read(_asked(question), evidence_of(question), reader=reader)
        found.append(
            Read(
                group=question.group,
                answers=tuple(answer for answer, _ in question.answers),
                said=reading.sentences[0].words if reading.sentences else "",
                probability=reading.probability,
            )
        )
    return found


def given(article: Article) -> tuple[Evidence, ...]:
    """A whole paragraph as the one passage that was found."""
    passage = Passage(
        id=passage_id(article.id, article.version, 0, len(article.text)),
        article_id=article.id,
        article_version=article.version,
        start=0,
        end=len(article.text),
        text=article.text,
    )
    stored = StoredPassage(
        key=0,
        passage=passage,
        title=article.title,
        source="",
        url=None,
        published_at=None,
        collection="",
        signature=b"",
    )
    return (Evidence(stored=stored, score=1.0, cosine=1.0),)


def searched(question: SquadQuestion, *, corpus: Corpus, encoder: Encoder) -> tuple[Evidence, ...]:
    """What the service would read of all paragraphs."""
    text = _asked(question)
    return retrieve(corpus, text=text, vector=encoder.encode_query(text), where=Where(), depth=READ)


def _asked(question: SquadQuestion) -> str:
    return " ".join(question.question.split())


def report(reads: Sequence[Read], *, setting: Setting, threshold: float, fitted_on_these: bool) -> ReaderReport:
    """Score what was read, declining below the threshold as the service does."""
    given = [one.said if one.probability >= threshold else "" for one in reads]
    exact = [exact_match(said, one.answers) for said, one in zip(given, reads, strict=True)]
    overlap = [f1(said, one.answers) for said, one in zip(given, reads, strict=True)]
    answered = [float(bool(said)) for said in given]
    answerable = [bool(one.answers) for one in reads]
    rest = [not kind for kind in answerable]
    declined = [1.0 - one for one in answered]
    estimates = {
        "exact_match": _over(exact, reads),
        "f1": _over(overlap, reads),
        "exact_match.has_answer": _over(exact, reads, among=answerable),
        "f1.has_answer": _over(overlap, reads, among=answerable),
        "no_answer.declined": _over(declined, reads, among=rest),
        "has_answer.answered": _over(answered, reads, among=answerable),
        "answered.f1": _over(overlap, reads, among=[bool(said) for said in given]),
        "span_f1.has_answer": _over([f1(one.said, one.answers) for one in reads], reads, among=answerable),
        "span_exact_match.has_answer": _over(
            [exact_match(one.said, one.answers) for one in reads], reads, among=answerable
        ),
        "confidence.auroc": _auroc(reads),
        "answerable.auroc": _answerable_auroc(reads),
    }
    return ReaderReport(
        setting=setting,
        n=len(reads),
        answerable=sum(answerable),
        threshold=threshold,
        scores=tuple(_score(name, estimate) for name, estimate in estimates.items()),
        best_exact_match=best_threshold(reads, exact_match),
        best_f1=best_threshold(reads, f1),
        floor=sum(rest) / max(len(reads), 1),
        fitted_on_these=fitted_on_these,
    )


def best_threshold(reads: Sequence[Read], measure: Callable[[str, tuple[str, ...]], float]) -> BestThreshold:
    """Try to decline below every probability that occurs, and keep the best: what the official script calls best.

    Its method: begin with declining everything, then take in answer by answer, surest first.
    """
    value = sum(not one.answers for one in reads)
    best, threshold = float(value), 1.01
    running = float(value)
    ordered = sorted(reads, key=lambda one: -one.probability)
    for place, one in enumerate(ordered):
        running += measure(one.said, one.answers) - float(not one.answers)
        last_of_its_probability = place + 1 == len(ordered) or ordered[place + 1].probability < one.probability
        if last_of_its_probability and running > best:
            best, threshold = running, one.probability
    return BestThreshold(value=round(best / max(len(reads), 1), 6), threshold=round(threshold, 6))


def _over(values: Sequence[float], reads: Sequence[Read], *, among: Sequence[bool] | None = None) -> Estimate:
    chosen = [place for place in range(len(reads)) if among is None or among[place]]
    return mean([values[place] for place in chosen], groups=[reads[place].group for place in chosen])


def _auroc(reads: Sequence[Read]) -> Estimate:
    """How well the confidence tells answers that are right (F1 of one half or more) from all others."""
    right = [f1(one.said, one.answers) >= 0.5 if one.answers else False for one in reads]
    return resampled(
        lambda chosen: auroc([reads[n].probability for n in chosen], [right[n] for n in chosen]),
        groups=[one.group for one in reads],
    )


def _answerable_auroc(reads: Sequence[Read]) -> Estimate:
    """How well the confidence tells questions that have an answer from those that have none."""
    return resampled(
        lambda chosen: auroc([reads[n].probability for n in chosen], [bool(reads[n].answers) for n in chosen]),
        groups=[one.group for one in reads],
    )


def _score(name: str, estimate: Estimate) -> Score:
    by_group = " by group" if estimate.groups < estimate.n else ""
    return Score(
        metric=f"reader.{name}",
        value=estimate.value,
        n=estimate.n,
        low=estimate.low,
        high=estimate.high,
        method="" if estimate.method == "none" else estimate.method + by_group,
    )
