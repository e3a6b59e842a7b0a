"""Questions near one that nothing answers, and which of them may be offered."""

from __future__ import annotations

import msgspec
import pytest

from embeddings.types import Article, article_version
from qa.conversations.related_questions import RelatedQuestion, answers_related, follow_ons, related_questions
from qa.conversations.starters import Candidate
from qa.types import Answer, Citation, Usage

FERRY = (
    "The Saint Orlane, built in 1997, ran aground off Port Velda. The Saint Orlane, a large ship, belongs to"
    " Skerra Line, which waits. The captain, Tobias Renn, 58, was tested. Oda Lindqvist said that it rained."
)


def article(text: str, *, name: str = "a", title: str = "Saint Orlane aground") -> Article:
    return Article(id=name, version=article_version(text), title=title, text=text)


def near(asked: str, *articles: Article) -> list[str]:
    found = related_questions(asked, articles, follow_ons(articles, limit=30))
    return [one.made.question for one in found]


def test_statements_of_the_very_thing_come_first_then_what_happened_to_it() -> None:
    offered = near("How much did it cost to build the Saint Orlane?", article(FERRY))
    assert offered == [
        "When was the Saint Orlane built?",
        "Who owns the Saint Orlane?",
        "What happened to the Saint Orlane?",
    ]


def test_nobody_is_asked_about_who_was_not_asked_about() -> None:
    assert (
        near("What does the cook of the Saint Orlane earn?", article(FERRY))[-1] == "What happened to the Saint Orlane?"
    )
    offered = near("When did Tobias Renn join Skerra Line?", article(FERRY))
    assert {"What did Tobias Renn do?", "What did Skerra Line do?", "How old is Tobias Renn?"} <= set(offered)
    assert not any("Lindqvist" in one for one in offered)


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        ("How many people live in Port Velda?", "What happened in Port Velda?"),
        ("How full were the docks of Port Velda in January?", "How full were the docks of Port Velda?"),
        ("Who is the mayor that Lindqvist beat?", "What did Oda Lindqvist do?"),
    ],
)  # fmt: skip
def test_what_happened_to_what_is_named_and_the_same_at_any_time(asked: str, offered: str) -> None:
    assert offered in near(asked, article(FERRY + " They met near Port Velda."))


def test_a_thing_without_a_name_is_one_that_a_headline_has() -> None:
    found = article("It rained.", title="Comet found over Velda")
    assert near("What designation did the comet get?", found) == ["What happened to the comet?"]
    assert near("What did the mayor get?", article("It rained.", title="Mayor found")) == []


@pytest.mark.parametrize(
    "asked", ["Wie hoch ist der Preis der Saint Orlane?", "كم ثمن السفينة؟", "Who won the chess in Lima?"]
)
def test_nothing_stands_near_what_is_told_nowhere_or_asked_in_another_language(asked: str) -> None:
    assert near(asked, article(FERRY)) == []
    assert near(asked) == []


def answered(text: str, *, support: float = 0.9) -> Answer:
    cited = Citation(
        id="c1", start=0, end=len(text), cited_text=text, article_id="a", article_version="v", start_char_index=0,
        end_char_index=len(text), title="", source="", url=None, published_at=None,
    )  # fmt: skip
    return Answer(
        id="", conversation_id=None, question="", resolved_query="", as_of="", answer=text, answer_mode="extractive",
        fallback_reason=None, abstain_reason=None, short_answer=None, claims=(), citations=(cited,), conflicts=(),
        search_results=(), support_score=support, usage=Usage(), timings_ms={},
    )  # fmt: skip


def test_it_is_offered_where_what_it_names_is_told_of() -> None:
    asked = RelatedQuestion(
        made=Candidate(question="What did Gregor Vance do?", article_id="a"), named="Vance", is_person=True
    )
    assert answers_related(asked, answered("Gregor Vance called Oda Lindqvist."), among=["a"])
    assert not answers_related(asked, answered("Oda Lindqvist has beaten Gregor Vance."), among=["a"]), (
        "what others did"
    )
    assert not answers_related(asked, answered("It rained."), among=["a"])
    assert not answers_related(asked, answered("Gregor Vance called.", support=0.4), among=["a"])
    thing = msgspec.structs.replace(asked, is_person=False)
    assert answers_related(thing, answered("Oda Lindqvist has beaten Gregor Vance."), among=["a"])
