"""Misspelled questions: what is corrected, and what is left alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from qa.question.spelling import Correction, corrected

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
