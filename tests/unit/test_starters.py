"""Questions to begin with: articles' own statements turned round, and only those that can be."""

from __future__ import annotations

from embeddings.types import Article, article_version
from qa.starters import candidates


def article(text: str, *, name: str = "a", published_at: str | None = None) -> Article:
    return Article(id=name, version=article_version(text), title="", text=text, published_at=published_at)


def made(*texts: str) -> list[str]:
    found = candidates([article(text, name=str(number)) for number, text in enumerate(texts)], limit=10)
    return [candidate.question for candidate in found]


def test_statements_turned_round() -> None:
    assert made(
        "Kelmar's Osprey Bridge will be closed to all traffic for 16 months from July 1 after inspectors found cracks."
    ) == ["How long will Kelmar's Osprey Bridge be closed to all traffic?"]
    assert made("About 4,200 people have been evacuated from Upper Feldon, the fire service said.") == [
        "How many people have been evacuated from Upper Feldon?"
    ]
    assert made("The Harbour Museum in Velda was opened on June 4 by the mayor.") == [
        "When was the Harbour Museum in Velda opened?"
    ]
    assert made("The ban in Tessaly has been in place since 1951, when a law was passed.") == [
        "Since when has the ban in Tessaly been in place?"
    ]


def test_statements_that_lean_on_others_or_name_nothing_are_left_alone() -> None:
    assert (
        made(
            "He will be closed to all traffic for 16 months.",
            "It was opened on June 4.",
            "The bridge will be closed for 16 months.",
            "Consumption in Kelmar has fallen by 9 percent since 2019.",
            "“Velda will be closed for 16 months,” she said.",
            "The mayor spoke in Velda.",
            "أعلنت مؤسسة مياه قصران عودة ضخ المياه.",
            "",
        )
        == []
    )


def test_the_latest_articles_come_first_one_question_each() -> None:
    old = article("The Old Town in Velda was built in 1951.", name="old", published_at="2024-01-01")
    new = article(
        "The New Town in Velda was built in 2021. The New Town in Velda was closed on June 4.",
        name="new",
        published_at="2024-06-01",
    )
    undated = article("The Square in Velda was built in 1971.", name="undated")
    found = candidates([old, undated, new], limit=2)
    assert [(one.question, one.article_id) for one in found] == [
        ("When was the New Town in Velda built?", "new"),
        ("When was the Old Town in Velda built?", "old"),
    ]
