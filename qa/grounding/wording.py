"""Where a claim denies what its evidence affirms, or affirms what it denies."""

from __future__ import annotations

from collections.abc import Iterator

from qa.grounding import Mismatch
from qa.grounding.evidence import AnalysedSentence
from qa.language.words import Word, denials, families

__all__ = ["denied", "turned"]

_SAID_OF = 2
"""How many words of matter after a negation are what it is said of."""
_NEARLY = 0.8
"""Share of words from which two sentences are one and the same, but for a negation."""


def turned(claim: AnalysedSentence, said: AnalysedSentence, span: tuple[int, int]) -> list[Mismatch]:
    """Words that one of the two denies and the other affirms."""
    found: list[Mismatch] = []
    heads = set(_targets(said))
    own = set(_targets(claim))
    for at, word in _words_inside(claim, span):
        if word.number or any(name.start <= word.start < name.end for name in claim.names):
            continue
        same = [other for other, theirs in enumerate(said.words) if not theirs.stop and _kindred(word, theirs)]
        if not same or any(said.negated[other] == claim.negated[at] for other in same):
            continue
        if at in own or any(other in heads for other in same):
            theirs = said.words[same[0]]
            found.append(
                Mismatch(kind="negation", start=word.start, end=word.end, found=_phrase(said, same[0], theirs))
            )
    return found


def denied(claim: AnalysedSentence, said: AnalysedSentence) -> list[Mismatch]:
    """Where two sentences of nearly the same words differ by a negation: the whole of the claim."""
    ours, theirs = {word.stem for word in claim.words}, {word.stem for word in said.words}
    if len(ours & theirs) < _NEARLY * max(len(ours), len(theirs)):
        return []
    if (denials(claim.text, claim.words) + denials(said.text, said.words)) % 2 == 0:
        return []
    return [Mismatch(kind="negation", start=claim.words[0].start, end=claim.words[-1].end, found=said.text)]


def _targets(sentence: AnalysedSentence) -> Iterator[int]:
    """Places of the first words of matter that each negation reaches."""
    left = 0
    for at, word in enumerate(sentence.words):
        begins = sentence.negated[at] and not (at and sentence.negated[at - 1])
        left = _SAID_OF if begins else left if sentence.negated[at] else 0
        if left and not word.stop:
            yield at
            left -= 1


def _words_inside(sentence: AnalysedSentence, span: tuple[int, int]) -> Iterator[tuple[int, Word]]:
    """Words of matter in a span, with their places."""
    return ((at, word) for at, word in enumerate(sentence.words) if span[0] <= word.start < span[1] and not word.stop)


def _kindred(one: Word, other: Word) -> bool:
    known = families()
    return one.stem == other.stem or bool(known.get(one.stem, frozenset()) & known.get(other.stem, frozenset()))


def _phrase(sentence: AnalysedSentence, at: int, word: Word) -> str:
    """A word of the evidence with up to three words before it, where its negation is likely to stand."""
    return sentence.text[sentence.words[max(0, at - 3)].start : word.end]
