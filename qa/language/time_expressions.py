"""The period that a question names, such as "yesterday" or "in May", relative to when it is asked.

Times told by their distance from now ("two weeks ago", "last weekend", "next month") are read here, those told by the
calendar in `time_calendar`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal

import msgspec

from embeddings.month_names import weekday_of
from qa.language.dates import BEGINNING, Period
from qa.language.time_calendar import (
    COUNT,
    RULES,
    WEEKDAY,
    Asked,
    DateRange,
    Rule,
    count_of,
    is_a_name,
    month_end,
    months_on,
    rule,
)

_Bound = Literal["in", "since", "after", "until", "before"]
_BEFORE_A_TIME: tuple[tuple[_Bound, str], ...] = (
    ("before", "before|prior to|ahead of|earlier than"),
    ("since", "(?:ever )?since|(?:starting|beginning) (?:in|on|from)|from|as of"),
    ("after", "after|following|later than"),
    ("until", "until|till|up (?:to|until)|by|through|no later than|to"),
)
_BOUNDS = tuple((bound, re.compile(rf"\b(?:{words})\s+$", re.IGNORECASE)) for bound, words in _BEFORE_A_TIME)
_JOINED = re.compile(r"\b(?:between|from)\s+(?P<first>.*?)\s+(?:and|to|until|till|through|up to)\s+$", re.IGNORECASE)
_FUTURE = re.compile(
    r"\b(?:will|won't|shall|going to|due to|set to|scheduled (?:to|for)|planned for|expected to|upcoming)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<!\b[A-Z])(?<!\b[A-Z][a-z])(?<!\b[A-Z][a-z]{2})[.!?]['\"”’)]*\s|\n")
"""Not after "Dr." or "Aug."."""
_LEADING = re.compile(
    r"(?:(?:^|\s+)(?:in|on|at|during|of|for|by|over|within|since|after|before|until|till|from|through|between|up to|to"
    r"|ever since|prior to|early|late|back in|throughout))+\s*$",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"['’]s?\b")
_LOOSE = re.compile(r"(?:,?\s+(?:and|between|from|to)|,|\s+)(?=\s*[?.!;]|\s*,|$)")
"""Words left over at the end of a question, or before a comma, after a time was removed."""
_MOST = 12
"""At most so many expressions of one text are read: nobody names more, and the time grows faster than their number."""
_UNIT_DAYS = {"hour": 1, "day": 1, "week": 7, "fortnight": 14, "month": 30, "quarter": 91, "year": 365, "decade": 3652}
_RECENT_DAYS = 62
"""Events further back are mostly reported in articles of their own time, so older news may answer."""
_LONG = r"(?P<unit>hour|day|week|fortnight|weekend|month|quarter|year|decade)"
_CALENDAR = r"(?P<unit>week|weekend|month|quarter|year|decade)"


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """One expression of time in a question."""

    start: int
    end: int
    dates: DateRange
    bound: _Bound
    yearless: bool = False
    """Told by the calendar alone, without a year: "in May", "on June 4"."""


def period_of(question: str, *, as_of: datetime) -> Period | None:
    """The period that a question names, read as its asker means it at `as_of`; None where it names none.

    Several expressions give the period that holds them all, except that one within another counts alone ("in June,
    on Monday"). `recent` says that all are told by their distance from now: only news from about then can answer.
    A period without a beginning ("before 2020") begins at `dates.BEGINNING`; an open one ("since Monday") ends today.

    >>> asked = datetime(2024, 6, 20, 12, tzinfo=UTC)
    >>> str(period_of("What did Kelmar Water announce yesterday?", as_of=asked).start)
    '2024-06-19 00:00:00+00:00'
    >>> period_of("Who heads Kelmar Water?", as_of=asked) is None
    True
    """
    found = _found(question, as_of.astimezone(UTC).date())
    if not found:
        return None
    today = as_of.astimezone(UTC).date()
    try:
        return _together(question, found, today)
    except (ValueError, OverflowError):
        return None  # the first or the last days of the calendar


def periods_in(text: str, *, as_of: datetime) -> tuple[Period, ...]:
    """Each time that a text names, as its writer meant it at `as_of`."""
    today = as_of.astimezone(UTC).date()
    read: list[Period] = []
    for item in _found(text, today):
        try:
            read.append(_together(text, [item], today))
        except (ValueError, OverflowError):
            continue  # the first or the last days of the calendar
    return tuple(read)


def without_period(question: str, *, as_of: datetime) -> str:
    """The question without its date words, for passages published then, which need not say so.

    >>> without_period("What did the mayor open in August?", as_of=datetime(2026, 11, 28, tzinfo=UTC))
    'What did the mayor open?'
    """
    rest = question
    for item in reversed(_found(question, as_of.astimezone(UTC).date())):
        before, after = rest[: item.start], rest[item.end :]
        owner = _POSSESSIVE.match(after)
        rest = f"{before if owner else _LEADING.sub(' ', before)} {after[owner.end() :] if owner else after}"
    rest = _LOOSE.sub("", " ".join(rest.split())).lstrip(",;. ")
    telling = sum(character.isalnum() for character in rest)
    return rest[:1].upper() + rest[1:] if telling > 5 else question


@lru_cache(maxsize=512)
def _found(question: str, today: date) -> Sequence[_Found]:
    """The expressions of a question in order; the longest of those that overlap. A passage takes a millisecond, and is
    read several times for one question."""
    kept: list[_Found] = []
    for item in sorted(_read(question, today), key=lambda item: (item.start - item.end, item.start)):
        if all(item.end <= other.start or other.end <= item.start for other in kept):
            kept.append(item)
    return tuple(sorted(kept, key=lambda item: item.start)[:_MOST])


def _read(question: str, today: date) -> Iterator[_Found]:
    ends = [match.end() for match in _SENTENCE_END.finditer(question)]
    starts = [0, *ends]
    # The tense of one sentence says nothing about months in the others.
    asked = [
        Asked(today=today, ahead=_FUTURE.search(question, start, end) is not None)
        for start, end in zip(starts, [*ends, len(question)], strict=True)
    ]
    for number, (pattern, read) in enumerate((*_RULES, *RULES)):
        for match in pattern.finditer(question):
            if is_a_name(question, match):
                continue
            try:
                dates = read(match, asked[bisect_right(starts, match.start("core")) - 1])
            except (ValueError, OverflowError):
                continue  # "June 31", or a count of years that leaves the calendar
            if dates is not None and dates.first <= dates.last:
                start, end = match.span("core")
                said = match.groupdict()
                yearless = number >= len(_RULES) and not any(said.get(name) for name in ("year", "which"))
                yield _Found(start=start, end=end, dates=dates, bound=_bound(question[:start]), yearless=yearless)


def _bound(before: str) -> _Bound:
    return next((bound for bound, words in _BOUNDS if words.search(before)), "in")


def _together(question: str, found: Sequence[_Found], today: date) -> Period:
    ranges = [item.dates for item in found]
    bounds = [_meant(question, item, found) for item in found]
    begins = [_begin(dates, bound) for dates, bound in zip(ranges, bounds, strict=True)]
    ends = [_end(dates, bound, today) for dates, bound in zip(ranges, bounds, strict=True)]
    spans = list(zip(begins, ends, strict=True))
    told = [span for span, dates in zip(spans, ranges, strict=True) if dates.recent]
    if "before" in bounds or "until" in bounds:
        closed = [begin for begin in begins if begin is not None]
        spans = [(max(closed) if closed else None, min(ends))]
    inner = [span for span in spans if not any(_holds(span, other) for other in spans)]
    first = None if any(begin is None for begin, _ in inner) else min(begin for begin, _ in inner if begin)
    start = BEGINNING if first is None else datetime(first.year, first.month, first.day, tzinfo=UTC)
    last = max(end for _, end in inner)
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    return Period(
        start=start,
        end=max(end, start + timedelta(days=1)),
        recent=first is not None and all(span in told for span in inner),
        words=" … ".join(_words(question, item) for item in found),
        yearless=all(item.yearless for item in found),
    )


def _meant(question: str, item: _Found, found: Sequence[_Found]) -> _Bound:
    """What bounds an expression: the second of "from June to August" ends what the first begins."""
    joined = _JOINED.search(question[: item.start])
    if joined and any(joined.start("first") <= other.start < item.start for other in found):
        return "in"
    begun = re.search(r"\b(?:from|between)\s+$", question[: item.start], re.IGNORECASE)
    if begun and any(_JOINED.search(question[: other.start]) for other in found if other.start > item.start):
        return "in"
    if item.bound == "until" and re.search(r"\bby\s+$|(?<!\bup )\bto\s+$", question[: item.start], re.IGNORECASE):
        return "in"  # "by May" and "to 2019" speak of that time rather than of all that was before
    return item.bound


def _begin(dates: DateRange, bound: _Bound) -> date | None:
    if bound in {"until", "before"}:
        return None
    return dates.last + timedelta(days=1) if bound == "after" else dates.first


def _end(dates: DateRange, bound: _Bound, today: date) -> date:
    if bound in {"since", "after"}:
        return max(today, dates.last)
    return dates.first - timedelta(days=1) if bound == "before" else dates.last


_Span = tuple[date | None, date]


def _holds(outer: _Span, inner: _Span) -> bool:
    first, other = outer[0] or date.min, inner[0] or date.min
    return outer != inner and first <= other and inner[1] <= outer[1]


def _words(question: str, item: _Found) -> str:
    """The expression with the words that bound it, as they stand in the question."""
    leading = _LEADING.search(question[: item.start])
    return question[leading.start() if leading else item.start : item.end].strip()


def _around(first: int, last: int, *, recent: bool) -> Callable[[re.Match[str], Asked], DateRange]:
    """Days counted from today, backwards below zero."""

    def read(_: re.Match[str], asked: Asked) -> DateRange:
        return DateRange(asked.today + timedelta(days=first), asked.today + timedelta(days=last), recent)

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


def _this(match: re.Match[str], asked: Asked) -> DateRange:
    """This week is the seven days up to now: people who ask on a Monday mean the week that they have behind them."""
    unit, today = match["unit"].casefold(), asked.today
    first, last = _whole(unit, today, 0)
    how = (match["how"] or "").casefold()
    if how == "later" or (asked.ahead and not how):
        return DateRange(today, last)
    if unit == "weekend":
        return DateRange(first, last, recent=True)
    if unit == "week":
        first = min(first, today - timedelta(days=7))
    return DateRange(first, today, recent=unit != "decade")


def _weekend(_: re.Match[str], asked: Asked) -> DateRange:
    """The last weekend that has begun."""
    back = 0 if asked.today.weekday() >= 5 or asked.ahead else -1
    return DateRange(*_whole("weekend", asked.today, back), recent=not asked.ahead)


def _last(match: re.Match[str], asked: Asked) -> DateRange:
    unit = match["unit"].casefold()
    first, last = _whole(unit, asked.today, -1)
    third = (last - first) // 3
    part = (match["part"] or "").casefold().strip()
    first, last = (last - third if part == "late" else first), (first + third if part == "early" else last)
    return DateRange(first, last, recent=unit in {"week", "weekend", "month"})


def _before_last(match: re.Match[str], asked: Asked) -> DateRange:
    unit = match["unit"].casefold()
    return DateRange(*_whole(unit, asked.today, -2), recent=unit in {"week", "weekend"})


def _next(match: re.Match[str], asked: Asked) -> DateRange:
    return DateRange(*_whole((match["unit"] or match["other"]).casefold(), asked.today, 1))


def _past(match: re.Match[str], asked: Asked) -> DateRange:
    """The last so many hours, days, weeks, months or years."""
    length = _length(match)
    return DateRange(asked.today - timedelta(days=length), asked.today, length <= _RECENT_DAYS)


def _past_one(match: re.Match[str], asked: Asked) -> DateRange:
    length = _UNIT_DAYS.get(match["unit"].casefold(), 7)
    return DateRange(asked.today - timedelta(days=length), asked.today, length <= _RECENT_DAYS)


def _coming(match: re.Match[str], asked: Asked) -> DateRange:
    return DateRange(asked.today, asked.today + timedelta(days=_length(match)))


def _ago(match: re.Match[str], asked: Asked) -> DateRange | None:
    """So long ago, give or take half the unit; a number of years ago is a calendar year."""
    unit, today, length = match["unit"].casefold(), asked.today, _length(match)
    if unit == "hour":
        return DateRange(today - timedelta(days=length), today, recent=True)
    if unit == "year":
        year = today.year - count_of(match["count"])
        return DateRange(date(year, 1, 1), date(year, 12, 31))
    slack = timedelta(days=3 if unit == "fortnight" else _UNIT_DAYS.get(unit, 7) // 2)
    middle = today - timedelta(days=length)
    return DateRange(middle - slack, min(middle + slack, today), length <= _RECENT_DAYS)


def _length(match: re.Match[str]) -> int:
    count, unit = count_of(match["count"]), match["unit"].casefold()
    return -(-count // 24) if unit == "hour" else count * _UNIT_DAYS.get(unit, 7)


def _this_time_last_year(_: re.Match[str], asked: Asked) -> DateRange:
    middle = asked.today - timedelta(days=365)
    return DateRange(middle - timedelta(days=15), middle + timedelta(days=15))


def _recently(match: re.Match[str], asked: Asked) -> DateRange:
    length = {"days": 7, "weeks": 30, "months": 120, "years": 1460}[match["units"].casefold()]
    return DateRange(asked.today - timedelta(days=length), asked.today, length <= 7)


def _weekday(match: re.Match[str], asked: Asked) -> DateRange:
    """The last such day, today included; "last Monday" is one before today, "next Monday" one after it."""
    which = (match["which"] or "").casefold()
    ahead = (weekday_of(match["weekday"]) - asked.today.weekday()) % 7
    if which == "next" or (asked.ahead and which != "last"):
        day = asked.today + timedelta(days=ahead or (7 if which == "next" else 0))
        return DateRange(day, day)
    back = (7 - ahead) % 7
    day = asked.today - timedelta(days=back or (7 if which == "last" else 0))
    return DateRange(day, day, recent=True)


def _edge(match: re.Match[str], asked: Asked) -> DateRange:
    """The beginning, the middle or the end of a week, month or year."""
    which = (match["which"] or "this").casefold()
    offset = {"last": -1, "next": 1}.get(which, 0)
    first, last = _whole(match["unit"].casefold(), asked.today, offset)
    third = (last - first) // 3
    edge = match["edge"].casefold()
    if edge in {"start", "beginning"}:
        return DateRange(first, first + third)
    return DateRange(last - third, last) if edge == "end" else DateRange(first + third, last - third)


_HOUR = r" (?:morning|afternoon|evening|night|lunchtime)"
_HOURS = rf"(?:{_HOUR})?"
_WITHIN = r"(?:in|over|during|for|within|of)"
_COUNTED = rf"(?:a (?=couple|few|dozen))?(?P<count>{COUNT}) {_LONG}s?"
_NAMED_DAY = rf"(?P<weekday>{WEEKDAY})"
_BEFORE_DAY = r"(?:on|since|until|till|before|after|by|from|through|to|and|late|early)"
_RULES: tuple[Rule, ...] = (
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
