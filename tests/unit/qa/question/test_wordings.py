"""A question in the words of the articles."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from qa.question.wordings import Correction, corrected, in_their_words, with_numbers

KNOWN = frozenset("which horse was sold where water runs burned harbour minister after storm people".split())
NEAR = {
    "Kelmer": ("Kelmar",),
    "infaltion": ("Inflation", "inflation"),
    "velda": (),
    "INFALTION": ("inflation",),
    "Strommen": ("Stroman",),
    "hausse": ("house",),
    "welche": ("welch",),
    "brannte": ("branty",),
    "gestern": ("western",),
}


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


def near(words: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    return {word: NEAR[word] for word in words if word in NEAR}


def is_word(word: str) -> bool:
    return word.casefold() in KNOWN


@pytest.mark.parametrize(
    ("question", "query"),
    [
        ("Who runs Kelmer Water?", "Who runs Kelmar Water?"),
        ("How high is infaltion?", "How high is inflation?"),
        ("Infaltion?", "Infaltion?"),
        ("HOW HIGH IS INFALTION?", "HOW HIGH IS INFLATION?"),
        ("Which horse was sold?", "Which horse was sold?"),
        ("What is Kelmer's water?", "What is Kelmar's water?"),
        ("Where is velda?", "Where is velda?"),
        ("welche hausse brannte gestern?", "welche hausse brannte gestern?"),
    ],
)
def test_corrections(question: str, query: str) -> None:
    assert corrected(question, spellings=near, is_word=is_word).query == query


def test_what_was_corrected_is_told() -> None:
    found = corrected("Is Kelmer hit by infaltion?", spellings=near, is_word=is_word)
    assert found.corrections == (Correction("Kelmer", "Kelmar"), Correction("infaltion", "inflation"))
    assert corrected("Who won?", spellings=near, is_word=is_word).corrections == ()


def test_a_corpus_is_not_asked_about_words_that_are_known() -> None:
    def unwanted(words: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        raise AssertionError(words)

    assert corrected("Which horse was sold on Wednesday?", spellings=unwanted, is_word=is_word).corrections == ()
