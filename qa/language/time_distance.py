"""Times told by their distance from now: "two weeks ago", "last weekend", "in the next three days"."""

import re
from collections.abc import Callable
from datetime import date, timedelta

from embeddings.month_names import ENGLISH_WEEKDAYS, weekday_of
from qa.language.time_rules import (
    COUNT,
    MONTH,
    RECENT_DAYS,
    WEEKDAY,
    Asked,
    DateRange,
    Rule,
    count_of,
    month_end,
    months_on,
    rule,
    whole,
)

_UNIT_DAYS = {
    "minute": 1,
    "hour": 1,
    "day": 1,
    "week": 7,
    "fortnight": 14,
    "month": 30,
    "quarter": 91,
    "year": 365,
    "decade": 3652,
}
_VAGUE_DAYS = {"days": 7, "weeks": 30, "months": 120, "years": 1460}
"""What "the coming weeks" and the last few may mean."""
_SHORT_UNITS = {"hr": "hour", "h": "hour", "min": "minute", "yr": "year", "wk": "week"}
_LONG = r"(?P<unit>minute|min|hour|hr|(?<=\d)h|day|weekend|week|wk|fortnight|month|quarter|year|yr|decade)"
_CALENDAR = r"(?P<unit>week|weekend|month|quarter|year|decade)"


def _around(first: int, last: int, *, recent: bool) -> Callable[[re.Match[str], Asked], DateRange]:
    """Days counted from today, backwards below zero."""

    def read(_: re.Match[str], asked: Asked) -> DateRange:
        return DateRange(asked.today + timedelta(days=first), asked.today + timedelta(days=last), recent)

    return read


def _this(match: re.Match[str], asked: Asked) -> DateRange:
    """This week is the seven days up to now: people who ask on a Monday mean the week that they have behind them."""
    unit, today = match["unit"].casefold(), asked.today
    first, last = whole(unit, today, 0)
    how = (match["how"] or "").casefold()
    if how == "later" or (asked.ahead and not how):
        return DateRange(today, last)
    if unit == "weekend" and re.search(r"\b(?:past|last) ", match["core"], re.IGNORECASE):
        return DateRange(*whole(unit, today, -1), recent=True)
    if unit == "weekend":
        return DateRange(first, last, recent=True)
    if unit == "week":
        first = min(first, today - timedelta(days=7))
    return DateRange(first, today, recent=unit != "decade")


def _weekend(_: re.Match[str], asked: Asked) -> DateRange:
    """The last weekend that has begun."""
    back = 0 if asked.today.weekday() >= 5 or asked.ahead else -1
    return DateRange(*whole("weekend", asked.today, back), recent=not asked.ahead)


def _last(match: re.Match[str], asked: Asked) -> DateRange:
    unit = match["unit"].casefold()
    first, last = whole(unit, asked.today, -1)
    third = (last - first) // 3
    part = (match["part"] or "").casefold().strip()
    first, last = (last - third if part == "late" else first), (first + third if part == "early" else last)
    return DateRange(first, last, recent=unit in {"week", "weekend", "month"})


def _before_last(match: re.Match[str], asked: Asked) -> DateRange:
    unit = match["unit"].casefold()
    return DateRange(*whole(unit, asked.today, -2), recent=unit in {"week", "weekend"})


def _next(match: re.Match[str], asked: Asked) -> DateRange:
    unit, after = match["unit"] or match["other"], match.groupdict().get("after")
    return DateRange(*whole(unit.casefold(), asked.today, 2 if after else 1))


def _unit(match: re.Match[str]) -> str:
    low = match["unit"].casefold()
    return _SHORT_UNITS.get(low, low)


def _number(match: re.Match[str]) -> int:
    return count_of(match["count"] or match.groupdict().get("digits"))


def _past(match: re.Match[str], asked: Asked) -> DateRange:
    """The last so many hours, days, weeks, months or years."""
    length = _length(match)
    return DateRange(asked.today - timedelta(days=length), asked.today, length <= RECENT_DAYS)


def _past_one(match: re.Match[str], asked: Asked) -> DateRange:
    unit = _unit(match)
    if unit == "quarter":
        return DateRange(*whole(unit, asked.today, -1))
    length = _UNIT_DAYS.get(unit, 7)
    return DateRange(asked.today - timedelta(days=length), asked.today, length <= RECENT_DAYS)


def _coming(match: re.Match[str], asked: Asked) -> DateRange:
    return DateRange(asked.today, asked.today + timedelta(days=_length(match)))


def _ago(match: re.Match[str], asked: Asked) -> DateRange | None:
    """So long ago, give or take half the unit; a number of years ago is a calendar year."""
    unit, today, length = _unit(match), asked.today, _length(match)
    if unit in {"hour", "minute"}:
        return DateRange(today - timedelta(days=length), today, recent=True)
    if unit == "year":
        year = today.year - _number(match)
        return DateRange(date(year, 1, 1), date(year, 12, 31))
    if unit == "weekend":
        return DateRange(*whole(unit, today, -_number(match)), length <= RECENT_DAYS)
    slack = timedelta(days={"fortnight": 3, "decade": 730}.get(unit, _UNIT_DAYS.get(unit, 7) // 2))
    middle = today - timedelta(days=length)
    return DateRange(middle - slack, min(middle + slack, today), length <= RECENT_DAYS)


def _length(match: re.Match[str]) -> int:
    count, unit = _number(match), _unit(match)
    hours = {"hour": 24, "minute": 1440}
    return -(-count // hours[unit]) if unit in hours else count * _UNIT_DAYS.get(unit, 7)


def _and_a_half(match: re.Match[str], asked: Asked) -> DateRange:
    """ "A year and a half ago", "two and a half years ago": in months, give or take a quarter of a year."""
    months = 12 * count_of(match["count"]) + 6
    first = months_on(asked.today.year, asked.today.month, -months - 3)
    last = months_on(asked.today.year, asked.today.month, -months + 3)
    return DateRange(first, month_end(last.year, last.month))


def _weekdays_ago(match: re.Match[str], asked: Asked) -> DateRange:
    """ "Three Fridays ago", "the Monday before last"."""
    back = (asked.today.weekday() - weekday_of(match["weekday"])) % 7 or 7
    day = asked.today - timedelta(days=back + 7 * (count_of(match["count"] or "2") - 1))
    return DateRange(day, day, recent=True)


def _day_of_week(match: re.Match[str], asked: Asked) -> DateRange:
    """ "Tuesday last week"."""
    offset = {"last": -1, "this": 0, "next": 1}[match["which"].casefold()]
    day = whole("week", asked.today, offset)[0] + timedelta(days=weekday_of(match["weekday"]))
    return DateRange(day, day, recent=offset <= 0)


def _seasons_ago(match: re.Match[str], asked: Asked) -> DateRange:
    """ "Two summers ago": the last one that has begun counts as one."""
    begins = {"spring": 3, "summer": 6, "autumn": 9, "winter": 12}[match["season"].casefold()]
    year = asked.today.year - (asked.today.month < begins) - count_of(match["count"]) + 1
    end = months_on(year, begins, 2)
    return DateRange(date(year, begins, 1), month_end(end.year, end.month))


def _ahead(match: re.Match[str], asked: Asked) -> DateRange | None:
    """ "Two weeks from now", and "in two weeks" where what is to come is asked."""
    if match["core"].casefold().startswith("in ") and not asked.ahead:
        return None
    unit, length = _unit(match), _length(match)
    middle, slack = asked.today + timedelta(days=length), timedelta(days=_UNIT_DAYS.get(unit, 7) // 2)
    return DateRange(max(middle - slack, asked.today), middle + slack)


def _soon(match: re.Match[str], asked: Asked) -> DateRange:
    length = _VAGUE_DAYS[match["units"].casefold()]
    return DateRange(asked.today, asked.today + timedelta(days=length))


def _turn_of_year(_: re.Match[str], asked: Asked) -> DateRange:
    """The last one, or the next one where what is to come is asked."""
    year = asked.today.year + asked.ahead
    return DateRange(date(year - 1, 12, 20), date(year, 1, 10))


def _this_time(match: re.Match[str], asked: Asked) -> DateRange:
    """ "This time last year", give or take half a month; last month or last week, give or take less."""
    unit = match["unit"].casefold()
    back, slack = {"week": (7, 1), "month": (30, 3), "year": (365, 15)}[unit]
    middle = asked.today - timedelta(days=back)
    return DateRange(middle - timedelta(days=slack), middle + timedelta(days=slack), recent=unit == "week")


def _recently(match: re.Match[str], asked: Asked) -> DateRange:
    length = _VAGUE_DAYS[match["units"].casefold()]
    return DateRange(asked.today - timedelta(days=length), asked.today, length <= 7)


def _weekday(match: re.Match[str], asked: Asked) -> DateRange:
    """The last such day, today included; "last Monday" is one before today, "next Monday" one after it.

    With a verb in the present or the future it is the next one, today included, or any.
    """
    which, number = (match["which"] or "").casefold(), weekday_of(match["weekday"])
    ahead = (number - asked.today.weekday()) % 7
    coming = which in {"next", "this coming", "the coming", "coming"}
    if coming or ((asked.ahead or (asked.present and _is_when(match))) and which not in _PAST_DAYS):
        day = asked.today + timedelta(days=ahead or (7 if coming else 0))
        return DateRange(day, day, weekday="" if which else ENGLISH_WEEKDAYS[number].casefold())
    back = (7 - ahead) % 7
    day = asked.today - timedelta(days=back or (7 if which.endswith(("last", "past", "previous")) else 0))
    return DateRange(day, day, recent=True)


def _is_when(match: re.Match[str]) -> bool:
    """Whether a weekday dates the verb of its question, not an event: "What is known of the fire on Monday?"."""
    text, start, end = match.string, *match.span("core")
    if match[0].casefold().startswith(("since ", "after ", "events ", "hours ")) or _DATED.match(text, end):
        return False
    return not text.startswith(("'s", "’s"), end) and _OF_AN_EVENT.search(text, 0, start) is None


def _edge(match: re.Match[str], asked: Asked) -> DateRange:
    """The beginning, the middle or the end of a week, month or year."""
    which = (match["which"] or "this").casefold()
    offset = {"last": -1, "next": 1}.get(which, 0)
    first, last = whole(match["unit"].casefold(), asked.today, offset)
    third = (last - first) // 3
    edge = match["edge"].casefold()
    if edge in {"start", "beginning"}:
        return DateRange(first, first + third)
    return DateRange(last - third, last) if edge == "end" else DateRange(first + third, last - third)


_HOUR = r" (?:morning|afternoon|evening|night|lunchtime)"
_HOURS = rf"(?:{_HOUR})?"
_WITHIN = r"(?:in|over|during|for|within|of)"
_COUNTED = rf"(?:a (?=couple|few|dozen))?(?:(?P<count>{COUNT}) |(?P<digits>\d{{1,3}})-?){_LONG}s?"
_NAMED_DAY = rf"(?P<weekday>{WEEKDAY})"
_BEFORE_DAY = (
    r"(?:(?:hours|morning|afternoon|evening|night|events) of|on|between|since|until|till|before|after|by|from|through"
    r"|to|and|late|early)"
)
_OF_AN_EVENT = re.compile(
    r"\b(?:about|after|behind|of|over|from|by|(?:responsible|blamed|wanted) for) the (?:[a-z-]+ ){1,3}(?:on )?$",
    re.IGNORECASE,
)
_DATED = re.compile(rf",? (?:the )?(?:\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{MONTH}|{MONTH} \d)", re.IGNORECASE)
_PAST_DAYS = frozenset({"last", "the previous", "the past", "this past", "past", "this last"})
_WHICH_DAY = r"(?P<which>last|the previous|the past|this past|this last|past|this coming|the coming|coming|this|next)"
RULES: tuple[Rule, ...] = (
    rule(r"(?P<core>(?:(?:earlier|later) )?today|tonight)", _around(0, 0, recent=True)),
    rule(rf"(?P<core>{_NAMED_DAY},? (?:of )?(?P<which>last|this|next) week)", _day_of_week, needs="week"),
    rule(r"(?P<core>(?:the )?last fortnight)", _around(-14, 0, recent=True), needs="fortnight"),
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
    rule(rf"(?P<core>(?:the )?{_CALENDAR} before last)", _before_last, needs="before last"),
    rule(rf"(?P<core>the {_CALENDAR} (?P<after>after next)(?P<other>))", _next),
    rule(rf"(?P<core>{_WITHIN} the next (?P<count>){_LONG})", _coming),
    rule(rf"(?P<core>(?<!the )next {_CALENDAR}|the coming {_CALENDAR.replace('unit', 'other')})", _next),
    rule(rf"(?P<core>(?:{_WITHIN} )?the (?:last|past) {_LONG})(?! of\b)", _past_one),
    rule(rf"(?P<core>(?:{_WITHIN} )?(?:the |these )?(?:last|past) {_COUNTED})", _past),
    rule(rf"(?P<core>{_WITHIN} (?:the )?(?:next|coming) {_COUNTED})", _coming),
    rule(
        r"(?<!than )(?<!compared with )(?<!compared to )(?<!half )"
        rf"(?P<core>{_COUNTED}(?: or (?:two|three|so))? ago(?: today)?)",
        _ago,
        needs="ago",
    ),
    rule(r"(?P<core>half a year ago)", _around(-210, -150, recent=False)),
    rule(r"(?P<core>(?:at )?this time last (?P<unit>year|month|week))", _this_time, needs="this time"),
    rule(rf"(?P<core>(?P<count>{COUNT}) years? and a half ago)", _and_a_half, needs="half"),
    rule(rf"(?P<core>(?P<count>{COUNT}) and a half years ago)", _and_a_half, needs="half"),
    rule(rf"(?P<core>(?P<count>{COUNT}) {_NAMED_DAY}s ago)", _weekdays_ago, needs="ago"),
    rule(rf"(?P<core>(?P<count>{COUNT}) (?P<season>spring|summer|autumn|winter)s ago)", _seasons_ago, needs="s ago"),
    rule(rf"(?P<core>the {_NAMED_DAY} before last(?P<count>))", _weekdays_ago, needs="before last"),
    rule(rf"(?P<core>{_COUNTED} from now)", _ahead, needs="from now"),
    rule(rf"(?P<core>in {_COUNTED}(?:['’]s? time)?)(?= ?[?.,;]|$)", _ahead),
    rule(r"(?:in|over|during|for) (?P<core>the (?:coming|next) (?P<units>days|weeks|months|years))", _soon),
    rule(r"(?P<core>the turn of the year)", _turn_of_year, needs="turn of"),
    rule(r"(?P<core>(?:in |over )(?:the )?recent (?P<units>days|weeks|months|years))", _recently),
    rule(rf"(?P<core>{_WHICH_DAY} {_NAMED_DAY}{_HOURS})", _weekday),
    rule(rf"{_BEFORE_DAY} (?P<core>(?P<which>){_NAMED_DAY}{_HOURS})", _weekday),
    rule(rf"(?P<core>(?P<which>){_NAMED_DAY}{_HOUR})", _weekday),
    rule(rf"(?P<core>(?P<which>){_NAMED_DAY})(?=['’]s\b)", _weekday),
    rule(
        r"(?P<core>(?:the )?(?P<edge>start|beginning|middle|end) of (?:the|(?P<which>this|last|next))"
        r" (?P<unit>week|month|year|decade))",
        _edge,
    ),
)
