"""The period that a question speaks of, as its asker means it on Thursday 20 June 2024."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from qa.time_expressions import period_of

ASKED = datetime(2024, 6, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "first", "last", "recent"),
    [
        ("What happened today?", "2024-06-20", "2024-06-20", True),
        ("Who admitted defeat yesterday?", "2024-06-19", "2024-06-19", True),
        ("What burned last night?", "2024-06-19", "2024-06-19", True),
        ("What did Vance say this week?", "2024-06-13", "2024-06-20", True),
        ("Who won last week?", "2024-06-10", "2024-06-16", True),
        ("How much rain fell this month?", "2024-06-01", "2024-06-20", True),
        ("How much rain fell last month?", "2024-05-01", "2024-05-31", True),
        ("How many fires were there this year?", "2024-01-01", "2024-06-20", True),
        ("How many fires were there last year?", "2023-01-01", "2023-12-31", False),
        ("Who spoke on Monday?", "2024-06-17", "2024-06-17", True),
        ("Who spoke on Thursday?", "2024-06-20", "2024-06-20", True),
        ("Who spoke last Thursday?", "2024-06-13", "2024-06-13", True),
        ("How full was the lake in May?", "2024-05-01", "2024-05-31", False),
        ("How full was the lake in August?", "2023-08-01", "2023-08-31", False),
        ("How full was the lake in February 2020?", "2020-02-01", "2020-02-29", False),
        ("What happened on May 30?", "2024-05-30", "2024-05-30", False),
        ("What happened on 30 May 2023?", "2023-05-30", "2023-05-30", False),
        ("What happens on July 1?", "2024-07-01", "2024-07-01", False),
        ("Who governed in 2011?", "2011-01-01", "2011-12-31", False),
        ("How many died since 2021?", "2021-01-01", "2024-06-20", False),
        ("How many died since March?", "2024-03-01", "2024-06-20", False),
        ("What was stolen between 2016 and 2019?", "2016-01-01", "2019-12-31", False),
        ("What was sold between November and February?", "2023-11-01", "2024-02-29", False),
        ("How many came in the last three days?", "2024-06-17", "2024-06-20", True),
        ("How many books were banned over the last year?", "2023-06-21", "2024-06-20", False),
        ("Who fell ill two weeks ago?", "2024-06-03", "2024-06-09", True),
        ("How did it change between the end of May and now?", "2024-05-01", "2024-06-20", False),
        ("How much fell in May, and how much in June?", "2024-05-01", "2024-06-30", False),
        ("Who spoke in June, on Monday?", "2024-06-17", "2024-06-17", True),
    ],
)
def test_periods(words: str, first: str, last: str, recent: bool) -> None:
    period = period_of(words, as_of=ASKED)
    assert period is not None
    assert (period.start.date().isoformat(), period.recent) == (first, recent)
    assert (period.end.date() - datetime.fromisoformat(last).date()).days == 1


@pytest.mark.parametrize(
    "words",
    [
        "Who heads Kelmar Water?",
        "What may happen next?",
        "Who is marching on the capital?",
        "What happened on June 31?",
        "How much higher are prices than a year ago?",
        "Which flight has the number 2024?",
        "ماذا حدث أمس؟",
    ],
)
def test_no_period(words: str) -> None:
    assert period_of(words, as_of=ASKED) is None


def test_the_first_and_last_days_of_the_calendar() -> None:
    words = "yesterday, today, last year, in the last 300 months, since March, on Monday, this week"
    for asked in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)):
        period_of(words, as_of=asked)
