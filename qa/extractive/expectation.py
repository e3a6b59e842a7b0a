"""What kind of words a question asks for, read from its question phrase."""

from __future__ import annotations

import re
from typing import Literal, get_args

import msgspec

from qa.extractive.words import Word, words_of

__all__ = ["KINDS", "AnswerKind", "Expectation", "expectation_of"]

AnswerKind = Literal["number", "quantity", "date", "person", "place", "name", "thing", "explanation", "yes_no"]
KINDS: tuple[AnswerKind, ...] = get_args(AnswerKind)


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """The kind of answer expected, and where the question says so."""

    kind: AnswerKind
    phrase: tuple[int, int]
    """Span, in the question, of the words that ask: `how many people`, `which division`."""
    content: tuple[Word, ...]
    """The question's other words that carry matter: what an answering sentence must be about."""


_PLACE_NOUNS = "city|country|countries|state|town|place|region|province|district|continent|village|island|location|port"
_DATE_NOUNS = "year|month|day|date|decade|century|weekday|season|time"
_PERSON_NOUNS = (
    "person|man|woman|president|minister|leader|singer|actor|actress|author|player|commander|official|king|queen"
)
_VERBS = "is|are|was|were|did|does|do|has|have|had|will|would|can|could|should|of"
_RULES: tuple[tuple[AnswerKind, str], ...] = (
    ("explanation", r"\b(?:why|how come|for what reason)\b"),
    (
        "number",
        (
            rf"\bhow many(?:\s+(?!(?:\w+ed|{_VERBS})\b)\w+)?"
            r"|\bwhat (?:number|percentage|percent|share|proportion|fraction)(?: of)?(?:\s+\w+)?"
        ),
    ),
    (
        "quantity",
        (
            r"\bhow (?:much|far|long|old|tall|high|big|large|deep|wide|fast|heavy|hot|cold|often|close|late|early)\b"
            r"(?:\s+\w+)?"
        ),
    ),
    (
        "quantity",
        r"\b(?:what|which) (?:distance|amount|price|cost|size|sum|age|speed|temperature|length|height|weight|rate)\b",
    ),
    ("date", rf"\b(?:when|(?:what|which|in what|in which) (?:{_DATE_NOUNS}))\b"),
    ("person", r"\b(?:who|whom|whose)\b"),
    ("place", rf"\b(?:where|(?:what|which)(?:\s+\w+)?\s+(?:{_PLACE_NOUNS}))\b"),
    ("person", rf"\b(?:what|which)(?:\s+\w+)?\s+(?:{_PERSON_NOUNS})\b"),
    (
        "name",
        (
            rf"\bwhich\s+(?!(?:{_VERBS})\b)\w+(?:\s+(?!(?:{_VERBS})\b)\w+)?"
            r"|\bwhich\b|\bwhat (?:is|was|are|were) the (?:name|title)s? of\b"
        ),
    ),
    ("explanation", r"\bhow\b"),
    ("thing", rf"\bwhat(?:\s+(?!(?:{_VERBS})\b)\w+)?"),
)
_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _RULES)
_ASKING = re.compile(
    rf"(?:{_DATE_NOUNS}|{_PLACE_NOUNS}|{_PERSON_NOUNS}|number|percentage|percent|amount|name|title"
    r"|far|long|old|tall|high|big|large|deep|wide|often)s?",
    re.IGNORECASE,
)
_AUXILIARY = re.compile(
    r"^\W*(?:is|are|was|were|do|does|did|has|have|had|will|would|can|could|should)\b", re.IGNORECASE
)


def expectation_of(question: str) -> Expectation:
    """Read the expected kind of answer from a question.

    >>> expectation_of("How many people live in Derna?").kind
    'number'
    >>> [word.text for word in expectation_of("How many people live in Derna?").content]
    ['people', 'live', 'Derna']
    """
    kind, (start, end) = _ask_phrase(question)
    content = tuple(word for word in words_of(question) if not word.stop and not _asks(word, question, start, end))
    return Expectation(kind=kind, phrase=(start, end), content=content)


def _ask_phrase(question: str) -> tuple[AnswerKind, tuple[int, int]]:
    """The question phrase that comes first; at one place the earlier rule wins."""
    if _AUXILIARY.match(question):
        return "yes_no", (0, 0)
    found = [
        (match.start(), rank, kind, match.span())
        for rank, (kind, rule) in enumerate(_COMPILED)
        if (match := rule.search(question))
    ]
    if not found:
        return "thing", (0, 0)
    _, _, kind, span = min(found)
    return kind, span


def _asks(word: Word, question: str, start: int, end: int) -> bool:
    """Whether a word inside the question phrase asks rather than carries matter (`year`, not `division`)."""
    if not start <= word.start < end:
        return False
    return _ASKING.fullmatch(question, word.start, word.end) is not None
