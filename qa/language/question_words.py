"""The words and phrases of a question: question words, language, names, noun phrases, clauses.

The language is told as far as letters and small words tell; names and phrases are found by their form alone.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec

from embeddings.month_names import ENGLISH_MONTHS, ENGLISH_WEEKDAYS
from embeddings.runtime import compiled_late, word_lists
from qa.language.names import name_words
from qa.language.words import SHORT, Token, tokens

_YEAR = re.compile(r"(?:19|20)\d\d")
_WHOLE_NAME_WORDS = 3
_LISTS = {name: words.split() for name, words in word_lists("qa.language", "question_words.txt").items()}
WH_WORDS = frozenset(_LISTS["question"])
AUXILIARIES = frozenset(_LISTS["auxiliary"])
PREPOSITIONS = frozenset(_LISTS["preposition"])
PRONOUNS = frozenset(_LISTS["pronoun"])
FUNCTION_WORDS = WH_WORDS.union(AUXILIARIES, PREPOSITIONS, PRONOUNS, _LISTS["other"])
TITLES = frozenset(_LISTS["title"])
_DATE_WORDS = frozenset(map(str.lower, (*ENGLISH_MONTHS, *ENGLISH_WEEKDAYS)))
_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af\u1100-\u11ff]")),
    ("zh", re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("hi", re.compile("[\u0900-\u097f]")),
)
"""By script, the language that most questions in it are in; what shares the script is taken for it, too."""
_ASKS_FIGURE = compiled_late(
    r"\b(?:wann|wie ?viele?s?|quand|combien|cu[aá]ndo|cu[aá]nt[oa]s?|quando|quant[oiae]s?|hoeveel|wanneer|når|när"
    r"|hvor mange|hur många|kiedy|ile|kdy|kolik|kaç|ne zaman|когда|сколько|скільки|коли)\b"
    r"|多少|几|幾|何时|什么时候|いつ|いくつ|いくら|何人|(?:どの|どれ)くらい|몇|얼마|언제|كم|متى|กี่|เท่าไ",
    re.IGNORECASE,
)
_ASKS_NAME = re.compile(r"\b(?:wer|qui|qui[eé]n(?:es)?|quem|chi|кто|хто|kto|kdo|kim|hvem|vem)\b", re.IGNORECASE)
"""What asks for a figure or a day, and for a person, in other languages than English."""
_KNOWN = {name.removeprefix("words "): frozenset(words) for name, words in _LISTS.items() if name.startswith("words ")}
_TELLING = 2
"""So many small words of a language, and more than of English, are needed: names are of every language."""


def is_date_word(word: str) -> bool:
    """Whether a word names a month, a weekday or a year.

    >>> is_date_word("June"), is_date_word("2024"), is_date_word("Kelmar")
    (True, True, False)
    """
    return word.casefold() in _DATE_WORDS or _YEAR.fullmatch(word) is not None


def asks_figure(question: str) -> bool:
    """Whether a question in another language than English asks when, or how many.

    >>> asks_figure("Wann kam der Zug?"), asks_figure("Wer kam?")
    (True, False)
    """
    return _ASKS_FIGURE.search(question) is not None


def asks_name(question: str) -> bool:
    """Whether a question in another language than English asks who."""
    return _ASKS_NAME.search(question) is not None


def asking_words(language: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """The small words of a language, and what asks in a script without spaces: of a question, no matter of its own."""
    return (
        frozenset() if language == "en" else _KNOWN.get(language, frozenset()),
        tuple(_LISTS.get(f"asks {language}", ())),
    )


@lru_cache(maxsize=64)
def language_of(question: str) -> str | None:
    """The ISO 639-1 code of the language; None where nothing tells, as in a question of two names.

    >>> language_of("Who built the dam?"), language_of("Wer hat den Damm gebaut?"), language_of("Velda Orrin")
    ('en', 'de', None)
    """
    letters = sum(character.isalpha() for character in question)
    for language, script in _SCRIPTS:
        if letters and 3 * len(script.findall(question)) > letters:
            return language
    words = re.findall(r"[^\W\d_]+", question.casefold())
    counts = {language: sum(word in known for word in words) for language, known in _KNOWN.items()}
    best = max(counts, key=lambda language: (counts[language], language == "en"))
    return best if counts[best] >= (1 if best == "en" else _TELLING) else None


_NAME_PARTICLES = frozenset("de da do du von van der den bin ibn la le".split())
_CONNECTORS = _NAME_PARTICLES | {"of", "for"}
_REPORTING = frozenset("said says told tells added adds says who whose".split())
_JOINING = frozenset("of in at for from on against near around over between".split())
"""Prepositions that tie a phrase to the one before it; others more often begin a circumstance."""
_EMPTY = frozenset("first second end beginning start same way time reason moment".split())
_VERBS = frozenset(
    "take takes took taken get gets got give gives gave go goes went make makes made put puts hold holds held run runs"
    " ran came win wins won want wants wanted need needs happen happens happened let lets became keep kept"
    " built born brought sent sold shot hit cut set left lost given drawn driven seen shown spent known done".split()
)
PARTICIPLES = frozenset(
    "taken given gone made put held run won built born brought sent sold shot hit cut set left lost drawn driven seen"
    " shown spent known done found fought caught hurt kept led paid read said told taught thrown worn".split()
)
"""Those that no ending gives away."""
_BE = frozenset("is are was were be been".split())
_CLAUSE = re.compile(
    r"[;:–—]|,\s+(?:and|but|while|whereas|although|though|which|who|where|when|with)\b"
    r"|\b(?:and|but|while|whereas|although|though|because|which)\b",
    re.IGNORECASE,
)
_LONGEST_NUMBER = 4


class Name(msgspec.Struct, frozen=True, kw_only=True):
    """A proper name as it stands in a text."""

    text: str
    start: int
    end: int
    person: bool
    """Whether its surroundings say that it is a person's."""
    placed: bool
    """Whether a preposition of place stands before it."""


def names(text: str) -> Sequence[Name]:
    """Find the proper names of a text: runs of capitals, without weekdays, months and capitals that open a sentence.

    >>> [name.text for name in names("Who leads the University of Tessaly in June, Oda Lindqvist?")]
    ['University of Tessaly', 'Oda Lindqvist']
    """
    return _names_of_short(text) if len(text) <= SHORT else tuple(_names(text))


@lru_cache(maxsize=512)
def _names_of_short(text: str) -> tuple[Name, ...]:
    """Those of a question or sentence, for which each rule about it asks anew."""
    return tuple(_names(text))


def _names(text: str) -> Iterator[Name]:
    words = tokens(text)
    named = _named(text, words)
    at = 0
    while at < len(words):
        end = _end_of_name(words, at, named)
        if end > at:
            yield _name(text, words, at, end)
        at = max(end, at + 1)


def full_name(name: str, *, text: str) -> str:
    """The longer name of a text that ends in this single word, the most frequent one; the word where there is none.

    >>> full_name("Choi", text="The singer Minh Choi left. Choi was a doctor for years.")
    'Minh Choi'
    >>> full_name("The ferry", text="The ferry sank.")
    'The ferry'
    """
    if " " in name or not name[:1].isupper():
        return name
    longer = (one.text for one in names(text) if one.text.endswith(f" {name}") and "\n" not in one.text)
    told = Counter(one for one in longer if len(one.split()) <= _WHOLE_NAME_WORDS)
    return max(told, key=lambda one: (told[one], -len(one)), default=name)


def clauses_of(text: str) -> Sequence[tuple[int, int]]:
    """The spans of a sentence's clauses, which together are all of it; each begins with what joins it on.

    >>> text = "The fee rose, and the mayor resigned because of it."
    >>> [text[start:end] for start, end in clauses_of(text)]
    ['The fee rose', ', and the mayor resigned ', 'because of it.']
    """
    return list(itertools.pairwise([0, *(match.start() for match in _CLAUSE.finditer(text)), len(text)]))


def topics(question: str) -> Sequence[str]:
    """The noun phrases of a question that a later one may point back at, in order; prepositions join them.

    >>> topics("How many civilians were killed in the siege of Ain Sarha?")
    ['the siege of Ain Sarha']
    >>> topics("What share of Kelmar's voters took part in the runoff?")
    ["Kelmar's voters", 'the runoff']
    """
    words = tokens(question)
    named = _named(question, words)
    spans: list[tuple[int, int]] = []
    at = 0
    while at < len(words):
        end = _end_of_phrase(words, at, named)
        if end is None:
            at += 1
            continue
        joined = spans and at - spans[-1][1] == 1 and words[at - 1].low in _JOINING and not words[at].parted
        if joined:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((at, end))
        at = end
    return [question[words[a].start : words[b - 1].end] for a, b in spans if words[b - 1].low not in _EMPTY]


def _name(text: str, words: Sequence[Token], at: int, end: int) -> Name:
    following = text[_stop(words[end - 1]) :][:8]
    after = words[end].low if end < len(words) else ""
    before = words[at - 1].low if at else ""
    before = words[at - 2].low if before == "the" and at > 1 else before
    aged = following[:2] == ", " and following[2:4].isdigit()
    return Name(
        text=text[words[at].start : words[end - 1].end],
        start=words[at].start,
        end=words[end - 1].end,
        person=words[at].low.rstrip(".") in TITLES or before in TITLES or aged or after in _REPORTING,
        placed=before in {"in", "at", "near", "from", "to", "around", "into", "on", "off"},
    )


def _end_of_name(words: Sequence[Token], at: int, named: Sequence[bool]) -> int:
    """Where a run of capitals that begins at `at` ends; `at` where none does."""
    if not named[at]:
        return at
    end = at + 1
    while end < len(words) and not words[end - 1].possessive and not words[end].parted:
        if named[end]:
            end += 1
        elif words[end].low in _CONNECTORS and end + 1 < len(words) and named[end + 1]:
            end += 2
        else:
            break
    return end + 1 if _numbered(words, end) else end


def _numbered(words: Sequence[Token], end: int) -> bool:
    """Whether a name ends in a number, as Super Bowl 57 does: nothing that might be counted comes behind it."""
    if end >= len(words) or words[end - 1].possessive or words[end].parted or not words[end].text.isdigit():
        return False
    after = words[end + 1] if end + 1 < len(words) else None
    return len(words[end].text) <= _LONGEST_NUMBER and (after is None or after.parted or after.low in FUNCTION_WORDS)


def _named(text: str, words: Sequence[Token]) -> Sequence[bool]:
    """For each word whether it is part of a name: beside those that say so by themselves, what leads up to them.

    So do titles and given names that other sentences open with, and "US", which is no word of substance elsewhere.
    """
    small = {word.low for word in words if not word.capital}
    starts = {word.start for word in name_words(text, lower=small)}
    named = [word.start in starts or (word.capital and word.text.isupper() and len(word.text) > 1) for word in words]
    for at in reversed(range(len(words))):
        named[at] |= _leads_up(words, at, named)
    return named


def _leads_up(words: Sequence[Token], at: int, named: Sequence[bool]) -> bool:
    word = words[at]
    if not word.capital or word.low in FUNCTION_WORDS or is_date_word(word.text):
        return False
    title = word.low.rstrip(".") in TITLES
    if word.possessive or (title and not word.opens):
        return True
    joined = _NAME_PARTICLES | {"of"} if title else _NAME_PARTICLES
    after = at + 2 if at + 1 < len(words) and words[at + 1].low in joined else at + 1
    return after < len(words) and named[after] and not words[at + 1].parted


def _end_of_phrase(words: Sequence[Token], at: int, named: Sequence[bool]) -> int | None:
    """Where the noun phrase that begins at `at` ends: a name, `the` with what follows, an owner with what is owned."""
    start = at + 1 if words[at].low == "the" else at
    if start >= len(words) or (start > at and words[start].parted):
        return None
    end = _end_of_name(words, start, named)
    if end == start and start == at:
        return None
    run = end
    while run < len(words) and not words[run].parted and _content(words[run]):
        run += 1
    if end > start and not words[end - 1].possessive and (start == at or _is_subject(words, at)):
        return end  # what follows a bare name, or a subject, is a verb as likely as a noun
    run = _without_verb(words, at, start, run)
    return run if run > start else None


def _without_verb(words: Sequence[Token], at: int, start: int, run: int) -> int:
    """Leave out the verb that a run of words ends in after an auxiliary."""
    while run - start > 1 and words[run - 1].low.endswith(("ed", "ing", "ly")):
        run -= 1
    if run < len(words) and words[run].low in AUXILIARIES:
        return run
    return run - 1 if _is_subject(words, at) and run - start > 1 else run


def _is_subject(words: Sequence[Token], at: int) -> bool:
    return at > 0 and words[at - 1].low in AUXILIARIES - _BE


def _content(word: Token) -> bool:
    return word.low not in FUNCTION_WORDS | _VERBS and not is_date_word(word.text)


def _stop(word: Token) -> int:
    return word.end + 2 if word.possessive else word.end
