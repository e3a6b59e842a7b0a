"""Questions to begin with: articles' own statements turned round, and only those that can be."""

from __future__ import annotations

from typing import Any

import msgspec

from embeddings.types import Article, article_version
from qa.conversations.starters import Candidate, answers_well, candidates, latest_on
from qa.types import Answer, Citation, ShortAnswer, Usage


def article(text: str, *, name: str = "a", published_at: str | None = None) -> Article:
    return Article(id=name, version=article_version(text), title="", text=text, published_at=published_at)


def answer(text: str, *, short: str, article_id: str = "a", support: float = 0.9) -> Answer:
    place: dict[str, Any] = {
        "article_id": article_id,
        "article_version": "v",
        "start_char_index": 0,
        "end_char_index": len(text),
    }
    about: dict[str, Any] = {"title": "", "source": "", "url": None, "published_at": None}
    cited = Citation(id="c1", start=0, end=len(text), cited_text=text, **place, **about)
    return Answer(
        id="",
        conversation_id=None,
        question="",
        resolved_query="",
        as_of="",
        answer=text,
        answer_mode="extractive",
        fallback_reason=None,
        abstain_reason=None,
        short_answer=ShortAnswer(text=short, **place),
        claims=(),
        citations=(cited,),
        conflicts=(),
        search_results=(),
        support_score=support,
        usage=Usage(),
        timings_ms={},
    )


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
    assert made("KELMAR (AP) — The Velda ferry was cancelled because of high waves off the coast.") == [
        "Why was the Velda ferry cancelled?"
    ]
    assert made("Kelmar Motors sold 41,000 cars in Tessaly, and made a loss.") == [
        "How many cars did Kelmar Motors sell in Tessaly?"
    ]
    assert made("The fire in the Corrin Hills has burned almost 6,850 hectares of forest, the agency said.") == [
        "How many hectares has the fire in the Corrin Hills burned of forest?"
    ]
    assert made("The bridge will hold, said Oda Lindqvist, the director of the roads office in Kelmar, at noon.") == [
        "Who is Oda Lindqvist?"
    ]
    again = "The Velda ferry was cancelled because of high waves off the coast."
    assert len(made(again, again.replace("cancelled", "closed"))) == 1, "one question is enough"
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
            "The Velda bridge the minister was shown was closed on June 4.",
            "The Velda bridge has spoken on June 4.",
            "The Velda ferry will sail on Monday in 2024.",
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


def test_only_what_is_answered_by_the_very_words_is_offered() -> None:
    asked = Candidate(question="How many?", article_id="a", expected="41,000")
    assert answers_well(asked, answer("They sold 41,000 cars.", short="41,000"))
    assert not answers_well(asked, answer("They sold 41,000 cars.", short="cars"))
    assert not answers_well(asked, answer("They sold 9,000 cars.", short="9,000"))
    assert not answers_well(asked, answer("They sold 41,000 cars.", short="41,000", article_id="b"))
    assert not answers_well(asked, answer("They sold 41,000 cars.", short="41,000", support=0.49))


def test_the_latest_is_asked_of_what_most_titles_name() -> None:
    texts = {
        "a": ("Osprey Bridge to Shut", "The Osprey Bridge will be shut, the office in Port Velda said."),
        "b": ("Ferry Workers Strike", "Ferries in Port Velda stand still. In Port Velda nobody minds."),
        "c": ("Work Begins", "Work on the Osprey Bridge has begun. The Osprey Bridge is old."),
    }
    articles = [
        msgspec.structs.replace(article(text, name=name, published_at=f"2024-06-0{number}"), title=title)
        for number, (name, (title, text)) in enumerate(texts.items(), 1)
    ]
    assert latest_on(articles, limit=5) == [
        Candidate(question="What is the latest on Osprey Bridge?", article_id="c"),
        Candidate(question="What is the latest on Port Velda?", article_id="b"),
    ]
