"""What the rules for time in a question share: the words of the calendar, and stretches of whole days."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import msgspec

__all__ = [
    "ANY_YEAR",
    "COUNT",
    "DAYS",
    "MONTH",
    "WEEKDAY",
    "Asked",
    "Rule",
    "Stretch",
    "count_of",
    "month_end",
    "month_of",
    "months_on",
    "rule",
    "weekday_of",
]

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_NUMBERS = {
    word: number
    for number, word in enumerate(
        (
            "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
            " eighteen nineteen twenty"
        ).split(),
        1,
    )
} | {"a": 1, "an": 1, "couple of": 2, "couple": 2, "few": 3, "several": 5, "dozen": 12, "thirty": 30, "forty": 40}

MONTH = (
    r"(?:jan(?:uary|\b\.?)|feb(?:ruary|\b\.?)|mar(?:ch|\b\.?)|apr(?:il|\b\.?)|may|june?\b\.?|july?\b\.?|aug(?:ust|\b\.?)"
    r"|sept?(?:ember|\b\.?)|oct(?:ober|\b\.?)|nov(?:ember|\b\.?)|dec(?:ember|\b\.?))"
)
ANY_YEAR = r"(?:1[89]|20)\d\d"
WEEKDAY = rf"(?:{'|'.join(DAYS)}|(?:mon|tues?|wed|thur?s?|fri|sat|sun)\b\.?)"
COUNT = rf"(?:\d{{1,3}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """When a question is asked, and which way it looks."""

    today: date
    ahead: bool = False
    """Whether it asks of what is to come: "Who will speak on Monday?"."""


class Stretch(msgspec.Struct, frozen=True):
    """Whole days, from the first to the last of them."""

    first: date
    last: date
    recent: bool = False
    """Told by its distance from now: older news cannot answer."""


Rule = tuple[re.Pattern[str], Callable[[re.Match[str], Asked], Stretch | None]]


def rule(pattern: str, read: Callable[[re.Match[str], Asked], Stretch | None]) -> Rule:
    """A way to write a time, as a pattern of whole words, and how to read it; what it reads is the group `core`."""
    return re.compile(rf"(?<![\w.-]){pattern}(?![\w-])", re.IGNORECASE), read


def count_of(word: str | None) -> int:
    """How many a word counts; one where there is none.

    >>> count_of("eleven"), count_of("48"), count_of(None)
    (11, 48, 1)
    """
    low = (word or "a").casefold()
    return int(low) if low.isdigit() else _NUMBERS[low]


def month_of(word: str) -> int:
    """The number of a month, by its name or its short form.

    >>> month_of("Sept."), month_of("may")
    (9, 5)
    """
    return _MONTHS.index(word.casefold()[:3]) + 1


def weekday_of(word: str) -> int:
    """The number of a weekday, Monday being 0."""
    return next(number for number, day in enumerate(DAYS) if day.startswith(word.casefold().rstrip(".")[:3]))


def month_end(year: int, month: int) -> date:
    """The last day of a month."""
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def months_on(year: int, month: int, months: int) -> date:
    """The first day of the month so many months after one."""
    at = year * 12 + month - 1 + months
    return date(at // 12, at % 12 + 1, 1)
