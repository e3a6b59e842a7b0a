"""Which terms a text is found by: takes any text, gives folded, stemmed terms.

SQLite's own tokenizers do the work (a hundred-word passage in 10 µs): `unicode61` folds case and diacritics,
`porter` stems English and leaves other languages alone. Scripts written without spaces are cut into single
characters and pairs, so that any two adjacent characters of a question find their text.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable

import apsw

from embeddings.runtime import compiled_late

__all__ = ["ANALYSIS", "UNSPACED", "Terms"]

ANALYSIS = "compatible-unaccented unicode61 porter pairs 1"
"""Name of this way to find terms; an index made another way is made again."""

_CATEGORIES = ["unicode61", "remove_diacritics", "2", "categories", "L* N* Co Mn Mc"]
"""Marks belong to words: without `Mn Mc` the vowel signs of Devanagari or Thai would cut every word apart."""

UNSPACED = compiled_late(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese; Korean too, whose words carry their particles."""

_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1-\u05c7\u0610-\u061a\u064b-\u065f\u0670]+")
"""Of Latin, Greek and Cyrillic letters, and the vowel points of Hebrew and Arabic; `unicode61` knows Latin only."""

_STOPWORDS = frozenset(
    "a about an and are as at be been being but by can could did do does doing for from had has have having he her "
    "hers him his how i if in into is it its itself just me my no nor not of on or our ours s she should so such t "
    "than that the their theirs them then there these they this those to too us very was we were what when where "
    "which while who whom whose why will with would you your yours".split()
)


class Terms:
    """Finds the terms of texts. Safe to use from several threads, one at a time."""

    def __init__(self) -> None:
        # The tokenizers live as long as a connection they belong to.
        self._db = apsw.Connection(":memory:")
        self._words = self._db.fts5_tokenizer(_CATEGORIES[0], _CATEGORIES[1:])
        self._stems = self._db.fts5_tokenizer("porter", _CATEGORIES)
        self._one_at_a_time = threading.Lock()

    def of_text(self, text: str) -> list[str]:
        """Every term of a passage or title, in order, repeated as often as it occurs.

        >>> Terms().of_text("Floods in Derna’s old town")
        ['flood', 'in', 'derna', 's', 'old', 'town']
        """
        return self._read(self._stems, _prepared(text, _singles_and_pairs))

    def of_question(self, text: str) -> list[str]:
        """Each term to look for, once. Common words count only where there is nothing else.

        >>> Terms().of_question('"Who" runs NEAR(the, airport*) OR airport?')
        ['run', 'near', 'airport']
        >>> Terms().of_question("To be or not to be")
        ['to', 'be', 'or', 'not']
        """
        words = self._read(self._words, _prepared(text, _pairs_or_single))
        telling = [word for word in words if word not in _STOPWORDS]
        return list(dict.fromkeys(self._read(self._stems, " ".join(telling or words))))

    def _read(self, tokenizer: apsw.FTS5Tokenizer, text: str) -> list[str]:
        with self._one_at_a_time:
            return tokenizer(  # type: ignore[return-value]
                text.encode("utf-8", "replace"),
                apsw.FTS5_TOKENIZE_DOCUMENT,
                None,
                include_offsets=False,
                include_colocated=False,
            )


def _prepared(text: str, cut: Callable[[str], list[str]]) -> str:
    """Unify the ways to write a character and put spaces where a script has none."""
    if text.isascii():
        return text
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return UNSPACED.sub(lambda run: f" {' '.join(cut(run[0]))} ", unicodedata.normalize("NFC", bare))


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def _singles_and_pairs(run: str) -> list[str]:
    return [*run, *_pairs(run)]


def _pairs_or_single(run: str) -> list[str]:
    return _pairs(run) or [run]
