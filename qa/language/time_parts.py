"""Times within a year: parts ("the first week of May", "the first nine months of 2025"), numbered weeks, days by their
number ("Friday the 13th"), and feasts ("since Easter", "on Labor Day", "at Christmas last year").
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from embeddings.month_names import weekday_of
from qa.language.quantities import ORDINALS
from qa.language.time_rules import (
    ANY_YEAR,
    COUNT,
    MONTH,
    WEEKDAY,
    Asked,
    DateRange,
    Rule,
    count_of,
    month_end,
    month_of,
    months_on,
    rule,
    year_of,
)

_NTH = {"first": 1, "opening": 1} | dict(ORDINALS)
_SOME_YEAR = rf"(?:(?P<year>{ANY_YEAR})|(?P<which>last|this|next|the) year)"


def _of_month(match: re.Match[str], asked: Asked) -> DateRange | None:
    """A week, a weekend, a half, some days or a weekday of a month."""
    month = month_of(match["month"])
    year = year_of(month, asked, match["year"])
    if (which := (match["which"] or "").casefold()) in {"last", "this", "next"}:
        year = asked.today.year + {"last": -1, "this": 0, "next": 1}[which]
    first, last = date(year, month, 1), month_end(year, month)
    nth, unit = match["nth"].casefold(), match["unit"].casefold()
    if unit == "half":
        middle = date(year, month, 15)
        return DateRange(first, middle) if nth == "first" else DateRange(middle + timedelta(days=1), last)
    if unit.startswith("day"):
        few = 7 if unit == "days" else 1
        days = timedelta(days=(count_of(match["count"]) if match["count"] else few) - 1)
        return DateRange(last - days, last) if nth == "last" else DateRange(first, first + days)
    if unit == "week":
        return DateRange(last - timedelta(days=6), last) if nth == "last" else _days_on(first, _NTH[nth], last)
    return _weekday_of_month(first, last, nth, unit)


def _days_on(first: date, nth: int, last: date) -> DateRange:
    """The nth week of a month, counted from its first day."""
    begun = first + timedelta(days=7 * (nth - 1))
    return DateRange(begun, min(begun + timedelta(days=6), last))


def _weekday_of_month(first: date, last: date, nth: str, unit: str) -> DateRange | None:
    """The nth such day of a month, or the weekend that the nth Saturday begins."""
    weekday = 5 if unit == "weekend" else weekday_of(unit)
    if nth == "last":
        day = last - timedelta(days=(last.weekday() - weekday) % 7)
    else:
        day = first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (_NTH[nth] - 1))
    if day > last:
        return None
    return DateRange(day, day + timedelta(days=1 if unit == "weekend" else 0))


def _of_year(match: re.Match[str], asked: Asked) -> DateRange:
    """The first or the last so many weeks or months of a year; of one that runs, as far as it has come."""
    which = (match["which"] or "").casefold()
    year = int(match["year"]) if match["year"] else asked.today.year + {"last": -1, "next": 1}.get(which, 0)
    first, last = date(year, 1, 1), date(year, 12, 31)
    count, opening = count_of(match["count"]), match["nth"].casefold() != "last"
    if match["unit"].casefold().startswith("month"):
        begun = first if opening else months_on(year, 12, 1 - count)
        return DateRange(begun, months_on(year, 1, count) - timedelta(days=1) if opening else last)
    length = timedelta(days=count * (7 if match["unit"].casefold().startswith("week") else 1) - 1)
    return DateRange(first, first + length) if opening else DateRange(last - length, last)


def _weekday_the(match: re.Match[str], asked: Asked) -> DateRange:
    """ "Friday the 13th": the last one that has been, or the next one where what is to come is asked."""
    day, weekday = int(match["day"]), weekday_of(match["weekday"])
    for offset in range(48):
        month = months_on(asked.today.year, asked.today.month, offset if asked.ahead else -offset)
        if day > month_end(month.year, month.month).day:
            continue
        found = month.replace(day=day)
        if found.weekday() == weekday and (found >= asked.today if asked.ahead else found <= asked.today):
            return DateRange(found, found)
    raise ValueError(match["core"])


def _numbered_week(match: re.Match[str], asked: Asked) -> DateRange:
    """ "Calendar week 45", by ISO 8601; without a year the last one that has begun."""
    week, today = int(match["nth"]), asked.today
    year = int(match["year"]) if match["year"] else today.year
    first = date.fromisocalendar(year, week, 1)
    if not match["year"] and first > today and not asked.ahead:
        first = date.fromisocalendar(year - 1, week, 1)
    return DateRange(first, first + timedelta(days=6))


def _day_of_some_month(match: re.Match[str], asked: Asked) -> DateRange:
    offset = {"last": -1, "this": 0, "next": 1}[match["which"].casefold()]
    day = months_on(asked.today.year, asked.today.month, offset).replace(day=int(match["day"]))
    return DateRange(day, day)


_Day = Callable[[int], date]


def _on(month: int, day: int) -> _Day:
    return lambda year: date(year, month, day)


def _easter(year: int) -> date:
    """The Sunday of Easter in the West, by the reckoning of Meeus, Jones and Butcher.

    >>> _easter(2024), _easter(2026)
    (datetime.date(2024, 3, 31), datetime.date(2026, 4, 5))
    """
    golden, (century, rest) = year % 19, divmod(year, 100)
    shift = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * golden + century - century // 4 - shift + 15) % 30
    sunday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * sunday) // 451
    month, day = divmod(moon + sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _from_easter(days: int) -> _Day:
    return lambda year: _easter(year) + timedelta(days=days)


def _nth_weekday(month: int, weekday: int, nth: int) -> _Day:
    """The nth such weekday of a month; below zero the last one."""

    def read(year: int) -> date:
        if nth < 0:
            end = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
            return end - timedelta(days=(end.weekday() - weekday) % 7)
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))

    return read


_FEASTS: Mapping[str, tuple[_Day, int]] = {
    "christmas eve": (_on(12, 24), 1),
    "christmas day": (_on(12, 25), 1),
    "christmas": (_on(12, 24), 3),
    "boxing day": (_on(12, 26), 1),
    "new year's eve": (_on(12, 31), 1),
    "new year's day": (_on(1, 1), 1),
    "new year's": (_on(1, 1), 1),
    "new year": (_on(1, 1), 1),
    "epiphany": (_on(1, 6), 1),
    "valentine's day": (_on(2, 14), 1),
    "st patrick's day": (_on(3, 17), 1),
    "may day": (_on(5, 1), 1),
    "juneteenth": (_on(6, 19), 1),
    "the fourth of july": (_on(7, 4), 1),
    "independence day": (_on(7, 4), 1),
    "bastille day": (_on(7, 14), 1),
    "halloween": (_on(10, 31), 1),
    "all saints' day": (_on(11, 1), 1),
    "ash wednesday": (_from_easter(-46), 1),
    "palm sunday": (_from_easter(-7), 1),
    "maundy thursday": (_from_easter(-3), 1),
    "good friday": (_from_easter(-2), 1),
    "easter sunday": (_easter, 1),
    "easter monday": (_from_easter(1), 1),
    "easter": (_from_easter(-2), 4),
    "ascension day": (_from_easter(39), 1),
    "pentecost": (_from_easter(49), 2),
    "whitsun": (_from_easter(49), 2),
    "martin luther king day": (_nth_weekday(1, 0, 3), 1),
    "presidents' day": (_nth_weekday(2, 0, 3), 1),
    "memorial day": (_nth_weekday(5, 0, -1), 1),
    "labor day": (_nth_weekday(9, 0, 1), 1),
    "labour day": (_nth_weekday(9, 0, 1), 1),
    "thanksgiving": (_nth_weekday(11, 3, 4), 4),
}
"""The first day in a year, and the length in days."""
_MAIN_DAYS = {"christmas": 1, "easter": 2}
"""How far the day that a feast is named for lies behind its first, where that is another."""
_FEAST_NAMES = "|".join(sorted(_FEASTS, key=len, reverse=True)).replace("'", "['’]")


def _feast(match: re.Match[str], asked: Asked) -> DateRange:
    """The feast of the year named, else the last one that has begun; the next one where what is to come is asked."""
    name = match["feast"].casefold().replace("’", "'")
    begins, days = _FEASTS[name]
    year, which = asked.today.year, (match["which"] or "").casefold()
    if match["year"]:
        year = int(match["year"])
    elif which == "next" or (asked.ahead and which != "last"):
        year += begins(year) + timedelta(days=days - 1) < asked.today
    elif which != "this":
        year -= begins(year) > asked.today
    first = begins(year)
    main = first + timedelta(days=_MAIN_DAYS.get(name, 0))
    return DateRange(first, first + timedelta(days=days - 1), main=main)


_NTHS = "|".join(("last", *_NTH))
_OF_MONTH = rf"(?:of|in) (?P<month>{MONTH})(?:,? (?:of )?{_SOME_YEAR})?"
RULES: tuple[Rule, ...] = (
    rule(
        rf"(?P<core>the (?P<nth>{_NTHS})(?: (?P<count>{COUNT}))? (?P<unit>half|days?|week|weekend|{WEEKDAY})"
        rf" {_OF_MONTH})",
        _of_month,
    ),
    rule(
        rf"(?P<core>the (?P<nth>first|opening|last) (?:(?P<count>{COUNT}) )?(?P<unit>(?:day|week|month)s?)"
        rf" of {_SOME_YEAR})",
        _of_year,
    ),
    rule(rf"(?P<core>(?P<weekday>{WEEKDAY}),? the (?P<day>[0-3]?\d)(?:st|nd|rd|th))(?! of\b)", _weekday_the),
    rule(
        rf"(?P<core>calendar week (?P<nth>[0-5]?\d)(?:,? (?:of )?(?P<year>{ANY_YEAR}))?)", _numbered_week, needs="week"
    ),
    rule(rf"(?P<core>week (?P<nth>[0-5]?\d) (?:of )?(?P<year>{ANY_YEAR}))", _numbered_week, needs="week"),
    rule(
        r"(?P<core>the (?P<day>[0-3]?\d)(?:st|nd|rd|th) of (?P<which>last|this|next) month)",
        _day_of_some_month,
        needs="month",
    ),
    rule(
        r"(?:on|at|over|since|before|after|until|by|during|around|from|to|and|for|ahead of)"
        rf" (?P<core>(?P<which>)(?:the )?(?P<feast>{_FEAST_NAMES})(?: (?:holidays?|weekend|break))?"
        rf"(?:,? (?:of |in )?(?P<year>{ANY_YEAR}))?)",
        _feast,
    ),
    rule(rf"(?P<core>(?P<which>)(?P<feast>{_FEAST_NAMES}),? (?:of |in )?(?P<year>{ANY_YEAR}))", _feast),
    rule(rf"(?P<core>(?P<which>last|this|next) (?P<feast>{_FEAST_NAMES})(?P<year>))", _feast),
)
