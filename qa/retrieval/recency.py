"""Takes the dates of what was found and the moment of a question, gives how much each is preferred for its date.

Most questions put to news are about the last days, and their wording rarely says so. The preference is mild: it lets
a fresh passage pass an old one of about the same rank, and changes nothing where all that was found is old.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from qa.language.timestamps import Period, moment

__all__ = ["all_older", "preferences"]

_FRESH = timedelta(days=7)
"""Within a week all news is equally fresh; an event is told over about so long a time."""
_FADES = timedelta(days=14)
"""After that, the preference falls to 37 % over so long a time."""
_BEFOREHAND = timedelta(days=2)
_STRENGTH = 0.5
"""The freshest passage counts so much more than an old one. These three numbers were chosen on half of the RealTimeQA
questions with a known article (n = 71), see `tests/benchmarks/bench_recency.py`."""


def preferences(
    published: Sequence[str | None], *, as_of: datetime | None, period: Period | None = None
) -> Sequence[float]:
    """A factor for the score of each date, 1 at most; 1 for all where nothing speaks for any of them.

    Fresh at `as_of` is best; where the question names a period, what was published in it or within a week after, and
    where that period is not a recent one, either: what happened in May may be told in June.
    Undated articles get the mean of the dated ones: neither preferred nor put back.
    """
    if as_of is None and period is None:
        return [1.0] * len(published)
    known = [_factor(moment(text, field="published_at"), as_of, period) for text in published if text is not None]
    mean = sum(known) / len(known) if known else 1.0
    best = max([*known, mean])
    dated = iter(known)
    return [(mean if text is None else next(dated)) / best for text in published]


def all_older(published: Sequence[str | None], *, period: Period) -> bool:
    """Whether all that was published is dated from well before a period, so that it cannot tell of it.

    Two days are allowed for: news of "today" may have been written the evening before, elsewhere.
    """
    known = [moment(text, field="published_at") for text in published if text is not None]
    # A difference: what has no beginning would leave the calendar.
    return bool(known) and len(known) == len(published) and period.start - max(known) > _BEFOREHAND


def _factor(when: datetime, as_of: datetime | None, period: Period | None) -> float:
    distances = []
    if period is not None:
        distances.append(max(period.start - when, when - period.end - _FRESH, timedelta()))
    if as_of is not None and not (period and period.recent):
        distances.append(max(as_of - when - _FRESH, timedelta()))
    return 1.0 + _STRENGTH * math.exp(-(min(distances) / _FADES))
