from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.extractive.expectation import expectation_of


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many people live in Derna?", "number"),
        ("What percentage of voters stayed at home?", "number"),
        ("how far is Derna from the Egyptian border", "quantity"),
        ("How long does the crossing take?", "quantity"),
        ("When was victory said to be near?", "date"),
        ("In what year did the bridge open?", "date"),
        ("Who commands the Libyan National Army?", "person"),
        ("Whose boat was it?", "person"),
        ("Where was he detained?", "place"),
        ("In which city was the trial held?", "place"),
        ("Which division did he command?", "name"),
        ("Why was the ferry late?", "explanation"),
        ("How did the fire start?", "explanation"),
        ("What did the Red Crescent deliver?", "thing"),
        ("Was anyone hurt?", "yes_no"),
        ("Did the mayor resign?", "yes_no"),
        ("ferry accident cause", "thing"),
        ("The army said who was arrested?", "person"),
        ("", "thing"),
    ],
)
def test_the_kind_of_answer(question: str, kind: str) -> None:
    assert expectation_of(question).kind == kind


@pytest.mark.parametrize(
    ("question", "phrase", "content"),
    [
        ("How many people live in Derna?", "How many people", ["people", "live", "Derna"]),
        ("Which division did he command?", "Which division", ["division", "command"]),
        ("In what year did the bridge open?", "In what year", ["bridge", "open"]),
        ("Was anyone hurt?", "", ["anyone", "hurt"]),
        ("Who was it?", "Who", []),
    ],
)
def test_what_asks_and_what_matters(question: str, phrase: str, content: list[str]) -> None:
    expectation = expectation_of(question)
    start, end = expectation.phrase
    assert question[start:end].startswith(phrase)
    assert bool(phrase) == (end > start)
    assert [word.text for word in expectation.content] == content


@given(st.text(max_size=200))
def test_any_question_can_be_read(question: str) -> None:
    expectation = expectation_of(question)
    start, end = expectation.phrase
    assert 0 <= start <= end <= len(question)
    assert all(question[word.start : word.end] == word.text and not word.stop for word in expectation.content)
