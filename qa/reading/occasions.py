"""Which time of several a question means: the past or the next one, the second year, the whole or its first round.

A reader takes the time or the winner of the one for that of the other. Each rule strikes only what its form betrays.
"""

from __future__ import annotations

import re
from itertools import pairwise

from qa.language.quantities import ORDINALS
from qa.language.words import Word, stems, words_of

__all__ = ["is_another_in_turn", "is_of_a_part", "is_of_another_tense", "is_the_value_before"]

_ASKS_BACK = re.compile(r"(?:when|(?:in|on) (?:what|which) (?:year|month|day)) (?:did|was|were)\b", re.IGNORECASE)
_ASKS_AHEAD = re.compile(
    r"(?:when|(?:in|on) (?:what|which) (?:year|month|day)) will\b.*?\b(?P<verb>[a-z]+)\b(?: again)?\W*$", re.IGNORECASE
)
_OF_A_PLAN = re.compile(
    r"\b(?:expect|suppos|schedul|plan|due\b|going to|meant to|set to|will\b|would\b|predict|propos|announc|say|said)",
    re.IGNORECASE,
)
"""A question about the past that may ask for what was yet to come."""
_AHEAD = re.compile(
    r"\b(?:will|shall|is to|are to|is due|are due|is set to|are set to|is expected to|plans? to|ha(?:s|ve) until)\b"
)
_EVER_SINCE = re.compile(
    r"\b(?:has|have) (?:also )?(?:been|had|held|led|run|lived|worked)\b[^.;]*\bsince (?:[a-z]+ ){0,2}$"
)
_TURNS = {"first": 1, **ORDINALS}
_CLAUSE = re.compile(r"[;:—–]| (?:and|but|who|which) ")
_ASKS_WHO_WON = re.compile(
    r"(?:who|which [a-z]+) (?:has |have )?(?:won|wins)\b|who was (?:re-?)?elected\b", re.IGNORECASE
)
_PARTS = r"(?:round|half|leg|set|heat|stage|quarter|period|game|frame|ballot)"
_WINS_A_PART = re.compile(
    rf" (?:has |have |narrowly )?(?:won|wins|leads|led|took|takes) (?:in )?the (?:[\w-]+ )?{_PARTS}\b(?! and the)"
)
_A_PART = re.compile(rf"\b{_PARTS}\b", re.IGNORECASE)
_ASKS_FOR_NOW = re.compile(
    r"(?:how (?:many|much|high|low)\b|(?:to|what is|what['’]s) (?:the |what |which )?)"
    r"(?!.*\b(?:before|from|first|original|previous|former|earlier|initial|used to|by how)\w*\b)",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    r"\b(?:correct|lower|rais|revis|increas|reduc|cut|ris|rose|fell|fall|grow|grew|climb|drop|chang|up|down)",
    re.IGNORECASE,
)
_FROM = re.compile(r"\bfrom (?:the |about |around |an? |some |minus )*$")
_TO_FIGURE = re.compile(r"\bto (?:about |around |an? |some |minus )*[$£€]?\d")


def is_of_another_tense(question: str, sentence: str, start: int) -> bool:
    """Whether words at `start` tell when something will be, and the question asks when it was, or the other way round.

    >>> told = "It is closed and will open again on May 3."
    >>> is_of_another_tense("When did it open?", told, 36), is_of_another_tense("When will it open?", told, 36)
    (True, False)
    """
    head = sentence[:start]
    if _ASKS_BACK.match(question) and not _OF_A_PLAN.search(question):
        return _AHEAD.search(_CLAUSE.split(head)[-1]) is not None or _lasts_otherwise(question, sentence, head)
    asked = _ASKS_AHEAD.match(question)
    if asked is None or _AHEAD.search(sentence):
        return False
    verb = _bare(next(iter(words_of(asked["verb"])), None))
    told = [word for word in words_of(sentence) if word.text.endswith("ed") and _bare(word) == verb]
    return bool(verb and told)


def _lasts_otherwise(question: str, sentence: str, head: str) -> bool:
    """Whether a time is that since when something has been so, of which the question says no word but names."""
    asked = {word.stem for word in words_of(question) if not (word.stop or word.capital)}
    return _EVER_SINCE.search(head) is not None and not asked & stems(sentence)


def _bare(word: Word | None) -> str:
    """The stem of a verb, "open" of "reopened"."""
    if word is None:
        return ""
    return word.stem.removeprefix("re") if len(word.stem) >= len("reopen") else word.stem


def is_another_in_turn(question: str, sentence: str) -> bool:
    """Whether a sentence tells of the first year where the second was asked for, and of no second.

    >>> is_another_in_turn("How many in the second year?", "In the first year there were 4.")
    True
    """
    asked = _turns(question)
    if not asked:
        return False
    said = _turns(sentence)
    return any(
        turn not in {one for one, same in said if same == noun} and any(same == noun for _, same in said)
        for turn, noun in asked
    )


def _turns(text: str) -> set[tuple[str, str]]:
    """The ordinals of a text, each with the stem of the word behind it."""
    found = set()
    for word, after in pairwise(words_of(text)):
        low = word.text.casefold()
        turn = low.rstrip("stndrh") if low[:1].isdigit() else str(_TURNS.get(low, ""))
        if turn and turn != low and not after.stop:
            found.add((turn, after.stem))
    return found


def is_of_a_part(question: str, sentence: str, end: int) -> bool:
    """Whether the words that end at `end` are who won a round, or a half, and the question asks who won.

    >>> is_of_a_part("Who won the election?", "Ada Roe won the first round on Sunday.", 7)
    True
    """
    if not _ASKS_WHO_WON.match(question) or _A_PART.search(question):
        return False
    return _WINS_A_PART.match(sentence, end) is not None


def is_the_value_before(question: str, sentence: str, start: int) -> bool:
    """Whether the figure at `start` is what another one came from, and the question asks for how it is.

    >>> told = "The toll was corrected from 31 to 23."
    >>> is_the_value_before("How many were hurt?", told, told.index("31"))
    True
    """
    head = sentence[:start]
    if not _ASKS_FOR_NOW.match(question) or not _FROM.search(head) or not _CHANGED.search(head):
        return False
    return _TO_FIGURE.search(sentence) is not None
