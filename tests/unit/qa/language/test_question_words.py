"""Which language a question is in, as far as it shows; its names, topics and clauses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from qa.language.quantities import quantities_of
from qa.language.question_words import clauses_of, language_of, names, topics


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("How many people live in Velda?", "en"),
        ("Velda mayor resigns", None),
        ("Who is Angela Merkel?", "en"),
        ("What did Le Pen say in Les Halles?", "en"),
        ("Wie viele Menschen leben in Velda?", "de"),
        ("Wer hat die Brücke gebaut?", "de"),
        ("Combien de personnes vivent dans la ville?", "fr"),
        ("¿Cuántas personas viven en la ciudad?", "es"),
        ("Quante persone vivono nella città e chi è il sindaco?", "it"),
        ("Quantos habitantes tem a cidade e quem é o prefeito?", "pt"),
        ("Hoeveel mensen wonen er in het dorp?", "nl"),
        ("Hur många människor bor det i staden?", "sv"),
        ("Combien de foyers à Velda étaient sans électricité ?", "fr"),
        ("Hvor mange mennesker bor der i Velda, og hvem er de?", "da"),
        ("Ile osób mieszka w Veldzie i kto to jest?", "pl"),
        ("Who is the coach of Las Palmas de Gran Canaria?", "en"),
        ("Сколько людей живёт в Велде?", "ru"),
        ("كم عدد سكان درنة؟", "ar"),
        ("维尔达有多少居民？", "zh"),
        ("ヴェルダには何人が住んでいますか？", "ja"),
        ("벨다에는 몇 명이 살고 있나요?", "ko"),
        ("What does 安塞尔 mean?", "en"),
    ],
)
def test_languages(question: str, language: str | None) -> None:
    assert language_of(question) == language


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Apple is expected to open a shop.", ["Apple"]),
        ("According to the poll, who leads?", []),
        ("Laboratory tests traced the outbreak to a well.", []),
        ("Who is the Secretary of State of Qasran?", ["Secretary of State of Qasran"]),
        ("Michael van Gerwen won how often?", ["Michael van Gerwen"]),
        ("Kelly Clarkson sang for the Pope in the US.", ["Kelly Clarkson", "Pope", "US"]),
        ("New York City got snow.", ["New York City"]),
        ("In May the mayor, Oda Lindqvist, met Two Rivers’ coach.", ["Oda Lindqvist", "Two Rivers"]),
    ],
)
def test_names_are_told_from_openers(text: str, found: list[str]) -> None:
    assert [name.text for name in names(text)] == found


@pytest.mark.parametrize("find", [names, quantities_of])
def test_what_a_sentence_holds_is_found_once_and_cannot_be_altered(find: Callable[[str], Sequence[object]]) -> None:
    sentence = "Oda Lindqvist met 12 mayors."
    assert find(sentence) is find(sentence)
    assert isinstance(find(sentence), tuple)
    whole = f"{sentence} " * 20
    assert len(find(whole)) == 20
    assert find(whole) is not find(whole), "long texts are not kept"


def test_what_opens_a_question_is_no_topic() -> None:
    assert topics("According to Nielsen, how many watched?") == ["Nielsen"]
    assert topics("How much has Kelmar Water lost since the flood?") == ["Kelmar Water", "the flood"]


def test_clauses_are_all_of_a_sentence() -> None:
    text = "The fee rose; nobody said why, but the mayor, who had asked for it, resigned."
    spans = clauses_of(text)
    assert "".join(text[start:end] for start, end in spans) == text
    assert [text[start:end] for start, end in spans][1:3] == ["; nobody said why", ", but the mayor"]
