"""Takes true sentences of articles, gives them lightly reworded, and falsified in one place: a test of a checker.

Rewordings keep the sense: numbers and dates written another way, asides and attributions left out, two sentences
joined. Falsifications change one number, date, name, negation or unit, or join what two sentences say apart.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from qa.language.dates import moments_of
from qa.language.names import Name, names_of, same_name
from qa.language.quantities import Quantity, quantities_of

__all__ = ["FALSIFIERS", "Variant", "falsified", "reworded"]

Kind = Literal["number", "date", "name", "negation", "unit", "merged"]


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence made from a true one."""

    kind: Kind | Literal["verbatim", "reworded", "joined"]
    text: str
    source: str
    """The sentence or sentences it was made from."""

    @property
    def is_true(self) -> bool:
        """Whether it still says what its source says."""
        return self.kind in {"verbatim", "reworded", "joined"}


_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_WORDS = "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
_ORDINALS = "second third fourth fifth sixth seventh eighth".split()
_ASIDE = re.compile(r"\s\([^()]*\)")
_APPOSITIVE = re.compile(r"(?<=[a-z]), (?:\d{2}|an? [a-z -]+|the [a-z -]+|who [^,]{3,40}|which [^,]{3,40}), (?=[a-z])")
_ATTRIBUTION = re.compile(
    r",? (?:the [a-z ]{3,30} (?:said|found)|[A-Z]\w+(?: [A-Z]\w+)* said|according to [^,.]{3,60})\.$"
)
_SYNONYMS: Mapping[str, str] = {
    "began": "started",
    "about": "around",
    "injuring": "hurting",
    "injured": "hurt",
    "struck": "hit",
    "vessel": "ship",
    "accepted": "took",
    "showed": "displayed",
    "has beaten": "beat",
    "nearly": "almost",
    "purchased": "bought",
    "took off": "rescued",
    "belongs to": "is owned by",
    "usually": "normally",
    "before noon": "before midday",
    "told": "said to",
}
_UNITS: Mapping[str, str] = {
    "days": "weeks",
    "weeks": "months",
    "months": "weeks",
    "years": "months",
    "hours": "minutes",
    "minutes": "hours",
    "km": "miles",
    "kilometers": "miles",
    "meters": "feet",
    "miles": "km",
    "mm": "cm",
    "percent": "crowns",
    "crowns": "dollars",
    "tonnes": "kilograms",
    "dollars": "euros",
    "day": "week",
    "year": "month",
    "hour": "minute",
    "liters": "gallons",
    "hectares": "acres",
    "million": "billion",
    "seconds": "minutes",
}
_AUXILIARY = re.compile(r"\b(was|were|is|are|has|had|will|would|can|could|have)\b(?! (?:not|no|n't|been no)\b)")
_DENIAL = re.compile(r"\b(not|never) |(?<=\w)n['’]t\b|\bno (?=[a-z])")


def reworded(sentence: str, rng: random.Random) -> Variant:
    """The same, said a little differently; verbatim where nothing can be changed."""
    text = sentence
    for change in rng.sample(_REWORDINGS, k=len(_REWORDINGS)):
        text = change(text)
    kind: Literal["verbatim", "reworded"] = "verbatim" if text == sentence else "reworded"
    return Variant(kind=kind, text=text, source=sentence)


def falsified(
    kind: Kind, sentence: str, others: Sequence[str], names: Sequence[str], rng: random.Random
) -> Variant | None:
    """A sentence made false; `others` stand in the same article, `names` in others. None where it cannot be done."""
    base = reworded(sentence, rng).text if rng.random() < 0.5 else sentence
    text = FALSIFIERS[kind](base, others, names, rng)
    return None if text is None or text == base else Variant(kind=kind, text=text, source=sentence)


def _number(text: str, others: Sequence[str], names: Sequence[str], rng: random.Random) -> str | None:
    del others, names
    moments = moments_of(text)
    found = [q for q in quantities_of(text) if not any(m.start < q.end and q.start < m.end for m in moments)]
    if not found:
        return None
    chosen = rng.choice(found)
    written = text[chosen.start : chosen.end]
    return text[: chosen.start] + _other_number(written, rng) + text[chosen.end :]


def _other_number(written: str, rng: random.Random) -> str:
    if written.casefold() in _WORDS:
        return rng.choice([word for word in _WORDS if word != written.casefold()])
    digits = [at for at, c in enumerate(written) if c.isdigit()]
    if written.casefold() in _ORDINALS:
        return rng.choice([word for word in _ORDINALS if word != written.casefold()])
    if not digits:
        return rng.choice(["17", "430"])
    at = rng.choice(digits[:2])
    return written[:at] + rng.choice([d for d in "123456789" if d != written[at]]) + written[at + 1 :]


def _date(text: str, others: Sequence[str], names: Sequence[str], rng: random.Random) -> str | None:
    del others, names
    found = moments_of(text)
    if not found:
        return None
    chosen = rng.choice(found)
    written = text[chosen.start : chosen.end]
    for listed in (_DAYS, _MONTHS):
        for word in listed:
            if word in written:
                other = rng.choice([day for day in listed if day != word])
                return text[: chosen.start] + written.replace(word, other) + text[chosen.end :]
    return text[: chosen.start] + _other_number(written, rng) + text[chosen.end :]


def _name(text: str, others: Sequence[str], names: Sequence[str], rng: random.Random) -> str | None:
    del others
    found = [name for name in names_of(text) if name.start > 0 and len(name.text) > 3]
    fitting = [name for name in names if not any(same_name(name, own.text) for own in found)]
    if not found or not fitting:
        return None
    chosen = rng.choice(found)
    return text[: chosen.start] + rng.choice(fitting) + text[chosen.end :]


def _negation(text: str, others: Sequence[str], names: Sequence[str], rng: random.Random) -> str | None:
    del others, names
    if denied := list(_DENIAL.finditer(text)):
        chosen = rng.choice(denied)
        return text[: chosen.start()] + text[chosen.end() :]
    places = list(_AUXILIARY.finditer(text))
    if not places:
        return None
    chosen = rng.choice(places)
    return text[: chosen.end()] + " not" + text[chosen.end() :]


def _unit(text: str, others: Sequence[str], names: Sequence[str], rng: random.Random) -> str | None:
    del others, names
    found = [m for m in re.finditer(r"(?<=\d )[a-z]+\b", text) if m.group() in _UNITS]
    if not found:
        return None
    chosen = rng.choice(found)
    return text[: chosen.start()] + _UNITS[chosen.group()] + text[chosen.end() :]


def _merged(text: str, others: Sequence[str], names: Sequence[str], rng: random.Random) -> str | None:
    """Give this sentence's subject, or its number, from another sentence of the article."""
    del names
    for other in rng.sample(list(others), k=len(others)):
        for swap in rng.sample([_other_subject, _other_figure], k=2):
            if (found := swap(text, other)) is not None:
                return found
    return None


def _other_subject(text: str, other: str) -> str | None:
    ours, theirs = _subject(text), _subject(other)
    if ours is None or theirs is None:
        return None
    if any(same_name(a.text, b.text) for a in names_of(text) for b in names_of(other[theirs[0] : theirs[1]])):
        return None
    return text[: ours[0]] + other[theirs[0] : theirs[1]] + text[ours[1] :]


def _subject(text: str) -> tuple[int, int] | None:
    """Span of the name of two words or more that the sentence opens with."""
    runs: dict[int, list[Name]] = {}
    for name in names_of(text):
        runs.setdefault(name.run, []).append(name)
    first = next(iter(runs.values()), [])
    return (first[0].start, first[-1].end) if len(first) > 1 and first[0].start <= 4 else None


def _other_figure(text: str, other: str) -> str | None:
    for ours in _figures(text):
        for theirs in _figures(other):
            if (ours.unit and ours.unit.kind) == (theirs.unit and theirs.unit.kind) and ours.value != theirs.value:
                return text[: ours.start] + other[theirs.start : theirs.end] + text[ours.end :]
    return None


def _figures(text: str) -> list[Quantity]:
    moments = moments_of(text)
    return [
        q
        for q in quantities_of(text)
        if q.value > 12 and not q.ordinal and not any(m.start < q.end and q.start < m.end for m in moments)
    ]


FALSIFIERS: Mapping[Kind, Callable[[str, Sequence[str], Sequence[str], random.Random], str | None]] = {
    "number": _number,
    "date": _date,
    "name": _name,
    "negation": _negation,
    "unit": _unit,
    "merged": _merged,
}
_REWORDINGS: tuple[Callable[[str], str], ...] = (
    lambda text: _ASIDE.sub("", text),
    lambda text: _APPOSITIVE.sub(" ", text, count=1),
    lambda text: _ATTRIBUTION.sub(".", text),
    lambda text: re.sub(r"(?<=\d),(?=\d{3})", "", text),
    lambda text: re.sub(r"(?<=\d) percent\b", "%", text),
    lambda text: re.sub(rf"\b({'|'.join(_MONTHS)}) (\d{{1,2}})\b(?!,)", r"\2 \1", text),
    lambda text: re.sub(r"\b(two|three|four|five|six|seven|eight|nine)\b", lambda m: str(_WORDS.index(m[1]) + 2), text),
    lambda text: re.sub(rf"\b({'|'.join(_SYNONYMS)})\b", lambda m: _SYNONYMS[m[1]], text),
    lambda text: text.replace("’", "'"),
)
