"""The words of a question: tokens with their places, and the closed classes that a follow-up is recognised by."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

__all__ = [
    "AUXILIARIES",
    "FUNCTION_WORDS",
    "PREPOSITIONS",
    "PRONOUNS",
    "TITLES",
    "WH_WORDS",
    "Token",
    "is_date_word",
    "tokens",
]

_WORD = re.compile(r"[^\W_]+(?:[-.&][^\W_]+|['’](?!s\b)[^\W_]+)*")
_YEAR = re.compile(r"(?:19|20)\d\d")

WH_WORDS = frozenset("who whom whose what which when where why how".split())
AUXILIARIES = frozenset(
    "is are was were am be been being do does did has have had will would can could may might shall should must"
    " isn't aren't wasn't weren't don't doesn't didn't hasn't haven't hadn't won't wouldn't can't couldn't".split()
)
PREPOSITIONS = frozenset(
    "of in at on for from to by with over under near around about into off against between during since until through"
    " inside outside behind after before as than without within".split()
)
PRONOUNS = frozenset(
    "i you he she it we they me him her us them my your his its our their mine hers ours theirs himself herself itself"
    " themselves this that these those there here one ones".split()
)
FUNCTION_WORDS = (
    WH_WORDS
    | AUXILIARIES
    | PREPOSITIONS
    | PRONOUNS
    | frozenset(
        "a an the and or but so also then not no nor if because while any anybody anyone anything some somebody"
        " someone many much more most few less long far old big often soon high large only just still yet"
        " already ever never again too very up down out there's what's who's please tell say says said"
        " else instead now today yesterday tomorrow nobody none nothing normally really exactly come next last".split()
    )
)
TITLES = frozenset(
    "mr mrs ms miss dr prof professor sir dame lord lady judge coach captain capt general colonel major brigadier"
    " lieutenant sergeant admiral commander president premier chancellor king queen prince princess pope bishop"
    " archbishop cardinal imam rabbi sheikh mayor governor senator congressman congresswoman minister secretary"
    " ambassador chief nurse purser inspector detective sheriff justice chairman chairwoman surgeon".split()
)
_DATE_WORDS = frozenset(
    "january february march april may june july august september october november december monday tuesday wednesday"
    " thursday friday saturday sunday".split()
)


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """One word and where it stands."""

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
    """Take a text apart into words.

    >>> [(token.text, token.possessive) for token in tokens("Who is Kelmar's mayor?")]
    [('Who', False), ('is', False), ('Kelmar', True), ('mayor', False)]
    """
    found: list[Token] = []
    last = 0
    for match in _WORD.finditer(text):
        if found and match.group().casefold() == "s" and text[last : match.start()] in {"'", "’"}:
            found[-1] = msgspec.structs.replace(found[-1], possessive=True)
            last = match.end()
            continue
        between = text[last : match.start()]
        found.append(
            Token(
                text=match.group(),
                start=match.start(),
                end=match.end(),
                opens=not found or any(mark in between for mark in '.!?:;“"\n'),
                parted=bool(between.strip()),
            )
        )
        last = match.end()
    return found


def is_date_word(word: str) -> bool:
    """Whether a word names a month, a weekday or a year.

    >>> is_date_word("June"), is_date_word("2024"), is_date_word("Kelmar")
    (True, True, False)
    """
    return word.casefold() in _DATE_WORDS or _YEAR.fullmatch(word) is not None
