"""Says whether quotes speak of every part of a sentence: a true half does not carry one that nobody wrote.

A support checker weighs a sentence as a whole; of a long true sentence with a short false end, most is true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from qa.language.synonyms import families
from qa.language.words import Word, words_of

__all__ = ["speaks_of_all"]

_PART = re.compile(r"[,;:–—]\s+|\s+(?:and|but|while|whereas|although|though|because|which|who)\s+", re.IGNORECASE)
_HALF = 0.5
"""Of a part's words of matter, more than so many must be spoken of, themselves or another word of their family."""


def speaks_of_all(sentence: str, quotes: Sequence[str], *, known: str = "") -> bool:
    """Whether each part of a sentence is spoken of; `known` is what may be said without a quote, the question's words.

    >>> quote = "The council raised the ferry fee to 17 crowns on Monday."
    >>> speaks_of_all("The council raised the fee to 17 crowns.", [quote])
    True
    >>> speaks_of_all("The council raised the fee to 17 crowns and has resigned.", [quote])
    False
    """
    said = {word.stem for text in (*quotes, known) for word in words_of(text)}
    related = families()
    told = frozenset(number for stem in said for number in related.get(stem, ()))
    for words in _parts(sentence):
        spoken = sum(word.stem in said or bool(related.get(word.stem, frozenset()) & told) for word in words)
        if spoken <= _HALF * len(words):
            return False
    return True


def _parts(sentence: str) -> Iterator[list[Word]]:
    """The words of matter of each part that has any."""
    start = 0
    for end, following in [*((cut.start(), cut.end()) for cut in _PART.finditer(sentence)), (len(sentence), 0)]:
        words = [word for word in words_of(sentence[start:end]) if not word.stop]
        start = following
        if words:
            yield words
