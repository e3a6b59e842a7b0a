"""Times told as a part of a longer one: "the first week of May", "the first nine months of 2025", "Friday the 13th"."""

from __future__ import annotations

import re
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
)
