"""Takes a claim and the sentences of its evidence, gives the few sentences that may support it, best first.

Lexical and cheap: the encoder then reads only these. Each further sentence is chosen for what the earlier ones leave
uncovered (maximal marginal coverage), for a claim may join two facts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from qa.grounding.facts import counted, dated
from qa.grounding.reading import Sentence
from qa.language.names import same_name
from qa.language.synonyms import families
from qa.language.words import Word

__all__ = ["Coverage", "cover", "pick"]

_FAMILY = 0.6
"""What a word of the same family counts, where the word itself counts 1."""
_FACT_WEIGHT = 1.5
"""How much more a name, number or date weighs than another word of the same rarity."""
_NOISE = 0.02
_NEAR = 0.02
"""What standing beside the best sentence is worth: between equals, the neighbour."""


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Which words of the claim each sentence of the evidence has."""

    words: tuple[Word, ...]
    """Words of the claim that carry matter."""
    weights: npt.NDArray[np.float64]
    """How much each of them tells, shape (words,): rare ones and facts more."""
    matched: npt.NDArray[np.float64]
    """Shape (sentences, words): 1 for the same word, less for a relative, 0 for none."""

    def share(self, rows: Sequence[int], *, within: npt.NDArray[np.bool_] | None = None) -> float:
        """Weighted share of the claim's words (or of those `within`) that these sentences have between them."""
        weights = self.weights if within is None else self.weights * within
        total = float(weights.sum())
        if not len(rows) or total <= 0:
            return 0.0
        return float((self.matched[list(rows)].max(axis=0) * weights).sum() / total)


def cover(claim: Sentence, sentences: Sequence[Sentence]) -> Coverage:
    """Hold every word of the claim against every sentence."""
    words = tuple(word for word in claim.words if not word.stop)
    matched = np.zeros((len(sentences), len(words)))
    known = families()
    kin = [known.get(word.stem, frozenset()) for word in words]
    for row, sentence in enumerate(sentences):
        stems = sentence.stems
        nearby: set[int] = set()
        for stem in stems:
            nearby |= known.get(stem, frozenset())
        for column, word in enumerate(words):
            if word.stem in stems:
                matched[row, column] = 1.0
            elif not kin[column].isdisjoint(nearby):
                matched[row, column] = _FAMILY
    facts = _match_facts(claim, sentences, words, matched)
    common = (matched > 0).sum(axis=0)
    weights = np.log(1.0 + len(sentences) / (1.0 + common)) + 0.2
    weights[list(facts)] *= _FACT_WEIGHT
    return Coverage(words=words, weights=weights, matched=matched)


def pick(coverage: Coverage, sentences: Sequence[Sentence], *, limit: int) -> tuple[int, ...]:
    """Rows of the sentences that together cover most of the claim, best first; fewer where more would add nothing."""
    chosen: list[int] = []
    reached = np.zeros(len(coverage.words))
    while len(chosen) < min(limit, len(sentences)):
        gains = (np.maximum(coverage.matched, reached) * coverage.weights).sum(axis=1)
        if chosen:
            gains += _NEAR * np.array([_beside(sentence, sentences[chosen[0]]) for sentence in sentences])
        else:
            gains -= _NOISE * np.array([math.log1p(len(sentence.words)) for sentence in sentences])
        gains[chosen] = -1.0
        best = int(gains.argmax())
        chosen.append(best)
        reached = np.maximum(reached, coverage.matched[best])
    return tuple(chosen)


def _beside(one: Sentence, other: Sentence) -> bool:
    return one.index == other.index and abs(one.place - other.place) == 1


def _match_facts(
    claim: Sentence, sentences: Sequence[Sentence], words: Sequence[Word], matched: npt.NDArray[np.float64]
) -> set[int]:
    """Mark in `matched` the numbers, dates and names that a sentence has in another form; give their columns."""
    facts: set[int] = set()
    for column, word in enumerate(words):
        names = [name for name in claim.names if name.start < word.end and word.start < name.end]
        quantities = [q for q in claim.quantities if q.start < word.end and word.start < q.end]
        moments = [m for m in claim.moments if m.start < word.end and word.start < m.end]
        if not (names or quantities or moments):
            continue
        facts.add(column)
        for row, sentence in enumerate(sentences):
            if (
                any(same_name(name.text, other.text) for name in names for other in sentence.names)
                or any(counted(quantity, sentence.quantities) for quantity in quantities)
                or any(dated(moment, sentence.moments) for moment in moments)
            ):
                matched[row, column] = 1.0
    return facts
