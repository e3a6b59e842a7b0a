"""Which articles can tell of the time that a question names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from embeddings.types import Passage, StoredPassage
from qa.language.time_expressions import period_of
from qa.language.timestamps import BEGINNING, Period, shown
from qa.retrieval.timeliness import is_late, names_period, says_when, tells_of, timely, timely_first
from qa.types import Evidence

ASKED = datetime(2025, 9, 17, 12, tzinfo=UTC)


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
