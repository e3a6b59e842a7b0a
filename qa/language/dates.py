"""Times in ISO 8601; dates, weekdays, years and clock times in a text, and which of them agree."""

import re
from datetime import UTC, date, datetime, timedelta

import msgspec

from embeddings.month_names import ENGLISH_MONTH_NUMBERS, ENGLISH_WEEKDAY_NUMBERS
from embeddings.runtime import compiled_late
from qa.errors import InvalidQuestion

# --- Moments as the wire writes them: ISO 8601 dates and times, always compared in UTC
_SLACK = timedelta(days=1)
"""A date without a time may be a day ahead of UTC where it was written."""
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
"""Where a period starts that has no beginning, such as "before 2020"."""


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time that a question speaks of."""

    start: datetime
    end: datetime
    """Not part of it any more."""
    recent: bool
    """Told by its distance from now ("yesterday", "this week"): older news cannot answer."""
    words: str = ""
    """The words of the question that say so."""
    yearless: bool = False
    """Told by the calendar alone, and no year named ("in May"): of which May may depend on what is asked."""
    weekday: str = ""
    """The next such day, in small letters, unless every one is meant: "Is it open on Monday?"."""

    @property
    def open(self) -> bool:
        """Whether it has no beginning."""
        return self.start == BEGINNING


class UnderstoodPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """The time that a question names, as it was understood and as `filters` would take it; null where it names none,
    or a weekday that was taken for every such day."""

    start: str | None
    """The first moment of it, ISO 8601 in UTC; null where it has no beginning ("before 2020")."""
    end: str
    """The first moment that is not part of it any more."""
    words: str
    """The words of the question that say so."""


def moment(text: str, *, field: str) -> datetime:
    """Read an ISO 8601 date or time; a time without a zone is UTC.

    Raises InvalidQuestion naming the field.

    >>> moment("2024-06-04", field="as_of").isoformat()
    '2024-06-04T00:00:00+00:00'
    """
    try:
        read = datetime.fromisoformat(text.strip())
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidQuestion(
            f"{field} is {text!r}; write an ISO 8601 date or time, such as 2024-06-04 or 2024-06-04T10:30:00Z"
        ) from None


def stamp(when: datetime) -> str:
    """Write a moment in UTC to the second.

    >>> stamp(datetime(2024, 6, 4, 10, 30, tzinfo=UTC))
    '2024-06-04T10:30:00Z'
    """
    # Not strftime: its %Y does not pad years before 1000.
    return when.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def shown(period: Period | None) -> UnderstoodPeriod | None:
    """A period as answers show it."""
    if period is None:
        return None
    return UnderstoodPeriod(
        start=None if period.open else stamp(period.start), end=stamp(period.end), words=period.words
    )


def is_after(published_at: str | None, as_of: datetime) -> bool:
    """Whether an article was published after a moment, so that nobody could know of it then."""
    if published_at is None:
        return False
    # A difference rather than a sum, which could leave the calendar.
    return moment(published_at, field="published_at") - as_of > _SLACK


def known_until(as_of: datetime) -> str:
    """The last moment of publishing that is not after `as_of`. Raises OverflowError at the end of the calendar."""
    return (as_of + _SLACK).isoformat()


_MONTH = "|".join(sorted(ENGLISH_MONTH_NUMBERS, key=len, reverse=True))
_DATE = compiled_late(
    rf"""
      (?P<iso_y>\d{{4}})-(?P<iso_m>\d{{2}})-(?P<iso_d>\d{{2}})
    | (?P<hour>\d{{1,2}})(?:[:.](?P<minute>[0-5]\d))?\s?(?P<half>[ap])\.?\s?m\b\.?
    | (?P<clock_h>[01]?\d|2[0-3]):(?P<clock_m>[0-5]\d)
    | (?P<twelve>\bnoon\b|\bmidday\b|\bmidnight\b)
    | (?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+(?P<m1>{_MONTH})\b\.?(?:,?\s+(?P<y1>\d{{4}}))?
    | \b(?P<m2>{_MONTH})\b\.?\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:%]|,\d{{3}})(?:,?\s+(?P<y2>\d{{4}})(?!\d))?
    | \b(?P<m3>{_MONTH})\b\.?(?:,?\s+(?:of\s+)?(?P<y3>\d{{4}})(?!\d))?
    | \b(?P<weekday>{"|".join(ENGLISH_WEEKDAY_NUMBERS)})(?=s?\b)
    | (?<![\d.,$€£-])(?P<year>1[5-9]\d\d|20\d\d)(?![\d%]|[.,]\d|s\b)
    """,
    re.VERBOSE | re.IGNORECASE,
)


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A date or time as far as the text gives it: what it leaves open is None."""

    start: int
    end: int
    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    """Monday is 0."""
    minutes: int | None = None
    """Since midnight."""


def moments_of(text: str) -> tuple[Moment, ...]:
    """Every date or time of a text, in order.

    >>> [(m.month, m.day, m.year) for m in moments_of("On 4 June or on June 5th, 2024; it may rain in 1999.")]
    [(6, 4, None), (6, 5, 2024), (None, None, 1999)]
    """
    return tuple(moment for match in _DATE.finditer(text) if (moment := _moment(match)) is not None)


def agree(claimed: Moment, said: Moment) -> bool:
    """Whether what a text says bears out a date: nothing against it, and everything claimed is said."""
    pairs = [(getattr(claimed, part), getattr(said, part)) for part in ("year", "month", "day", "weekday", "minutes")]
    return all(one is None or one == other for one, other in pairs)


def resolved(moment: Moment, published: date | None) -> tuple[Moment, ...]:
    """What a date of an article may mean in full, given the day the article was published: itself, and complete.

    News is read near its day: a weekday is one of the week around it, a day without a year the nearest such day.
    """
    found = [moment]
    if moment.year and moment.month and moment.day:
        found += _full(moment, _safe(moment.year, moment.month, moment.day))
    elif published is None:
        return (moment,)
    elif moment.weekday is not None and moment.month is None:
        days = (published + timedelta(days=offset) for offset in range(-7, 8))
        found += [full for day in days if day.weekday() == moment.weekday for full in _full(moment, day)]
    elif moment.month and moment.year is None:
        years = (published.year - 1, published.year, published.year + 1)
        days_of = [day for year in years if (day := _safe(year, moment.month, moment.day or 15))]
        near = min(days_of, key=lambda day: abs(day - published), default=None)
        found += (
            _full(moment, near) if moment.day else [msgspec.structs.replace(moment, year=near.year)] if near else []
        )
    return tuple(found)


def _full(moment: Moment, day: date | None) -> list[Moment]:
    if day is None:
        return []
    return [msgspec.structs.replace(moment, year=day.year, month=day.month, day=day.day, weekday=day.weekday())]


def _safe(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _moment(match: re.Match[str]) -> Moment | None:
    groups = {name: value for name, value in match.groupdict().items() if value is not None}
    start, end = match.span()
    if "hour" in groups:
        hour = int(groups["hour"]) % 12 + (12 if groups["half"] in "pP" else 0)
        return Moment(start=start, end=end, minutes=60 * hour + int(groups.get("minute", 0)))
    if "clock_h" in groups:
        return Moment(start=start, end=end, minutes=60 * int(groups["clock_h"]) + int(groups["clock_m"]))
    if "twelve" in groups:
        return Moment(start=start, end=end, minutes=0 if groups["twelve"].casefold() == "midnight" else 720)
    if "weekday" in groups:
        return Moment(start=start, end=end, weekday=ENGLISH_WEEKDAY_NUMBERS[groups["weekday"].casefold()])
    if "m3" in groups and "y3" not in groups and not _is_month(match.group()):
        return None
    month = next((groups[name] for name in ("iso_m", "m1", "m2", "m3") if name in groups), None)
    day = next((groups[name] for name in ("iso_d", "d1", "d2") if name in groups), None)
    year = next((groups[name] for name in ("iso_y", "y1", "y2", "y3", "year") if name in groups), None)
    number = None if month is None else int(month) if month.isdigit() else ENGLISH_MONTH_NUMBERS[month.casefold()]
    if (number or 1) > 12 or not 0 < int(day or 1) <= 31:
        return None
    return Moment(start=start, end=end, year=int(year) if year else None, month=number, day=int(day) if day else None)


def _is_month(text: str) -> bool:
    """A month that stands alone must look like one: "may" and "march" are verbs, "Jan" and "Sep" need their stop."""
    bare = text.strip(". ,")
    if not bare[0].isupper() and bare.casefold() in {"may", "march", "mar", "august"}:
        return False
    return len(bare) > 3 or bare.casefold() == "may" or text.endswith(".")
