"""Words of the wrong type are no answer, and what may be one is left alone."""

from __future__ import annotations

import pytest

from qa.reading.answer_types import type_test, what_it_tells

FITTING = [
    ("In which prison is Tora Lund held?", "Skerra"),
    ("How many people live in Skerra?", "about 4,000"),
    ("How many people live in Skerra?", "Eighty-two"),
    ("How many crew members were drunk?", "None of them"),
    ("How many older people voted?", "12 per cent of them"),
    ("How old is the mayor?", "41"),
    ("How old is the mayor?", "in her sixties"),
    ("What percentage of the water leaks?", "more than three-quarters"),
    ("How much did the bridge cost?", "94 million crowns"),
    ("How much will drivers pay?", "nothing"),
    ("What sum were families promised?", "50,000 crowns"),
    ("Who is the mayor of Velda?", "a baker, Ida Renn"),
    ("How far is the reef from the harbour?", "3 km (1.9 miles)"),
    ("How far is the village?", "two hours by boat"),
    ("How far is the village from the town?", "just behind the hill"),
    ("When was the bridge opened?", "August 12, 1961"),
    ("When was the bridge opened?", "mid-September"),
    ("When did the mayor resign?", "the eighties"),
    ("Which companies supply Velda?", "Orrin Oil"),
    ("How heavy was the eel?", "9 pounds"),
    ("How much does the eel weigh?", "9 kg"),
    ("How long was Ida Renn mayor?", "from 2019 to 2022"),
    ("When did the mayor resign?", "shortly before the trial of his brother"),
]
WRONG = [
    ("The ferry sank off Skerra. When was it built?", "41"),
    ("In which prison is Tora Lund held?", "four years in prison"),
    ("How many people live in Skerra?", "Port Almeric"),
    ("What percentage of the water leaks?", "old pipes"),
    ("How many people died in the fire?", "6,850 hectares"),
    ("How many people died in the fire?", "60 million crowns"),
    ("How many people were hurt in the quake?", "70 houses"),
    ("How many people died in the fire?", "4,200 hectares of forest, and driven 1,900"),
    ("How old is the mayor?", "the third woman in that office"),
    ("How old is the mayor?", "2020"),
    ("How much did the ferry cost to build?", "1997"),
    ("How much did the ferry cost to build?", "11 weeks"),
    ("What sum were families promised?", "Sabine Corrigan"),
    ("How much did the stadium cost?", "22,000 people"),
    ("Who is the mayor of Velda?", "the rescue workers"),
    ("Who is the mayor of Velda?", "The mayor of Velda praised the rescue workers"),
    ("How far is the town from the capital?", "11 weeks"),
    ("When was the bridge opened?", "Osprey Bridge"),
    ("In which year was the bridge opened?", "the governor"),
    ("When did the mayor die?", "at age 67"),
    ("When did the mayor die?", "67"),
    ("How heavy was the eel?", "9-foot-long"),
    ("How heavy was the eel?", "very long"),
    ("When did the mayor die?", "9/11"),
    ("How long was Ida Renn mayor?", "2022"),
    ("Which companies supply Velda?", "vaccines"),
]
OF_ANY_TYPE = [
    "Who opened the bridge?",
    "which companies supply velda?",
    "How long has Ida Renn been mayor?",
    "who is the mayor of velda?",
    "When a bell rings, what do the divers do?",
    "How far along is the repair?",
    "How much time do they have to pay?",
    "How did the mayor know how it ends?",
]


@pytest.mark.parametrize(("question", "words"), FITTING)
def test_what_may_answer_is_kept(question: str, words: str) -> None:
    fits = type_test(question)
    assert fits is not None
    assert fits(words)


@pytest.mark.parametrize(("question", "words"), WRONG)
def test_what_cannot_answer_is_struck(question: str, words: str) -> None:
    fits = type_test(question)
    assert fits is not None
    assert not fits(words)


@pytest.mark.parametrize("question", OF_ANY_TYPE)
def test_a_question_that_any_words_may_answer_has_no_test(question: str) -> None:
    assert type_test(question) is None


@pytest.mark.parametrize(
    ("question", "sentence", "tells"),
    [
        ("Who is the mayor of Orrin?", "Orrin shut 33 roads, said Tora Lund.", False),
        ("Who is the mayor of Orrin?", "Mayor Tora Lund shut 33 roads in Orrin.", True),
        ("Who is the vice chair of the Orrin Council?", "Former vice president Tora Lund spoke to the council.", False),
        ("Who is the president of Orrin?", "Orrin is headed by Tora Lund.", True),
    ],
)
def test_who_holds_an_office_is_told_where_the_office_is(question: str, sentence: str, tells: bool) -> None:
    test = what_it_tells(question)
    assert test is not None
    assert test(sentence) is tells
