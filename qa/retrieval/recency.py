"""Which passages suit the time of a question: those of the period it names; without one, mildly the newest.

Most questions about news mean the last days and rarely say so. The preference lets a fresh passage overtake an old one
of about the same rank, and changes nothing if all passages found are old.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from qa.language.dates import Period, moment, moments_of
from qa.language.question_words import is_date_word
from qa.language.time_expressions import periods_in
from qa.language.words import tokens
from qa.types import Evidence

_FRESH = timedelta(days=7)
"""Within a week all news is equally fresh: reports of one event take about so long."""
_FADES = timedelta(days=14)
"""After that, the preference falls to 37 % within this time."""
_BEFOREHAND = timedelta(days=2)
_STRENGTH = 0.5
"""How much more the freshest passage counts than an old one. These three numbers were chosen on half of the RealTimeQA
questions with a known article (n = 71), see `tests/benchmarks/bench_recency.py`."""
AFTERWARDS = timedelta(days=7)
"""News of a period may still appear so long after it."""
_REPORTED_BEFORE = timedelta(days=1)
"""A date without a time may be a day ahead of UTC where it was written."""
_WIDER = 1.5
"""A text names a period if the time it names is at most so many times as long: "in 2025" does not name May."""
_LEAST = timedelta(days=2)
_LEADING = re.compile(r"^(?:(?:in|on|at|during|of|for|by|over|within|since|after|before|until|from|the) )+")
_A_YEAR = timedelta(days=360)
_A_MONTH = timedelta(days=28)
_GRAIN = 0.5, 2.0
"""A time has the grain of a period if it is between so many times as long: another month, not a day in it."""
_BREAK = re.compile(r"[,;:](?!\d)|[()—–]| - ")
_SAID = re.compile(r"\b(?:said|says|told|tells|announced|reported|wrote|added)\b[^,;.]*$")
_COMPARED = re.compile(r"\b(?:from|than|since|after|before|until|compared|against|versus|over)\b", re.IGNORECASE)
"""A time after one of these does not date the figure before it: "rose to 5 percent from 4 percent in March"."""


def preferences(
    published: Sequence[str | None], *, as_of: datetime | None, period: Period | None = None
) -> Sequence[float]:
    """A factor of at most 1 for the score of each date; 1 for all if no date is preferred.

    Without a period, fresh at `as_of` is best. With a period, articles published in it or within a week after are
    best; if the period is not recent, fresh ones are as good, for news of May may appear in June. Undated articles get
    the mean of the dated ones.
    """
    if as_of is None and period is None:
        return [1.0] * len(published)
    known = [_factor(moment(text, field="published_at"), as_of, period) for text in published if text is not None]
    mean = sum(known) / len(known) if known else 1.0
    best = max([*known, mean])
    dated = iter(known)
    return [(mean if text is None else next(dated)) / best for text in published]


def all_older(published: Sequence[str | None], *, period: Period) -> bool:
    """Whether all dates lie well before a period, so that these articles cannot be about it.

    Two days are allowed: news of "today" may have been written the evening before, elsewhere.
    """
    known = [moment(text, field="published_at") for text in published if text is not None]
    # Compare differences: a period without a beginning would leave the calendar.
    return bool(known) and len(known) == len(published) and period.start - max(known) > _BEFOREHAND


def _factor(when: datetime, as_of: datetime | None, period: Period | None) -> float:
    distances = []
    if period is not None:
        distances.append(max(period.start - when, when - period.end - _FRESH, timedelta()))
    if as_of is not None and not (period and period.recent):
        distances.append(max(as_of - when - _FRESH, timedelta()))
    return 1.0 + _STRENGTH * math.exp(-(min(distances) / _FADES))


def timely_first(evidence: tuple[Evidence, ...], period: Period | None) -> tuple[Evidence, ...]:
    """Evidence that can be about a period before evidence that cannot; otherwise in the same order."""
    if period is None:
        return evidence
    told = _told(evidence)
    return tuple(sorted(evidence, key=lambda item: not _can_tell(item, told, period)))


def timely(evidence: Sequence[Evidence], period: Period | None) -> Sequence[Evidence]:
    """The evidence that can be about a period, which comes first; all of it if none of that is dated."""
    if period is None:
        return evidence
    told = _told(evidence)
    first = list(takewhile(lambda item: _can_tell(item, told, period), evidence))
    return first if any(told[item.article_id] for item in first) else evidence


def is_late(index: int, evidence: Sequence[Evidence], period: Period) -> bool:
    """Whether this evidence cannot be about a period: it is older than a recent one, or from another time.

    False for undated evidence.
    """
    return not _can_tell(evidence[index], _told(evidence), period)


def tells_of(text: str, *, published_at: str | None, period: Period) -> bool:
    """Whether an article of this date can be about a period with these words.

    It can if it was published in the period, if its words name the period, or if it was published within a week after
    it and names no other time. An undated article may.
    """
    if published_at is None:
        return True
    when = moment(published_at, field="published_at")
    if (period.open or when - period.start >= -_REPORTED_BEFORE) and when < period.end:
        return True
    if names_period(text, published_at=published_at, period=period):
        return True
    soon = timedelta() <= when - period.end < AFTERWARDS
    return soon and not periods_in(text, as_of=when)


def tells_of_another(text: str, *, start: int, end: int, title: str, published_at: str | None, period: Period) -> bool:
    """Whether the clause of a figure, `text[start:end]`, names another month, quarter or year than the question.

    A report of September's inflation that appears in October says nothing of October's. If the text names no such
    time, the title may. The time that a figure is compared with does not date it. If the article is from another time,
    so is whatever it says of a day of its own, figure or not.
    """
    if published_at is None or period.open or period.end - period.start < _A_MONTH:
        return False
    said = _of_its_grain(text, published_at=published_at, period=period)
    if any(_overlap(one, period) for one in said):
        return False
    if not said and (_reviews_years_before(title, period) or _is_of_its_own_day(text, published_at, period)):
        return True
    if not any(character.isdigit() for character in text[start:end]):
        return False
    if not said:
        return _titled_otherwise(title, period)
    return any(_is_when_of(one.words, text, start, end) for one in said)


def _of_its_grain(text: str, *, published_at: str, period: Period) -> list[Period]:
    """The times that a text names that are about as long as a period."""
    least, most = (share * (period.end - period.start) for share in _GRAIN)
    named = periods_in(text, as_of=moment(published_at, field="published_at"))
    return [one for one in named if not one.open and least <= one.end - one.start <= most]


def _overlap(one: Period, other: Period) -> bool:
    return one.start < other.end and other.start < one.end


def _titled_otherwise(title: str, period: Period) -> bool:
    """Whether a title names months, but not the one month of a period."""
    if period.end - period.start > timedelta(days=31):
        return False
    named = {one.month for one in moments_of(title) if one.month and one.day is None}
    return bool(named) and period.start.month not in named


def _reviews_years_before(title: str, period: Period) -> bool:
    """Whether the question asks for a year, and a title names only earlier years: "Visits Rise in 2024"."""
    named = {one.year for one in moments_of(title) if one.year} if period.end - period.start >= _A_YEAR else set()
    return bool(named) and max(named) < period.start.year


def _is_of_its_own_day(text: str, published_at: str, period: Period) -> bool:
    """Whether a sentence from another time dates its event to a day before its publication.

    A day on which something was said does not count: "said on Thursday".
    """
    when = moment(published_at, field="published_at")
    if period.start - _REPORTED_BEFORE <= when < period.end + AFTERWARDS:
        return False
    days = [one for one in periods_in(text, as_of=when) if one.end - one.start <= _LEAST and one.start <= when]
    told = [one for one in days if not _SAID.search(text[: max(text.find(one.words), 0)])]
    return bool(told) and not any(_overlap(one, period) for one in days)


def _is_when_of(words: str, text: str, start: int, end: int) -> bool:
    """Whether a time is in the clause of a figure, or opens the sentence right before that clause."""
    at = text.find(words)
    if _COMPARED.match(words):
        return False
    if at >= end:
        between = text[end:at]
        return not _BREAK.search(between) and not _COMPARED.search(between)
    breaks = len(_BREAK.findall(text[at + len(words) : start]))
    return breaks == 0 or (breaks == 1 and not text[:at].strip())


def names_period(text: str, *, published_at: str | None, period: Period) -> bool:
    """Whether the words of an article, as meant when it was published, name a time within a period."""
    if period.end - period.start >= _A_YEAR and any(
        one.year is not None and period.start.year <= one.year < period.end.year for one in moments_of(text)
    ):
        return True
    if published_at is None:
        return False
    longest = max(_WIDER * (period.end - period.start), _LEAST)
    named = periods_in(text, as_of=moment(published_at, field="published_at"))
    return any(one.start < period.end and period.start < one.end and one.end - one.start <= longest for one in named)


def tells_of_every(weekday: str, text: str) -> bool:
    """Whether a text tells of a weekday as a habit.

    >>> tells_of_every("sunday", "It opens on Sundays."), tells_of_every("sunday", "It burned on Sunday.")
    (True, False)
    """
    return re.search(rf"\b(?:{weekday}s|(?:every|each|any) {weekday})\b", text, re.IGNORECASE) is not None


def says_when(text: str, period: Period) -> bool:
    """Whether a text says the time of a question in the question's own words: its month, its year, or all of it.

    Articles published in the period need not say so; they are read for `Understood.undated`.

    >>> from datetime import datetime
    >>> march = Period(start=datetime(2025, 3, 1), end=datetime(2025, 4, 1), recent=False, words="in March")
    >>> says_when("It opened in March.", march), says_when("It opened on Monday.", march)
    (True, False)
    """
    words = _LEADING.sub("", period.words.casefold())
    told = [words, *(word.text for word in tokens(words) if is_date_word(word.text))]
    return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text.casefold()) for word in told if word)


def _can_tell(item: Evidence, told: Mapping[str, str | None], period: Period) -> bool:
    date = told[item.article_id]
    text = f"{item.stored.title}. {item.stored.passage.text}"
    if period.recent and not _is_of_days_since(text, date, period):
        return not all_older([date], period=period)
    return tells_of(text, published_at=date, period=period)


def _is_of_days_since(text: str, published_at: str | None, period: Period) -> bool:
    """Whether an article from after a recent time that is over tells of a day since: this week's, asked of last."""
    if published_at is None:
        return False
    when = moment(published_at, field="published_at")
    return when >= period.end and any(one.start >= period.end for one in periods_in(text, as_of=when))


def _told(evidence: Sequence[Evidence]) -> Mapping[str, str | None]:
    """When each article was published; if that is unknown, when the latest dated copy of its story was."""
    copies: dict[str, list[str]] = {}
    for item in evidence:
        dates = [item.stored.published_at] if item.stored.published_at else [copy.published_at for copy in item.also]
        copies.setdefault(item.article_id, []).extend(date for date in dates if date)
    return {article: max(dates, default=None) for article, dates in copies.items()}
