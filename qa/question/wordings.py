"""Takes a question and the texts found for it, gives the question in their words: names and numbers as they write them.

For finding and for reading; what is shown is the question as it was understood.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.language import acronyms
from qa.language.quantities import Quantity, quantities_of
from qa.language.units import NUMBER_WORDS

__all__ = ["in_their_words", "with_numbers"]

_WORDS = {value: word for word, value in NUMBER_WORDS.items()}


def in_their_words(question: str, texts: Sequence[str]) -> str:
    """The question with short names long, or long ones short, and numbers in words or digits, as the texts have them.

    >>> in_their_words("Did 12 nurses of the KWA strike?", ["Twelve Kelmar Water Authority nurses did."])
    'Did Twelve nurses of the Kelmar Water Authority strike?'
    """
    return _numbers_met(acronyms.meeting(question, texts), texts)


def with_numbers(question: str) -> str:
    """The question with each whole number written the other way, too, for finding by words.

    >>> with_numbers("Which twelve towns lost 2,500 homes?")
    'Which twelve towns lost 2,500 homes? 12'
    """
    forms = [_otherwise(question[one.start : one.end], one) for one in quantities_of(question)]
    return " ".join([question, *(form for form in forms if form)])


def _numbers_met(question: str, texts: Sequence[str]) -> str:
    for asked in reversed(quantities_of(question)):
        written = question[asked.start : asked.end]
        if any(_holds(text, written) for text in texts):
            continue
        met = next((form for text in texts if (form := _same_number(asked, text))), None)
        if met:
            question = f"{question[: asked.start]}{met}{question[asked.end :]}"
    return question


def _same_number(asked: Quantity, text: str) -> str | None:
    for one in quantities_of(text):
        if (one.value, one.ordinal) == (asked.value, asked.ordinal):
            return text[one.start : one.end]
    return None


def _holds(text: str, written: str) -> bool:
    return re.search(rf"(?<![\w.,]){re.escape(written)}(?![\w])", text, re.IGNORECASE) is not None


def _otherwise(written: str, one: Quantity) -> str | None:
    if one.ordinal or one.value != int(one.value):
        return None
    return _WORDS.get(int(one.value)) if written[0].isdecimal() else f"{one.value:,.0f}"
