"""Says whether a claim's names, numbers and dates belong together in the evidence as they do in the claim.

Two true facts wrongly merged have every word of their sources; what gives them away is that no one sentence, with
what its pronouns point at, holds what one clause of the claim joins.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from qa.grounding.reading import Sentence
from qa.grounding.selection import Coverage
from qa.language.names import Name, same_name

__all__ = ["best_rows", "clauses", "holds_name", "inside"]

_CLAUSE = re.compile(
    r"[;:–—]|,\s+(?:and|but|while|whereas|although|though|which|who|where|when|with)\b|\b(?:and|but|while|whereas|although|though|because|which)\b",
    re.IGNORECASE,
)
_LEAST_WORDS = 3
_PRONOUN = re.compile(
    r"\b(?:he|she|it|they|his|her|hers|its|their|theirs|him|them|i|we|my|our|me|us|himself|herself|itself|themselves)\b",
    re.IGNORECASE,
)
_DEFINITE = re.compile(
    r"^\W*(?:the|this|that|these|those|both|such|another|one|two|an?|there|some|about|more|only|no)\b", re.IGNORECASE
)


def clauses(claim: Sentence) -> tuple[tuple[int, int], ...]:
    """Spans of the claim's clauses; one too short to say anything is left with its neighbour."""
    cuts = [0, *(match.start() for match in _CLAUSE.finditer(claim.text)), len(claim.text)]
    found: list[tuple[int, int]] = []
    for start, end in itertools.pairwise(cuts):
        words = sum(1 for word in claim.words if start <= word.start < end and not word.stop)
        if found and (words < _LEAST_WORDS or _matter(claim, *found[-1]) < _LEAST_WORDS):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return tuple(found)


def inside(coverage: Coverage, span: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which of the claim's words stand in a span of it."""
    return np.array([span[0] <= word.start < span[1] for word in coverage.words], np.bool_)


def holds_name(sentence: Sentence, name: Name, known: frozenset[str]) -> bool:
    """Whether a sentence speaks of a name: it has it, or a pronoun or a noun phrase that may stand for it.

    `known` are further words that pronouns may point at: those of the question.
    """
    if any(same_name(name.text, other.text) for other in sentence.names):
        return True
    folded = name.text.casefold()
    if any(folded == word.text.casefold() for word in sentence.words):
        return True
    if not (_PRONOUN.search(sentence.text) or _DEFINITE.search(sentence.text) or not sentence.names):
        return False
    return any(same_name(folded, word) for word in sentence.background | known)


def _matter(claim: Sentence, start: int, end: int) -> int:
    return sum(1 for word in claim.words if start <= word.start < end and not word.stop)


def best_rows(coverage: Coverage, rows: Sequence[int], within: npt.NDArray[np.bool_]) -> list[int]:
    """These sentences, the one that has most of a clause first."""
    return sorted(rows, key=lambda row: (-coverage.share([row], within=within), row))
