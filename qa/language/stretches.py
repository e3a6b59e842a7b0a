"""Stretches of whole days that a question asks about, and the words that all rules for time in a question share.

`time_calendar` has the rules for times told by the calendar, `time_expressions` those for times told by their
distance from now.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import msgspec

from embeddings.month_names import ENGLISH_WEEKDAY_NUMBERS, SHORT_WEEKDAY
from qa.language.quantities import NUMBER_WORDS

__all__ = [
    "COUNT",
    "WEEKDAY",
    "Asked",
    "Rule",
    "Stretch",
    "count_of",
    "is_a_name",
    "month_end",
    "months_on",
    "rule",
    "weekday_of",
]

_NUMBERS = {word: number for word, number in NUMBER_WORDS.items() if number} | {
    "a": 1,
    "an": 1,
    "couple of": 2,
    "couple": 2,
    "few": 3,
    "several": 5,
    "dozen": 12,
}
WEEKDAY = rf"(?:{'|'.join(ENGLISH_WEEKDAY_NUMBERS)}|(?:{SHORT_WEEKDAY})\b\.?)"
COUNT = rf"(?:\d{{1,3}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"

_TITLED = re.compile(r"Today|Yesterday|Tomorrow|Tonight|Overnight")
_DAY_OF_A_MATTER = re.compile(
    r" (?!(?:on|in|at|of|for|by|to|from|with|about|after|before|and|or|when|as|than|until|was|were|is|are|did|does|do"
    r"|has|have|had|will|would|could)\b)[a-z]{3,}"
)
"""After a day: "the January 6 committee" is a name of what met for years."""


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


def is_a_name(question: str, match: re.Match[str]) -> bool:
    """Whether words that look like a time are part of a name, such as USA Today or the Sunday Times."""
    core, start, end = match["core"], match.start("core"), match.end("core")
    if start and _TITLED.match(core):
        return True
    if match.groupdict().get("day") and _DAY_OF_A_MATTER.match(question[end:]) and question[:start].endswith("the "):
        return True
    titles = re.match(r"(?i:['’]s)? [A-Z][a-z]+", question[end:]) is not None
    groups = match.groupdict()
    if titles and groups.get("month") and core.isalpha() and not question.isupper():
        return True  # "by August Wilson", "for May Britt"
    show = core.endswith(("Night", "Morning")) or not re.search(r"\bon $", question[:start])
    return bool(titles and show and groups.get("weekday") and not groups.get("which"))


def month_end(year: int, month: int) -> date:
    """The last day of a month."""
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def months_on(year: int, month: int, months: int) -> date:
    """The first day of the month so many months after one."""
    at = year * 12 + month - 1 + months
    return date(at // 12, at % 12 + 1, 1)


def count_of(word: str | None) -> int:
    """How many a word counts; one where there is none.

    >>> count_of("eleven"), count_of("48"), count_of(None)
    (11, 48, 1)
    """
    low = (word or "a").casefold()
    return int(low) if low.isdigit() else _NUMBERS[low]


def weekday_of(word: str) -> int:
    """The number of a weekday, Monday being 0."""
    return next(
        number for day, number in ENGLISH_WEEKDAY_NUMBERS.items() if day.startswith(word.casefold().rstrip(".")[:3])
    )
