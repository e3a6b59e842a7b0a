"""When an article was published: takes a date as pages write it, gives ISO 8601 or None.

A moment is given only where the zone is known; otherwise the day, as written: a guessed zone would move an
article across midnight. `06/04/2024` may be April or June and is not guessed either.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

__all__ = ["iso_date"]

_EARLIEST, _LATEST = 1700, 2100
"""Years outside are a template's default (`0001-01-01`) or a typing slip."""

_ISO = re.compile(
    r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})"
    r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s*(Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?)?)?",
    re.IGNORECASE | re.ASCII,
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_RFC_2822 = re.compile(
    r"(?:[a-z]{3},? )?\d{1,2} [a-z]{3} \d{4} \d{1,2}:\d{2}(?::\d{2})? (?:[+-]\d{4}|[a-z]{1,3})",
    re.IGNORECASE | re.ASCII,
)
_NUMBERS = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)

_MONTHS = {
    name: number
    for number, names in enumerate(
        "jan january|feb february|mar march|apr april|may|jun june|jul july|aug august|sep sept september|"
        "oct october|nov november|dec december".split("|"),
        start=1,
    )
    for name in names.split()
}
_MONTH = r"(?P<month>[a-z]{3,9})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
_ENGLISH = tuple(
    re.compile(rf"(?<![\w-]){pattern}(?!\w)", re.IGNORECASE | re.ASCII)
    for pattern in (rf"{_MONTH} {_DAY},? {_YEAR}", rf"{_DAY}(?: of)? {_MONTH},? {_YEAR}", rf"{_DAY}-{_MONTH}-{_YEAR}")
)
_CLOCK = re.compile(
    r"(?<!\d)(\d{1,2})[:.](\d{2})(?::\d{2})?\s*([ap])?\.?m?\.?,?\s*\(?(UTC|GMT|E[SD]T|C[SD]T|M[SD]T|P[SD]T)\b",
    re.IGNORECASE | re.ASCII,
)
_HOURS_TO_UTC = {"UTC": 0, "GMT": 0, "EST": 5, "EDT": 4, "CST": 6, "CDT": 5, "MST": 7, "MDT": 6, "PST": 8, "PDT": 7}


def iso_date(written: str) -> str | None:
    """Give `2024-06-04` or, where time and zone are written, `2024-06-04T10:30:00Z`; None where it cannot be read.

    >>> iso_date("Updated 10:30 PM EDT, Tue June 4, 2024")
    '2024-06-05T02:30:00Z'
    >>> iso_date("Tue, 04 Jun 2024 10:30:00 +0200")
    '2024-06-04T08:30:00Z'
    >>> iso_date("4 June 2024, 10:30"), iso_date("06/04/2024"), iso_date("last Tuesday")
    ('2024-06-04', None, None)
    """
    written = " ".join(written[:200].split())
    try:
        return _iso(written) or _compact(written) or _rfc_2822(written) or _english(written) or _numbers(written)
    except (ValueError, OverflowError):  # a 31 June, a 25 o'clock
        return None


def _iso(written: str) -> str | None:
    found = _ISO.fullmatch(written)
    if not found:
        return None
    year, _, month, day, hour, minute, second, zone = found.groups()
    if hour is None or zone is None:
        return _day(int(year), int(month), int(day))
    offset = "+00:00" if zone.upper() in {"Z", "UTC", "GMT"} else zone if len(zone) > 3 else f"{zone}:00"
    stamp = f"{year}-{int(month):02}-{int(day):02}T{int(hour):02}:{minute}:{second or '00'}{offset}"
    return _moment(datetime.fromisoformat(stamp))


def _compact(written: str) -> str | None:
    found = _COMPACT.fullmatch(written)
    return _day(int(found[1]), int(found[2]), int(found[3])) if found else None


def _rfc_2822(written: str) -> str | None:
    if not _RFC_2822.fullmatch(written):
        return None
    moment = parsedate_to_datetime(written)
    return _moment(moment) if moment.tzinfo else _day(moment.year, moment.month, moment.day)


def _english(written: str) -> str | None:
    for pattern in _ENGLISH:
        for found in pattern.finditer(written):
            month = _MONTHS.get(found["month"].casefold())
            if month:
                return _with_clock(int(found["year"]), month, int(found["day"]), written)
    return None


def _with_clock(year: int, month: int, day: int, written: str) -> str | None:
    clock = _CLOCK.search(written)
    if not clock:
        return _day(year, month, day)
    hour, minute, half, zone = int(clock[1]), int(clock[2]), (clock[3] or "").casefold(), clock[4].upper()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    offset = _HOURS_TO_UTC[zone]
    return _moment(datetime.fromisoformat(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00-{offset:02}:00"))


def _numbers(written: str) -> str | None:
    found = _NUMBERS.fullmatch(written)
    if not found:
        return None
    first, second, year = int(found[1]), int(found[2]), int(found[3])
    if first > 12 or first == second:
        return _day(year, second, first)
    return _day(year, first, second) if second > 12 else None


def _day(year: int, month: int, day: int) -> str | None:
    return date(year, month, day).isoformat() if _EARLIEST <= year <= _LATEST else None


def _moment(moment: datetime) -> str | None:
    moment = moment.astimezone(UTC).replace(microsecond=0)
    return moment.isoformat().replace("+00:00", "Z") if _EARLIEST <= moment.year <= _LATEST else None
