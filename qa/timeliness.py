"""Takes the evidence for a question about the last days, tells what can answer it from what is too old to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

from qa.moments import Period
from qa.recency import all_older
from qa.types import Evidence

__all__ = ["is_late", "timely", "timely_first"]


def timely_first(evidence: tuple[Evidence, ...], period: Period | None) -> tuple[Evidence, ...]:
    """What can tell of a recent period before what cannot; else as it was."""
    if period is None or not period.recent:
        return evidence
    told = _told(evidence)
    return tuple(sorted(evidence, key=lambda item: all_older([told[_article(item)]], period=period)))


def timely(evidence: Sequence[Evidence], period: Period | None) -> Sequence[Evidence]:
    """The evidence that can tell of a recent period; it stands first. All of it where no date says so."""
    if period is None or not period.recent:
        return evidence
    told = _told(evidence)
    first = list(takewhile(lambda item: not all_older([told[_article(item)]], period=period), evidence))
    return first if any(told[_article(item)] for item in first) else evidence


def is_late(index: int, evidence: Sequence[Evidence], period: Period) -> bool:
    """Whether this evidence is dated from before a period; of what has no date nobody knows."""
    return all_older([_told(evidence)[_article(evidence[index])]], period=period)


def _told(evidence: Sequence[Evidence]) -> Mapping[str, str | None]:
    """By article, when it was published; where that is not known, when the latest dated copy of its story was."""
    copies: dict[str, list[str]] = {}
    for item in evidence:
        dates = [item.stored.published_at] if item.stored.published_at else [copy.published_at for copy in item.also]
        copies.setdefault(_article(item), []).extend(date for date in dates if date)
    return {article: max(dates, default=None) for article, dates in copies.items()}


def _article(item: Evidence) -> str:
    return item.stored.passage.article_id
