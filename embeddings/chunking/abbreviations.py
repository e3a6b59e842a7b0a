"""Words that tell whether a full stop ends a sentence; `abbreviations.txt` has them."""

from __future__ import annotations

import re
from typing import Final

from embeddings.month_names import (
    CAPITAL_SHORT_MONTHS,
    ENGLISH_MONTHS,
    ENGLISH_SHORT_MONTHS,
    ENGLISH_WEEKDAYS,
    GERMAN_MONTHS,
    GERMAN_SHORT_MONTHS,
)
from embeddings.runtime import word_lists

_LISTS: Final = word_lists("embeddings.chunking", "abbreviations.txt")


def _of(name: str) -> frozenset[str]:
    """The words of one kind, of all languages."""
    return frozenset(word for kind, words in _LISTS.items() if kind.startswith(name) for word in words.split())


_TITLES: Final = _of("title")
NEVER_LAST: Final = _of("never last") | _TITLES | {title.upper() for title in _TITLES}  # wires in capitals
"""A name, a number or the rest of the phrase always follows."""
BEFORE_NUMBER: Final = _of("before number").union(ENGLISH_SHORT_MONTHS, CAPITAL_SHORT_MONTHS)
"""Abbreviations when a number follows, words like any other when none does."""
MAYBE_LAST: Final = _of("maybe last")
"""Abbreviations that also end sentences: they do where the next word is one that opens sentences."""
AFTER_CLOCK: Final = _of("after clock").union(ENGLISH_WEEKDAYS, ENGLISH_MONTHS, ENGLISH_SHORT_MONTHS)
AFTER_ORDINAL: Final = _of("after ordinal").union(GERMAN_MONTHS, GERMAN_SHORT_MONTHS)
"""What follows a number with a stop in German where it is read as an ordinal ("am 3. Oktober")."""
_OPENERS: Final = _of("opener")


def opens_sentence(word: str) -> bool:
    """Whether a word is one that opens sentences: `It's`, `The,` and `THE` are, the initial `A.` is not."""
    bare = re.split(r"['’]", word.rstrip(",:;"), maxsplit=1)[0]
    return bare in _OPENERS or (len(bare) > 1 and bare.isupper() and bare.capitalize() in _OPENERS)
