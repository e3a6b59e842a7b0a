"""Passages that suit the time of a question, and fresh ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from embeddings.types import Passage, StoredPassage
from qa.citations import cite
from qa.language.dates import BEGINNING, Period, shown, stamp
from qa.language.time_expressions import period_of
from qa.retrieval.recency import (
    all_older,
    is_late,
    names_period,
    preferences,
    says_when,
    tells_of,
    tells_of_another,
    timely,
    timely_first,
)
from qa.retrieval.search import keeps_period
from qa.types import Evidence

NOW = datetime(2024, 6, 20, 12, tzinfo=UTC)
ASKED = datetime(2025, 9, 17, 12, tzinfo=UTC)


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


def period(words: str) -> Period:
    found = period_of(f"What happened to the ferry {words}?", as_of=ASKED)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("words", "published", "text", "tells"),
    [
        ("last year", "2024-05-02", "The ferry was sold on Monday.", True),
        ("last year", "2025-09-16", "The ferry was sold on Monday.", False),
        ("last year", "2023-05-02", "The ferry was sold on Monday.", False),
        ("last year", "2025-09-16", "The ferry was sold last year.", True),
        ("last year", "2025-09-16", "Sold in 2024, the ferry burned on Monday.", True),
        ("last year", "2023-05-02", "The ferry is to be sold next year.", True),
        ("last year", None, "The ferry was sold on Monday.", True),
        ("last year", "2025-01-03", "The ferry was sold.", True),
        ("last year", "2025-01-03", "The ferry was sold on Thursday.", False),
        ("in May", "2025-05-09", "The ferry was sold on Monday.", True),
        ("in May", "2025-07-09", "The ferry was sold in May.", True),
        ("in May", "2025-07-09", "The ferry was sold in 2025.", False),
        ("in 2019", "2022-03-01", "The 2019 fire destroyed the ferry.", True),
        ("in 2019", "2022-03-01", "The fire destroyed 2,019 boats.", False),
        ("before 2020", "2011-03-01", "The ferry was sold.", True),
        ("before 2020", "2022-03-01", "The ferry was sold.", False),
        ("before 2020", "2022-03-01", "The ferry was sold in 2016.", True),
    ],
)
def test_what_can_tell_of_a_time(words: str, published: str | None, text: str, tells: bool) -> None:
    assert tells_of(text, published_at=published, period=period(words)) is tells


@pytest.mark.parametrize(
    ("words", "published", "text", "another"),
    [
        ("last month", "2025-08-12", "Rents rose by <5 percent> in July, the office said on Tuesday.", True),
        ("last month", "2025-09-12", "Rents rose by <5 percent> in August, the office said.", False),
        ("last month", "2025-09-12", "Rents rose by <5 percent> from 4 percent in July.", False),
        ("last month", "2025-09-12", "Rents rose by <5 percent>, less than in July.", False),
        ("last month", "2025-08-12", "In July, rents rose by <5 percent>.", True),
        ("last month", "2025-08-12", "July's rents index stood at <105>.", True),
        ("last month", "2025-08-12", "A fire on 7 July did damage of <5 million crowns>.", False),
        ("last month", "2025-08-12", "The mill, sold in July, employs <50> people.", False),
        ("last month", "2025-08-12", "In July <the mill> burned down.", False),
        ("last month", "2025-08-12", "Rents rose by <5 percent>.", False),
        ("in the second quarter", "2025-07-28", "It made <5 million crowns> in the second quarter.", False),
        ("in the second quarter", "2025-05-28", "It made <5 million crowns> in the first quarter.", True),
        ("last year", "2024-02-02", "It drew <500> people in 2023.", True),
        ("yesterday", "2025-09-16", "It drew <500> people in July.", False),
        ("before 2020", "2025-09-16", "It drew <500> people in 2023.", False),
    ],
)
def test_a_figure_is_of_the_month_that_its_clause_names(words: str, published: str, text: str, another: bool) -> None:
    start, end = text.index("<"), text.index(">") - 1
    plain = text.replace("<", "").replace(">", "")
    told = tells_of_another(plain, start=start, end=end, title="", published_at=published, period=period(words))
    assert told is another
    assert not tells_of_another(plain, start=start, end=end, title="", published_at=None, period=period(words))


def test_a_title_names_the_month_where_the_sentence_names_none() -> None:
    def told(title: str) -> bool:
        text = "Some 500 people came."
        august = period("in August")
        return tells_of_another(text, start=5, end=8, title=title, published_at="2025-08-05", period=august)

    assert told("July visitors")
    assert not told("August visitors")
    assert not told("Visitors on July 4")
    assert not told("Visitors")


def test_a_title_reviews_the_year_before() -> None:
    def told(title: str, text: str = "The most borrowed book was a novel.") -> bool:
        year = period("in 2024")
        return tells_of_another(text, start=29, end=34, title=title, published_at="2024-01-05", period=year)

    assert told("Library lends more in 2023")
    assert not told("Library lends more in 2024")
    assert not told("Library lends more")
    assert not told("Library lends more in 2023", "In 2024 the most borrowed book was a novel.")


def test_what_another_year_tells_of_a_day_of_its_own() -> None:
    def told(text: str, published_at: str = "2025-06-05") -> bool:
        return tells_of_another(text, start=0, end=7, title="", published_at=published_at, period=period("in 2024"))

    assert told("Ada Roe won the prize on Thursday.")
    assert not told("Ada Roe won the prize.")
    assert not told("Ada Roe won it last year, the jury said on Thursday.")
    assert not told("Ada Roe won the prize, the jury said on Thursday.")
    assert not told("Ada Roe won the prize on Thursday.", "2024-06-05")


def test_naming_a_time_and_being_published_in_it_are_two_things() -> None:
    august = period("in August")
    assert not names_period("The pool was opened on Monday.", published_at="2025-06-05", period=august)
    assert names_period("The pool was opened in August.", published_at="2025-09-05", period=august)
    assert not names_period("The pool was opened in August.", published_at="2024-09-05", period=august)


@pytest.mark.parametrize(
    ("words", "text", "says"),
    [
        ("in August", "The pool was opened in august.", True),
        ("in August", "The pool was opened on Monday.", False),
        ("in August", "Augustine opened the pool.", False),
        ("in March 2022", "It rose in 2022.", True),
        ("last year", "It was sold last year.", True),
        ("last year", "It was sold a year ago.", False),
        ("on Monday", "It was sold on Monday.", True),
    ],
)
def test_saying_when_in_the_words_of_the_question(words: str, text: str, says: bool) -> None:
    assert says_when(text, period(words)) is says


def evidence(*published: str | None) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            stored=StoredPassage(
                key=number,
                passage=Passage(
                    id=f"p{number}",
                    article_id=f"a{number}",
                    article_version="v",
                    start=0,
                    end=18,
                    text="The ferry was sold.",
                ),
                title="Ferry",
                source="",
                url=None,
                published_at=date,
                collection="",
                signature=b"",
            ),
            score=1.0,
            cosine=None,
        )
        for number, date in enumerate(published)
    )


def test_what_can_tell_comes_first_and_alone_is_read() -> None:
    last_year = period("last year")
    found = timely_first(evidence("2025-09-16", "2024-06-01", "2023-06-01", "2024-07-01"), last_year)
    assert [item.stored.published_at for item in found] == ["2024-06-01", "2024-07-01", "2025-09-16", "2023-06-01"]
    assert [item.stored.published_at for item in timely(found, last_year)] == ["2024-06-01", "2024-07-01"]
    assert [is_late(at, found, last_year) for at in range(4)] == [False, False, True, True]


def test_news_of_a_day_since_tells_nothing_of_last_week() -> None:
    found = evidence("2025-09-16", "2025-09-16")
    dated = msgspec.structs.replace(
        found[0].stored,
        passage=msgspec.structs.replace(found[0].stored.passage, text="The ferry was sold on Tuesday."),
    )
    found = (msgspec.structs.replace(found[0], stored=dated), found[1])
    assert [is_late(at, found, period("last week")) for at in range(2)] == [True, False]
    assert not is_late(0, found, period("this week"))


def test_a_time_is_kept_where_all_that_is_cited_is_known_to_be_of_it() -> None:
    last_year = period("last year")
    found = evidence("2024-06-01", "2023-06-01", None)
    cited = [cite(item.stored, number=1, cited=(0, 18), placed=(0, 18), text="The ferry was sold") for item in found]
    kept = [keeps_period([one], found, period=last_year) for one in cited]
    assert kept == [True, False, False], "of what has no date nobody knows"
    assert keeps_period(cited[:2], found, period=last_year) is False
    assert keeps_period(cited, found, period=None) is None
    assert keeps_period([], found, period=last_year) is None


def test_a_figure_of_another_month_does_not_keep_the_period() -> None:
    def kept(text: str) -> bool | None:
        (item,) = evidence("2025-08-12")
        passage = msgspec.structs.replace(item.stored.passage, text=text, end=len(text))
        item = msgspec.structs.replace(item, stored=msgspec.structs.replace(item.stored, passage=passage))
        cited = cite(item.stored, number=1, cited=(0, len(text)), placed=(0, len(text)), text=text)
        return keeps_period([cited], [item], period=period("in August"))

    assert kept("It carried 400 cars in July.") is False
    assert kept("It carried 400 cars.") is True
    assert kept("It opened in July.") is True
    assert kept("Since 2019 it carried 400 cars.") is True


def test_where_nothing_can_tell_all_is_read_and_a_question_without_a_time_changes_nothing() -> None:
    found = evidence("2025-09-16", "2023-06-01")
    assert timely(found, period("last year")) == found
    assert timely_first(found, None) == timely(found, None) == found


def test_what_was_understood_is_shown_as_filters_would_take_it() -> None:
    read = shown(period("last year"))
    assert read is not None
    assert (read.start, read.end, read.words) == ("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "last year")
    assert shown(None) is None
    before = period("before 2020")
    assert before.start == BEGINNING
    read = shown(before)
    assert read is not None
    assert (read.start, read.end) == (None, "2020-01-01T00:00:00Z")
