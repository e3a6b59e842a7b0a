"""The days that a question asks about, and the words that all rules for time in a question share.

`time_calendar` and `time_parts` have the rules for times told by the calendar, `time_distance` those for times told by
their distance from now, `time_languages` both in other languages.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta

import msgspec

from embeddings.month_names import ENGLISH_MONTH_NUMBERS, ENGLISH_SHORT_MONTHS, ENGLISH_WEEKDAY_NUMBERS, SHORT_WEEKDAY
from qa.language.quantities import NUMBER_WORDS

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
_MONTH_FORMS = "|".join(
    rf"{name}\b\.?" if name.title() in ENGLISH_SHORT_MONTHS else name for name in ENGLISH_MONTH_NUMBERS
)
MONTH = rf"(?:{_MONTH_FORMS})"
ANY_YEAR = r"(?:1[89]|20)\d\d"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ONES = "one two three four five six seven eight nine".split()
_WORDS = "|".join(sorted(_NUMBERS, key=len, reverse=True))
RECENT_DAYS = 62
"""What lies further back is mostly told by articles of its own time, and older news may answer, too."""
COUNT = rf"(?:\d{{1,3}}|(?:{'|'.join(_TENS)})-(?:{'|'.join(_ONES)})|(?:a |one )?hundred|{_WORDS})"

_TITLED = re.compile(r"Today|Yesterday|Tomorrow|Tonight|Overnight")
_TITLE = re.compile(r"(?i:['’]s)? [A-Z][a-z]+")
_ON = re.compile(r"\bon $")
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
    present: bool = False
    """Whether its verb is in the present: "Is it open on Monday?" asks of every Monday, or of the next."""


class DateRange(msgspec.Struct, frozen=True):
    """Whole days, from the first to the last of them."""

    first: date
    last: date
    recent: bool = False
    """Told by its distance from now: older news cannot answer."""
    main: date | None = None
    """The day that a feast of several is named for: "the day after Christmas" follows it."""
    weekday: str = ""
    """The weekday, in small letters, of which every one may be meant."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A way to write a time, and how to read it; what it reads is the group `core` of the pattern."""

    pattern: re.Pattern[str]
    read: Callable[[re.Match[str], Asked], DateRange | None]
    needs: str = ""
    """A word in small letters that always stands in it: looked for first, which takes less time."""


def rule(pattern: str, read: Callable[[re.Match[str], Asked], DateRange | None], *, needs: str = "") -> Rule:
    """A rule by a pattern of whole words."""
    return Rule(pattern=re.compile(rf"(?<![\w.-]){pattern}(?![\w-])", re.IGNORECASE), read=read, needs=needs)


def is_a_name(question: str, match: re.Match[str]) -> bool:
    """Whether words that look like a time are part of a name, such as USA Today or the Sunday Times."""
    core, start, end = match["core"], match.start("core"), match.end("core")
    if start and _TITLED.match(core):
        return True
    groups = match.groupdict()
    if groups.get("day") and _DAY_OF_A_MATTER.match(question, end) and question.endswith("the ", 0, start):
        return True
    titles = _TITLE.match(question, end) is not None
    if titles and groups.get("month") and core.isalpha() and not question.isupper():
        return True  # "by August Wilson", "for May Britt"
    show = core.endswith(("Night", "Morning")) or not _ON.search(question, max(0, start - 4), start)
    return bool(titles and show and groups.get("weekday") and not groups.get("which"))


def month_end(year: int, month: int) -> date:
    """The last day of a month."""
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def months_on(year: int, month: int, months: int) -> date:
    """The first day of the month so many months after one."""
    at = year * 12 + month - 1 + months
    return date(at // 12, at % 12 + 1, 1)


def whole(unit: str, today: date, offset: int) -> tuple[date, date]:
    """The calendar day, week, weekend, month, quarter, year or decade that holds today, or one so many later."""
    if unit == "day":
        return today + timedelta(days=offset), today + timedelta(days=offset)
    if unit in {"week", "weekend"}:
        monday = today + timedelta(days=7 * offset - today.weekday())
        return monday + timedelta(days=5 if unit == "weekend" else 0), monday + timedelta(days=6)
    months = {"month": 1, "quarter": 3, "year": 12, "decade": 120}[unit]
    begun = (today.year * 12 + today.month - 1) // months * months
    first = months_on(begun // 12, begun % 12 + 1, offset * months)
    final = months_on(first.year, first.month, months - 1)
    return first, month_end(final.year, final.month)


def count_of(word: str | None) -> int:
    """How many a word counts; one where there is none.

    >>> count_of("eleven"), count_of("48"), count_of(None)
    (11, 48, 1)
    """
    low = (word or "a").casefold()
    if low.endswith("hundred"):
        return 100
    return int(low) if low.isdigit() else sum(_NUMBERS[part] for part in low.split("-"))


def month_of(word: str) -> int:
    """The number of a month, by its name or its short form.

    >>> month_of("Sept."), month_of("may")
    (9, 5)
    """
    return ENGLISH_MONTH_NUMBERS[word.casefold().rstrip(".")]


def year_of(month: int, asked: Asked, year: str | None) -> int:
    """The year named, else that of the last such month that has begun; of the next where what is to come is asked."""
    if year:
        return int(year)
    today = asked.today
    return today.year + (month < today.month) if asked.ahead else today.year - (month > today.month)
