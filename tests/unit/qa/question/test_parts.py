"""Two questions in one are told apart; one question that only looks like two is not."""

from __future__ import annotations

import time

import pytest

from qa.question.parts import parts_of


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Who built the dam? What did the pool cost?", ["Who built the dam?", "What did the pool cost?"]),
        ("When did the Osprey Bridge open and how much did it cost?",
         ["When did the Osprey Bridge open?", "How much did the Osprey Bridge cost?"]),
        ("Who founded Kelmar Water, and who runs it now?", ["Who founded Kelmar Water?", "Who runs Kelmar Water now?"]),
        ("Who designed the library and how many books does it hold?",
         ["Who designed the library?", "How many books does the library hold?"]),
        ("When and where was the truce signed?", ["When was the truce signed?", "Where was the truce signed?"]),
        ("Was the tunnel closed and when will it reopen?", ["Was the tunnel closed?", "When will the tunnel reopen?"]),
        ("How many people died in the storm and how many were injured?",
         ["How many people died in the storm?", "the storm: how many were injured?"]),
        ("How long is the dam? How high is it? Who built it?",
         ["How long is the dam?", "How high is the dam?", "Who built the dam?"]),
        ("Who won the Veldany Cup and how old is she?", ["Who won the Veldany Cup?", "How old is she?"]),
        ("What is the capital of Peru? Thanks!", ["What is the capital of Peru?"]),
    ],
)  # fmt: skip
def test_parts(question: str, parts: list[str]) -> None:
    assert list(parts_of(question)) == parts


@pytest.mark.parametrize(
    "question",
    [
        "How many people live in Derna?",
        "Which towns and villages were flooded?",
        "Did she say who paid and who won?",
        "What did the minister say about when and where the vote would take place?",
        "A ferry sank off Velda. Who was on it?",
        "Who is the president and vice president of Kelmar?",
        'Who asked "why now?" and left?',
        "Is the bridge open or closed?",
        "Who won? Answer in one word.",
        "Who signed and sealed the truce?",
        "What is it and",
        "ferry strike Velda and Orrin",
    ],
)
def test_one_question_stays_one(question: str) -> None:
    assert parts_of(question) == (question,)


@pytest.mark.parametrize("words", [" and who is ", "who won? ", "and ", "when and where is "])
def test_a_very_long_question_costs_little(words: str) -> None:
    begun = time.process_time()
    assert len(parts_of((words * 2000)[:2000])) <= 4
    assert time.process_time() - begun < 1.0
