"""Where the wording of a claim turns the sense of its evidence round: denials, extent, opposites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qa.grounding.checker import Mismatch
from qa.grounding.claim_evidence import ClaimEvidence, best_rows, clauses, inside
from qa.grounding.evidence import AnalysedSentence
from qa.language.words import Extent, Word, denials, extents, families, opposites

__all__ = ["denied", "turned", "wording_mismatches"]

_WEAKER: frozenset[tuple[Extent, Extent]] = frozenset(
    {
        ("all", "most"),
        ("all", "some"),
        ("most", "some"),
        ("none", "some"),
        ("none", "most"),
        ("none", "all"),
        ("some", "none"),
        ("most", "none"),
        ("all", "none"),
    }
)
"""What a claim says of a group, and what its source says, where the source does not bear it out."""
_TURNING = frozenset({"before", "after", "above", "below", "over", "under", "more", "less", "with", "without"})
_OPPOSED = {"before": "after", "above": "below", "over": "under", "more": "less", "with": "without"}
_SAID_OF = 2
"""How many words of matter after a negation or a quantifier are what it is said of."""
_NEARLY = 0.8
"""Share of words from which two sentences are one and the same, but for a negation."""


_OPPOSED |= {value: key for key, value in _OPPOSED.items()}


def wording_mismatches(case: ClaimEvidence) -> tuple[Mismatch, ...]:
    """Where the sentence that a clause rests on says the opposite, or says it of more or fewer."""
    found: list[Mismatch] = []
    for span in clauses(case.claim):
        rows = best_rows(case.coverage, case.chosen, inside(case.coverage, span))
        for row in rows[:1]:
            found += turned(case.claim, case.sentences[row], span) or denied(case.claim, case.sentences[row])
            found += _extents(case.claim, case.sentences[row], span)
            found += _opposites(case.claim, case.sentences[row], span)
    unique = {(item.start, item.end): item for item in found}
    return tuple(unique[key] for key in sorted(unique))


def _extents(claim: AnalysedSentence, said: AnalysedSentence, span: tuple[int, int]) -> Iterator[Mismatch]:
    theirs = [(extent, _after(said.words, at)) for at, extent in extents(said.words)]
    for at, extent in extents(claim.words):
        if not span[0] <= claim.words[at].start < span[1]:
            continue
        stems = {word.stem for word in _after(claim.words, at)}
        for other, words in theirs:
            if (extent, other) in _WEAKER and any(word.stem in stems for word in words):
                word = claim.words[at]
                yield Mismatch(kind="quantifier", start=word.start, end=word.end, found=other)


def _opposites(claim: AnalysedSentence, said: AnalysedSentence, span: tuple[int, int]) -> Iterator[Mismatch]:
    stems = said.stems
    own = {word.stem for word in claim.words}
    for at, word in _words_inside(claim, span):
        if word.stem in stems or word.number:
            continue
        for other, theirs in enumerate(said.words):
            if theirs.stem in own or theirs.stem not in opposites().get(word.stem, frozenset()):
                continue
            if claim.negated[at] == said.negated[other]:
                yield Mismatch(kind="meaning", start=word.start, end=word.end, found=theirs.text)
                break
    for at, word in enumerate(claim.words):
        lower = word.text.casefold()
        if lower in _TURNING and span[0] <= word.start < span[1]:
            follow = {word.stem for word in _after(claim.words, at)[:1]}
            for other, theirs in enumerate(said.words):
                if theirs.text.casefold() == _OPPOSED[lower] and follow & {
                    w.stem for w in _after(said.words, other)[:1]
                }:
                    yield Mismatch(kind="meaning", start=word.start, end=word.end, found=theirs.text)


def _after(words: Sequence[Word], at: int) -> list[Word]:
    """The words of matter right after a place."""
    return [word for word in words[at + 1 : at + 6] if not word.stop][:_SAID_OF]


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
