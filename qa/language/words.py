"""Words of a text with their spans, stems and kinds: the alphabet of extraction.

Families of words that news uses for one and the same matter are kept in `synonyms.txt`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files

import msgspec

__all__ = ["STOPWORDS", "Token", "Word", "families", "is_name", "stem_of", "tokens", "words_of"]

_WORD = re.compile(
    r"""[$€£¥]?\d+(?:[.,:]\d+)*(?:st|nd|rd|th|s|%)?(?!\w)   # numbers, clock times, ordinals, money
      | \w+(?:[-'’.&]\w+)*                                   # words, with what joins their parts
    """,
    re.VERBOSE,
)
_POSSESSIVE = re.compile(r"['’]s?$")
STOPWORDS = frozenset(
    (
        "a an the this that these those and or but nor so yet if then than as at by for from in into of off "
        "on onto out over to under up with within without about after before between through during against "
        "toward towards upon i me my we us our you your he him his she her hers it its they them their theirs "
        "who whom whose which what when where why how is am are was were be been being do does did doing done "
        "have has had having will would shall should can could may might must not no n't 's s t there here "
        "also just very too such only own same other some any each both all more most much many few said says "
        "say according did get got"
    ).split(" ")
)
"""Words that carry no matter of their own in a question."""
_SHORT = 400
"""Characters of a text whose words are kept a while."""


class Word(msgspec.Struct, frozen=True):
    """One word: `text[start:end]` of the text it was read from."""

    start: int
    end: int
    text: str
    stem: str
    stop: bool
    number: bool
    capital: bool


def words_of(text: str) -> tuple[Word, ...]:
    """Cut a text into words; offsets are code points of `text`.

    >>> [word.text for word in words_of("Derna’s 125,000 residents, al-Mismari said.")]
    ['Derna’s', '125,000', 'residents', 'al-Mismari', 'said']
    """
    return _short_words(text) if len(text) <= _SHORT else tuple(_word(match) for match in _WORD.finditer(text))


def is_name(word: Word) -> bool:
    """Whether the word is written as a name: a capital, and not merely a sentence's function word."""
    return word.capital and not word.stop


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """One word of a question, without its possessive, and what stands around it."""

    text: str
    start: int
    end: int
    possessive: bool = False
    """Whether 's follows."""
    opens: bool = False
    """Whether a sentence, a clause or a quotation begins here, so that a capital says nothing."""
    parted: bool = False
    """Whether punctuation stands between the word before and this one."""

    @property
    def low(self) -> str:
        """The word without regard to case."""
        return self.text.casefold().replace("’", "'")

    @property
    def capital(self) -> bool:
        """Whether it is written like a name."""
        return self.text[:1].isupper() or (self.low[:3] in {"al-", "el-"} and self.text[3:4].isupper())


def tokens(text: str) -> Sequence[Token]:
    """Cut a text into words as `words_of` does, and see what stands between them.

    >>> [(token.text, token.possessive) for token in tokens("Who is Kelmar's mayor?")]
    [('Who', False), ('is', False), ('Kelmar', True), ('mayor', False)]
    """
    found: list[Token] = []
    last = 0
    for match in _WORD.finditer(text):
        bare = _POSSESSIVE.sub("", match.group())
        between = text[last : match.start()]
        found.append(
            Token(
                text=bare,
                start=match.start(),
                end=match.start() + len(bare),
                possessive=len(bare) < len(match.group()),
                opens=not found or any(mark in between for mark in '.!?:;“"\n'),
                parted=bool(between.strip()),
            )
        )
        last = match.end()
    return found


@lru_cache(maxsize=512)
def _short_words(text: str) -> tuple[Word, ...]:
    """The words of a question or sentence, of which each rule about it asks anew."""
    return tuple(_word(match) for match in _WORD.finditer(text))


def _word(match: re.Match[str]) -> Word:
    text = match.group()
    return Word(match.start(), match.end(), text, *_facts(text))


@lru_cache(maxsize=65536)
def _facts(text: str) -> tuple[str, bool, bool, bool]:
    """Stem, stop, number and capital of a word, wherever it stands."""
    bare = text if text.isalnum() else _POSSESSIVE.sub("", text)
    lower = bare.casefold()
    return (
        stem_of(lower),
        lower in STOPWORDS,
        not text.isalpha() and any(c.isdigit() for c in text),
        not bare.islower() and any(c.isupper() for c in bare),
    )


@lru_cache(maxsize=65536)
def stem_of(lower: str) -> str:
    """The stem of a word in small letters."""
    from Stemmer import Stemmer

    # A stemmer per call costs microseconds and is safe from any thread; the cache makes calls rare.
    return str(Stemmer("english").stemWord(lower.replace("’", "'")))


@lru_cache(maxsize=1)
def families() -> Mapping[str, frozenset[int]]:
    """Stem to the numbers of the families it belongs to.

    >>> bool(families()["die"] & families()["fatal"])
    True
    """
    lines = files("qa.language").joinpath("synonyms.txt").read_text(encoding="utf-8").splitlines()
    found: dict[str, frozenset[int]] = {}
    for number, line in enumerate(line for line in lines if line and not line.startswith("#")):
        for word in words_of(line):
            found[word.stem] = found.get(word.stem, frozenset()) | {number}
    return found
