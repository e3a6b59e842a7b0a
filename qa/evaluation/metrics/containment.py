"""Takes an answer's words and the accepted ones, gives whether the one holds the other.

Source: Mallen et al., "When Not to Trust Language Models" (2023), who count an answer as right that contains an
accepted one; here after SQuAD's normalisation and on whole words, so that "7" is not found in "2017".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qa.evaluation.metrics.squad import normalise

__all__ = ["contains", "said"]


def contains(text: str, answers: Iterable[str]) -> float:
    """1 where an accepted answer stands in the text as a run of whole words.

    >>> contains("It was closed in 2017.", ["2017"]), contains("It was closed in 2017.", ["7"])
    (1.0, 0.0)
    """
    words = normalise(text).split()
    return float(any(_holds(words, normalise(answer).split()) for answer in answers))


def said(text: str, phrases: Sequence[str]) -> tuple[str, ...]:
    """Those of the phrases that the text contains."""
    return tuple(phrase for phrase in phrases if contains(text, [phrase]))


def _holds(words: Sequence[str], run: Sequence[str]) -> bool:
    return bool(run) and any(list(words[at : at + len(run)]) == list(run) for at in range(len(words) - len(run) + 1))
