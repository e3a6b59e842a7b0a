"""How dates weigh: fresh before old, a named period before both, nothing where all is old or undated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from qa.language.timestamps import Period, stamp
from qa.retrieval.recency import all_older, preferences

NOW = datetime(2024, 6, 20, 12, tzinfo=UTC)


def days_ago(days: float) -> str:
    return stamp(NOW - timedelta(days=days))


def test_fresh_news_is_preferred_and_a_week_is_one_freshness() -> None:
    found = preferences([days_ago(0), days_ago(6), days_ago(15), days_ago(400)], as_of=NOW)
    assert found[0] == found[1] == 1.0
    assert 1.0 > found[2] > found[3] > 0.6


def test_where_all_is_old_nothing_is_preferred() -> None:
    assert preferences([days_ago(400), days_ago(900)], as_of=NOW) == pytest.approx([1.0, 1.0])
    assert preferences([None, None], as_of=NOW) == [1.0, 1.0]
    assert preferences([days_ago(1), days_ago(400)], as_of=None) == [1.0, 1.0]
    assert preferences([], as_of=NOW) == []


def test_an_article_without_a_date_is_neither_preferred_nor_put_back() -> None:
    fresh, undated, old = preferences([days_ago(1), None, days_ago(400)], as_of=NOW)
    assert fresh > undated > old


def test_a_named_period_is_preferred() -> None:
    march = Period(start=datetime(2024, 3, 1, tzinfo=UTC), end=datetime(2024, 4, 1, tzinfo=UTC), recent=False)
    inside, before, fresh = preferences([days_ago(100), days_ago(200), days_ago(1)], as_of=NOW, period=march)
    assert inside == fresh == 1.0
    assert before < 0.7
    week = Period(start=NOW - timedelta(days=14), end=NOW - timedelta(days=10), recent=True)
    late, then = preferences([days_ago(0), days_ago(12)], as_of=NOW, period=week)
    assert then > late


def test_what_is_older_than_a_period_cannot_tell_of_it() -> None:
    yesterday = Period(start=NOW - timedelta(days=1), end=NOW, recent=True)
    assert all_older([days_ago(9), days_ago(400)], period=yesterday)
    assert not all_older([days_ago(9), days_ago(2)], period=yesterday)
    assert not all_older([days_ago(9), None], period=yesterday), "an undated one may be new"
    assert not all_older([], period=yesterday)
