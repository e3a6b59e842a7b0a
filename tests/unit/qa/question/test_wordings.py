"""A question in the words of the texts found for it."""

from __future__ import annotations

import pytest

from qa.question.wordings import in_their_words, with_numbers


@pytest.mark.parametrize(
    ("question", "text", "met"),
    [
        ("Did 12 towns vote?", "Twelve towns voted.", "Did Twelve towns vote?"),
        ("Did twelve towns vote?", "Some 12 towns voted.", "Did 12 towns vote?"),
        ("Who spent 2.5 million crowns?", "It spent 2,500,000 crowns.", "Who spent 2,500,000 crowns?"),
        ("Did 12 towns vote?", "12 towns voted, twelve mayors said.", "Did 12 towns vote?"),
        ("Did 12 towns vote?", "The twelfth town voted.", "Did 12 towns vote?"),
        ("Did 12 towns vote?", "Two towns voted, or 312.", "Did 12 towns vote?"),
        ("Who came fifth?", "The 5th was a girl.", "Who came 5th?"),
    ],
)
def test_numbers_meet(question: str, text: str, met: str) -> None:
    assert in_their_words(question, [text]) == met


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Which 3 towns?", "Which 3 towns? three"),
        ("Which seventy-five towns?", "Which seventy-five towns? 75"),
        ("Which 2,500 towns?", "Which 2,500 towns?"),
        ("How much is 3.5 percent?", "How much is 3.5 percent?"),
        ("Who came third?", "Who came third?"),
    ],
)
def test_numbers_are_looked_up_both_ways(question: str, text: str) -> None:
    assert with_numbers(question) == text
