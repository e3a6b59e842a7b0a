"""Which language a question is in, as far as it shows."""

from __future__ import annotations

import pytest

from qa.language.question_words import language_of


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
