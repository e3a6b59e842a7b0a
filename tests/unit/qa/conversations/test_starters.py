"""Questions to begin with: articles' own statements turned round, and only those that can be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from embeddings.types import Article, article_version
from qa.conversations.related_questions import follow_ons
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


def test_who_is_named_by_a_surname_gets_the_whole_name() -> None:
    text = "The singer Minh Choi left Velda. Choi was elected to parliament in 2015."
    assert made(text) == ["When was Minh Choi elected to parliament?"]
    assert made("The Choi family left. Choi was elected to parliament in 2015.") == [], "of several none is told"
    assert made("Choi was elected to parliament in 2015, when he left Velda.") == []
    assert made("Minh Choi left. Minh was elected to parliament in 2015.") == [], "a bare first name"


@pytest.mark.parametrize(
    "said",
    [
        "The capsule will splash down off Velda on June 4.",
        "The Kelmarian capsule will splash down off Velda on June 4.",
        "The Kelmarian singer has been on the charts of Velda since 2023.",
        "The Harbour Prize winner has been on tour in Tessaly since 2023.",
        "The two ferries were taken out of service in Velda on June 4.",
        "Renn told Velda the two ferries were taken out of service for nine weeks.",
        "The first such ferry to Velda was opened on June 4.",
        "The Velda choir has recorded 14 albums across a long career.",
        "Police arrested 31 men near Velda.",
    ],
)
def test_what_means_nothing_without_its_article_is_no_question(said: str) -> None:
    assert made(f"It rained. {said}") == []


@pytest.mark.parametrize(
    ("said", "question"),
    [
        ("Velda was founded by monks in 1964. They live in Velda.", "When was Velda founded by monks?"),
        ("The ban on garden hoses in Velda was lifted on June 4.", "When was the ban on garden hoses in Velda lifted?"),
        (
            "The Velda Cheese Company was founded by monks in 1964.",
            "When was the Velda Cheese Company founded by monks?",
        ),
        (
            "About 31 people were rescued from Pier Nine in Velda.",
            "How many people were rescued from Pier Nine in Velda?",
        ),
        ("VRXQ was founded by monks in 1964. They like VRXQ.", "When was VRXQ founded by monks?"),
    ],
)
def test_what_is_named_stands_alone(said: str, question: str) -> None:
    assert made(f"It rained. {said}") == [question]


def test_the_latest_is_asked_for_of_whole_names() -> None:
    text = "Minh Choi left Velda. Choi said so. Renn, he said, waits. Renn knows."
    assert [one.question for one in latest_on([article(text)])] == ["What is the latest on Minh Choi?"]
    assert latest_on([article("It rained. Renn, who waits, knows. Nobody but Renn knows what he knows.")]) == []


@pytest.mark.parametrize("speaker", ["Velda Soccer", "Harbour Inspection Commission", "Health Minister", "But Renn"])
def test_who_has_no_name_or_lacks_an_article_is_not_asked_for_words(speaker: str) -> None:
    text = f"It rained. {speaker} said so. In Velda, {speaker} said that it rained."
    assert follow_ons([article(text)], limit=9) == []
    assert follow_ons([article(text.replace(speaker, "Oda Lindqvist"))], limit=9)


def test_people_are_asked_for_their_words_about_something_first() -> None:
    text = (
        "The ferry is old. Priya Nandakumar said on Monday that it rained."
        " Oda Lindqvist said that the Port Kelmar is safe. Anders Holt said that Port Kelmar workers wait."
        " Port Kelmar is far. Velda Soccer said so, and so did the Bank and Insurance Commission, Health Minister said."
        " The Bureau of Harbour Statistics said so."
    )
    assert [one.question for one in follow_ons([article(text)], limit=9)] == [
        "What did Oda Lindqvist say about the Port Kelmar?",
        "What did Priya Nandakumar say?",
        "What did Anders Holt say?",
    ]


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


def test_where_nothing_can_be_turned_round_the_latest_is_asked_for_of_what_is_named_most() -> None:
    old = article(
        "Work in Velda ends. Odda waits, and so does Velda. Odda is near Velda.", name="old", published_at="2024-01-01"
    )
    new = article(
        "They met in Odda on Monday. On Monday Odda rested; Monday is short.", name="new", published_at="2024-06-01"
    )
    again = article("The bus to Odda runs. It left Odda.", name="again", published_at="2024-05-01")
    nobody = article("It rained, and Velda was wet.", name="nobody", published_at="2024-07-01")
    assert [(one.question, one.article_id) for one in latest_on([old, new, again, nobody])] == [
        ("What is the latest on Odda?", "new"),
        ("What is the latest on Velda?", "old"),
    ]
    french = article("Le bus de Odda est arrivé. Les gens de Odda sont contents de la ligne.", name="fr")
    tagged = msgspec.structs.replace(new, language="de")
    assert latest_on([french, tagged]) == [], "an English question about what is told in another language"
    assert latest_on([msgspec.structs.replace(new, language="en-GB")])


def test_only_what_is_answered_by_the_very_words_is_offered() -> None:
    asked = Candidate(question="How many?", article_id="a", expected="41,000")
    assert answers_well(asked, answer("They sold 41,000 cars.", short="41,000"))
    assert not answers_well(asked, answer("They sold 41,000 cars.", short="cars"))
    assert not answers_well(asked, answer("They sold 9,000 cars.", short="9,000"))
    assert not answers_well(asked, answer("They sold 41,000 cars.", short="41,000", article_id="b"))
    assert answers_well(asked, answer("They sold 41,000 cars.", short="41,000", article_id="b"), among=("a", "b"))
    assert not answers_well(asked, answer("They sold 41,000 cars.", short="41,000", support=0.49))


@pytest.mark.parametrize(
    ("text", "question", "expected"),
    [
        ("The ban on hoses in Kelmar takes effect on June 10, the office said.",
         "When does the ban on hoses in Kelmar take effect?", "June 10"),
        ("The Saint Orlane, built in 1997, is old.", "When was the Saint Orlane built?", "1997"),
        ("The Saint Orlane, a large ship, belongs to Skerra Line.", "Who owns the Saint Orlane?", "Skerra Line"),
        ("They left Ain Velda, a hill town of some 47,000 people.", "How many people live in Ain Velda?", "47,000"),
        ("Kelmar Harriers won the Veldany Cup on Saturday.", "Who won the Veldany Cup?", "Kelmar Harriers"),
        ("They met on the Osprey Bridge. The bridge, 412 meters long, is old.",
         "How long is the Osprey Bridge?", "412 meters"),
        ("Mayor Oda Lindqvist, who was there, promised every family 50,000 crowns in May.",
         "What did Mayor Oda Lindqvist promise?", "every family 50,000 crowns in May"),
        ("Oda Lindqvist beat Gregor Vance by 612 votes, the office said.",
         "By how many votes did Oda Lindqvist beat Gregor Vance?", "612"),
        ("Lake Torsby has sunk by 6.4 meters since May.", "By how many meters has Lake Torsby sunk?", "6.4"),
        ("The Veldany Red Cross said it had helped some 1,800 families that had fled.",
         "How many families had the Veldany Red Cross helped?", "1,800"),
        ("The agency spoke of the plight of Velda’s 125,000 residents, who wait.",
         "How many residents does Velda have?", "125,000"),
        ("The ship's master, Tobias Renn, 58, was tested for alcohol.", "How old is Tobias Renn?", "58"),
        ("No fuel was lost, Environment Minister Paulo Anders said.", "Who is Paulo Anders?", "Environment Minister"),
    ],
)  # fmt: skip
def test_further_forms(text: str, question: str, expected: str) -> None:
    (found,) = candidates([article(text)], limit=10)
    assert (found.question, found.expected) == (question, expected)


def test_an_article_may_give_several_that_do_not_answer_each_other() -> None:
    text = (
        "The Osprey Bridge in Kelmar will be closed to all traffic for 16 months from July 1. "
        "The Osprey Bridge in Kelmar will be closed to all traffic for 16 months on July 1. "
        "The Harbour Line said it had hired 40 workers for it. Tobias Renn, 58, is glad."
    )
    other = "The Old Town in Velda was built in 1951."
    found = candidates([article(text, published_at="2024-06-01"), article(other, name="b")], limit=10)
    assert [one.question for one in found] == [
        "How long will the Osprey Bridge in Kelmar be closed to all traffic?",
        "When was the Old Town in Velda built?",
        "How many workers had the Harbour Line hired?",
        "How old is Tobias Renn?",
    ], "first one of each article, plain ones last, none that gives away another's answer"


def test_whoever_reads_an_article_is_offered_the_words_of_its_people() -> None:
    text = (
        "The Osprey Bridge in Velda was opened in 1964. “It will hold,” said chief engineer Dr Priya Nandakumar."
        " Mayor Oda Lindqvist, who takes office in July, said she had no money. Police said Monday that it rained."
        " The ferry, said Los Velda residents, is slow. New Velda City Council Member Anders Holt said so."
    )
    found = follow_ons([article(text), article(text, name="copy")], limit=10)
    assert [(one.question, one.expected) for one in found] == [
        ("When was the Osprey Bridge in Velda opened?", "1964"),
        ("What did Dr Priya Nandakumar say?", "said chief engineer Dr Priya Nandakumar"),
        ("What did Mayor Oda Lindqvist say?", "Mayor Oda Lindqvist, who takes office in July, said"),
    ]
    assert len(follow_ons([article(text)], limit=2)) == 2
    office = "The Water Inspection Office said that the pipes are old."
    assert [one.question for one in follow_ons([article(office)], limit=9)] == [
        "What did the Water Inspection Office say?"
    ]
