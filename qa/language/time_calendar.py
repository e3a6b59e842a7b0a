"""Times told by the calendar: dates in every usual way to write them, months, quarters, seasons, years, decades.

A question asks about a range of days, and what it leaves open is decided: "in May" is the last one. `dates` reads what
a claim says, and leaves open what it leaves open. So there are two readers of one calendar. `time_expressions` has the
rules for times told by their distance from now, and takes from here the words that both kinds of rules share.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

import msgspec

from embeddings.month_names import (
    ENGLISH_MONTH_NUMBERS,
    ENGLISH_SHORT_MONTHS,
    ENGLISH_WEEKDAY_NUMBERS,
    SHORT_WEEKDAY,
)
from qa.language.quantities import NUMBER_WORDS, ORDINALS

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


class DateRange(msgspec.Struct, frozen=True):
    """Whole days, from the first to the last of them."""

    first: date
    last: date
    recent: bool = False
    """Told by its distance from now: older news cannot answer."""


Rule = tuple[re.Pattern[str], Callable[[re.Match[str], Asked], DateRange | None]]


def rule(pattern: str, read: Callable[[re.Match[str], Asked], DateRange | None]) -> Rule:
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


# --- The rules
_AHEAD = timedelta(days=180)
"""A day without a year that lies less than this ahead is the coming one."""
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""The month each begins in, north of the equator."""
_ORDINALS = {"first": 1} | dict(ORDINALS)
_TENS = {
    f"{tens}ies": number
    for tens, number in zip("twent thirt fort fift sixt sevent eight ninet".split(), range(20, 100, 10), strict=True)
}
_FEASTS = {
    "christmas eve": (12, 24, 1),
    "christmas": (12, 24, 3),
    "boxing day": (12, 26, 1),
    "new year's eve": (12, 31, 1),
    "new year's day": (1, 1, 1),
    "new year's": (1, 1, 1),
    "valentine's day": (2, 14, 1),
    "halloween": (10, 31, 1),
}
"""Month, day and length in days of those that fall on the same date every year."""
_MONTH_FORMS = "|".join(
    rf"{name}\b\.?" if name.title() in ENGLISH_SHORT_MONTHS else name for name in ENGLISH_MONTH_NUMBERS
)
_MONTH = rf"(?:{_MONTH_FORMS})"
_ANY_YEAR = r"(?:1[89]|20)\d\d"


def _year_of(month: int, asked: Asked, year: str | None) -> int:
    """The year named, else that of the last such month that has begun; of the next where what is to come is asked."""
    if year:
        return int(year)
    today = asked.today
    return today.year + (month < today.month) if asked.ahead else today.year - (month > today.month)


def _month(match: re.Match[str], asked: Asked) -> DateRange:
    month = _month_of(match["month"])
    year = _year_of(month, asked, match["year"])
    return _part(DateRange(date(year, month, 1), month_end(year, month)), match["part"])


def _which_month(match: re.Match[str], asked: Asked) -> DateRange:
    """ "Last May" is the last one that is over, "this May" that of this year, "next May" the first to begin."""
    month, which, today = _month_of(match["month"]), match["which"].casefold(), asked.today
    if which == "next":
        year = today.year + (month <= today.month)
    else:
        year = today.year - (which.endswith(("last", "past")) and month >= today.month)
    return DateRange(date(year, month, 1), month_end(year, month))


def _part(whole: DateRange, part: str | None) -> DateRange:
    """The early, middle or late third of a month or a year; months are read generously."""
    if not part:
        return whole
    days = (whole.last - whole.first).days + 1
    third, spare = days // 3, 5 if days < 40 else 0
    low = part.casefold().rstrip("- ")
    if low.startswith(("early", "start", "beginning")):
        return DateRange(whole.first, whole.first + timedelta(days=third - 1 + spare))
    if low.startswith("mid"):
        edge = timedelta(days=third - spare)
        return DateRange(whole.first + edge, whole.last - edge)
    return DateRange(whole.last - timedelta(days=third - 1 + spare), whole.last)


def _day(match: re.Match[str], asked: Asked) -> DateRange:
    """A day of a month; where no year is named, the one nearest before, or less than half a year ahead."""
    word = match["day"].casefold()
    month, day = _month_of(match["month"]), _ORDINALS.get(word) or int(re.sub(r"\D", "", word))
    if match["year"]:
        year = int(match["year"])
    else:
        year = asked.today.year - (date(asked.today.year, month, day) > asked.today + _AHEAD)
    last = re.sub(r"\D", "", match["last"] or "") or str(day)
    return DateRange(date(year, month, day), date(year, month, max(day, int(last))))


def _day_alone(match: re.Match[str], asked: Asked) -> DateRange:
    """ "On the 5th": of this month, or of the last where this month's is to come."""
    today, day = asked.today, int(match["day"])
    month = months_on(today.year, today.month, -1 if day > today.day and not asked.ahead else 0)
    return DateRange(month.replace(day=day), month.replace(day=day))


def _iso(match: re.Match[str], _: Asked) -> DateRange:
    year, month = int(match["year"]), int(match["month"])
    if not match["day"]:
        return DateRange(date(year, month, 1), month_end(year, month))
    return DateRange(date(year, month, int(match["day"])), date(year, month, int(match["day"])))


def _slashed(match: re.Match[str], _: Asked) -> DateRange:
    """ "03/08/2026" is read day first, as most of the world writes it, unless only month first makes it a date."""
    first, second, year = int(match["first"]), int(match["second"]), int(match["year"])
    day, month = (first, second) if second <= 12 else (second, first)
    return DateRange(date(year, month, day), date(year, month, day))


def _share(match: re.Match[str], asked: Asked, *, months: int) -> DateRange:
    """A quarter or a half of the year named, else the last one that has begun."""
    word = match["nth"].casefold()
    start = (int(word) if word.isdigit() else _ORDINALS[word]) * months - months + 1
    year = match["year"]
    number = (
        asked.today.year - 1
        if year and year.casefold() == "last year"
        else _year_of(start, asked, year if year and year.isdigit() else None)
    )
    end = months_on(number, start, months - 1)
    return DateRange(date(number, start, 1), month_end(end.year, end.month))


_quarter, _half = partial(_share, months=3), partial(_share, months=6)


def _season(match: re.Match[str], asked: Asked) -> DateRange | None:
    """A season of the year it begins in; "last" is the last one that is over, else the last one that has begun. "How
    often does it sail in winter?" asks of every one."""
    if not match["year"] and not match["which"] and _EVERY_YEAR.search(match.string):
        return None
    begins, today = _SEASONS[match["season"].casefold()], asked.today
    which = (match["which"] or "").casefold()
    if match["year"]:
        return _season_of(int(match["year"]), begins)
    if which == "this":
        running = begins == 12 and today.month <= 2
        return _season_of(today.year - running, begins)
    seasons = [_season_of(today.year + offset, begins) for offset in (-2, -1, 0, 1)]
    if which == "next" or asked.ahead:
        return next(season for season in seasons if season.first > today)
    if which in {"last", "past", "this past"}:
        return next(season for season in reversed(seasons) if season.last < today)
    return next(season for season in reversed(seasons) if season.first <= today)


_EVERY_YEAR = re.compile(
    r"^(?!.*\b(?:did|was|were|will|had)\b)(?:.*\bhow often|.*\bdo(?:es)?|(?:is|are) the)\b"
    r".* in (?:spring|summer|autumn|winter)\b",
    re.IGNORECASE,
)
"""What is done, in the present, in a season that is not said to be one: "in winter", not "in the winter"."""


def _season_of(year: int, begins: int) -> DateRange:
    end = months_on(year, begins, 2)
    return DateRange(date(year, begins, 1), month_end(end.year, end.month))


def _year(match: re.Match[str], _: Asked) -> DateRange:
    year = int(match["year"])
    return _part(DateRange(date(year, 1, 1), date(year, 12, 31)), match["part"])


def _years(match: re.Match[str], _: Asked) -> DateRange | None:
    first, last = int(match["first"]), int(match["second"])
    last += first // 100 * 100 if last < 100 else 0
    return DateRange(date(first, 1, 1), date(last, 12, 31)) if first <= last else None


def _months(match: re.Match[str], asked: Asked) -> DateRange:
    """Between two months, the later one the last that has begun where no year is named."""
    first, second = _month_of(match["first"]), _month_of(match["second"])
    year = _year_of(second, asked, match["year"])
    return DateRange(date(year - (first > second), first, 1), month_end(year, second))


def _decade(match: re.Match[str], asked: Asked) -> DateRange:
    tens = match["decade"].casefold().lstrip("'’")
    start = _TENS[tens] if tens in _TENS else int(tens.rstrip("s").rstrip("'’"))
    if start < 100:
        start += 1900 if 2000 + start > asked.today.year else 2000
    third = {"early": (0, 3), "mid": (3, 6), "late": (6, 9)}.get((match["part"] or "").casefold().rstrip("- "), (0, 9))
    return DateRange(date(start + third[0], 1, 1), date(start + third[1], 12, 31))


def _century(match: re.Match[str], _: Asked) -> DateRange:
    start = (int(match["nth"]) - 1) * 100 + 1
    return DateRange(date(start, 1, 1), date(start + 99, 12, 31))


def _feast(match: re.Match[str], asked: Asked) -> DateRange:
    month, day, days = _FEASTS[match["feast"].casefold().replace("’", "'")]
    year = (
        int(match["year"]) if match["year"] else asked.today.year - (date(asked.today.year, month, day) > asked.today)
    )
    return DateRange(date(year, month, day), date(year, month, day) + timedelta(days=days - 1))


_PART = r"(?P<part>early |mid-? ?|late |(?:the )?(?:start|beginning|middle|end) of )?"
_BEFORE_MONTH = r"(?:in|during|of|for|by|until|till|since|after|before|from|through|and|to|than)"
_AND_YEAR = rf"(?:,? (?:of )?(?P<year>{_ANY_YEAR}))"
_NAMED = rf"(?P<month>{_MONTH})"
_NUMBER = r"(?P<day>[0-3]?\d(?:st|nd|rd|th)?)"
_UP_TO = r"(?: ?(?:-|–|to|and) ?(?P<last>[0-3]?\d(?:st|nd|rd|th)?))?"
_COUNTED = (
    r"(?! (?:people|homes|houses|cases|men|women|children|workers|soldiers|villages|schools|cities|dollars|euros|pounds"
    r"|miles|metres|meters|kilometres|km|tonnes|tons|times|jobs|votes|seats|hours|days|words)\b)"
)
_OF_YEAR = rf"(?:,? (?:of )?(?P<year>{_ANY_YEAR}|(?:last|this) year))?"
_NO_GAME = r"(?! (?:of|in) (?:the|a) (?:game|match|final|season|race))"
_SEASON = r"(?P<season>spring|summer|autumn|winter)"
_FEAST = "|".join(_FEASTS).replace("'", "['’]")


def _month_of(word: str) -> int:
    """The number of a month, by its name or its short form.

    >>> _month_of("Sept."), _month_of("may")
    (9, 5)
    """
    return ENGLISH_MONTH_NUMBERS[word.casefold().rstrip(".")]


_FIGURE = (
    r"(?:[a-z-]+ ){0,3}?(?:inflation|rates?|figures?|sales|output|data|totals?|exports?|imports?|deficit|surplus"
    r"|unemployment|index|numbers?|report|readings?|rain(?:fall)?|prices?|profits?|orders|visitors|temperatures?)\b"
)
"""Whose month is named: April, May and June are first names and last names, too."""

RULES: tuple[Rule, ...] = (
    rule(rf"{_BEFORE_MONTH} (?P<core>{_PART}{_NAMED}{_AND_YEAR}?)(?! [0-3]?\d\b)", _month),
    rule(rf"(?P<core>{_PART}{_NAMED}{_AND_YEAR})", _month),
    rule(rf"(?P<core>(?P<part>){_NAMED}(?P<year>))(?=['’]s {_FIGURE})", _month),
    rule(rf"(?P<core>(?P<part>early |mid-? ?|late ){_NAMED}(?P<year>))(?! [0-3]?\d\b)", _month),
    rule(rf"(?P<core>(?P<which>last|next|this|this past|this last) {_NAMED})(?! [0-3]?\d\b)", _which_month),
    rule(rf"(?P<core>{_NAMED} (?:the )?{_NUMBER}{_UP_TO}(?:,? (?P<year>{_ANY_YEAR}))?)(?![:,.]\d)", _day),
    rule(
        rf"(?P<core>(?:the )?(?P<day>[0-3]?\d(?:st|nd|rd|th)?|{'|'.join(_ORDINALS)}){_UP_TO} (?:of )?{_NAMED}"
        rf"(?:,? (?P<year>{_ANY_YEAR}))?)",
        _day,
    ),
    rule(r"(?:on|since|before|after|until|by) (?P<core>the (?P<day>[0-3]?\d)(?:st|nd|rd|th))(?=[?.,;]|$)", _day_alone),
    rule(rf"(?P<core>(?P<year>{_ANY_YEAR})[-/](?P<month>[01]\d)(?:[-/](?P<day>[0-3]\d))?)", _iso),
    rule(rf"(?P<core>(?P<first>[0-3]?\d)(?P<mark>[-./])(?P<second>[0-3]?\d)(?P=mark)(?P<year>{_ANY_YEAR}))", _slashed),
    rule(rf"(?P<core>q(?P<nth>[1-4])(?:[ ,/-]+(?P<year>{_ANY_YEAR}))?)", _quarter),
    rule(rf"(?P<core>(?P<year>{_ANY_YEAR})[ -]?q(?P<nth>[1-4]))", _quarter),
    rule(
        rf"(?P<core>(?:in|of|for|during|since|after|before|until|by) the (?P<nth>first|second|third|fourth) quarter"
        rf"{_OF_YEAR}){_NO_GAME}",
        _quarter,
    ),
    rule(
        r"(?P<core>(?P<nth>first|second|third|fourth)[- ]quarter(?P<year>))"
        r"(?= (?:results|profit|earnings|sales|revenue|growth|gdp|figures|loss))",
        _quarter,
    ),
    rule(rf"(?P<core>the (?P<nth>first|second) half of (?P<year>{_ANY_YEAR}|(?:last|this|the) year))", _half),
    rule(rf"(?P<core>h(?P<nth>[12]) (?P<year>{_ANY_YEAR}))", _half),
    rule(
        r"(?P<core>(?P<which>this past|this|last|past|next) (?P<season>spring|summer|autumn|fall|winter)(?P<year>))",
        _season,
    ),
    rule(
        rf"(?:in|during|since|before|after|until|over|of) (?P<core>(?P<which>)(?:the )?{_SEASON}"
        rf"(?: (?:of )?(?P<year>{_ANY_YEAR})(?:[-/–]\d\d(?:\d\d)?)?)?)(?! (?:of|in)\b)",
        _season,
    ),
    rule(
        rf"(?P<core>(?P<which>)(?:the )?(?P<season>spring|summer|autumn|fall|winter)(?: of)? (?P<year>{_ANY_YEAR})"
        r"(?:[-/–]\d\d(?:\d\d)?)?)",
        _season,
    ),
    rule(
        rf"(?:in|during|of|for|since|before|after|until|till|by|from|to|through|than|and)"
        rf" (?<!class of )(?P<core>(?:the year )?{_PART}(?P<year>{_ANY_YEAR})){_COUNTED}(?!['’]?s\b)",
        _year,
    ),
    rule(rf"(?P<core>(?P<part>early |mid-? ?|late )(?P<year>{_ANY_YEAR}))", _year),
    rule(
        rf"(?P<core>(?:between|from|(?:in )?the years) (?P<first>{_ANY_YEAR}) (?:and|to|until|through)"
        rf" (?P<second>{_ANY_YEAR}))",
        _years,
    ),
    rule(
        rf"(?:in|from|during|for|of) (?P<core>(?P<first>{_ANY_YEAR}) ?[-–/] ?(?P<second>{_ANY_YEAR}|\d\d))(?![-/]\d)",
        _years,
    ),
    rule(
        rf"(?P<core>(?:between|from) (?P<first>{_MONTH}) (?:and|to|until|through) (?P<second>{_MONTH}){_AND_YEAR}?)",
        _months,
    ),
    rule(
        rf"(?P<core>(?:the )?(?P<part>early |mid-? ?|late )?"
        rf"(?P<decade>(?:1[5-9]|20)\d0['’]?s|['’]\d0s|{'|'.join(_TENS)}))",
        _decade,
    ),
    rule(r"(?P<core>(?:the )?(?P<nth>1[5-9]|2[01])(?:st|th)[- ]century)", _century),
    rule(
        rf"(?:on|at|over|since|before|after|until|by|during) (?P<core>(?P<feast>{_FEAST})"
        rf"(?: (?P<year>{_ANY_YEAR}))?)",
        _feast,
    ),
)
