"""Cutting a text to be checked: every character has its sentence, and what claims nothing is told apart by its form."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qa.checking.claim_sources import sentences_of
from qa.generation.sentence_stream import SentenceCutter

ARTICLE = "The ferry sank off Orsa on Tuesday. Rescuers saved 205 people."


def reason(sentence: str, *, within: str = "{}\n\n" + ARTICLE) -> str | None:
    found = sentences_of(within.format(sentence))
    assert len(found) == 1 + within.count(ARTICLE) * 2, found
    return found[0].not_judged


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("# What is known of 1974", "heading"),
        ("## Casualties.", "heading"),
        ("**Background and cause**", "heading"),
        ("The Sinking of the Almira", "heading"),
        ("WHAT HAPPENED NEXT", "heading"),
        ("The council decided the following:", "heading"),
        ("Who owned the ship?", "question"),
        ("“Who owned the ship?”", "question"),
        ("من يملك السفينة؟", "question"),
        ("谁是船主？", "question"),
        ("Hello there!", "small_talk"),
        ("Thank you very much.", "small_talk"),
        ("I hope this helps!", "small_talk"),
        ("Sure, here is a short summary of the article:", "small_talk"),
        ("Based on the articles provided, here is what is known of it:", "small_talk"),
        ("Let me know if you would like more detail.", "small_talk"),
        ("The provided sources do not mention his age.", "declines"),
        ("***", "fragment"),
        ("x" * 700 + ".", "too_long"),
        (f"The {'very ' * 200}old ferry sank.", "too_long"),
    ],
)
def test_what_claims_nothing_says_why(sentence: str, expected: str) -> None:
    assert reason(sentence) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "The ferry Almira sank near Orsa",
        "**The ferry Almira sank near the island of Orsa**",
        "Casualties: 205 Saved, 7 Missing",
        "- Rescuers saved 205 people",
        "The minister said on Monday: the ferry was old.",
        "Here is the summary: the ferry sank.",
        "I hope the inquiry finds the cause, the minister said, and nothing else matters.",
        "Sure, the ferry sank.",
        "The ministry did not say who was to blame.",
        "“Who is to blame?” the minister asked.",
        "غرقت العبارة يوم الثلاثاء.",
        "渡轮星期二沉没。",
        "The ferry sank. [12]",
    ],
)
def test_in_doubt_a_sentence_claims(sentence: str) -> None:
    assert sentences_of(f"{sentence}\n\n{ARTICLE}")[0].not_judged is None


def test_a_text_of_one_line_is_no_heading() -> None:
    assert reason("Osprey Bridge Shut", within="{}") is None
    assert reason("Osprey Bridge Shut") == "heading"


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("It [sank](https://a.example/b_(c)) there.", "It sank there."),
        ("It sank (https://a.example/x?y=1).", "It sank ."),
        ("It sank https://a.example/x there.", "It sank there."),
        ("It sank [3], they say [^1].", "It sank , they say ."),
        ("It sank in [2024] or so.", "It sank in [2024] or so."),
        ("It sank ![a map](https://a.example/m.png) there.", "It sank there."),
    ],
)
def test_addresses_and_references_are_no_part_of_what_is_said(sentence: str, said: str) -> None:
    (found,) = sentences_of(sentence)
    assert (found.said, found.start, found.end) == (said, 0, len(sentence))


@given(st.text(alphabet="ab AB1.?!#*_-|[](<>\n\r\t\u0000\u2028\u0645\u65e5。\U0001f600", max_size=300))
@example("# \n\n[](]( .")
@example("a" * 100_000)
@example("[](" * 30_000)
@example("He is old The " * 3_000)
@example("\n".join("it is" for _ in range(10_000)))
def test_every_character_that_is_no_white_space_is_in_one_sentence(text: str) -> None:
    covered = [0] * len(text)
    for sentence in sentences_of(text):
        assert sentence.start < sentence.end
        for place in range(sentence.start, sentence.end):
            covered[place] += 1
    assert all(
        count == (0 if character.isspace() else 1) or character.isspace()
        for count, character in zip(covered, text, strict=True)
    )
    assert max(covered, default=0) <= 1


def test_it_is_cut_where_a_draft_is() -> None:
    draft = "It sank at 4 p.m. Monday The crew was saved. “We left at dawn,” he said! Nobody drowned."
    cutter = SentenceCutter(label="S")
    drafted = [*cutter.feed(draft), *cutter.finish()]
    assert [draft[found.start : found.end] for found in sentences_of(draft)] == drafted
    assert len(drafted) == 4
