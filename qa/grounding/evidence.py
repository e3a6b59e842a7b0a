"""The evidence of a claim: parses its sentences, compares them with the claim, and picks the few to examine.

Every sentence is parsed for words, quantities, dates, names and polarity. Picking is lexical and cheap. A claim may
join two facts, so each further sentence is the one that covers most of what is left (maximal marginal coverage).
"""

import math
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.chunking.sentences import split_sentences
from qa.grounding import Provenance
from qa.language.dates import Moment, agree, moments_of, resolved
from qa.language.names import NameWord, name_words, same_name
from qa.language.quantities import Quantity, quantities_of
from qa.language.words import Word, families, negated, words_of

_CONVERTED = 0.02
"""Relative difference allowed for conversion and rounding."""
_ABOUT = 0.06
"""Relative difference allowed for "about"."""
_BEYOND = 0.5
"""How far above a claimed minimum, or below a maximum, a number may lie and still be the one meant."""


def bears_out(claimed: Quantity, said: Quantity) -> bool:
    """Whether a text with one quantity supports a claim with the other.

    A claim may be vaguer than its source ("about 600,000" for 597,412, "more than 20" for 23) but not sharper.
    """
    if claimed.ordinal != said.ordinal or units_clash(claimed, said):
        return False
    return same_value(claimed, said) and {claimed.bound, said.bound} != {"least", "most"}


def counted(claimed: Quantity, said: Sequence[Quantity]) -> bool:
    """Whether one of the quantities of a sentence supports a claimed one.

    If the sentence uses the claim's unit, other units are not converted: with "87 miles" beside "140 km", the miles
    are known exactly.
    """
    same = [q for q in said if claimed.unit is not None and q.unit is not None and q.unit.name == claimed.unit.name]
    return any(bears_out(claimed, q) for q in same or said)


def same_value(claimed: Quantity, said: Quantity) -> bool:
    """Whether two measures agree after unit conversion and rounding."""
    one, other = _measure(claimed, said)
    if one == other:
        return True
    if claimed.unit is not None and said.unit is not None and claimed.unit.name != said.unit.name:
        return _near(one, other, _CONVERTED)
    if claimed.bound == said.bound and claimed.bound in {"least", "most"}:
        return False
    if claimed.bound == "about" or (said.bound == "about" and claimed.digits <= said.digits):
        return _near(one, other, _ABOUT) and (claimed.digits != said.digits or claimed.bound != said.bound)
    if claimed.bound == "least":
        return one <= other <= one * (1 + _BEYOND)
    if claimed.bound == "most":
        return one * (1 - _BEYOND) <= other <= one
    return claimed.digits >= 2 and claimed.value >= 1000 and _rounds_to(other, one, claimed.digits)


def units_clash(claimed: Quantity, said: Quantity) -> bool:
    """Whether both have units that do not convert into each other."""
    one, other = claimed.unit, said.unit
    if one is None or other is None:
        # "up from 54 to 61.3 percent": a number may share the unit of the next.
        return False
    return one.kind != other.kind or (one.kind == "money" and one.name != other.name)


def comparable(claimed: Quantity, said: Quantity) -> bool:
    """Whether one could replace the other: the same kind of measure, or both bare counts."""
    one, other = claimed.unit, said.unit
    if claimed.ordinal != said.ordinal:
        return False
    return (one.kind if one else None) == (other.kind if other else None)


def dated(claimed: Moment, said: Sequence[Moment]) -> bool:
    """Whether one of these dates supports a claimed one."""
    return any(agree(claimed, moment) for moment in said)


def _measure(claimed: Quantity, said: Quantity) -> tuple[float, float]:
    one, other = claimed.unit, said.unit
    if one is not None and other is not None and one.kind == other.kind and one.name != other.name:
        return claimed.value * one.size, said.value * other.size
    if {one.kind if one else "", other.kind if other else ""} == {"share", ""}:
        # "half of" is 50 percent.
        return (
            claimed.value * (one.size if one and said.value <= 1 else 1.0),
            said.value * (other.size if other and claimed.value <= 1 else 1.0),
        )
    return claimed.value, said.value


def _near(one: float, other: float, tolerance: float) -> bool:
    return abs(one - other) <= tolerance * max(abs(one), abs(other))


def _rounds_to(value: float, rounded: float, digits: int) -> bool:
    """Whether a number equals the other after rounding to so many digits."""
    return value != 0 and float(f"{value:.{max(digits - 1, 0)}e}") == rounded


def same_parts(claimed: Moment, said: Moment) -> bool:
    """Whether both name the same parts of a date, so that one can replace the other."""
    parts = ("year", "month", "day", "weekday", "minutes")
    return any(getattr(claimed, part) is not None and getattr(said, part) is not None for part in parts)


_FAMILY = 0.6
"""Weight of a word of the same family; the word itself counts 1."""
_FACT_WEIGHT = 1.5
"""Weight of a name, number or date, relative to another word of the same rarity."""
_NOISE = 0.02
_NEAR = 0.02
"""Bonus for the neighbours of the best sentence: breaks ties."""


class AnalysedSentence(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence of the evidence, or the claim; offsets inside are those of `text`."""

    index: int
    """Which text of the evidence it is in."""
    start: int
    end: int
    text: str
    place: int
    """Its number among the sentences of that text."""
    words: tuple[Word, ...]
    negated: tuple[bool, ...]
    quantities: tuple[Quantity, ...]
    moments: tuple[Moment, ...]
    names: tuple[NameWord, ...]
    stems: frozenset[str]
    """Stems of its content words."""


def read_claim(text: str, *, lower: frozenset[str]) -> AnalysedSentence:
    """Parse a claim; `lower`: the words that the evidence writes in lower case."""
    return _read(text, words_of(text), lower)


def read_evidence(texts: Sequence[str], contexts: Sequence[Provenance]) -> tuple[AnalysedSentence, ...]:
    """Cut the evidence into sentences and parse each."""
    known = [*contexts, *(Provenance() for _ in range(len(texts) - len(contexts)))]
    return tuple(
        sentence if sentence.index == index else msgspec.structs.replace(sentence, index=index)
        for index, (text, context) in enumerate(zip(texts, known, strict=False))
        for sentence in _read_text(text, context)
    )


def lower_words(sentences: Sequence[AnalysedSentence]) -> frozenset[str]:
    """Words that appear in lower case."""
    return frozenset(word.text for sentence in sentences for word in sentence.words if word.text.islower())


@lru_cache(maxsize=64)
def _read_text(text: str, context: Provenance) -> tuple[AnalysedSentence, ...]:
    """Parse one text, once for all claims of an answer."""
    spans = list(split_sentences(text))
    words = [words_of(text[start:end]) for start, end in spans]
    lower = frozenset(word.text for own in words for word in own if word.text.islower())
    found = []
    for place, (start, end) in enumerate(spans):
        sentence = _read(text[start:end], words[place], lower, _day(context.published_at))
        found.append(msgspec.structs.replace(sentence, start=start, end=end, place=place))
    return tuple(found)


def _read(text: str, words: tuple[Word, ...], lower: frozenset[str], published: date | None = None) -> AnalysedSentence:
    moments = moments_of(text)
    return AnalysedSentence(
        index=0,
        start=0,
        end=len(text),
        text=text,
        place=0,
        words=words,
        negated=negated(text, words),
        quantities=tuple(
            q for q in quantities_of(text) if not any(m.start < q.end and q.start < m.end for m in moments)
        ),
        moments=tuple(full for moment in moments for full in resolved(moment, published)),
        names=name_words(text, words=words, lower=lower),
        stems=frozenset(word.stem for word in words if not word.stop),
    )


def _day(published_at: str | None) -> date | None:
    try:
        return date.fromisoformat(published_at[:10]) if published_at else None
    except ValueError:
        return None


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Which words of the claim each sentence of the evidence has."""

    words: tuple[Word, ...]
    """Content words of the claim."""
    weights: npt.NDArray[np.float64]
    """Weight of each, shape (words,): higher for rare words and facts."""
    matched: npt.NDArray[np.float64]
    """Shape (sentences, words): 1 for the same word, less for a relative, 0 for none."""

    def share(self, rows: Sequence[int], *, within: npt.NDArray[np.bool_] | None = None) -> float:
        """Weighted share of the claim's words (or of those `within`) that these sentences have together."""
        weights = self.weights if within is None else self.weights * within
        total = float(weights.sum())
        if not len(rows) or total <= 0:
            return 0.0
        return float((self.matched[list(rows)].max(axis=0) * weights).sum() / total)


def cover(claim: AnalysedSentence, sentences: Sequence[AnalysedSentence]) -> Coverage:
    """Compare every word of the claim with every sentence."""
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


def pick(coverage: Coverage, sentences: Sequence[AnalysedSentence], *, limit: int) -> tuple[int, ...]:
    """Rows of the sentences that together cover most of the claim, best first; at most `limit`."""
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


def _beside(one: AnalysedSentence, other: AnalysedSentence) -> bool:
    return one.index == other.index and abs(one.place - other.place) == 1


def _match_facts(
    claim: AnalysedSentence,
    sentences: Sequence[AnalysedSentence],
    words: Sequence[Word],
    matched: npt.NDArray[np.float64],
) -> set[int]:
    """Mark in `matched` the numbers, dates and names that a sentence has in another form; return their columns."""
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
