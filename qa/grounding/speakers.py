"""Whose words a claim quotes: whom it names as the speaker must be named where a source quotes them, or shortly before.

News names a speaker with the first words that it quotes and goes on with "she said". Looked at are the sentence that
holds the words and those before it, back to the last one that names a speaker. Where none does, nobody knows, and
nothing is held against the claim.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from qa.grounding.evidence import AnalysedSentence
from qa.grounding.syntax.comparing import SAYS
from qa.language.names import NameWord, same_name

__all__ = ["is_quoted", "other_speaker_named"]

_QUOTATION = re.compile(r'[“"„«][^”"»]*[”"»]?')
_SAYING = re.compile(rf"\b(?:{SAYS.pattern}|explained|recalled|complained|replied)\b", re.IGNORECASE)
_PARTS = re.compile(r"[.;:!?]")
_ACCORDING = re.compile(r"^according to\b", re.IGNORECASE)
_SAID_OF = re.compile(r"\b(?:to|that|in|on|at|from|with|about|of|for|by)\b", re.IGNORECASE)
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
    return _close(rest) and not _SAID_OF.search(rest)


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
