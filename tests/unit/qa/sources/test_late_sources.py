"""Which sources have been silent for longer than they use to be."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import pytest

from embeddings.types import DayTally, SourceTally
from qa.sources.ledger import LateSource, late_sources

TODAY = date(2026, 2, 16)
"""A Monday."""


def tally(source: str, ago: Iterable[int]) -> SourceTally:
    days = tuple(DayTally(day=str(TODAY - timedelta(days=one)), articles=3) for one in sorted(ago, reverse=True))
    return SourceTally(source=source, articles=9, undated=0, earliest=None, latest=None, days=days)


WEEKDAYS = [days for days in range(60) if (TODAY - timedelta(days=days)).weekday() < 5]


@pytest.mark.parametrize(
    ("ago", "usual"),
    [
        (range(2, 30), None),
        (range(3, 30), 1),
        ([day for day in WEEKDAYS if day > 5], None),
        ([day for day in WEEKDAYS if day > 6], 3),
        (range(14, 80, 7), None),
        (range(15, 80, 7), 7),
        ([3, *range(5, 40)], 1),
        ([9, 10, 11, 12], None),
        ([], None),
        ([-1, *range(9, 30)], 1),
        (range(366, 380), 1),
        (range(367, 380), None),
    ],
    ids=[
        "daily",
        "daily-late",
        "weekdays",
        "weekdays-late",
        "weekly",
        "weekly-late",
        "one-pause",
        "few",
        "none",
        "ahead",
        "year",
        "ended",
    ],
)
def test_a_source_is_late_after_twice_its_usual_pause(ago: Iterable[int], usual: int | None) -> None:
    past = [one for one in ago if one >= 0]
    latest = str(TODAY - timedelta(days=min(past, default=0)))
    expected = [] if usual is None else [LateSource(source="Post", latest=latest, usual_days=usual)]
    assert late_sources([tally("Post", ago)], today=TODAY) == expected


def test_sources_are_told_apart_and_keep_their_order() -> None:
    tallies = [tally("B", range(9, 30)), tally("A", range(9, 30)), tally("C", range(30))]
    assert [one.source for one in late_sources(tallies, today=TODAY)] == ["B", "A"]
