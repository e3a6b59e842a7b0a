"""What a pronoun can stand for after an answer."""

from __future__ import annotations

import pytest

from qa.conversations.follow_ups import resolved
from qa.conversations.pronouns import SEVERAL, event_asked, places_of, someone, something, things
from qa.types import Turn

ARTICLE = "Trawler sinks off Hallow\nThe trawler sank off Hallow. Captain Orme, 44, left last, Captain Orme said."


def turn(asked: str, answer: str = "", short: str | None = None) -> Turn:
    return Turn(
        question=asked,
        resolved_query=asked,
        answer=answer,
        answer_mode="extractive" if answer else "abstained",
        as_of="2025-03-20T12:00:00Z",
        short_answer=short,
        article_ids=("a7",) if answer else (),
    )


@pytest.mark.parametrize(
    ("asked", "answer", "short", "it"),
    [
        ("What sank off Hallow?", "A trawler sank off Hallow.", "A trawler", "the trawler"),
        ("What shook Tamsin?", "An earthquake of magnitude 5 shook it.", "earthquake of magnitude 5", "the earthquake"),
        ("What was stolen in Dorne?", "Two men stole a painting.", "a painting", "the painting"),
        ("Which company owns the mill?", "Skerra Line owns it.", "Skerra Line", "Skerra Line"),
        ("Which company does the mill belong to?", "It is of Skerra Line.", "Skerra Line", "the mill"),
        ("How many books are in the library?", "It has 40.", "40", "the library"),
        ("What happened in Hallow?", "A trawler sank.", None, None),
        ("Who is Judge Amara Fielding?", "She is a judge.", None, None),
        ("Who opened the bridge near the mill in May and the dam?", "Ann did.", "Ann", SEVERAL),
    ],
)
def test_it_is_a_thing(asked: str, answer: str, short: str | None, it: str | None) -> None:
    assert something(turn(asked, answer, short), places=places_of(asked, answer)) == it


@pytest.mark.parametrize(
    ("answer", "whom"),
    [
        ("Fire chief Hanna Voss, 52, was hurt at Garve.", "Hanna Voss"),
        ("A trawler sank.", "Captain Orme"),
        ("Mayor Ruth Calder said that Minister Nora Sund was ill.", None),
        ("", "Captain Orme"),
    ],
)
def test_he_is_the_only_person_told_of(answer: str, whom: str | None) -> None:
    assert someone(turn("What sank off Hallow?", answer), ARTICLE, places=places_of(ARTICLE)) == whom


@pytest.mark.parametrize(
    ("asked", "short", "they"),
    [
        ("What must shops stop handing out?", "plastic bags", "plastic bags"),
        ("What is wrong with Ravel bikes?", "their brakes fail", "Ravel bikes"),
        ("How many had to flee the Corrin Hills?", "340", None),
        ("How many people came?", "64 observers", None),
    ],
)
def test_they_are_things(asked: str, short: str, they: str | None) -> None:
    assert things(turn(asked, "So it is.", short)) == they


@pytest.mark.parametrize(
    ("asked", "answer", "question", "reads"),
    [
        ("What sank off Hallow?", "A boat sank on Monday.", "When did it happen?", "When was what sank off Hallow?"),
        ("Who robbed a shop?", "Two men did.", "And where did that happen?", "Where was who robbed a shop?"),
        ("How many left?", "Forty people left on Monday.", "When was that?", "When was it that forty people left?"),
        ("What sank?", "", "When was that?", None),
        ("What sank?", "A boat sank.", "When was it built?", None),
    ],
)
def test_an_event_is_read_in_the_words_of_its_question(
    asked: str, answer: str, question: str, reads: str | None
) -> None:
    before = turn(asked, answer)
    assert event_asked(question, before) == reads
    if reads:
        found = resolved(question, [before])
        assert (found.query, found.reads, found.near, found.article_ids) == (question, reads, True, ("a7",))
        assert asked.rsplit(maxsplit=1)[-1].strip("?") in found.lookup


@pytest.mark.parametrize("pronoun", ["How old is he?", "What did he say?", "Where was it going?", "Who makes them?"])
def test_a_place_is_meant_by_no_pronoun(pronoun: str) -> None:
    before = turn("What happened off Hallow?", "A trawler sank off Hallow on Thursday.")
    shown = resolved(pronoun, [before], background=ARTICLE).query
    assert "Hallow" not in shown.partition(": ")[2] or shown.startswith("Hallow")
    assert not shown.startswith(("How old is Hallow", "What did Hallow", "Where was Hallow"))


def test_the_mayor_is_looked_for_in_the_article_first() -> None:
    before = turn("Who opened the pool in Odrey?", "Piet Lange opened it.", "Piet Lange")
    found = resolved("What will the driver demand?", [before], background="The driver of the bus was hurt in Odrey.")
    assert (found.query, found.near, found.article_ids) == ("What will the driver demand?", True, ("a7",))
    assert found.about == ("Odrey", "Piet Lange")
    other = resolved("What will the driver demand?", [before], background="The pool has two lanes.")
    assert (other.near, other.article_ids) == (False, ())


def test_another_name_must_be_told_of() -> None:
    before = turn("When do shops in Corvia have to comply?", "Shops in Corvia comply by July.", "July")
    found = resolved("What about Belmark?", [before])
    assert (found.query, found.must_name) == ("When do shops in Belmark have to comply?", "Belmark")
    assert resolved("And in June?", [before]).must_name is None


def test_the_ferry_is_that_of_the_conversation() -> None:
    before = turn("When did the ferry sink at Pellan?", "The ferry sank at Pellan on Friday.", "Friday")
    found = resolved("Where was it going?", [before])
    assert (found.query, found.near, found.about) == ("Where was the ferry going?", True, ("Pellan",))
    named = resolved("When was it built?", [turn("Who owns the Saint Orlane?", "Skerra Line does.", "Skerra Line")])
    assert (named.query, named.near, named.about) == ("When was the Saint Orlane built?", False, ())
