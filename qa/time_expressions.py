"""Takes a question and the moment it is asked at, gives the period it speaks of, such as "yesterday" or "in May"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

from qa.moments import Period

__all__ = ["period_of"]

_MONTHS = "january february march april may june july august september october november december".split()
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_NUMBERS = {word: number for number, word in enumerate("one two three four five six seven eight nine ten".split(), 1)}

_NOW = re.compile(r"\b(?:and|until|till|to|up to) (?:now|today)\b", re.IGNORECASE)
_Read = Callable[[re.Match[str], date], Period | None]

_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_UNIT = r"(?P<unit>day|week|weekend|month|year)"
_COUNT = rf"(?P<count>\d{{1,3}}|a|an|{'|'.join(_NUMBERS)}|few|couple of)"


def period_of(question: str, *, as_of: datetime) -> Period | None:
    """The period that a question names, read as its asker means it at `as_of`; None where it names none.

    Several expressions give the period that holds them all, except that one within another counts alone ("in June,
    on Monday"). `recent` says that all are told by their distance from now: only news from about then can answer.

    >>> asked = datetime(2024, 6, 20, 12, tzinfo=UTC)
    >>> str(period_of("What did Kelmar Water announce yesterday?", as_of=asked).start)
    '2024-06-19 00:00:00+00:00'
    >>> period_of("Who heads Kelmar Water?", as_of=asked) is None
    True
    """
    today = as_of.astimezone(UTC).date()
    found = list(_found(question, today))
    exact = [period for period in found if not any(_holds(period, other) for other in found)]
    if not exact:
        return None
    end = max(period.end for period in exact)
    return Period(
        start=min(period.start for period in exact),
        end=max(end, _days(today, today, recent=True).end) if _NOW.search(question) else end,
        recent=all(period.recent for period in exact),
    )


def _holds(outer: Period, inner: Period) -> bool:
    longer = outer.end - outer.start > inner.end - inner.start
    return longer and outer.start <= inner.start and inner.end <= outer.end


def _found(question: str, today: date) -> Iterator[Period]:
    for pattern, read in _RULES:
        for match in pattern.finditer(question):
            try:
                period = read(match, today)
            except (ValueError, OverflowError):
                continue  # "June 31", or a count of years that leaves the calendar
            if period is not None:
                yield period


def _days(start: date, end: date, *, recent: bool) -> Period:
    """From the morning of one day to the end of another."""
    return Period(
        start=datetime(start.year, start.month, start.day, tzinfo=UTC),
        end=datetime(end.year, end.month, end.day, tzinfo=UTC) + timedelta(days=1),
        recent=recent,
    )


def _today(_: re.Match[str], today: date) -> Period:
    return _days(today, today, recent=True)


def _yesterday(_: re.Match[str], today: date) -> Period:
    return _days(today - timedelta(days=1), today - timedelta(days=1), recent=True)


def _this(match: re.Match[str], today: date) -> Period | None:
    """This week is the seven days up to now: people who ask on a Monday mean the week that they have behind them."""
    unit = match["unit"].casefold()
    if unit == "month":
        return _days(today.replace(day=1), today, recent=True)
    if unit == "year":
        return _days(today.replace(month=1, day=1), today, recent=True)
    return _days(today - timedelta(days=7), today, recent=True)


def _last(match: re.Match[str], today: date) -> Period | None:
    unit = match["unit"].casefold()
    if unit in {"week", "weekend"}:
        return _days(
            today - timedelta(days=today.weekday() + 7), today - timedelta(days=today.weekday() + 1), recent=True
        )
    if unit == "month":
        end = today.replace(day=1) - timedelta(days=1)
        return _days(end.replace(day=1), end, recent=True)
    if unit == "year":
        return _days(date(today.year - 1, 1, 1), date(today.year - 1, 12, 31), recent=False)
    return None


def _past(match: re.Match[str], today: date) -> Period:
    """The last so many days, weeks, months or years."""
    return _days(today - timedelta(days=_length(match)), today, recent=_length(match) <= _RECENT_DAYS)


def _ago(match: re.Match[str], today: date) -> Period | None:
    """So long ago, give or take half the unit; what is longer ago is mostly something to compare with."""
    if _length(match) > _RECENT_DAYS:
        return None
    unit = _UNIT_DAYS[match["unit"].casefold()]
    middle = today - timedelta(days=_length(match))
    slack = timedelta(days=unit // 2)
    return _days(middle - slack, min(middle + slack, today), recent=True)


_UNIT_DAYS = {"day": 1, "week": 7, "weekend": 7, "month": 30, "year": 365}
_RECENT_DAYS = 62


def _length(match: re.Match[str]) -> int:
    word = (match["count"] or "a").casefold()
    count = int(word) if word.isdigit() else _NUMBERS.get(word, 1 if word in {"a", "an"} else 3)
    return count * _UNIT_DAYS[match["unit"].casefold()]


def _weekday(match: re.Match[str], today: date) -> Period:
    """The last such day, today included; "last Monday" is a Monday before today."""
    back = (today.weekday() - _DAYS.index(match["weekday"].casefold())) % 7
    if back == 0 and match["which"].casefold() == "last":
        back = 7
    return _days(today - timedelta(days=back), today - timedelta(days=back), recent=True)


def _month(match: re.Match[str], today: date) -> Period:
    """A month: of the year named, else the last one that has begun."""
    month = _MONTHS.index(match["month"].casefold()) + 1
    year = int(match["year"]) if match["year"] else today.year - (month > today.month)
    return _days(date(year, month, 1), _month_end(year, month), recent=False)


def _day_of_month(match: re.Match[str], today: date) -> Period:
    month, day = _MONTHS.index(match["month"].casefold()) + 1, int(match["day"])
    year = int(match["year"]) if match["year"] else today.year - (date(today.year, month, day) > today + _AHEAD)
    return _days(date(year, month, day), date(year, month, day), recent=False)


_AHEAD = timedelta(days=180)
"""A day without a year that lies less than this ahead is the coming one."""


def _in_year(match: re.Match[str], _: date) -> Period:
    return _days(date(int(match["year"]), 1, 1), date(int(match["year"]), 12, 31), recent=False)


def _since_year(match: re.Match[str], today: date) -> Period | None:
    start = date(int(match["year"]), 1, 1)
    return _days(start, today, recent=False) if start <= today else None


def _since_month(match: re.Match[str], today: date) -> Period | None:
    start = _month(match, today).start.date()
    return _days(start, today, recent=False) if start <= today else None


def _between_years(match: re.Match[str], _: date) -> Period | None:
    start, end = int(match["first"]), int(match["second"])
    return _days(date(start, 1, 1), date(end, 12, 31), recent=False) if start <= end else None


def _between_months(match: re.Match[str], today: date) -> Period:
    """Between two months, the later one the last that has begun where no year is named."""
    first, second = (_MONTHS.index(match[name].casefold()) + 1 for name in ("first", "second"))
    year = int(match["year"]) if match["year"] else today.year - (second > today.month)
    return _days(date(year - (first > second), first, 1), _month_end(year, second), recent=False)


def _month_end(year: int, month: int) -> date:
    return (date(year, month, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _rule(pattern: str, read: _Read) -> tuple[re.Pattern[str], _Read]:
    return re.compile(rf"\b{pattern}\b", re.IGNORECASE), read


_BEFORE_MONTH = r"(?:in|during|of|for|by|until|at the end of|since the end of) (?:early |mid-?|late )?"
_ANY_MONTH = "|".join(_MONTHS)
_ANY_YEAR = r"(?:19|20)\d\d"
_RULES = (
    _rule(r"(?:today|tonight|this (?:morning|afternoon|evening))", _today),
    _rule(r"(?:yesterday|last night)", _yesterday),
    _rule(rf"this (?:past |last )?{_UNIT}", _this),
    _rule(rf"(?<!the )last {_UNIT}", _last),
    _rule(rf"(?:in|over|during|for|within) the (?:last|past) (?:{_COUNT} )?{_UNIT}s?", _past),
    _rule(rf"{_COUNT} {_UNIT}s? ago", _ago),
    _rule(rf"(?P<which>on|last|this) (?P<weekday>{'|'.join(_DAYS)})", _weekday),
    _rule(rf"{_BEFORE_MONTH}{_MONTH}(?:,? (?:of )?{_YEAR})?(?! [0-3]?\d\b)", _month),
    _rule(rf"{_MONTH} {_DAY}(?:,? {_YEAR})?", _day_of_month),
    _rule(rf"{_DAY} (?:of )?{_MONTH}(?:,? {_YEAR})?", _day_of_month),
    _rule(rf"(?:in|during|of|for) {_YEAR}", _in_year),
    _rule(rf"since {_YEAR}", _since_year),
    _rule(rf"since {_MONTH}(?:,? {_YEAR})?", _since_month),
    _rule(rf"(?:between|from) (?P<first>{_ANY_YEAR}) (?:and|to) (?P<second>{_ANY_YEAR})", _between_years),
    _rule(
        rf"(?:between|from) (?P<first>{_ANY_MONTH}) (?:and|to) (?P<second>{_ANY_MONTH})(?:,? {_YEAR})?", _between_months
    ),
)
