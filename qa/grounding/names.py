"""Takes a text, gives the names in it, and says which spellings are of one name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import lru_cache

import msgspec

from qa.extractive.words import Word, is_name, words_of

__all__ = ["Name", "names_of", "same_name"]


class Name(msgspec.Struct, frozen=True, kw_only=True):
    """One word of a name; "Oda Lindqvist" is two, since either may stand alone for her."""

    start: int
    end: int
    text: str
    run: int
    """Words of one name share this number."""


_POSSESSIVE = re.compile(r"['’]s?$")
_PREFIX = re.compile(r"^(?:al|el|ad|as|az|an|ar|at|bin|ibn)[-‑]")
_SAME_SOUND = str.maketrans({"q": "k", "c": "k", "g": "k", "z": "s", "y": "i", "w": "v", "j": "i"})
_VOWELS = re.compile(r"[aeiouhv]+")
_DOUBLE = re.compile(r"(.)\1+")
_LEAST_LONG = 5
_LIKENESS = 0.8
_STOP_BEFORE = re.compile(r"(?:^|[.!?:;]\s*|[\"“‘'(\[]\s*|\n\s*|[–—-]\s+)$")
_NO_NAMES = frozenset(
    "Mr Mrs Ms Dr Sir Lord Lady Prof President Prime Minister Mayor Judge King Queen Prince Princess Pope General "
    "Captain "
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August "
    "September October November December Jan Feb Mar Apr Jun Jul Aug Sept Sep Oct Nov Dec AM PM I I'm I've".split()
)
"""Capitals that are no name of their own: titles, months and weekdays, which are checked as dates."""
_PLACES = (
    "us usa u.s u.s.a america american americans united states",
    "uk u.k britain british briton britons united kingdom",
    "netherlands dutch holland",
    "france french",
    "germany german germans",
    "greece greek greeks",
    "spain spanish spaniard",
    "sweden swedish swede",
    "denmark danish dane danes",
    "poland polish pole poles",
    "turkey turkish turk turks türkiye turkiye",
    "wales welsh",
    "ireland irish",
    "switzerland swiss",
    "finland finnish finn",
    "england english",
    "scotland scottish scots scot",
    "china chinese",
    "japan japanese",
    "norway norwegian",
    "philippines filipino filipinos",
    "iraq iraqi",
    "eu european union",
    "un united nations",
)


def names_of(text: str, *, lower: Collection[str] = ()) -> tuple[Name, ...]:
    """Every word of a text that is written as a name.

    A capital that opens a sentence says nothing: that word counts only where a second name follows it, or where it is
    not among `lower`, the case-folded words that the texts at hand also write small.

    >>> [name.text for name in names_of("Officials met Oda Lindqvist on Monday.", lower={"officials"})]
    ['Oda', 'Lindqvist']
    """
    words = words_of(text)
    found, run = [], 0
    for at, word in enumerate(words):
        bare = _POSSESSIVE.sub("", word.text)
        if not _is_name(text, words, at, lower) or bare in _NO_NAMES:
            run += 1
            continue
        found.append(Name(start=word.start, end=word.start + len(bare), text=bare, run=run))
    return tuple(found)


def _is_name(text: str, words: Sequence[Word], at: int, lower: Collection[str]) -> bool:
    word = words[at]
    if not is_name(word) or (word.number and not any(c.isalpha() for c in word.text)):
        return False
    if word.number and word.text[0].isdigit():
        return False
    if not _STOP_BEFORE.search(text[max(0, word.start - 8) : word.start]):
        return True
    bare = _POSSESSIVE.sub("", word.text).casefold()
    return not (bare in lower or bare.endswith(("ly", "ing")))


def same_name(one: str, other: str) -> bool:
    """Whether two spellings are of one name.

    >>> same_name("Mesmari", "al-Mismari"), same_name("Austria", "Australia"), same_name("Dutch", "Netherlands")
    (True, False, True)
    """
    left, right = _folded(one), _folded(other)
    if left == right or _kin(left) & _kin(right):
        return True
    short, long = sorted((left, right), key=len)
    if (
        len(short) >= 4
        and long.startswith(short)
        and long[len(short) :] in {"n", "an", "ian", "s", "es", "i", "ese", "ish", "ns", "ans", "ians", "is"}
    ):
        return True
    if len(short) < _LEAST_LONG or left.isdigit() or right.isdigit():
        return False
    return _one_spelling(left, right)


def _one_spelling(left: str, right: str) -> bool:
    """Same sound at the start, same consonants, or one letter apart in a long word."""
    from rapidfuzz.distance import Levenshtein

    first, second = left.translate(_SAME_SOUND), right.translate(_SAME_SOUND)
    if first[0] != second[0] or Levenshtein.normalized_similarity(left, right) < _LIKENESS:
        return False
    bones = _DOUBLE.sub(r"\1", _VOWELS.sub("", first)), _DOUBLE.sub(r"\1", _VOWELS.sub("", second))
    if len(bones[0]) >= 3 and bones[0] == bones[1] and left[-1] == right[-1]:
        return True
    return min(len(left), len(right)) >= 8 and Levenshtein.distance(left, right) == 1


@lru_cache(maxsize=65536)
def _folded(name: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return _PREFIX.sub("", _POSSESSIVE.sub("", plain)).replace("-", "").replace(".", "").replace("’", "'")


@lru_cache(maxsize=65536)
def _kin(folded: str) -> frozenset[int]:
    return frozenset(number for number, line in enumerate(_PLACES) if folded in line.replace(".", "").split())
