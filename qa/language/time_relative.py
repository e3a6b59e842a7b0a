"""Times told by their distance from now: "yesterday", "two weeks ago", "last weekend", "next month"."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from qa.language.time_words import (
    COUNT,
    WEEKDAY,
    Asked,
    Rule,
    Stretch,
    count_of,
    month_end,
    months_on,
    rule,
    weekday_of,
)

__all__ = ["RULES"]

_UNIT_DAYS = {"hour": 1, "day": 1, "week": 7, "fortnight": 14, "month": 30, "quarter": 91, "year": 365, "decade": 3652}
_RECENT_DAYS = 62
"""What lies further back is mostly told by articles of its own time, and older news may answer, too."""
_LONG = r"(?P<unit>hour|day|week|fortnight|weekend|month|quarter|year|decade)"
_CALENDAR = r"(?P<unit>week|weekend|month|quarter|year|decade)"


def _around(first: int, last: int, *, recent: bool) -> Callable[[re.Match[str], Asked], Stretch]:
    """Days counted from today, backwards below zero."""

    def read(_: re.Match[str], asked: Asked) -> Stretch:
        return Stretch(asked.today + timedelta(days=first), asked.today + timedelta(days=last), recent)

    return read


def _whole(unit: str, today: date, offset: int) -> tuple[date, date]:
    """The calendar week, weekend, month, quarter, year or decade that holds today, or one so many later."""
    if unit in {"week", "weekend"}:
        monday = today + timedelta(days=7 * offset - today.weekday())
        return monday + timedelta(days=5 if unit == "weekend" else 0), monday + timedelta(days=6)
    months = {"month": 1, "quarter": 3, "year": 12, "decade": 120}[unit]
    begun = (today.year * 12 + today.month - 1) // months * months
    first = months_on(begun // 12, begun % 12 + 1, offset * months)
    final = months_on(first.year, first.month, months - 1)
    return first, month_end(final.year, final.month)


def _this(match: re.Match[str], asked: Asked) -> Stretch:
    """This week is the seven days up to now: people who ask on a Monday mean the week that they have behind them."""
    unit, today = match["unit"].casefold(), asked.today
    first, last = _whole(unit, today, 0)
    how = (match["how"] or "").casefold()
    if how == "later" or (asked.ahead and not how):
        return Stretch(today, last)
    if unit == "weekend":
        return Stretch(first, last, recent=True)
    if unit == "week":
        first = min(first, today - timedelta(days=7))
    return Stretch(first, today, recent=unit != "decade")


def _weekend(_: re.Match[str], asked: Asked) -> Stretch:
    """The last weekend that has begun."""
    back = 0 if asked.today.weekday() >= 5 or asked.ahead else -1
    return Stretch(*_whole("weekend", asked.today, back), recent=not asked.ahead)


def _last(match: re.Match[str], asked: Asked) -> Stretch:
    unit = match["unit"].casefold()
    first, last = _whole(unit, asked.today, -1)
    third = (last - first) // 3
    part = (match["part"] or "").casefold().strip()
    first, last = (last - third if part == "late" else first), (first + third if part == "early" else last)
    return Stretch(first, last, recent=unit in {"week", "weekend", "month"})


def _before_last(match: re.Match[str], asked: Asked) -> Stretch:
    unit = match["unit"].casefold()
    return Stretch(*_whole(unit, asked.today, -2), recent=unit in {"week", "weekend"})


def _next(match: re.Match[str], asked: Asked) -> Stretch:
    return Stretch(*_whole((match["unit"] or match["other"]).casefold(), asked.today, 1))


def _past(match: re.Match[str], asked: Asked) -> Stretch:
    """The last so many hours, days, weeks, months or years."""
    length = _length(match)
    return Stretch(asked.today - timedelta(days=length), asked.today, length <= _RECENT_DAYS)


def _past_one(match: re.Match[str], asked: Asked) -> Stretch:
    length = _UNIT_DAYS.get(match["unit"].casefold(), 7)
    return Stretch(asked.today - timedelta(days=length), asked.today, length <= _RECENT_DAYS)


def _coming(match: re.Match[str], asked: Asked) -> Stretch:
    return Stretch(asked.today, asked.today + timedelta(days=_length(match)))


def _ago(match: re.Match[str], asked: Asked) -> Stretch | None:
    """So long ago, give or take half the unit; a number of years ago is a calendar year."""
    unit, today, length = match["unit"].casefold(), asked.today, _length(match)
    if unit == "hour":
        return Stretch(today - timedelta(days=length), today, recent=True)
    if unit == "year":
        year = today.year - count_of(match["count"])
        return Stretch(date(year, 1, 1), date(year, 12, 31))
    slack = timedelta(days=3 if unit == "fortnight" else _UNIT_DAYS.get(unit, 7) // 2)
    middle = today - timedelta(days=length)
    return Stretch(middle - slack, min(middle + slack, today), length <= _RECENT_DAYS)


def _length(match: re.Match[str]) -> int:
    count, unit = count_of(match["count"]), match["unit"].casefold()
    return -(-count // 24) if unit == "hour" else count * _UNIT_DAYS.get(unit, 7)


def _this_time_last_year(_: re.Match[str], asked: Asked) -> Stretch:
    middle = asked.today - timedelta(days=365)
    return Stretch(middle - timedelta(days=15), middle + timedelta(days=15))


def _recently(match: re.Match[str], asked: Asked) -> Stretch:
    length = {"days": 7, "weeks": 30, "months": 120, "years": 1460}[match["units"].casefold()]
    return Stretch(asked.today - timedelta(days=length), asked.today, length <= 7)


def _weekday(match: re.Match[str], asked: Asked) -> Stretch:
    """The last such day, today included; "last Monday" is one before today, "next Monday" one after it."""
    which = (match["which"] or "").casefold()
    ahead = (weekday_of(match["weekday"]) - asked.today.weekday()) % 7
    if which == "next" or (asked.ahead and which != "last"):
        day = asked.today + timedelta(days=ahead or (7 if which == "next" else 0))
        return Stretch(day, day)
    back = (7 - ahead) % 7
    day = asked.today - timedelta(days=back or (7 if which == "last" else 0))
    return Stretch(day, day, recent=True)


def _edge(match: re.Match[str], asked: Asked) -> Stretch:
    """The beginning, the middle or the end of a week, month or year."""
    which = (match["which"] or "this").casefold()
    offset = {"last": -1, "next": 1}.get(which, 0)
    first, last = _whole(match["unit"].casefold(), asked.today, offset)
    third = (last - first) // 3
    edge = match["edge"].casefold()
    if edge in {"start", "beginning"}:
        return Stretch(first, first + third)
    return Stretch(last - third, last) if edge == "end" else Stretch(first + third, last - third)


_HOUR = r" (?:morning|afternoon|evening|night|lunchtime)"
_HOURS = rf"(?:{_HOUR})?"
_WITHIN = r"(?:in|over|during|for|within|of)"
_COUNTED = rf"(?:a (?=couple|few|dozen))?(?P<count>{COUNT}) {_LONG}s?"
_NAMED_DAY = rf"(?P<weekday>{WEEKDAY})"
_BEFORE_DAY = r"(?:on|since|until|till|before|after|by|from|through|to|and|late|early)"
RULES: tuple[Rule, ...] = (
    rule(r"(?P<core>(?:(?:earlier|later) )?today|tonight)", _around(0, 0, recent=True)),
    rule(r"(?P<core>this (?:morning|afternoon|evening|lunchtime))", _around(0, 0, recent=True)),
    rule(r"(?:and|until|till|to|up to) (?P<core>now)", _around(0, 0, recent=True)),
    rule(rf"(?P<core>yesterday{_HOURS}|last night)", _around(-1, -1, recent=True)),
    rule(r"(?P<core>overnight)(?= ?[?.,;]|$)", _around(-1, 0, recent=True)),
    rule(r"(?P<core>(?:the )?(?:day before yesterday|night before last))", _around(-2, -2, recent=True)),
    rule(rf"(?P<core>tomorrow{_HOURS})", _around(1, 1, recent=False)),
    rule(r"(?P<core>(?:the )?day after tomorrow)", _around(2, 2, recent=False)),
    rule(r"(?P<core>the other (?:day|night|week))", _around(-10, 0, recent=True)),
    rule(r"(?P<core>the (?:coming|next few) days)", _around(0, 7, recent=False)),
    rule(rf"(?P<core>(?:(?P<how>earlier|later|so far) )?this (?:past |last )?{_CALENDAR})", _this),
    rule(r"(?P<core>(?P<how>)(?:the )?(?P<unit>year|month)[- ]to[- ]date)", _this),
    rule(r"(?:at|over|during|on|since|before|after) (?P<core>the weekend)", _weekend),
    rule(rf"(?P<core>(?P<part>early |late )?(?:(?<!the )last|the previous) {_CALENDAR})", _last),
    rule(rf"(?P<core>the {_CALENDAR} before last)", _before_last),
    rule(rf"(?P<core>(?<!the )next {_CALENDAR}|the coming {_CALENDAR.replace('unit', 'other')})", _next),
    rule(rf"(?P<core>(?:{_WITHIN} )?the (?:last|past) {_LONG})(?! of\b)", _past_one),
    rule(rf"(?P<core>(?:{_WITHIN} )?(?:the |these )?(?:last|past) {_COUNTED})", _past),
    rule(rf"(?P<core>{_WITHIN} (?:the )?(?:next|coming) {_COUNTED})", _coming),
    rule(rf"(?<!than )(?<!compared with )(?<!compared to )(?<!half )(?P<core>{_COUNTED} ago)", _ago),
    rule(r"(?P<core>half a year ago)", _around(-210, -150, recent=False)),
    rule(r"(?P<core>(?:at )?this time last year)", _this_time_last_year),
    rule(r"(?P<core>(?:in |over )(?:the )?recent (?P<units>days|weeks|months|years))", _recently),
    rule(rf"(?P<core>(?P<which>last|this|next) {_NAMED_DAY}{_HOURS})", _weekday),
    rule(rf"{_BEFORE_DAY} (?P<core>(?P<which>){_NAMED_DAY}{_HOURS})", _weekday),
    rule(rf"(?P<core>(?P<which>){_NAMED_DAY}{_HOUR})", _weekday),
    rule(rf"(?P<core>(?P<which>){_NAMED_DAY})(?=['’]s\b)", _weekday),
    rule(
        r"(?P<core>(?:the )?(?P<edge>start|beginning|middle|end) of (?:the|(?P<which>this|last|next))"
        r" (?P<unit>week|month|year|decade))",
        _edge,
    ),
)
