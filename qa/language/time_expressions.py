"""Takes a question and the moment it is asked at, gives the period it speaks of, such as "yesterday" or "in May"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import msgspec

from qa.language import time_calendar, time_relative
from qa.language.time_words import Asked, Stretch
from qa.language.timestamps import BEGINNING, Period

__all__ = ["period_of", "periods_in", "without_period"]

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
_LEADING = re.compile(
    r"(?:(?:^|\s+)(?:in|on|at|during|of|for|by|over|within|since|after|before|until|till|from|through|between|up to|to"
    r"|ever since|prior to|early|late|back in|throughout))+\s*$",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"['’]s?\b")
_LOOSE = re.compile(r"(?:,?\s+(?:and|between|from|to)|,|\s+)(?=\s*[?.!;]|\s*,|$)")
"""What is left standing at the end of a question, or before a comma, when a time was taken out."""
_TITLED = re.compile(r"Today|Yesterday|Tomorrow|Tonight|Overnight")


_MOST = 12
"""Expressions read of one text: nobody names more, and reading them takes more time than their number grows."""


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """One expression of time in a question."""

    start: int
    end: int
    stretch: Stretch
    bound: _Bound


def period_of(question: str, *, as_of: datetime) -> Period | None:
    """The period that a question names, read as its asker means it at `as_of`; None where it names none.

    Several expressions give the period that holds them all, except that one within another counts alone ("in June,
    on Monday"). `recent` says that all are told by their distance from now: only news from about then can answer.
    What begins nowhere ("before 2020") begins at `timestamps.BEGINNING`; what goes on ("since Monday") ends today.

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
    """Each time that a text names, apart, as its writer meant it at `as_of`."""
    today = as_of.astimezone(UTC).date()
    read: list[Period] = []
    for item in _found(text, today):
        try:
            read.append(_together(text, [item], today))
        except (ValueError, OverflowError):
            continue  # the first or the last days of the calendar
    return tuple(read)


def without_period(question: str, *, as_of: datetime) -> str:
    """The question without its words for when, for reading what was published then and need not say so.

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


def _found(question: str, today: date) -> Sequence[_Found]:
    """The expressions of a question in order; of those that overlap, the longest."""
    asked = Asked(today=today, ahead=_FUTURE.search(question) is not None)
    kept: list[_Found] = []
    for item in sorted(_read(question, asked), key=lambda item: (item.start - item.end, item.start)):
        if all(item.end <= other.start or other.end <= item.start for other in kept):
            kept.append(item)
    return sorted(kept, key=lambda item: item.start)[:_MOST]


def _read(question: str, asked: Asked) -> Iterator[_Found]:
    for pattern, read in (*time_relative.RULES, *time_calendar.RULES):
        for match in pattern.finditer(question):
            if _is_a_name(question, match):
                continue
            try:
                stretch = read(match, asked)
            except (ValueError, OverflowError):
                continue  # "June 31", or a count of years that leaves the calendar
            if stretch is not None and stretch.first <= stretch.last:
                start, end = match.span("core")
                yield _Found(start=start, end=end, stretch=stretch, bound=_bound(question[:start]))


def _is_a_name(question: str, match: re.Match[str]) -> bool:
    """Whether words that look like a time are part of a name, such as USA Today or the Sunday Times."""
    core, start, end = match["core"], match.start("core"), match.end("core")
    if start and _TITLED.match(core):
        return True
    titles = re.match(r"(?i:['’]s)? [A-Z][a-z]+", question[end:]) is not None
    groups = match.groupdict()
    if titles and groups.get("month") and core.isalpha() and not question.isupper():
        return True  # "by August Wilson", "for May Britt"
    show = core.endswith(("Night", "Morning")) or not re.search(r"\bon $", question[:start])
    return bool(titles and show and groups.get("weekday") and not groups.get("which"))


def _bound(before: str) -> _Bound:
    return next((bound for bound, words in _BOUNDS if words.search(before)), "in")


def _together(question: str, found: Sequence[_Found], today: date) -> Period:
    stretches = [item.stretch for item in found]
    bounds = [_meant(question, item, found) for item in found]
    begins = [_begin(stretch, bound) for stretch, bound in zip(stretches, bounds, strict=True)]
    ends = [_end(stretch, bound, today) for stretch, bound in zip(stretches, bounds, strict=True)]
    spans = list(zip(begins, ends, strict=True))
    told = [span for span, stretch in zip(spans, stretches, strict=True) if stretch.recent]
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


def _begin(stretch: Stretch, bound: _Bound) -> date | None:
    if bound in {"until", "before"}:
        return None
    return stretch.last + timedelta(days=1) if bound == "after" else stretch.first


def _end(stretch: Stretch, bound: _Bound, today: date) -> date:
    if bound in {"since", "after"}:
        return max(today, stretch.last)
    return stretch.first - timedelta(days=1) if bound == "before" else stretch.last


_Span = tuple[date | None, date]


def _holds(outer: _Span, inner: _Span) -> bool:
    first, other = outer[0] or date.min, inner[0] or date.min
    return outer != inner and first <= other and inner[1] <= outer[1]


def _words(question: str, item: _Found) -> str:
    """The expression with the words that bound it, as they stand in the question."""
    leading = _LEADING.search(question[: item.start])
    return question[leading.start() if leading else item.start : item.end].strip()
