"""Two sources that say otherwise: found where they really do, told in their own words, never made up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from qa.conflicts import described, disputed
from qa.reading import SentenceAt
from qa.reading.composing import compose
from qa.reading.sentence_ranking import Reading, ReadSentence
from qa.types import Evidence

SERVICE = "A wildfire in the Corrin Hills has destroyed 4,200 hectares of forest, the fire service said."
MAPS = "The fire in the Corrin Hills has burned 6,850 hectares, the mapping agency said."


@pytest.fixture
def reading_of(evidence_of: Callable[..., Evidence]) -> Callable[..., tuple[Reading, list[Evidence]]]:
    """Evidence of these articles (text, date), with the sentence that holds each figure read, the first one best."""

    def build(*told: tuple[str, str | None, str], **of_first: Any) -> tuple[Reading, list[Evidence]]:
        evidence, sentences = [], []
        for number, (text, date, figure) in enumerate(told):
            item = evidence_of(text, article=f"a{number}", published_at=date, title=of_first.get("title", ""))
            evidence.append(item)
            start = text.index(figure)
            sentence = SentenceAt(text=text, start=0, end=len(text), evidence=number)
            sentences.append(
                ReadSentence(sentence=sentence, logit=1.0 - number, short=(start, start + len(figure)), short_logit=1.0)
            )
        return (
            Reading(sentences=tuple(sentences), probability=0.8),
            evidence,
        )

    return build


def test_two_figures_for_one_matter(reading_of: Callable[..., Any]) -> None:
    reading, evidence = reading_of((SERVICE, "2024-06-11", "4,200"), (MAPS, "2024-06-12", "6,850"))
    found = disputed(reading, evidence)
    assert found is not None
    assert found.kind == "disagreement"
    citations = compose(found.sentences, evidence).citations
    conflict = described(found, citations)
    assert (conflict.values, conflict.later) == (("4,200", "6,850"), "c2")
    assert conflict.citation_ids == ("c1", "c2")
    assert conflict.note == "4,200 (Wire, 2024-06-11); 6,850 (Wire, 2024-06-12)."


@pytest.mark.parametrize(
    ("other", "date", "figure"),
    [
        (MAPS.replace("6,850", "4,210"), "2024-06-12", "4,210"),
        (MAPS.replace("hectares", "people"), "2024-06-12", "6,850"),
        (MAPS.replace("Corrin", "Torsby").replace("fire", "flood"), "2024-06-12", "6,850"),
        (MAPS, "2024-07-12", "6,850"),
        (MAPS, None, "6,850"),
    ],
    ids=["rounded", "unit", "matter", "a month later", "undated"],
)
def test_what_is_no_conflict(reading_of: Callable[..., Any], other: str, date: str | None, figure: str) -> None:
    reading, evidence = reading_of((SERVICE, "2024-06-11", "4,200"), (other, date, figure))
    assert disputed(reading, evidence) is None


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("almost 500,000", "nearly 485,000", False),
        ("about 4,000", "4,350", False),
        ("about 4,000", "4,900", True),
        ("about 485,000", "510,000", True),
        ("some 1,000", "1,300", True),
        ("more than 4,000", "4,800", False),
        ("more than 4,000", "3,500", True),
        ("over 4,200", "4,900", True),
        ("up to 500", "430", False),
        ("up to 500", "600", True),
        ("4,000", "4,350", True),
        ("roughly 4,000", "nearly 5,000", True),
    ],
)
def test_a_rounding_is_no_conflict(reading_of: Callable[..., Any], one: str, other: str, differ: bool) -> None:
    figures = [words.split()[-1] for words in (one, other)]
    texts = [f"The fire in the Corrin Hills has burned {words} hectares, it was said." for words in (one, other)]
    for name, question in (("", ""), ("Fire", "How many hectares has the fire in the Corrin Hills burned?")):
        reading, evidence = reading_of(
            (texts[0], "2024-06-11", figures[0]), (texts[1], "2024-06-12", figures[1]), title=name
        )
        found = disputed(sure(reading) if question else reading, evidence, question=question)
        assert (found is not None) == differ
        if found is not None:
            shown = described(found, compose(found.sentences, evidence).citations).values
            assert set(shown) == {one, other}, "with their hedges"


def test_what_stands_behind_a_figure_hedges_it_too(reading_of: Callable[..., Any]) -> None:
    more = MAPS.replace("6,850", "6,850 or more")
    reading, evidence = reading_of((SERVICE, "2024-06-11", "4,200"), (more, "2024-06-12", "6,850"))
    found = disputed(reading, evidence)
    assert found is not None
    assert described(found, compose(found.sentences, evidence).citations).values == ("4,200", "6,850 or more")


def test_figures_are_compared_with_their_scale(reading_of: Callable[..., Any]) -> None:
    cost = "The bridge over the Corrin cost 1.2 million crowns, the council said."
    reading, evidence = reading_of(
        (cost, "2024-06-11", "1.2"), (cost.replace("million", "billion"), "2024-06-12", "1.2")
    )
    assert disputed(reading, evidence) is not None
    reading, evidence = reading_of(
        (cost, "2024-06-11", "1.2"),
        (cost.replace("1.2 ", "1,200,000 ").replace("million ", ""), "2024-06-12", "1,200,000"),
    )
    assert disputed(reading, evidence) is None


def test_a_correction_puts_the_corrected_figure_first(reading_of: Callable[..., Any]) -> None:
    wrong = "The ferry Saint Orlane ran aground, injuring 31 people."
    right = (
        "Wire is correcting its report. It said that 31 people were hurt. The correct figure is 23, it said on Friday."
    )
    reading, evidence = reading_of((wrong, "2024-06-05", "31"), (right, "2024-06-07", "31"))
    found = disputed(_only_first(reading), evidence)
    assert found is not None
    assert found.kind == "correction"
    composition = compose(found.sentences, evidence)
    assert composition.citations[0].cited_text == "The correct figure is 23, it said on Friday."
    text = right
    first = composition.citations[0]
    assert text[first.start_char_index : first.end_char_index] == first.cited_text
    assert composition.short_answer is not None
    assert composition.short_answer.text == "23"
    conflict = described(found, composition.citations)
    assert (conflict.values, conflict.later) == (("23", "31"), "c1")
    assert conflict.note == "Corrected to 23 (Wire, 2024-06-07); before: 31 (Wire, 2024-06-05)."


@pytest.mark.parametrize(
    ("right", "corrected"),
    [
        ("Police corrected the number of people hurt on the ferry Saint Orlane from 31 to 23.", "23"),
        ("Police corrected the number of people hurt on the ferry Saint Orlane from 31 people to about 23.", "23"),
        ("Police corrected the number of people aboard the ferry Saint Orlane from 99 to 90.", None),
        ("Police corrected the length of a bridge in Velda from 31 to 23 metres.", None),
        ("After corrections the ferry Saint Orlane sailed with 31 people to 23 islands.", None),
    ],
)
def test_a_correction_puts_one_figure_in_the_place_of_another(
    reading_of: Callable[..., Any], right: str, corrected: str | None
) -> None:
    wrong = "The ferry Saint Orlane ran aground, injuring 31 people."
    reading, evidence = reading_of(
        (wrong, "2024-06-05", "31"), (right, "2024-06-07", "Police" if "Police" in right else "ferry")
    )
    found = disputed(_only_first(reading), evidence)
    assert (found and found.sentences[0].words) == corrected


def test_a_correction_of_something_else_is_none_of_this(reading_of: Callable[..., Any]) -> None:
    wrong = "The ferry Saint Orlane ran aground, injuring 31 people."
    right = "Wire is correcting its report. It said that 99 were aboard. The correct figure is 23, it said on Friday."
    reading, evidence = reading_of((wrong, "2024-06-05", "31"), (right, "2024-06-07", "99"))
    assert disputed(_only_first(reading), evidence) is None


def sure(reading: Reading) -> Reading:
    """The same, read without a doubt, all sentences alike."""
    return msgspec.structs.replace(
        reading,
        sentences=tuple(msgspec.structs.replace(one, logit=2.0, short_logit=8.0) for one in reading.sentences),
    )


def test_two_sure_answers_to_one_question_for_an_amount(reading_of: Callable[..., Any]) -> None:
    toll, more = "The landslide killed 12 people.", "The toll at Orrin has reached 15, police said."
    told = (toll, "2024-06-05", "12"), (more, "2024-06-07", "15")
    reading, evidence = reading_of(*told, title="Landslide at Orrin")
    question = "How many people did the landslide at Orrin kill?"
    found = disputed(sure(reading), evidence, question=question)
    assert found is not None
    assert [one.words for one in found.sentences] == ["15", "12"], "the later one first"
    assert found.kind == "disagreement"
    assert disputed(reading, evidence, question=question) is None, "not surely read"
    assert disputed(sure(reading), evidence, question="How many did the landslide at Velda kill?") is None
    assert disputed(sure(reading), evidence, question="Who was hurt at Orrin?") is None


def test_a_figure_that_was_lowered_corrects_the_one_before(reading_of: Callable[..., Any]) -> None:
    toll, fewer = "The landslide at Orrin killed 12 people.", "Police lowered the number of dead to nine."
    told = (fewer, "2024-06-07", "nine"), (toll, "2024-06-05", "12")
    reading, evidence = reading_of(*told, title="Landslide at Orrin")
    found = disputed(sure(reading), evidence, question="How many people did the landslide at Orrin kill?")
    assert found is not None
    assert found.kind == "correction"
    conflict = described(found, compose(found.sentences, evidence).citations)
    assert conflict.note == "Corrected to nine (Wire, 2024-06-07); before: 12 (Wire, 2024-06-05)."


@pytest.mark.parametrize(
    "other", ["Each of the 140 towns near Orrin gave help.", "A share of 12 percent lives in Orrin."]
)
def test_other_figures_are_no_dispute(reading_of: Callable[..., Any], other: str) -> None:
    figure = "140" if "140" in other else "12"
    told = ("The landslide at Orrin killed 21 people.", "2024-06-05", "21"), (other, "2024-06-05", figure)
    reading, evidence = reading_of(*told, title="Landslide at Orrin")
    found = disputed(sure(reading), evidence, question="How many people did the landslide at Orrin kill?")
    assert found is None


def test_nothing_read_and_no_figure(reading_of: Callable[..., Any]) -> None:
    reading, evidence = reading_of((SERVICE, "2024-06-11", "4,200"), (MAPS, "2024-06-12", "6,850"))
    assert disputed(msgspec.structs.replace(reading, sentences=()), evidence) is None
    wordless: Sequence[ReadSentence] = [msgspec.structs.replace(item, short=None) for item in reading.sentences]
    assert disputed(msgspec.structs.replace(reading, sentences=tuple(wordless)), evidence) is None


def _only_first(reading: Reading) -> Reading:
    return msgspec.structs.replace(reading, sentences=reading.sentences[:1])
