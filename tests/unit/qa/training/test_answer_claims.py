"""Questions with their answers, and questions that yes or no answers, as sentences to judge."""

from __future__ import annotations

import pytest

from qa.training.answer_claims import claim_of, claimed


@pytest.mark.parametrize(
    ("question", "answer", "claim"),
    [
        ("Who was shot by the police?", "Ada Brandt", "Ada Brandt was shot by the police."),
        ("What was the ferry called?", "Almeric", "The ferry was called Almeric."),
        ("In what year did the ferry sink?", "1904", None),
        ("How many people did it carry?", "300", None),
        ("On what date was it released?", "March 5, 2016", "It was released on March 5, 2016."),
        ("In which city was the meeting held?", "Skerra", "The meeting was held in Skerra."),
        ("Where was the wounded man taken?", "Skerra", "The wounded man was taken in Skerra."),
        ("When was the recently opened bridge closed?", "June 3", "The recently opened bridge was closed on June 3."),
        ("What is the meeting about?", "fares", None),
        ("What is the capital of Lunde?", "Skerra", "The capital of Lunde is Skerra."),
    ],
)
def test_a_question_and_its_answer_are_one_sentence(question: str, answer: str, claim: str | None) -> None:
    assert claimed(question, answer) == claim


def test_a_question_whose_form_is_unknown_stands_before_its_answer() -> None:
    assert claim_of("In what year did the ferry sink?", "1904.") == "In what year did the ferry sink? 1904."
