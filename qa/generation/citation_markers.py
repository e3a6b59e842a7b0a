"""Source markers: takes them out of a drafted sentence, and resolves which sources they name.

A marker is a label and a number, `[S2]`. The label is chosen for each question so that with a number behind it, it
stands neither in the evidence nor in the question: prose is never taken for a marker, whatever a model makes of its
brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import msgspec

_LABELS = ("S", "Q", "K", "X", "Z", "J", "SQ", "KX", "QZ", "XJ", "ZK")
_OPEN, _CLOSE = r"[\[(【［{⟦<]", r"[\])】］}⟧>]"
_BARE_NUMBER = re.compile(r"\s*\[(\d{1,2})\](?=[\s.!?…\"”’]*$)")
_UNCLOSED = re.compile(rf"\s*{_OPEN}[^\])】］}}⟧>]{{0,40}}$")
_SPACE_BEFORE_STOP = re.compile(r"\s+(?=[.,;:!?…])")
_DOUBLED_STOP = re.compile(r"([.!?…])\s*[.,;]+(?=\s*$)")


class Marked(msgspec.Struct, frozen=True, kw_only=True):
    """A drafted sentence, its markers taken out."""

    text: str
    sources: tuple[int, ...]
    """Indexes (from 0) of the sources named, each once, in order."""
    unresolved: int
    """Numbers that name no source."""


class _Grammar(msgspec.Struct, frozen=True):
    """The patterns of one label."""

    marker: re.Pattern[str]
    number: re.Pattern[str]
    lead_in: re.Pattern[str]
    after_stop: re.Pattern[str]
    ended: re.Pattern[str]


def choose_label(texts: Iterable[str]) -> str:
    """The first label that no text uses with a number.

    >>> choose_label(["The Galaxy S24 is out.", "Take route Q7."])
    'K'
    """
    whole = "\n".join(texts)
    return next((label for label in _LABELS if not _grammar(label).marker.search(whole)), _LABELS[-1])


def resolve(sentence: str, *, label: str, sources: int) -> Marked:
    """Take the markers of a sentence out and look up what they name among `sources` sources.

    >>> resolve("It sank [S2, S9].", label="S", sources=3)
    Marked(text='It sank.', sources=(1,), unresolved=1)
    >>> resolve("Budget [2024], ref 12, see (1).", label="S", sources=3).sources
    ()
    """
    grammar = _grammar(label)
    numbers = [int(n) for mark in grammar.marker.finditer(sentence) for n in grammar.number.findall(mark[0])]
    opened = grammar.lead_in.match(sentence)
    text = grammar.marker.sub(" ", sentence[opened.end() :] if opened else sentence)
    # Some models number in their own way; that is no marker, and no part of what they say.
    text = _BARE_NUMBER.sub(lambda own: "" if 1 <= int(own[1]) <= sources else own[0], text)
    text = _DOUBLED_STOP.sub(r"\1", _SPACE_BEFORE_STOP.sub("", " ".join(text.split())))
    if opened and opened.end():
        text = text[:1].upper() + text[1:]
    named = dict.fromkeys(number - 1 for number in numbers if 1 <= number <= sources)
    return Marked(text=text, sources=tuple(named), unresolved=sum(not 1 <= n <= sources for n in numbers))


def hang_back(text: str, *, label: str) -> str:
    """Put markers that stand behind a full stop before it, so that they go with their sentence.

    >>> hang_back("It sank. [S1] [S2] Nobody drowned.", label="S")
    'It sank [S1] [S2]. Nobody drowned.'
    """
    return _grammar(label).after_stop.sub(r" \g<marks>\g<stop>\g<gap>", text)


def marked_end(text: str, *, label: str) -> int | None:
    """Where the next sentence begins after a marker and a stop, whatever it begins with; None where there is none.

    >>> marked_end("It sank [S1]. iPhones floated.", label="S")
    14
    """
    ended = _grammar(label).ended.search(text)
    return ended.end() if ended else None


def opens_bracket(text: str) -> bool:
    """Whether a text begins with a bracket that it does not close: a marker may still be coming."""
    return _UNCLOSED.match(text) is not None


@lru_cache(maxsize=len(_LABELS))
def _grammar(label: str) -> _Grammar:
    words = r"(?:(?:sources?|see|ref)\s*:?\s*)?"
    one = rf"\^?{words}(?<!\w){label}\s?[-_.#]?\s?\d{{1,3}}(?!\d|[.,]\d)"
    more = rf"(?:\s*(?:[,;/&–—-]|and)\s*{words}(?:{label}\s?[-_.#]?\s?)?\d{{1,3}}(?!\d|[.,]\d))*"
    plain = rf"{_OPEN}{{1,2}}\s*source\s*\d{{1,3}}\s*{_CLOSE}{{1,2}}"
    # Without brackets only as it was given: "the city's 27 bridges" names no source.
    bare = rf"(?<![\w'’])(?-i:{label})\d{{1,3}}(?!\w|[.,]\d)"
    marker = rf"(?:{_OPEN}{{1,2}}\s*{one}{more}\s*{_CLOSE}{{1,2}}|{plain}|{bare})"
    verb = r"(?:says|states|reports|notes|mentions|said|reported)(?:\s+that)?\b"
    lead_in = (
        rf"\s*(?:(?:according to|as (?:reported|stated|noted|mentioned|said) (?:in|by)|per|in|from)\s+)?"
        rf"(?:the\s+)?(?:source\s+)?{marker}\s*(?:,|:|{verb})\s*"
    )
    return _Grammar(
        re.compile(marker, re.IGNORECASE),
        re.compile(r"\d{1,3}"),
        re.compile(lead_in, re.IGNORECASE),
        re.compile(
            rf"(?P<stop>[.!?…]+[\"”’']*)(?P<before>\s*)(?P<marks>{marker}(?:\s*{marker})*)(?P<gap>[.]?(?=\s|$))",
            re.IGNORECASE,
        ),
        re.compile(rf"{marker}[.!?…]+[\"”’')]*\s+(?=\S)", re.IGNORECASE),
    )
