"""Moments as the wire writes them: ISO 8601 dates and times, always compared in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from qa.errors import InvalidQuestion

__all__ = ["BEGINNING", "Period", "UnderstoodPeriod", "is_after", "known_until", "moment", "shown", "stamp"]

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

    @property
    def open(self) -> bool:
        """Whether it has no beginning."""
        return self.start == BEGINNING


class UnderstoodPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """The time that a question names, as it was understood and as `filters` would take it; null where it names none."""

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
