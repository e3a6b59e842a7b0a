"""The words of a text with their spans, stems and kinds.

`synonyms.txt` has families of words that news uses for the same thing.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from operator import itemgetter

import msgspec

_WORD = re.compile(
    r"""[$€£¥]?\d+(?:[.,:]\d+)*(?:st|nd|rd|th|s|%)?(?!\w)   # numbers, clock times, ordinals, money
      | \w+(?:[-'’.&]\w+)*                                   # words, with what joins their parts
    """,
    re.VERBOSE,
)
_POSSESSIVE = re.compile(r"['’]s?$")
_OPENING = frozenset('.!?:;“"\n')
"""After one of these a capital says nothing."""
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
"""Words without content of their own in a question."""
SHORT = 400
"""Texts of at most so many characters are cached."""


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
    return _short_words(text) if len(text) <= SHORT else tuple(_word(match) for match in _WORD.finditer(text))


def stems(text: str) -> frozenset[str]:
    """The stems of all words of a text; takes half the time of `words_of`."""
    return frozenset(map(itemgetter(0), map(_facts, set(_WORD.findall(text)))))


def matter(text: str) -> frozenset[str]:
    """The stems of its content words, that is, without stop words."""
    return frozenset(word.stem for word in words_of(text) if not word.stop)


def is_name(word: Word) -> bool:
    """Whether the word is written like a name: capitalised, and no stop word."""
    return word.capital and not word.stop


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """One word of a question, without its possessive, and its surroundings."""

    text: str
    start: int
    end: int
    possessive: bool = False
    """Whether 's follows."""
    opens: bool = False
    """Whether a sentence, a clause or a quotation begins here, so that a capital says nothing."""
    parted: bool = False
    """Whether punctuation separates it from the word before."""
    low: str
    """The word, case-folded."""
    capital: bool
    """Whether it is written like a name."""


def tokens(text: str) -> Sequence[Token]:
    """Cut a text into words as `words_of` does, and look at what is between them.

    >>> [(token.text, token.possessive) for token in tokens("Who is Kelmar's mayor?")]
    [('Who', False), ('is', False), ('Kelmar', True), ('mayor', False)]
    """
    found: list[Token] = []
    last = 0
    for match in _WORD.finditer(text):
        word = match.group()
        bare = word if word.isalnum() else _POSSESSIVE.sub("", word)
        low = bare.casefold().replace("’", "'")
        between = text[last : match.start()]
        found.append(
            Token(
                text=bare,
                start=match.start(),
                end=match.start() + len(bare),
                possessive=len(bare) < len(word),
                opens=not found or not _OPENING.isdisjoint(between),
                parted=bool(between.strip()),
                low=low,
                capital=bare[:1].isupper() or (low[:3] in {"al-", "el-"} and bare[3:4].isupper()),
            )
        )
        last = match.end()
    return found


@lru_cache(maxsize=512)
def _short_words(text: str) -> tuple[Word, ...]:
    """The words of a question or sentence, cached because every rule asks for them."""
    return tuple(_word(match) for match in _WORD.finditer(text))


def _word(match: re.Match[str]) -> Word:
    text = match.group()
    return Word(match.start(), match.end(), text, *_facts(text))


@lru_cache(maxsize=65536)
def _facts(text: str) -> tuple[str, bool, bool, bool]:
    """Stem, stop, number and capital of a word."""
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
    """The stem of a word in lower case."""
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


# --- Which words of a text are negated
_CUES = frozenset(
    "not no never none nobody nothing neither nor without cannot fail failed fails failing refuse refused refuses "
    "unable "
    "lack lacks lacked hardly barely scarcely deny denied denies denying avoid avoided refusing nowhere stopped "
    "prevent prevented absent".split()
)
_AFRESH = frozenset("nobody nothing none neither nor never no".split())
"""Where one denial begins anew, rather than turning round the one before it."""
_CONTRACTED = re.compile(r"n['’]t$", re.IGNORECASE)
_NOT_A_CUE = re.compile(
    r"(?:not only|no less|no fewer|no more|no doubt|not just|no longer than|no\.? ?\d)", re.IGNORECASE
)
_RULED_OUT = re.compile(r"(?:rul(?:e|es|ed|ing) out|turned? down|instead of|rather than|far from)\b", re.IGNORECASE)
_PASSIVE = frozenset({"been", "was", "were", "is", "are", "be", "being"})
# Not the clauses of `question_words`: what the checker's vetoes strike was counted with these.
_BREAK = re.compile(r"[;:.!?—–]|,|\b(?:but|although|though|while|because|which|who|after|before|when)\b", re.IGNORECASE)
_REACH = 6
"""How many words after it a negation reaches within its clause."""


def negated(text: str, words: Sequence[Word]) -> tuple[bool, ...]:
    """For each word, whether an odd number of negations reaches it.

    >>> text = "The captain was not drunk, and said so."
    >>> [word.text for word, no in zip(words_of(text), negated(text, words_of(text)), strict=True) if no]
    ['drunk']
    """
    parity = [False] * len(words)
    for at, word in enumerate(words):
        if not _is_cue(text, word):
            continue
        if at and _RULED_OUT.match(text, word.start) and words[at - 1].text.casefold() in _PASSIVE:
            for other in _before(text, words, at):
                parity[other] = not parity[other]
            continue
        for other in range(at + 1, min(at + 1 + _REACH, len(words))):
            if _BREAK.search(text[word.end : words[other].end]) or words[other].text.casefold() in _AFRESH:
                break
            parity[other] = not parity[other]
    return tuple(parity)


def _before(text: str, words: Sequence[Word], at: int) -> list[int]:
    """Places of the words of a clause before a place: what is ruled out there."""
    return [
        other for other in range(max(0, at - _REACH), at) if not _BREAK.search(text[words[other].end : words[at].start])
    ]


def denials(text: str, words: Sequence[Word]) -> int:
    """How many negations a text has."""
    return sum(_is_cue(text, word) for word in words)


def _is_cue(text: str, word: Word) -> bool:
    lower = word.text.casefold()
    if _RULED_OUT.match(text, word.start):
        return True
    if _NOT_A_CUE.match(text, word.start):
        return False
    return lower in _CUES or bool(_CONTRACTED.search(lower))
