"""Takes a claim and its evidence, gives where their wording turns the sense round: negation, extent, opposites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qa.grounding.binding import best_rows, clauses, inside
from qa.grounding.checker import Mismatch
from qa.grounding.denials import SAID_OF, denied, turned, words_inside
from qa.grounding.mismatches import Case
from qa.grounding.reading import Sentence
from qa.language.polarity import Extent, extents, opposites
from qa.language.words import Word

__all__ = ["wording_mismatches"]

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
_OPPOSED |= {value: key for key, value in _OPPOSED.items()}


def wording_mismatches(case: Case) -> tuple[Mismatch, ...]:
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


def _extents(claim: Sentence, said: Sentence, span: tuple[int, int]) -> Iterator[Mismatch]:
    theirs = [(extent, _after(said.words, at)) for at, extent in extents(said.words)]
    for at, extent in extents(claim.words):
        if not span[0] <= claim.words[at].start < span[1]:
            continue
        stems = {word.stem for word in _after(claim.words, at)}
        for other, words in theirs:
            if (extent, other) in _WEAKER and any(word.stem in stems for word in words):
                word = claim.words[at]
                yield Mismatch(kind="quantifier", start=word.start, end=word.end, found=other)


def _opposites(claim: Sentence, said: Sentence, span: tuple[int, int]) -> Iterator[Mismatch]:
    stems = said.stems
    own = {word.stem for word in claim.words}
    for at, word in words_inside(claim, span):
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
    return [word for word in words[at + 1 : at + 6] if not word.stop][:SAID_OF]
