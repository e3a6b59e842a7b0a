"""The quantities in a text: value, unit, and whether exact, rounded, a minimum or a maximum.

Number words and scales stand here and nowhere else; `units.txt` has units with what they are worth in a common one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal

import msgspec

from embeddings.runtime import word_lists

Bound = Literal["exact", "about", "least", "most"]


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """One number in a text, in whatever way it was written."""

    start: int
    end: int
    """Span of the number alone, its unit left out."""
    value: float
    digits: int
    """Significant digits as written: what it may have been rounded to."""
    unit: Unit | None = None
    unit_end: int = 0
    """Where the unit ends; equal to `end` where there is none."""
    bound: Bound = "exact"
    ordinal: bool = False


class _Token(msgspec.Struct, frozen=True):
    text: str
    start: int
    end: int

    @property
    def lower(self) -> str:
        return self.text.casefold()


_SHORT = 400
"""Characters of a text whose quantities are kept a while."""
_TOKEN = re.compile(r"\d+(?:[,\u00a0\u202f]\d{3})*(?:\.\d+)?|[^\W\d_]+|[½¼¾⅓⅔]|\S")
"""Marks and parts of numbers are tokens, too, which are no words: so it is not the pattern of `words`."""
_GROUPED = re.compile(r"[,\u00a0\u202f]")
_GLYPHS = {"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3}
_PARTS = {"half": 0.5, "halves": 0.5, "third": 1 / 3, "thirds": 1 / 3, "quarter": 0.25, "quarters": 0.25}
_PARTS |= {"fifth": 0.2, "fifths": 0.2, "tenth": 0.1, "tenths": 0.1}
_FRACTION = 20
"""A number below this may count parts: "2 thirds", "three quarters"."""
_BEFORE: tuple[tuple[Bound, re.Pattern[str]], ...] = (
    (
        "most",
        re.compile(
            r"(?:\b(?:no|not) more than|\bat (?:the )?most|\bup to"
            r"|(?<!no )\b(?:less|fewer|lower) than|\bunder|\bbelow)\W*$"
        ),
    ),
    (
        "least",
        re.compile(
            r"(?:\bno (?:less|fewer) than|\bat (?:the very )?least|\b(?:more|greater|higher) than|\bover|\babove"
            r"|\bupwards? of|\bin excess of|\bexceed(?:s|ed|ing)?)\W*$"
        ),
    ),
    (
        "about",
        re.compile(
            r"(?:\babout|\baround|\bsome|\broughly|\bapproximately|\bnearly|\balmost|\bclose to|\bestimated|\bcirca|~"
            r"|\bas many as|\bjust (?:over|under))\W*$"
        ),
    ),
)
_AFTER_MORE = re.compile(r"\W*(?:\w+\W+)?or more\b")
_AFTER_LESS = re.compile(r"\W*(?:\w+\W+)?or (?:less|fewer)\b")


def quantities_of(text: str) -> tuple[Quantity, ...]:
    """Every quantity of a text, in order; digits that are part of a word ("A320") are none.

    >>> [(q.value, q.bound) for q in quantities_of("Some 1,800 people, at least half of them from 1.8 thousand homes")]
    [(1800.0, 'about'), (0.5, 'least'), (1800.0, 'exact')]
    """
    return _of_short(text) if len(text) <= _SHORT else _quantities(text)


@lru_cache(maxsize=512)
def _of_short(text: str) -> tuple[Quantity, ...]:
    """Those of a question, a sentence or words in it, for which each rule about it asks anew."""
    return _quantities(text)


def _quantities(text: str) -> tuple[Quantity, ...]:
    tokens = [_Token(match.group(), match.start(), match.end()) for match in _TOKEN.finditer(text)]
    found, at = [], 0
    while at < len(tokens):
        read = _number(tokens, at)
        if read is None:
            at += 1
            continue
        value, digits, after, ordinal = read
        start, end = tokens[at].start, tokens[after - 1].end
        unit, next_at = _unit(tokens, at, after)
        if (
            unit is not None
            and unit.kind == "money"
            and value < 1000
            and next_at == after + 1
            and _scale_letter(tokens, after)
        ):
            value, end = value * _SCALES[tokens[after].lower], tokens[after].end
        found.append(
            Quantity(
                start=start,
                end=end,
                value=value,
                digits=digits,
                unit=unit,
                unit_end=max(end, tokens[next_at - 1].end),
                bound=_bound(text, start - (1 if start and text[start - 1] in _MONEY_SIGNS else 0), end),
                ordinal=ordinal,
            )
        )
        at = max(next_at, after)
    return tuple(found)


def _number(tokens: Sequence[_Token], at: int) -> tuple[float, int, int, bool] | None:
    """Value, significant digits, the token after it and whether it is an ordinal; None where no number begins."""
    token = tokens[at]
    if token.text[0].isdecimal():
        return _written_in_digits(tokens, at)
    if token.text in _GLYPHS:
        return _GLYPHS[token.text], 2, at + 1, False
    lower = token.lower
    if lower in {"half", "quarter"} or (lower == "third" and _lower(tokens, at - 1) == "a"):
        return _part(tokens, at)
    if lower in ORDINALS and not (lower == "second" and _lower(tokens, at + 1) in {"", "of"}):
        return float(ORDINALS[lower]), 3, at + 1, True
    if lower == "a" and _lower(tokens, at + 1) in {"hundred", "thousand", "million", "billion", "dozen"}:
        value, after = _spelled(tokens, at + 1)
        return (value, 1, after, False)
    if lower in NUMBER_WORDS or lower in {"dozen", "twice", "double", "triple"}:
        if lower == "one" and _idle_one(tokens, at):
            return None
        value, after = _spelled(tokens, at)
        follower = _joined(tokens, after)
        if follower in _PARTS and follower != "second" and value < 20:
            return value * _PARTS[follower], 2, after + (2 if tokens[after].text in "-–‑" else 1), False
        if value >= 20 and value % 10 == 0 and (last := 1 if follower == "first" else ORDINALS.get(follower, 10)) < 10:
            return value + last, 3, after + (2 if tokens[after].text in "-–‑" else 1), True
        return value, 3 if value < 1000 else 2, after, False
    return None


def _part(tokens: Sequence[_Token], at: int) -> tuple[float, int, int, bool] | None:
    """ "half", "half a million", "a quarter of"; None where it is a period ("the third quarter") or a rank."""
    share = _PARTS[tokens[at].lower]
    if _lower(tokens, at + 1) == "a" and _lower(tokens, at + 2) in _SCALES:
        return share * _SCALES[_lower(tokens, at + 2)], 1, at + 3, False
    if tokens[at].lower == "half" and _lower(tokens, at - 1) not in {*ORDINALS, *NUMBER_WORDS}:
        return share, 2, at + 1, False
    return (share, 2, at + 1, False) if _lower(tokens, at + 1) == "of" and _lower(tokens, at - 1) == "a" else None


def _written_in_digits(tokens: Sequence[_Token], at: int) -> tuple[float, int, int, bool] | None:
    token = tokens[at]
    if at and tokens[at - 1].end == token.start and tokens[at - 1].text[-1].isalpha():
        return None
    bare = _GROUPED.sub("", token.text)
    value, digits, after = float(bare), len(bare.replace(".", "").strip("0")) or 1, at + 1
    following = _lower(tokens, after)
    touches = after < len(tokens) and tokens[after].start == token.end
    if touches and following in {"st", "nd", "rd", "th"}:
        return value, 4, after + 1, True
    if touches and following == "s":
        return None
    if following in {"thirds", "quarters", "fifths", "tenths"} and value < _FRACTION:
        return value * _PARTS[following], 2, after + 1, False
    if touches and following in _GLYPHS:
        return value + _GLYPHS[following], digits + 1, after + 1, False
    scales = touches and (following == "k" or _lower(tokens, after + 1) in _COUNTED)
    if following in _SCALES and (len(following) > 2 or following in {"bn", "mn", "tn"} or scales):
        return value * _SCALES[following], digits, after + 1, False
    if _joined(tokens, after) in _SCALES and len(_joined(tokens, after)) > 2:
        return value * _SCALES[_joined(tokens, after)], digits, after + 2, False
    return value, max(digits, 3 if "." not in bare and len(bare) < 4 else digits), after, False


def _spelled(tokens: Sequence[_Token], at: int) -> tuple[float, int]:
    """Value of a run of number words, and the token after it."""
    total, current, seen = 0.0, 0.0, False
    while at < len(tokens):
        lower = tokens[at].lower
        if lower in _MULTIPLES and not seen:
            return float(_MULTIPLES[lower]), at + 1
        if lower in NUMBER_WORDS:
            if (
                seen
                and current % 100
                and not (20 <= current % 100 < 100 and current % 10 == 0 and NUMBER_WORDS[lower] < 10)
            ):
                break
            current += NUMBER_WORDS[lower]
        elif lower == "hundred" or lower == "dozen":
            current = max(current, 1.0) * (100 if lower == "hundred" else 12)
        elif lower in _SCALES and len(lower) > 2:
            total, current = total + max(current, 1.0) * _SCALES[lower], 0.0
        elif not (seen and (lower in "-‑" or lower == "and") and _continues(tokens, at, lower)):
            break
        seen, at = True, at + 1
    return total + current, at


def _continues(tokens: Sequence[_Token], at: int, joiner: str) -> bool:
    """Whether a hyphen or "and" joins two parts of one number, as in "twenty-one" and "two hundred and six"."""
    before, after = _lower(tokens, at - 1), _lower(tokens, at + 1)
    if joiner == "and":
        return before in {"hundred", "thousand", "million"} and after in NUMBER_WORDS
    return NUMBER_WORDS.get(before, 0) >= 20 and 0 < NUMBER_WORDS.get(after, 0) < 10


def _idle_one(tokens: Sequence[_Token], at: int) -> bool:
    """ "one" that counts nothing: "no one", "one of", "the one", "one another"."""
    before, after = _lower(tokens, at - 1), _lower(tokens, at + 1)
    return (after not in UNITS and after not in {"in", "hundred", "thousand", "million", "billion"}) or before == "no"


def _unit(tokens: Sequence[_Token], at: int, after: int) -> tuple[Unit | None, int]:
    """The unit written before or after a number, and the token after it."""
    if at and tokens[at - 1].text in _MONEY_SIGNS:
        extra = 1 if _scale_letter(tokens, after) and tokens[after].start == tokens[after - 1].end else 0
        return _MONEY_SIGNS[tokens[at - 1].text], after + extra
    follower = after + 1 if _lower(tokens, after) in {"-", "‑"} else after
    for words in (3, 2, 1):
        phrase = " ".join(token.lower for token in tokens[follower : follower + words])
        if phrase in UNITS and len(tokens) >= follower + words:
            return UNITS[phrase], follower + words
    return None, after


def _scale_letter(tokens: Sequence[_Token], at: int) -> bool:
    return _lower(tokens, at) in {"m", "b", "k", "bn", "mn", "tn"}


def _joined(tokens: Sequence[_Token], at: int) -> str:
    """The word after a hyphen, or the next word where there is none."""
    return _lower(tokens, at + 1) if _lower(tokens, at) in {"-", "–", "‑"} else _lower(tokens, at)


def _lower(tokens: Sequence[_Token], at: int) -> str:
    return tokens[at].lower if 0 <= at < len(tokens) else ""


def _bound(text: str, start: int, end: int) -> Bound:
    before = text[max(0, start - 32) : start].casefold()
    for bound, pattern in _BEFORE:
        if pattern.search(before):
            return bound
    after = text[end : end + 32].casefold()
    if _AFTER_MORE.match(after):
        return "least"
    return "most" if _AFTER_LESS.match(after) else "exact"


def hedged_span(text: str, start: int, end: int) -> tuple[int, int]:
    """The span of a quantity with the words around it that say how exact it is.

    >>> text = "It burned nearly 485,000 acres"
    >>> text[slice(*hedged_span(text, 17, 24))]
    'nearly 485,000'
    """
    before, after = text[max(0, start - 32) : start].lower(), text[end : end + 32].lower()
    hedges = [found.start() - len(before) for _, pattern in _BEFORE if (found := pattern.search(before))]
    more = _AFTER_MORE.match(after) or _AFTER_LESS.match(after)
    return start + min(hedges, default=0), end + (more.end() if more else 0)


class Unit(msgspec.Struct, frozen=True):
    """A unit of measure: units of one kind convert into each other by their size."""

    kind: str
    """What is measured: time, length, money …; each currency is its own kind of money by its `name`."""
    size: float
    name: str


NUMBER_WORDS: Mapping[str, int] = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
} | {
    word: 10 * tens
    for tens, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
ORDINALS: Mapping[str, int] = {
    word: value
    for value, word in enumerate(
        "second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
        "sixteenth seventeenth eighteenth nineteenth twentieth".split(),
        start=2,
    )
}
"""From "second" on: "first" is too often no number ("first of all")."""
_SCALES: Mapping[str, float] = {
    "hundred": 1e2,
    "thousand": 1e3,
    "k": 1e3,
    "thousands": 1e3,
    "million": 1e6,
    "m": 1e6,
    "mn": 1e6,
    "million's": 1e6,
    "billion": 1e9,
    "bn": 1e9,
    "b": 1e9,
    "trillion": 1e12,
    "tn": 1e12,
    "dozen": 12.0,
}
_COUNTED = frozenset(
    "people homes jobs votes voters users barrels tonnes tons litres dollars euros pounds doses".split()
)
"""Behind "3.5m" they say that the letter is a million and no metre."""
_MULTIPLES: Mapping[str, int] = {"twice": 2, "double": 2, "triple": 3}
UNITS: Mapping[str, Unit] = {
    word.replace("_", " "): Unit(kind, float(size), name)
    for key, words in word_lists("qa.language", "units.txt").items()
    for kind, name, size in [key.split(", ")]
    for word in words.split()
}
_MONEY_SIGNS: Mapping[str, Unit] = {sign: UNITS[sign] for sign in "$€£¥₹₽"}
