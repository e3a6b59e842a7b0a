"""Questions for the holder of an office, and of whom a text says that he left one."""

from __future__ import annotations

import pytest

from qa.reading import AnswerSpan
from qa.reading.newest_answers import asks_of_now
from qa.reading.office_holders import asks_holder, still_in_office, who_left


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("Who is the mayor of Istr?", True),
        ("Who's the coach of Wend Rovers?", True),
        ("Who is Palk Shipping's chief executive?", True),
        ("Who currently leads the dockers of Corm?", True),
        ("Who will be the next mayor of Istr?", True),
        ("Who was the mayor of Istr?", False),
        ("Who is the former mayor of Istr?", False),
        ("Who was the first president of Lysia?", False),
        ("Who is Nora Feld?", False),
        ("Who owns the mill?", False),
    ],
)
def test_who_holds_an_office_now_is_asked(question: str, asks: bool) -> None:
    assert asks_holder(question) is asks


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("How many divers are missing in Rusk?", True),
        ("How many people has the flood killed?", True),
        ("What is the death toll of the flood in Rusk?", True),
        ("When will the mill of Rusk open?", True),
        ("When did the mill of Rusk open?", False),
        ("How many divers were missing in Rusk?", False),
        ("How many people did the flood kill?", False),
        ("Why are divers missing?", False),
    ],
)
def test_a_count_of_now_is_asked(question: str, asks: bool) -> None:
    assert asks_of_now(question) is asks


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Palk dismissed its director Leo Varn. Ruth Amsel takes over.", {"varn"}),
        ("Ruth Amsel has replaced Leo Varn as director.", {"varn"}),
        ("Leo Varn was replaced by Ruth Amsel.", {"varn"}),
        ("Leo Varn, the director of Palk, died on Sunday.", {"varn"}),
        ("Leo Varn, 61, stepped down.", {"varn"}),
        ("The mayor of 16 years, Leo Varn, does not run again.", {"varn"}),
        ("The mayor, Leo Varn, does not run the town alone.", set()),
        ("The former director of Palk, Leo Varn, wrote a book.", {"varn"}),
        ("After Leo Varn's dismissal, Ruth Amsel was named director.", {"varn"}),
        ("The board sacked Leo Varn and appointed Ruth Amsel.", {"varn"}),
        ("The wife of Leo Varn died.", set()),
        ("Leo Varn refused to resign.", set()),
        ("Ruth Amsel, a former banker, was named director.", set()),
        ("Ruth Amsel left for Paris.", set()),
        ("Ruth Amsel fired nobody.", set()),
        ("Director Ruth Amsel dismissed the report on Monday.", set()),
    ],
)
def test_of_whom_a_text_says_that_he_left(text: str, gone: set[str]) -> None:
    assert who_left(text) == gone


def test_a_deputy_is_no_holder_unless_one_was_asked_for() -> None:
    text = "The deputy mayor of Thurn, Else Nagl, spoke."
    spans = (AnswerSpan(27, 36, 3.0),)
    assert text[27:36] == "Else Nagl"
    assert still_in_office("Who is the mayor of Thurn?", text, spans) == ()
    assert still_in_office("Who is the deputy mayor of Thurn?", text, spans) == spans


def test_one_who_left_is_kept_where_nobody_else_is_likely() -> None:
    text = "Palk dismissed Leo Varn. Ruth Amsel follows."
    left, follows = AnswerSpan(15, 23, 5.0), AnswerSpan(25, 35, 1.0)
    assert still_in_office("Who is the director of Palk?", text, (left, follows)) == (follows,)
    unlikely = AnswerSpan(25, 35, -1.0)
    assert still_in_office("Who is the director of Palk?", text, (left, unlikely)) == (left, unlikely)
