"""Scores answers to the labelled questions about the sample articles."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import msgspec

from qa.types import Answer
from seeds import SeedQuestion

__all__ = ["SampleScores", "is_right", "score"]


class SampleScores(msgspec.Struct, frozen=True, kw_only=True):
    """Shares over the labelled questions, with what each is a share of."""

    answerable: int
    answered: float
    """Answerable questions that got an answer, right or not."""
    right: float
    """Answerable questions whose first sentence holds an accepted answer."""
    right_when_answered: float
    unanswerable: int
    abstained: float
    """Unanswerable questions that were declined."""
    short_answers: int
    short_right: float
    """Short answers given to answerable questions that hold, or lie in, an accepted one."""


def score(questions: Sequence[SeedQuestion], answers: Mapping[str, Answer]) -> SampleScores:
    """Score the answers, by question id, to these questions."""
    answerable = [(q, answers[q.id]) for q in questions if q.answerable]
    rest = [answers[q.id] for q in questions if not q.answerable]
    answered = [(q, a) for q, a in answerable if a.claims]
    right = sum(is_right(q, a) for q, a in answerable)
    short = [(q, a.short_answer.text) for q, a in answerable if a.short_answer is not None]
    return SampleScores(
        answerable=len(answerable),
        answered=_share(len(answered), len(answerable)),
        right=_share(right, len(answerable)),
        right_when_answered=_share(right, len(answered)),
        unanswerable=len(rest),
        abstained=_share(sum(not a.claims for a in rest), len(rest)),
        short_answers=len(short),
        short_right=_share(sum(_meets(q, text) for q, text in short), len(short)),
    )


def is_right(question: SeedQuestion, answer: Answer) -> bool:
    """Whether the first sentence of an answer holds an accepted answer."""
    first = _plain(answer.claims[0].text) if answer.claims else ""
    return any(_plain(text) in first for text in question.answers)


def _meets(question: SeedQuestion, short: str) -> bool:
    return any(_plain(short) in _plain(text) or _plain(text) in _plain(short) for text in question.answers)


def _plain(text: str) -> str:
    """Case, kinds of apostrophe and runs of space do not matter."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).casefold().replace("’", "'")).strip()


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
