"""The period that a question speaks of, as its asker means it on Thursday 20 June 2024."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from qa.language.dates import BEGINNING
from qa.language.time_expressions import period_of, periods_in, without_period

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
        "Which minister may step down?",
        "May we know who won?",
        "Who spoke at the march on the parliament?",
        "How many joined the March on Velda?",
        "What did Theresa May promise?",
        "What is the song by August Larsen called?",
        "Who voted for May Holm?",
        "What did June Abbot paint?",
        "What did USA Today find?",
        "Who hosts Saturday Night Live?",
        "Who plays on Monday Night Football?",
        "What did the Sunday Times print?",
        "Why did crowds come on Black Friday?",
        "Who is Wednesday Addams?",
        "Who was hurt in the fall?",
        "What followed the fall of the tower?",
        "Where is Silver Spring?",
        "When did the Prague Spring end?",
        "Who scored in the second quarter of the game?",
        "What share is a quarter of the vote?",
        "Which quarter of the city flooded?",
        "Is this the last day of the trial?",
        "How long are 48 hours?",
        "How many were damaged in 2000 homes?",
        "Who spoke for the class of 2025?",
        "Who lives on the 5th floor?",
        "Is it sold second hand?",
        "What costs 1990 crowns?",
        "Which version is 3.8.2?",
        "Did it pass by 12/13 votes?",
        "Will it be rebuilt one day?",
        "Which of the two came last?",
        "Who leads the January 6 committee?",
        "Where was the July 4 parade shooting?",
        "How often does the tram to the beach run in summer?",
        "Which paths do walkers use in winter?",
        "Is the pass open in winter?",
        "What does Article 5/2024 say?",
        "What does UN resolution 2023/12 say?",
        "What was the temperature in the 70s?",
        "Were highs in the 70s?",
    ],
)
def test_no_period(words: str) -> None:
    assert period_of(words, as_of=ASKED) is None


def test_the_first_and_last_days_of_the_calendar() -> None:
    words = "yesterday, today, last year, in the last 300 months, since March, on Monday, this week"
    for asked in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)):
        period_of(words, as_of=asked)


WEDNESDAY = datetime(2025, 9, 17, 12, tzinfo=UTC)
PHRASES = [
    ("What did the port charge a fortnight ago?", "2025-08-31", "2025-09-06", "a fortnight ago"),
    ("Who left the board in the last fortnight?", "2025-09-03", "2025-09-17", "in the last fortnight"),
    ("What did Voltra earn in the second quarter?", "2025-04-01", "2025-06-30", "in the second quarter"),
    ("How many cars were sold in Q1 2025?", "2025-01-01", "2025-03-31", "in Q1 2025"),
    ("What did Voltra lose in the first half of 2024?", "2024-01-01", "2024-06-30", "in the first half of 2024"),
    ("Which beaches were closed this summer?", "2025-06-01", "2025-08-31", "this summer"),
    ("What did the mayor open in summer?", "2025-06-01", "2025-08-31", "in summer"),
    ("Who does the council send there this summer?", "2025-06-01", "2025-08-31", "this summer"),
    ("How cold was it last winter?", "2024-12-01", "2025-02-28", "last winter"),
    ("Which dam was built in the 1970s?", "1970-01-01", "1979-12-31", "in the 1970s"),
    ("Who sang in the eighties?", "1980-01-01", "1989-12-31", "in the eighties"),
    ("How many lived here in the early 1960s?", "1960-01-01", "1963-12-31", "in the early 1960s"),
    ("Who was born in the 19th century?", "1801-01-01", "1900-12-31", "in the 19th century"),
    ("What opened on Feb. 9?", "2025-02-09", "2025-02-09", "on Feb. 9"),
    ("What opened in Feb 2025?", "2025-02-01", "2025-02-28", "in Feb 2025"),
    ("What opened on Sept 2nd, 2024?", "2024-09-02", "2024-09-02", "on Sept 2nd, 2024"),
    ("What opened on 2 Sept. 2024?", "2024-09-02", "2024-09-02", "on 2 Sept. 2024"),
    ("What opened on the third of March?", "2025-03-03", "2025-03-03", "on the third of March"),
    ("What opened on 2025-04-30?", "2025-04-30", "2025-04-30", "on 2025-04-30"),
    ("What opened in 2025-04?", "2025-04-01", "2025-04-30", "in 2025-04"),
    ("What opened on 30/04/2025?", "2025-04-30", "2025-04-30", "on 30/04/2025"),
    ("What opened on 04/30/2025?", "2025-04-30", "2025-04-30", "on 04/30/2025"),
    ("What opened on 30.4.2025?", "2025-04-30", "2025-04-30", "on 30.4.2025"),
    ("How many calls came over the past 72 hours?", "2025-09-14", "2025-09-17", "over the past 72 hours"),
    ("Who called in the last 12 hours?", "2025-09-16", "2025-09-17", "in the last 12 hours"),
    ("What will the court decide tomorrow?", "2025-09-18", "2025-09-18", "tomorrow"),
    ("Who plays next week?", "2025-09-22", "2025-09-28", "next week"),
    ("Who speaks the day after tomorrow?", "2025-09-19", "2025-09-19", "the day after tomorrow"),
    ("What has changed since Friday?", "2025-09-12", "2025-09-17", "since Friday"),
    ("What burned at the weekend?", "2025-09-13", "2025-09-14", "at the weekend"),
    ("What burned last weekend?", "2025-09-13", "2025-09-14", "last weekend"),
    ("What burned the weekend before last?", "2025-09-06", "2025-09-07", "the weekend before last"),
    ("Who won last March?", "2025-03-01", "2025-03-31", "last March"),
    ("Who won last October?", "2024-10-01", "2024-10-31", "last October"),
    ("Who resigns next March?", "2026-03-01", "2026-03-31", "next March"),
    ("Who spoke the previous month?", "2025-08-01", "2025-08-31", "the previous month"),
    ("What was said the other day?", "2025-09-07", "2025-09-17", "the other day"),
    ("Who fell ill twelve days ago?", "2025-09-05", "2025-09-05", "twelve days ago"),
    ("Who fell ill a couple of months ago?", "2025-07-04", "2025-08-03", "a couple of months ago"),
    ("Who was mayor two years ago?", "2023-01-01", "2023-12-31", "two years ago"),
    ("What rose in late 2024?", "2024-09-01", "2024-12-31", "in late 2024"),
    ("What rose in early July?", "2025-07-01", "2025-07-15", "in early July"),
    ("Who led before 2010?", "", "2009-12-31", "before 2010"),
    ("Who led prior to 1999?", "", "1998-12-31", "prior to 1999"),
    ("Who led after 2015?", "2016-01-01", "2025-09-17", "after 2015"),
    ("Who led until 2021?", "", "2021-12-31", "until 2021"),
    ("Who arrived the day before yesterday?", "2025-09-15", "2025-09-15", "the day before yesterday"),
    ("Who arrived the night before last?", "2025-09-15", "2025-09-15", "the night before last"),
    ("What was sold after August 20?", "2025-08-21", "2025-09-17", "after August 20"),
    ("What was sold before August 20?", "", "2025-08-19", "before August 20"),
    (
        "What was sold after August 1 and before August 20?",
        "2025-08-02",
        "2025-08-19",
        "after August 1 … before August 20",
    ),
    ("What was sold from August 1 to August 20?", "2025-08-01", "2025-08-20", "from August 1 … to August 20"),
    ("What fell between 3 and 9 August?", "2025-08-03", "2025-08-09", "between 3 and 9 August"),
    ("What fell from 2012 until 2016?", "2012-01-01", "2016-12-31", "from 2012 until 2016"),
    ("What fell in 2012-2016?", "2012-01-01", "2016-12-31", "in 2012-2016"),
    ("What fell in the winter of 2023/24?", "2023-12-01", "2024-02-29", "in the winter of 2023/24"),
    ("Who will speak on Friday?", "2025-09-19", "2025-09-19", "on Friday"),
    ("Who spoke on Friday night?", "2025-09-12", "2025-09-12", "on Friday night"),
    ("What came of Sunday's vote?", "2025-09-14", "2025-09-14", "of Sunday"),
    ("Is the pool open on Sunday?", "2025-09-21", "2025-09-21", "on Sunday"),
    ("What time does the pool close on Monday evening?", "2025-09-22", "2025-09-22", "on Monday evening"),
    ("Which trains are cancelled on Sunday?", "2025-09-21", "2025-09-21", "on Sunday"),
    ("Who plays on Saturday?", "2025-09-20", "2025-09-20", "on Saturday"),
    ("And can I swim on Wednesday?", "2025-09-17", "2025-09-17", "on Wednesday"),
    ("What is on in Velda on Saturday and Sunday?", "2025-09-20", "2025-09-21", "on Saturday … Sunday"),
    ("Is the pool open this Sunday?", "2025-09-21", "2025-09-21", "this Sunday"),
    ("Was the pool open on Sunday?", "2025-09-14", "2025-09-14", "on Sunday"),
    ("Who is the man who was shot on Sunday?", "2025-09-14", "2025-09-14", "on Sunday"),
    ("What is the toll of Sunday's fire?", "2025-09-14", "2025-09-14", "of Sunday"),
    ("What is known about the fire on Sunday?", "2025-09-14", "2025-09-14", "on Sunday"),
    ("Is the pool open on Sunday, 14 September?", "2025-09-14", "2025-09-14", "on Sunday … 14 September"),
    ("How many came so far this year?", "2025-01-01", "2025-09-17", "so far this year"),
    ("What broke earlier this week?", "2025-09-10", "2025-09-17", "earlier this week"),
    ("What closes later this month?", "2025-09-17", "2025-09-30", "later this month"),
    ("What closed at the end of last year?", "2024-09-01", "2024-12-31", "at the end of last year"),
    ("What has risen since the start of the year?", "2025-01-01", "2025-09-17", "since the start of the year"),
    ("What rose late last year?", "2024-09-01", "2024-12-31", "late last year"),
    ("Who called overnight?", "2025-09-16", "2025-09-17", "overnight"),
    ("Who sang on New Year's Eve?", "2024-12-31", "2024-12-31", "on New Year's Eve"),
    ("Who sang at Christmas 2023?", "2023-12-24", "2023-12-26", "at Christmas 2023"),
    ("What rose over the last two decades?", "2005-09-18", "2025-09-17", "over the last two decades"),
    ("What changed in recent weeks?", "2025-08-18", "2025-09-17", "in recent weeks"),
    ("How many came this time last year?", "2024-09-02", "2024-10-02", "this time last year"),
    ("Who wins in the next three days?", "2025-09-17", "2025-09-20", "in the next three days"),
    ("What was paid on the 5th?", "2025-09-05", "2025-09-05", "on the 5th"),
    ("Who paid last quarter?", "2025-04-01", "2025-06-30", "last quarter"),
    ("Who left the week before last?", "2025-09-01", "2025-09-07", "the week before last"),
    ("Who left this morning?", "2025-09-17", "2025-09-17", "this morning"),
    ("Who left half a year ago?", "2025-02-19", "2025-04-20", "half a year ago"),
    ("What did Voltra's fourth-quarter results show?", "2024-10-01", "2024-12-31", "fourth-quarter"),
    ("What flowered last spring?", "2025-03-01", "2025-05-31", "last spring"),
    ("What flowered in autumn 2022?", "2022-09-01", "2022-11-30", "in autumn 2022"),
    ("What rose the spring before last?", "2024-03-01", "2024-05-31", "the spring before last"),
    ("What opens the weekend after next?", "2025-10-04", "2025-10-05", "the weekend after next"),
    ("Who paid in the last quarter?", "2025-04-01", "2025-06-30", "in the last quarter"),
    ("What has closed since Easter?", "2025-04-18", "2025-09-17", "since Easter"),
    ("What opened on Good Friday?", "2025-04-18", "2025-04-18", "on Good Friday"),
    ("What was said on Memorial Day?", "2025-05-26", "2025-05-26", "on Memorial Day"),
    ("What fell over Thanksgiving 2023?", "2023-11-23", "2023-11-26", "over Thanksgiving 2023"),
    ("What happened the day after Christmas?", "2024-12-26", "2024-12-26", "the day after Christmas"),
    ("What happened the day before Christmas?", "2024-12-24", "2024-12-24", "the day before Christmas"),
    ("What happened the day after Thanksgiving?", "2024-11-29", "2024-11-29", "the day after Thanksgiving"),
    ("What happened the day before Easter?", "2025-04-19", "2025-04-19", "the day before Easter"),
    ("What happened the day after Pentecost?", "2025-06-09", "2025-06-09", "the day after Pentecost"),
    ("Who recorded the temperature in the '70s?", "1970-01-01", "1979-12-31", "in the '70s"),
    ("Who sang in the 70s?", "1970-01-01", "1979-12-31", "in the 70s"),
    ("What was sold from 3 to 7 May 2024?", "2024-05-03", "2024-05-07", "from 3 to 7 May 2024"),
    ("What changed a year and a half ago?", "2023-12-01", "2024-06-30", "a year and a half ago"),
    ("Who sang in the noughties?", "2000-01-01", "2009-12-31", "in the noughties"),
    ("What was built in 2019 or 2020?", "2019-01-01", "2020-12-31", "in 2019 … 2020"),
    ("What has risen since the start of July?", "2025-07-01", "2025-09-17", "since the start of July"),
    ("What was open up to and including 5 June?", "", "2025-06-05", "up to and including 5 June"),
    ("What was paid no later than June 5?", "", "2025-06-05", "no later than June 5"),
    ("What was begun no earlier than June 5?", "2025-06-05", "2025-09-17", "no earlier than June 5"),
    ("Who left in the week of June 9?", "2025-06-09", "2025-06-15", "in the week of June 9"),
    ("Who left the weekend of June 7?", "2025-06-07", "2025-06-08", "the weekend of June 7"),
    ("What did it earn in the fiscal year 2024?", "2024-01-01", "2024-12-31", "in the fiscal year 2024"),
    ("What did it earn in FY2024?", "2024-01-01", "2024-12-31", "in FY2024"),
    ("Who speaks this coming Friday?", "2025-09-19", "2025-09-19", "this coming Friday"),
    ("Who will speak in two weeks?", "2025-09-28", "2025-10-04", "in two weeks"),
    ("Who wins over the coming weeks?", "2025-09-17", "2025-10-17", "over the coming weeks"),
    ("What opens three weeks from now?", "2025-10-05", "2025-10-11", "three weeks from now"),
    ("What burned this past weekend?", "2025-09-13", "2025-09-14", "this past weekend"),
    ("What burned two weekends ago?", "2025-09-06", "2025-09-07", "two weekends ago"),
    ("What burned three Fridays ago?", "2025-08-29", "2025-08-29", "three Fridays ago"),
    ("What burned the Monday before last?", "2025-09-08", "2025-09-08", "the Monday before last"),
    ("What opened the first week of May?", "2025-05-01", "2025-05-07", "the first week of May"),
    ("What opened the last weekend of June?", "2025-06-28", "2025-06-29", "the last weekend of June"),
    ("What opened on the last Friday in June 2024?", "2024-06-28", "2024-06-28", "on the last Friday in June 2024"),
    ("What rose in the second half of May?", "2025-05-16", "2025-05-31", "in the second half of May"),
    ("What rose in the first nine months of 2024?", "2024-01-01", "2024-09-30", "in the first nine months of 2024"),
    ("What rose in the last two weeks of 2024?", "2024-12-18", "2024-12-31", "in the last two weeks of 2024"),
    ("What fell on Friday the 13th?", "2025-06-13", "2025-06-13", "on Friday the 13th"),
    ("What opened in 08/2024?", "2024-08-01", "2024-08-31", "in 08/2024"),
    ("What opened on 20240803?", "2024-08-03", "2024-08-03", "on 20240803"),
    ("What opened on 2024-08-03T10:30:00Z?", "2024-08-03", "2024-08-03", "on 2024-08-03T10:30:00Z"),
    ("What opened on 8/27/24?", "2024-08-27", "2024-08-27", "on 8/27/24"),
    ("What opened on 3-Aug-2024?", "2024-08-03", "2024-08-03", "on 3-Aug-2024"),
    ("What burned in the early hours of Monday?", "2025-09-15", "2025-09-15", "of Monday"),
    ("What burned a month ago today?", "2025-08-03", "2025-09-02", "a month ago today"),
    ("What opened on Tuesday last week?", "2025-09-09", "2025-09-09", "on Tuesday last week"),
    ("Who speaks on Friday of next week?", "2025-09-26", "2025-09-26", "on Friday of next week"),
    ("What opened month before last?", "2025-07-01", "2025-07-31", "month before last"),
    ("Who called last fortnight?", "2025-09-03", "2025-09-17", "last fortnight"),
    ("Who led this time last week?", "2025-09-09", "2025-09-11", "this time last week"),
    ("What opened in May of last year?", "2024-05-01", "2024-05-31", "in May of last year"),
    ("What opened last year in May?", "2024-05-01", "2024-05-31", "last year in May"),
    ("What opened in May and June last year?", "2024-05-01", "2024-06-30", "in May … June last year"),
    ("Who sang on Christmas Eve last year?", "2024-12-24", "2024-12-24", "on Christmas Eve last year"),
    ("What rose in both 2023 and 2024?", "2023-01-01", "2024-12-31", "in both 2023 … 2024"),
    ("What opened in calendar week 20?", "2025-05-12", "2025-05-18", "in calendar week 20"),
    ("What was paid on the 3rd of last month?", "2025-08-03", "2025-08-03", "on the 3rd of last month"),
    ("Who called 30 minutes ago?", "2025-09-16", "2025-09-17", "30 minutes ago"),
    ("How many called in the past 24h?", "2025-09-16", "2025-09-17", "in the past 24h"),
    ("Who left twenty-one days ago?", "2025-08-27", "2025-08-27", "twenty-one days ago"),
    ("Who ruled a hundred years ago?", "1925-01-01", "1925-12-31", "a hundred years ago"),
    ("What fell between Monday and Wednesday?", "2025-09-15", "2025-09-17", "between Monday … Wednesday"),
    ("What rose in the final quarter of 2024?", "2024-10-01", "2024-12-31", "in the final quarter of 2024"),
    ("What rose in the third quarter 2024?", "2024-07-01", "2024-09-30", "in the third quarter 2024"),
    ("What was built in the last century?", "1901-01-01", "2000-12-31", "in the last century"),
    ("What opened two summers ago?", "2024-06-01", "2024-08-31", "two summers ago"),
    ("Who left a week or two ago?", "2025-09-07", "2025-09-13", "a week or two ago"),
]


@pytest.mark.parametrize(("question", "first", "last", "words"), PHRASES)
def test_phrases_as_meant_on_a_wednesday_in_september(question: str, first: str, last: str, words: str) -> None:
    """An empty first day says that the period has no beginning."""
    period = period_of(question, as_of=WEDNESDAY)
    assert period is not None
    assert ("" if period.start == BEGINNING else period.start.date().isoformat()) == first
    assert (period.end - timedelta(days=1)).date().isoformat() == last
    assert period.words == words


@pytest.mark.parametrize(
    ("question", "weekday"),
    [
        ("Is the pool open on Sunday?", "sunday"),
        ("When will the pool open on Sun?", "sunday"),
        ("Is the pool open this Sunday?", ""),
        ("Is the pool closed since Sunday?", ""),
        ("Was the pool open on Sunday?", ""),
        ("Is the pool open on Saturday and Sunday?", ""),
    ],
)
def test_a_weekday_may_be_a_habit(question: str, weekday: str) -> None:
    period = period_of(question, as_of=WEDNESDAY)
    assert period is not None
    assert period.weekday == weekday


@pytest.mark.parametrize(("question", "first", "last", "words"), PHRASES)
def test_a_question_without_its_time_names_none(question: str, first: str, last: str, words: str) -> None:
    del first, last
    rest = without_period(question, as_of=WEDNESDAY)
    assert period_of(rest, as_of=WEDNESDAY) is None
    assert words.rsplit(" … ", maxsplit=1)[-1] not in rest
    assert rest.endswith("?")


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        ("What did the mayor of Velda open in March?", "What did the mayor of Velda open?"),
        ("In May 2022, how many cars were recalled?", "How many cars were recalled?"),
        ("Was last year's budget passed?", "Was budget passed?"),
        ("What was sold after August 1 and before August 20?", "What was sold?"),
        ("Who ran Kelmar Water in 2019, and who runs it?", "Who ran Kelmar Water, and who runs it?"),
        ("Yesterday?", "Yesterday?"),
        ("Who may resign?", "Who may resign?"),
    ],
)
def test_taking_the_time_out_of_a_question(question: str, rest: str) -> None:
    assert without_period(question, as_of=WEDNESDAY) == rest


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("Debt rose in March. Rates will go up, and Dr. Lund will speak.", "2024-03"),
        ("Rates will go up.\nDebt rose in March.", "2024-03"),
        ("Debt rose. Dr. Lund will speak in March.", "2025-03"),
    ],
)
def test_what_is_to_come_in_one_sentence_is_not_to_come_in_another(text: str, month: str) -> None:
    (told,) = periods_in(text, as_of=ASKED)
    assert told.start.isoformat()[:7] == month


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("am 3. Mai", "2025-05-03", "2025-05-03"),
        ("Was beschloss der Rat letzte Woche?", "2025-09-08", "2025-09-14"),
        ("Was geschah vor zwei Wochen in Velda?", "2025-08-31", "2025-09-06"),
        ("Wer war im Mai 2024 Kapitän?", "2024-05-01", "2024-05-31"),
        ("Wer wurde 2024 vereidigt?", "2024-01-01", "2024-12-31"),
        ("Wie viele Brände gab es seit Mai?", "2025-05-01", "2025-09-17"),
        ("Qu'a décidé le conseil la semaine dernière ?", "2025-09-08", "2025-09-14"),
        ("Qu'a décidé le conseil hier ?", "2025-09-16", "2025-09-16"),
        ("¿Qué decidió el consejo hace dos semanas?", "2025-08-31", "2025-09-06"),
        ("¿Quién ganó el 3 de mayo de 2024?", "2024-05-03", "2024-05-03"),
        ("Chi ha vinto un anno fa?", "2024-01-01", "2024-12-31"),
        ("O que aconteceu ontem em Velda?", "2025-09-16", "2025-09-16"),
        ("Wat besloot de raad vorige week?", "2025-09-08", "2025-09-14"),
        ("Vad beslutade rådet förra veckan?", "2025-09-08", "2025-09-14"),
        ("Кто победил в мае 2024?", "2024-05-01", "2024-05-31"),
        ("去年谁当选市长？", "2024-01-01", "2024-12-31"),
        ("5月3日に誰が勝ちましたか？", "2025-05-03", "2025-05-03"),
        ("지난주에 무엇이 결정되었나?", "2025-09-08", "2025-09-14"),
        ("Was geschah letzte Woche?", "2025-09-08", "2025-09-14"),
        ("Was sagte Merz gestern?", "2025-09-16", "2025-09-16"),
        ("Was sagte Merz heute?", "2025-09-17", "2025-09-17"),
        ("Was geschah vor zwei Tagen?", "2025-09-15", "2025-09-15"),
        ("Brand in Velda gisteren", "2025-09-16", "2025-09-16"),
        ("Quelle mission partit en mars 2020 ?", "2020-03-01", "2020-03-31"),
        ("Qui a gagné le prix depuis mars ?", "2025-03-01", "2025-09-17"),
        ("¿Quién ganó en 2000?", "2000-01-01", "2000-12-31"),
        ("depuis 2019", "2019-01-01", "2025-09-17"),
    ],
)
def test_phrases_of_other_languages(question: str, first: str, last: str) -> None:
    period = period_of(question, as_of=WEDNESDAY)
    assert period is not None
    assert (period.start.date().isoformat(), (period.end - timedelta(days=1)).date().isoformat()) == (first, last)


@pytest.mark.parametrize(
    "question",
    [
        "Wie viele Häuser kosten 1990 Kronen?",
        "Wer ist Minister?",
        "Qui est le maire ?",
        "¿Quién es el alcalde?",
        "谁是市长？",
        "¿Quién es el alcalde de 2000 personas?",
        "Qui est le maire de 2000 habitants ?",
        "Wie is de burgemeester voor 2000 inwoners?",
        "La mission de Mars 2020 ?",
        "Quelle est la mission de Mars 2020 ?",
        "¿Quién es la directora de Mayo 2020?",
        "Wer wohnte in dem Zimmer 2001?",
        "Wer liest die Zeitung Heute?",
    ],
)
def test_questions_of_other_languages_without_a_time(question: str) -> None:
    assert period_of(question, as_of=WEDNESDAY) is None


@pytest.mark.parametrize(
    "question",
    [
        "Peugeot 2008 recall",
        "flight 1837 emergency landing",
        "Hansdorf tram 1837",
        "Windows 2000",
        "room 2001",
        "Blade Runner 2049",
        "Highway 1949",
        "Article 2000",
        "Cyberpunk 2077",
        "Was Peugeot 2008 recalled?",
        "Vitamin A 2000 units",
        "Honda sedan 2020",
        "won 11 out of 12",
        "3 mars bars",
        "chris hoy medals",
        "UN resolution 2023/12",
    ],
)
def test_a_number_in_words_of_no_known_language_is_no_time(question: str) -> None:
    assert period_of(question, as_of=WEDNESDAY) is None
    assert without_period(question, as_of=WEDNESDAY).casefold() == question.casefold()


def test_hundreds_of_times_in_a_question_are_soon_read() -> None:
    """The old reader took seconds for each: longer with the square of the length."""
    for words in ("jan 1 " * 330, "yesterday " * 200, "from may 2 " * 200):
        began = time.process_time()
        assert period_of(words, as_of=WEDNESDAY) is not None
        assert time.process_time() - began < 1


def test_a_text_is_read_in_english_alone() -> None:
    assert periods_in("Es brannte letzte Woche.", as_of=WEDNESDAY) == ()
