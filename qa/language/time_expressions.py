"""The period that a question speaks of, such as "yesterday" or "in May", at the moment it is asked.

The rules lie beside this: times told by their distance from now ("two weeks ago") in `time_distance`, by the calendar
in `time_calendar` and `time_parts`, in other languages than English in `time_languages`.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Literal

import msgspec

from qa.language import time_calendar, time_distance, time_languages, time_parts
from qa.language.dates import BEGINNING, Period
from qa.language.question_words import PARTICIPLES, language_of
from qa.language.time_rules import Asked, DateRange, Rule, is_a_name
from qa.language.words import tokens

_Bound = Literal["in", "since", "after", "until", "before"]
_BEFORE_A_TIME: tuple[tuple[_Bound, str], ...] = (
    ("before", "(?<!not )before|prior to|ahead of|(?<!no )earlier than|avant|antes d(?:e|el)|prima d(?:i|el)"),
    ("since", "(?:ever )?since|(?:starting|beginning) (?:in|on|from)|from|as of|not before|no earlier than"),
    ("since", "seit|ab|depuis|desde|dal|sinds|sedan"),
    ("after", "after|following|(?<!no )later than|nach|après|después d(?:e|el)|dopo"),
    ("until", "until|till|up (?:to|until)(?: and including)?|by|through|no later than|to"),
    ("until", "bis|jusqu['’](?:en|à|au)|hasta|fino a|até|tot"),
)
"""In languages other than English only words that are none of English."""
_BOUNDS = tuple((bound, re.compile(rf"\b(?:{words})\s+$", re.IGNORECASE)) for bound, words in _BEFORE_A_TIME)
_JOINED = re.compile(r"\b(?:between|from)\s+(?P<first>.*?)\s+(?:and|to|until|till|through|up to)\s+$", re.IGNORECASE)
_BEGUN = re.compile(r"\b(?:from|between)\s+$", re.IGNORECASE)
_AT_A_TIME = re.compile(r"\bby\s+$|(?<!\bup )\bto\s+$", re.IGNORECASE)
_FUTURE = re.compile(
    r"\b(?:will|won't|shall|going to|due to|set to|scheduled (?:to|for)|planned for|expected to|upcoming)\b",
    re.IGNORECASE,
)
_PRESENT = re.compile(
    r"(?:^|:|\b(?:and|but|so|ok|okay|me|us|know)\b,?)\s*"
    r"(?:(?:(?:at|by|from|until|since|to|for|in|with|of) )?(?:who|whom|what|which|where|when|why|how)"
    r"(?:['’]s\b|(?: [\w'’-]+){0,4}? (?P<verb>is|are|am|does|do|can|may|must|should)\b)"
    r"|(?P<first>is|are|am|does|do|can|may|must|should)\b"
    r"|(?:who|what) (?!was\b|has\b)[a-z]+[^\W\ds]s(?=\s))",
    re.IGNORECASE,
)
"""A question, by its own form, with its verb in the present."""
_PAST = PARTICIPLES | frozenset(
    "was were did had spoke came went ran began gave took met rose fell broke drove flew sang wrote threw knew grew"
    " saw".split()
)
_HOLDING = frozenset(
    "closed cancelled canceled scheduled planned expected reduced limited needed held played run".split()
)
"""Participles that say how things stand: "Is it closed on Monday?"."""
_SENTENCE_END = re.compile(r"(?<!\b[A-Z])(?<!\b[A-Z][a-z])(?<!\b[A-Z][a-z]{2})[.!?]['\"”’)]*\s|\n")
"""Not behind "Dr." or "Aug."."""
_LEADING = re.compile(
    r"(?:(?:^|\s+)(?:in|on|at|during|of|for|by|over|within|since|after|before|until|till|from|through|between|up to|to"
    r"|ever since|prior to|early|late|back in|throughout|up to and including|no (?:later|earlier) than|not before"
    r"|(?:in )?both))+\s*$",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"['’]s?\b")
_LOOSE = re.compile(r"(?:,?\s+(?:(?:in )?both|and|or|between|from|to)|,|\s+)(?=\s*[?.!;]|\s*,|$)")
"""What is left standing at the end of a question, or before a comma, when a time was taken out."""
_RELATIVE_YEAR = re.compile(r"(?:last|this|next|the previous) year|.* years? ago", re.IGNORECASE)
_JOINING = re.compile(r"\s*(?:,|and|or|to|until|-|–)\s*", re.IGNORECASE)
_OF_THAT_YEAR = re.compile(r"\s*,?\s*(?:(?:in|of|on|at|during)\s+)?(?:the\s+)?", re.IGNORECASE)
_NEAR_A_TIME = re.compile(
    r"\bthe (?:(?P<unit>week(?:end)?) (?:of|beginning|starting|commencing|from)(?: on)?"
    r"|day (?P<side>before|after)) (?:\w+day,? )?(?:the )?$",
    re.IGNORECASE,
)
"""What a day is told to be near: "the week of November 9", "the day after Christmas"."""
_CALENDAR: tuple[Rule, ...] = (*time_calendar.RULES, *time_parts.RULES)
_MOST = 12
"""Expressions read of one text: nobody names more, and reading them takes more time than their number grows."""
_MOST_OF_A_RULE = 4 * _MOST
"""What one rule reads of a text; a longer expression may hold some of it, and then it does not count."""
_NEAR = 80
"""So many characters before an expression say how it is meant."""
_LONGEST_ASKED = 400
"""A longer sentence is no question, and looking at its words takes more time than its length grows."""


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """One expression of time in a question."""

    start: int
    end: int
    stretch: DateRange
    bound: _Bound
    yearless: bool = False
    """Told by the calendar alone, without a year: "in May", "on June 4"."""


def period_of(question: str, *, as_of: datetime) -> Period | None:
    """The period that a question names, read as its asker means it at `as_of`; None where it names none.

    Several expressions give the period that holds them all, except that one within another counts alone ("in June,
    on Monday"). `recent` says that all are told by their distance from now: only news from about then can answer.
    What begins nowhere ("before 2020") begins at `dates.BEGINNING`; what goes on ("since Monday") ends today.

    >>> asked = datetime(2024, 6, 20, 12, tzinfo=UTC)
    >>> str(period_of("What did Kelmar Water announce yesterday?", as_of=asked).start)
    '2024-06-19 00:00:00+00:00'
    >>> period_of("Who heads Kelmar Water?", as_of=asked) is None
    True
    """
    today = as_of.astimezone(UTC).date()
    found = _found(question, today, _language(question))
    if not found:
        return None
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
    for item in reversed(_found(question, as_of.astimezone(UTC).date(), _language(question))):
        before, after = rest[: item.start], rest[item.end :]
        owner = _POSSESSIVE.match(after)
        rest = f"{before if owner else _LEADING.sub(' ', before)} {after[owner.end() :] if owner else after}"
    rest = _LOOSE.sub("", " ".join(rest.split())).lstrip(",;. ")
    telling = sum(character.isalnum() for character in rest)
    return rest[:1].upper() + rest[1:] if telling > 5 else question


def _language(question: str) -> str | None:
    return time_languages.language_of_times(question, language_of(question))


@lru_cache(maxsize=512)
def _found(question: str, today: date, language: str | None = "en") -> Sequence[_Found]:
    """The expressions of a question in order; of those that overlap, the longest. A passage takes a millisecond, and is
    asked several times for one question."""
    kept: list[_Found] = []
    for item in sorted(_read(question, today, language), key=lambda item: (item.start - item.end, item.start)):
        if all(item.end <= other.start or other.end <= item.start for other in kept):
            kept.append(item)
    return tuple(_of_their_year(question, sorted(kept, key=_start)[:_MOST]))


def _of_their_year(question: str, found: Sequence[_Found]) -> Sequence[_Found]:
    """The expressions, a year beside yearless times being their year: "in May and June of last year", "last year at
    Easter"."""
    kept: list[_Found] = []
    for item in found:
        before = kept[-1] if kept else None
        if before is None or not _OF_THAT_YEAR.fullmatch(question, before.end, item.start):
            kept.append(item)
        elif before.yearless and _RELATIVE_YEAR.fullmatch(question, item.start, item.end):
            kept[-1] = _in_year_of(before, item, start=before.start, end=item.end)
            for at in range(len(kept) - 2, -1, -1):
                if not (kept[at].yearless and _JOINING.fullmatch(question, kept[at].end, kept[at + 1].start)):
                    break
                kept[at] = _in_year_of(kept[at], item, start=kept[at].start, end=kept[at].end)
        elif item.yearless and _RELATIVE_YEAR.fullmatch(question, before.start, before.end):
            kept[-1] = _in_year_of(item, before, start=before.start, end=item.end)
        else:
            kept.append(item)
    return kept


def _in_year_of(told: _Found, year: _Found, *, start: int, end: int) -> _Found:
    shift = year.stretch.first.year - told.stretch.first.year
    try:
        first, last = (day.replace(year=day.year + shift) for day in (told.stretch.first, told.stretch.last))
    except ValueError:  # February 29
        return told
    return _Found(start=start, end=end, stretch=DateRange(first, last), bound=min(told, year, key=_start).bound)


def _start(item: _Found) -> int:
    return item.start


def _read(question: str, today: date, language: str | None) -> Iterator[_Found]:
    ends = [match.end() for match in _SENTENCE_END.finditer(question)]
    starts = [0, *ends]
    # What one sentence of a text expects says nothing of the months in the others.
    asked = [
        Asked(
            today=today,
            ahead=_FUTURE.search(question, start, end) is not None,
            present=_is_present(question[start:end]),
        )
        for start, end in zip(starts, [*ends, len(question)], strict=True)
    ]
    distance, calendar = ((), ()) if language == "en" else time_languages.rules_for(language)
    told = len(time_distance.RULES) + len(distance)
    low = question.casefold()
    for number, rule in enumerate((*time_distance.RULES, *distance, *_CALENDAR, *calendar)):
        if rule.needs in low:
            read = _read_by(rule, question, starts, asked)
            for match, stretch in islice(read, _MOST_OF_A_RULE):
                yield _said(question, match, stretch, calendar=number >= told)


def _is_present(sentence: str) -> bool:
    """Whether a question asks how things stand or will stand, and tells of nothing past."""
    asked = _PRESENT.search(sentence[:_NEAR])
    if asked is None:
        return False
    said = {token.low for token in tokens(sentence[:_LONGEST_ASKED])}
    verb = (asked["verb"] or asked["first"] or "").casefold()
    bare = verb not in {"", "is", "are", "am"}  # "Do trains run?": its other verb looks like a participle
    past = (said & (_PAST - PARTICIPLES if bare else _PAST)) | {word for word in said if word.endswith("ed")}
    return not past - _HOLDING


def _read_by(
    rule: Rule, question: str, starts: Sequence[int], asked: Sequence[Asked]
) -> Iterator[tuple[re.Match[str], DateRange]]:
    """What one rule finds in a question, whose sentences begin at `starts`."""
    for match in rule.pattern.finditer(question):
        if is_a_name(question, match):
            continue
        try:
            stretch = rule.read(match, asked[bisect_right(starts, match.start("core")) - 1])
        except (ValueError, OverflowError):
            continue  # "June 31", or a count of years that leaves the calendar
        if stretch is not None and stretch.first <= stretch.last:
            yield match, stretch


def _said(question: str, match: re.Match[str], stretch: DateRange, *, calendar: bool) -> _Found:
    """What a rule has read, with the words before it that say how it is meant."""
    start, end = match.span("core")
    said = match.groupdict()
    if near := _before(_NEAR_A_TIME, question, start):
        try:
            stretch = _beside(stretch, near)
            start = near.start()
        except OverflowError:
            pass  # the first or the last days of the calendar
    ranged = bool(said.get("second") or (said.get("last") and said.get("day")))
    return _Found(
        start=start,
        end=end,
        stretch=stretch,
        bound="in" if ranged else _bound(question, start),
        yearless=calendar and not any(said.get(name) for name in ("year", "which")),
    )


def _beside(stretch: DateRange, near: re.Match[str]) -> DateRange:
    """The week or weekend that a day is told to be of, the day before a time or the day after it."""
    if near["side"]:
        before = near["side"].casefold() == "before"
        edge = stretch.main or (stretch.first if before else stretch.last)
        day = edge + timedelta(days=-1 if before else 1)
        return DateRange(day, day, stretch.recent)
    if stretch.first != stretch.last:
        return stretch
    day = stretch.first
    if near["unit"].casefold() == "weekend":
        saturday = day + timedelta(days=5 - day.weekday())
        return DateRange(saturday, saturday + timedelta(days=1))
    monday = day - timedelta(days=day.weekday() if " of" in near[0].casefold() else 0)
    return DateRange(monday, monday + timedelta(days=6))


def _before(words: re.Pattern[str], question: str, start: int) -> re.Match[str] | None:
    """What a pattern that ends in `$` finds right before a place; a long text before that tells nothing of it."""
    return words.search(question, max(0, start - _NEAR), start)


def _bound(question: str, start: int) -> _Bound:
    return next((bound for bound, words in _BOUNDS if _before(words, question, start)), "in")


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
        yearless=all(item.yearless for item in found),
        weekday=stretches[0].weekday if bounds == ["in"] else "",
    )


def _meant(question: str, item: _Found, found: Sequence[_Found]) -> _Bound:
    """What bounds an expression: the second of "from June to August" ends what the first begins."""
    joined = _before(_JOINED, question, item.start)
    if joined and any(joined.start("first") <= other.start < item.start for other in found):
        return "in"
    begun = _before(_BEGUN, question, item.start)
    if begun and any(_before(_JOINED, question, other.start) for other in found if other.start > item.start):
        return "in"
    if item.bound == "until" and _before(_AT_A_TIME, question, item.start):
        return "in"  # "by May" and "to 2019" speak of that time rather than of all that was before
    return item.bound


def _begin(stretch: DateRange, bound: _Bound) -> date | None:
    if bound in {"until", "before"}:
        return None
    return stretch.last + timedelta(days=1) if bound == "after" else stretch.first


def _end(stretch: DateRange, bound: _Bound, today: date) -> date:
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
