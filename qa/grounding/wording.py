"""Where the wording of a claim turns the sense of its evidence round: denials, extent, opposites, speakers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from qa.grounding import Mismatch
from qa.grounding.claim_evidence import ClaimEvidence, best_rows, clauses, inside
from qa.grounding.evidence import AnalysedSentence
from qa.grounding.tree_comparison import SAYS
from qa.language.names import NameWord, same_name
from qa.language.words import Extent, Word, denials, extents, families, opposites

__all__ = ["denied", "is_quoted", "other_speaker_named", "turned", "wording_mismatches"]


# --- Whose words a claim quotes: whom it names as the speaker must be named where a source quotes them, or shortly
# before
# News names a speaker with the first words that it quotes and goes on with "she said". Looked at are the sentence
# that holds the words and those before it, back to the last one that names a speaker. Where none does, nobody knows,
# and nothing is held against the claim.
_QUOTATION = re.compile(r'[“"„«][^”"»]*[”"»]?')
_SAYING = re.compile(rf"\b(?:{SAYS.pattern}|explained|recalled|complained|replied)\b", re.IGNORECASE)
_PARTS = re.compile(r"[.;:!?]")
_ACCORDING = re.compile(r"^according to\b", re.IGNORECASE)
_OF_ANOTHER = re.compile(r"\b(?:to|that|in|on|at|from|with|about|of|for|by)\b", re.IGNORECASE)
_NOUNS = frozenset({"report", "reports", "claim", "claims", "estimates", "calls"})
_FAR = 60
"""Characters between a verb of saying and a name, at most, where the name is the speaker's."""
_LEAST_WORDS, _MOST_WORDS = 4, 8
"""Fewer words may be anybody's; so many find the place."""
_LEAST_SAID = 0.5
_BACK = 8
_FOLDED = str.maketrans({"’": "'", "‘": "'"})


def other_speaker_named(claim: AnalysedSentence, sentences: Sequence[AnalysedSentence]) -> NameWord | None:
    """The first word of the claim's speaker, where each source of what is said has other names for whoever spoke.

    Sources are the sentences that hold the words quoted, or where none are, the one with most of what is said.
    """
    claimed = _speakers(claim)
    if not claimed:
        return None
    quoted = list(_quoted(claim.text))
    places = [one for words in quoted for one in sentences if words in _plain(one.text)]
    if not quoted:
        places = _said_in(claim, claimed, sentences)
    by_place = {(one.index, one.place): one for one in sentences}
    known = [_named_by(one, by_place) for one in places]
    if not known or any(names is None or _meets(claimed, names) for names in known):
        return None
    return claimed[0]


def _said_in(
    claim: AnalysedSentence, claimed: Sequence[NameWord], sentences: Sequence[AnalysedSentence]
) -> list[AnalysedSentence]:
    """The sentence with most of the claim's words beside its speaker; none where that is less than half."""
    spoken = {word.stem for word in claim.words if any(one.start <= word.start < one.end for one in claimed)}
    said = claim.stems - spoken - {word.stem for word in claim.words if _SAYING.fullmatch(word.text)}
    best = max(sentences, key=lambda one: len(said & one.stems), default=None)
    return [best] if best and said and len(said & best.stems) >= _LEAST_SAID * len(said) else []


def _quoted(text: str) -> Iterator[str]:
    """The beginning of each quotation that is long enough."""
    for match in _QUOTATION.finditer(text):
        words = _plain(match.group()).strip("“”\"„«», .!?'").split()
        if len(words) >= _LEAST_WORDS:
            yield " ".join(words[:_MOST_WORDS])


def _named_by(
    sentence: AnalysedSentence, by_place: Mapping[tuple[int, int], AnalysedSentence]
) -> list[NameWord] | None:
    """All names from a sentence back to the last that names a speaker; None where no speaker is named."""
    found: list[NameWord] = []
    if not _SAYING.search(_outside(sentence.text)) and (after := by_place.get((sentence.index, sentence.place + 1))):
        found += _names_outside(after)
    for back in range(_BACK):
        at = by_place.get((sentence.index, sentence.place - back))
        if at is None:
            return None
        found += _names_outside(at)
        if _speakers(at):
            return found
    return None


def _speakers(sentence: AnalysedSentence) -> list[NameWord]:
    """The name nearest to each verb of saying, or to "according to", outside quotations."""
    text = _outside(sentence.text)
    names = _names_outside(sentence)
    found: list[NameWord] = []
    for verb in _SAYING.finditer(text):
        if verb.group().casefold() in _NOUNS:
            continue
        after = [name for name in names if name.start >= verb.end() and _is_subject(text[verb.start() : name.start])]
        before = [name for name in names if name.end <= verb.start() and _close(text[name.end : verb.start()])]
        if nearest := [*after[:1], *before[-1:]]:
            one = min(nearest, key=lambda name: max(name.start - verb.end(), verb.start() - name.end))
            found += [name for name in names if name.run == one.run]
    return found


def _is_subject(behind: str) -> bool:
    """Whether a name behind a verb of saying, with what lies between, is who says it, not who hears of it."""
    rest = _ACCORDING.sub("", behind)
    return _close(rest) and not _OF_ANOTHER.search(rest)


def _close(between: str) -> bool:
    return len(between) <= _FAR and not _PARTS.search(between)


def _names_outside(sentence: AnalysedSentence) -> list[NameWord]:
    return [name for name in sentence.names if not is_quoted(sentence.text, name.start)]


def is_quoted(text: str, at: int) -> bool:
    """Whether a place lies within a quotation."""
    return any(match.start() <= at < match.end() for match in _QUOTATION.finditer(text))


def _outside(text: str) -> str:
    """The text with its quotations blank; every other character stays in its place."""
    return _QUOTATION.sub(lambda match: " " * len(match.group()), text)


def _meets(ours: Sequence[NameWord], theirs: Sequence[NameWord]) -> bool:
    return any(same_name(one.text, other.text) for one in ours for other in theirs)


def _plain(text: str) -> str:
    return text.translate(_FOLDED).casefold()


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
