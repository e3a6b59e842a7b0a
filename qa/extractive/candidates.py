"""Spans of a sentence that could be a short answer: numbers, quantities, dates, names, and other noun-like runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, get_args

import msgspec

from qa.extractive.words import Word, is_name

__all__ = ["SPAN_KINDS", "Candidate", "SpanKind", "candidates_of"]

SpanKind = Literal["number", "quantity", "date", "name", "quote", "phrase"]
SPAN_KINDS: tuple[SpanKind, ...] = get_args(SpanKind)

_MONTH = (
    r"(?:jan(?:uary|\.)?|feb(?:ruary|\.)?|mar(?:ch|\.)?|apr(?:il|\.)?|may|june?|july?|aug(?:ust|\.)?"
    r"|sept?(?:ember|\.)?|oct(?:ober|\.)?|nov(?:ember|\.)?|dec(?:ember|\.)?)"
)
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_DATE = re.compile(
    rf"""\b(?:
        {_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?\b
      | \d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?:,?\s+\d{{4}})?\b
      | {_MONTH},?\s+(?:of\s+)?\d{{4}}\b
      | (?:early\s+|late\s+|mid-?\s*)?(?:1[0-9]|20)\d\d(?:s|[-–]\d{{2,4}})?\b(?!\s*%)
      | (?:late|early|last|next|this)\s+(?:year|month|week|spring|summer|autumn|fall|winter|{_MONTH}|{_DAY})\b
      | {_DAY}(?:\s+(?:morning|afternoon|evening|night))?\b
      | (?:today|yesterday|tomorrow|tonight)\b
      | (?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)\s+century\b
      | {_MONTH}\b(?=\s|[,.;])
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_NUMERAL = (
    r"(?:[$€£¥]\s?)?\d+(?:[.,]\d+)*(?:\s?%|\s(?:per\s?cent|percent))?(?:\s(?:hundred|thousand|million|billion|trillion))?"
    r"|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    r"|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|dozens?|hundreds?|thousands?|millions?)"
    r"(?:[-\s](?:one|two|three|four|five|six|seven|eight|nine|hundred|thousand|million|billion|trillion|dozen))*\b"
)
_NUMBER = re.compile(_NUMERAL, re.IGNORECASE)
_UNIT = re.compile(
    r"[-\s](?:square\s|cubic\s)?(?:km|kilomet(?:er|re)s?|m|met(?:er|re)s?|cm|miles?|feet|foot|ft|inch(?:es)?|yards?"
    r"|hectares?|acres?|kg|kilograms?|kilos?|g|grams?|tons?|tonnes?|pounds?|lbs?|lit(?:er|re)s?|gallons?|barrels?"
    r"|dollars?|euros?|pounds?|yen|yuan|rubles?|cents?|seconds?|minutes?|hours?|days?|weeks?|months?|years?|decades?"
    r"|centuries|degrees?(?:\s(?:celsius|fahrenheit))?|°\s?[cf]|mph|kph|km/h|percent|points?|megawatts?|gigawatts?)\b"
    r"(?:\s(?:squared|per\s\w+|old|an?\shour))?",
    re.IGNORECASE,
)
_QUOTE = re.compile(r"[“\"]([^“”\"]{2,120})[”\"]")
_JOINERS = frozenset("of the de la le du da del van von der den bin ibn al el and for & 's ’s".split())
_MAX_PHRASE_WORDS = 7


class Candidate(msgspec.Struct, frozen=True):
    """A span of a sentence, as offsets in that sentence, with the kind its form suggests."""

    start: int
    end: int
    kind: SpanKind


def candidates_of(text: str, words: Sequence[Word]) -> tuple[Candidate, ...]:
    """Every span of a sentence that a short answer could be, each span once, in order of position.

    >>> [c for c in candidates_of("On June 4 he left.", ()) if c.kind == "date"]
    [Candidate(start=3, end=9, kind='date')]
    """
    found: dict[tuple[int, int], SpanKind] = {}
    by_kind: tuple[tuple[SpanKind, list[tuple[int, int]]], ...] = (
        ("date", _matches(_DATE, text)),
        ("quantity", _quantities(text)),
        ("number", _matches(_NUMBER, text)),
        ("quote", [match.span(1) for match in _QUOTE.finditer(text)]),
        ("name", _names(text, words)),
        ("phrase", _phrases(text, words)),
    )
    for kind, spans in by_kind:
        for span in spans:
            found.setdefault(span, kind)
    return tuple(Candidate(start, end, kind) for (start, end), kind in sorted(found.items()))


def _matches(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    return [match.span() for match in pattern.finditer(text)]


def _quantities(text: str) -> list[tuple[int, int]]:
    """A number with the unit behind it."""
    found = []
    for number in _NUMBER.finditer(text):
        if unit := _UNIT.match(text, number.end()):
            found.append((number.start(), unit.end()))
        elif number.group()[0] in "$€£¥" or "%" in number.group() or "cent" in number.group():
            found.append(number.span())
    return found


def _names(text: str, words: Sequence[Word]) -> list[tuple[int, int]]:
    """Runs of capitalised words, joined over small words (`Bank of England`), and their parts without titles."""
    found: list[tuple[int, int]] = []
    run: list[Word] = []
    for word in words:
        if run and not _joined(text, run[-1], word):
            found += _runs(run)
            run = []
        if is_name(word) or (run and (word.text in _JOINERS or word.number)):
            run.append(word)
        else:
            found += _runs(run)
            run = []
    return found + _runs(run)


def _runs(run: Sequence[Word]) -> list[tuple[int, int]]:
    """The whole run without joiners at its end, and its pieces between joiners."""
    while run and run[-1].text in _JOINERS:
        run = run[:-1]
    if not run:
        return []
    spans = [(run[0].start, run[-1].end)]
    piece: list[Word] = []
    for word in run:
        if word.text in {"and", "&"}:
            spans += [(piece[0].start, piece[-1].end)] if piece else []
            piece = []
        else:
            piece.append(word)
    if piece:
        spans.append((piece[0].start, piece[-1].end))
    return spans


def _joined(text: str, left: Word, right: Word) -> bool:
    """Whether only space (or an abbreviation's full stop) lies between two words."""
    between = text[left.end : right.start]
    return between in {" ", "  ", ""} or (between == ". " and len(left.text) <= 4)


def _phrases(text: str, words: Sequence[Word]) -> list[tuple[int, int]]:
    """Runs of up to seven words inside one clause that neither begin nor end with a function word."""
    found = []
    for i, first in enumerate(words):
        if first.stop:
            continue
        for j in range(i, min(i + _MAX_PHRASE_WORDS, len(words))):
            if j > i and not _same_clause(text, words[j - 1], words[j]):
                break
            if not words[j].stop:
                found.append((first.start, words[j].end))
    return found


def _same_clause(text: str, left: Word, right: Word) -> bool:
    return not any(mark in ',;:()[]—–"“”!?' for mark in text[left.end : right.start])
