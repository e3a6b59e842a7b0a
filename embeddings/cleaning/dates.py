"""Reads a date of publication as pages write it, in 25 languages, as ISO 8601; None if it cannot.

A moment is given only where the zone is known; otherwise the day, as written: a guessed zone would move an
article across midnight. `06/04/2024` may be April or June and is not guessed either; with dots, `6.4.2024`, the day
stands first wherever it is written so.

Months are read in the languages of `embeddings.month_names`; Thailand's years are 543 ahead. Vietnamese, Chinese,
Japanese and Korean are read by numbers.
"""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

from embeddings.month_names import MONTHS
from embeddings.runtime import compiled_late

_AHEAD = 543
"""By how much Thailand counts more years."""
_EARLIEST, _LATEST = 1700, 2100
"""Years outside are a template's default (`0001-01-01`) or a typing slip."""
_ISO = compiled_late(
    r"[^\d+-]{0,40}(\d{4})([-/.]) ?(\d{1,2})\2 ?(\d{1,2})\.?"
    r"(?:[T ,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s*(Z|[A-Z]{3,4}|[+-]\d{2}:?(?:\d{2})?)?"
    r"(?: ?\(?[A-Z]{1,5}\)?|\[[\w/+-]{1,40}\])?)?",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?(Z|[+-]\d{2}:?\d{2})?)?", re.IGNORECASE)
_EPOCH = re.compile(r"(?:/Date\()?(1\d{9})(?:\.\d{1,9}|(?:\d{3}){1,3})?(?:\)/)?")
"""Seconds, or thousandths or less of them, since 1970: from September 2001 to May 2033."""
_BY_WEEK_OR_DAY = re.compile(r"(\d{4})-(?:W(\d\d)-([1-7])|(\d{3}))")
"""ISO 8601's other dates: `2024-W23-2`, `2024-156`."""
_NO_DATE = frozenset({"1970-01-01", "1970-01-01T00:00:00Z"})
"""What a program writes for no date at all."""
_RFC_2822 = compiled_late(
    r"(?:[a-z]{3},? )?\d{1,2} [a-z]{3} \d{4} \d{1,2}:\d{2}(?::\d{2})? (?:[+-]\d{4}|[a-z]{1,3})(?: \([a-z]{1,5}\))?",
    re.IGNORECASE,
)
_C_TIME = re.compile(r"[a-z]{3} ([a-z]{3}) (\d{1,2}) \d{2}:\d{2}:\d{2}(?: [A-Z]{1,4})? (\d{4})", re.IGNORECASE)
_NUMBERS = re.compile(r"\D{0,40}?(\d{1,2})([/.-]) ?(\d{1,2})\2 ?(\d{4})(?![\d/.-]\d)(?:\D.{0,80})?")
_EAST_ASIAN = re.compile(
    r"(?:(令和|平成|民國|民国) ?(\d{1,3}|元)|(?<!\d)(\d{4})) ?[年년] ?(\d{1,2}) ?[月월] ?(\d{1,2}) ?[日일号號]"
)
_BEFORE_ERA = {"令和": 2018, "平成": 1988, "民國": 1911, "民国": 1911}
"""The year before the first one of an era."""
_VIETNAMESE = re.compile(r"(?<!\d)(\d{1,2}) (?:tháng|thg) (\d{1,2})(?:,| năm) (\d{4})(?!\d)", re.IGNORECASE)
_MONTH = r"(?P<month>(?:[^\W\d_]|[\u0900-\u0903\u093c-\u094d\u0e31-\u0e4d]){2,14})\.?"
"""Letters, and the vowels of Hindi and Thai."""
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|o(?= )|\.)?"
_YEAR = r"(?P<year>\d{4})"
_OF = r"(?: of| de| del| di| d[’'])?"
_SPELT = tuple(
    compiled_late(rf"(?<![\w-]){pattern}(?!\w)", re.IGNORECASE)
    for pattern in (
        rf"{_MONTH} {_DAY},?{_OF} {_YEAR}",
        rf"{_DAY}{_OF} ?{_MONTH},?{_OF} {_YEAR}",
        rf"{_DAY}(?P<mark>[-/]){_MONTH}(?P=mark){_YEAR}",
        rf"{_YEAR}\.?(?: |-){_MONTH}(?: |-){_DAY}",
        rf"{_DAY}{_MONTH}{_YEAR}",
    )
)
_CLOCK = compiled_late(
    r"(?<!\d)(\d{1,2})[:.](\d{2})(?::\d{2})?\s*([ap])?\.?m?\.?,?\s*\(?(UTC|GMT|E[SD]T|C[SD]T|M[SD]T|P[SD]T)\b",
    re.IGNORECASE,
)
_HOURS_TO_UTC = {"UTC": 0, "GMT": 0, "EST": 5, "EDT": 4, "CST": 6, "CDT": 5, "MST": 7, "MDT": 6, "PST": 8, "PDT": 7}


def iso_date(written: str) -> str | None:
    """Give `2024-06-04` or, where time and zone are written, `2024-06-04T10:30:00Z`; None where it cannot be read.

    A time whose day in UTC is another than the one written
    keeps its zone, so that its first ten characters are always the day on the page.

    >>> iso_date("Updated 10:30 PM EDT, Tue June 4, 2024")
    '2024-06-04T22:30:00-04:00'
    >>> iso_date("Tue, 04 Jun 2024 10:30:00 +0200")
    '2024-06-04T08:30:00Z'
    >>> iso_date("4 June 2024, 10:30"), iso_date("4.6.2024"), iso_date("06/04/2024"), iso_date("last Tuesday")
    ('2024-06-04', '2024-06-04', None, None)
    """
    written = " ".join(unicodedata.normalize("NFKC", written[:200]).split())
    written = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in written)
    written = written.replace("\N{MINUS SIGN}", "-")
    for read in (
        _iso,
        _compact,
        _by_week_or_day,
        _epoch,
        _rfc_2822,
        _c_time,
        _spelt,
        _east_asian,
        _vietnamese,
        _numbers,
    ):
        try:
            if found := read(written):
                return None if found in _NO_DATE else found
        except (ValueError, OverflowError):  # a 31 June, a 25 o'clock
            return None
    return None


def _iso(written: str) -> str | None:
    found = _ISO.fullmatch(written)
    if not found:
        return None
    year, _, month, day, hour, minute, second, zone = found.groups()
    offset = _offset(zone)
    if hour is None or offset is None:
        if hour is not None and int(hour) > 24:
            return None
        return _day(int(year), int(month), int(day))
    stamp = f"{year}-{int(month):02}-{int(day):02}T{int(hour):02}:{minute}:{second or '00'}{offset}"
    return _moment(datetime.fromisoformat(stamp))


def _offset(zone: str | None) -> str | None:
    """Write a zone as `+HH:MM`; None where it is not known."""
    if zone is None:
        return None
    zone = zone.upper()
    if zone == "Z" or zone in _HOURS_TO_UTC:
        return f"-{_HOURS_TO_UTC.get(zone, 0):02}:00"
    if not zone.startswith(("+", "-")):
        return None
    return zone if len(zone) > 3 else f"{zone}:00"


def _compact(written: str) -> str | None:
    found = _COMPACT.fullmatch(written)
    if not found:
        return None
    year, month, day, hour, minute, second, zone = found.groups()
    if hour is None or zone is None:
        return _day(int(year), int(month), int(day))
    return _moment(datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{_offset(zone)}"))


def _by_week_or_day(written: str) -> str | None:
    found = _BY_WEEK_OR_DAY.fullmatch(written)
    if not found:
        return None
    year, week, weekday, day = found.groups()
    if week:
        read = date.fromisocalendar(int(year), int(week), int(weekday))
    else:
        read = date(int(year), 1, 1) + timedelta(days=int(day) - 1)
        if read.year != int(year):
            return None
    return _day(read.year, read.month, read.day)


def _epoch(written: str) -> str | None:
    found = _EPOCH.fullmatch(written)
    return _moment(datetime.fromtimestamp(int(found[1]), UTC)) if found else None


def _rfc_2822(written: str) -> str | None:
    if not _RFC_2822.fullmatch(written):
        return None
    moment = parsedate_to_datetime(written)
    return _moment(moment) if moment.tzinfo else _day(moment.year, moment.month, moment.day)


def _c_time(written: str) -> str | None:
    found = _C_TIME.fullmatch(written)
    month = MONTHS.get(found[1].casefold()) if found else None
    return _day(int(found[3]), month, int(found[2])) if found and month else None


def _spelt(written: str) -> str | None:
    for pattern in _SPELT:
        for found in pattern.finditer(written):
            month = MONTHS.get(found["month"].casefold().removeprefix("ב"))  # Hebrew writes "in" to it
            if month:
                ahead = _AHEAD if "\u0e01" <= found["month"][0] <= "\u0e2e" else 0
                return _with_clock(int(found["year"]) - ahead, month, int(found["day"]), written)
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


def _east_asian(written: str) -> str | None:
    found = _EAST_ASIAN.search(written)
    if not found:
        return None
    era, since, year, month, day = found.groups()
    counted = int(year) if year else _BEFORE_ERA[era] + (1 if since == "元" else int(since))
    return _day(counted, int(month), int(day))


def _vietnamese(written: str) -> str | None:
    found = _VIETNAMESE.search(written)
    return _day(int(found[3]), int(found[2]), int(found[1])) if found else None


def _numbers(written: str) -> str | None:
    """Read day, month, year: with dots in this order, otherwise only where one of the two can be no month."""
    found = _NUMBERS.fullmatch(written)
    if not found:
        return None
    first, mark, second, year = int(found[1]), found[2], int(found[3]), int(found[4])
    if mark == "." or first > 12 or first == second:
        return _day(year, second, first)
    return _day(year, first, second) if second > 12 else None


def _day(year: int, month: int, day: int) -> str | None:
    return date(year, month, day).isoformat() if _EARLIEST <= year <= _LATEST else None


def _moment(moment: datetime) -> str | None:
    moment = moment.replace(microsecond=0)
    in_utc = moment.astimezone(UTC)
    if in_utc.date() == moment.date():
        moment = in_utc
    written = moment.isoformat()
    return written.replace("+00:00", "Z") if _EARLIEST <= in_utc.year <= _LATEST else None
