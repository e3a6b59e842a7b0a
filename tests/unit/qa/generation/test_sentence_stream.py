"""Cutting a draft into sentences while it arrives: the same sentences however it was cut into pieces."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qa.generation.sentence_stream import SentenceCutter, declines, plain, plain_line

PHRASES = [
    "Maj. Gen. Haidar led the rebels at 10 p.m. Monday [S1]. ",
    "The fee rose by 3.5 percent [S1, S2]. ",
    "“We left at dawn.” [S2] ",
    "It cost $1.2 million.[S1] ",
    "Nobody drowned! [S1] [S2] ",
    "- The U.S. sent aid [S3].\n",
    "Ç'était l'été à Zürich 🌊 [S1]. ",
    "Is it over? ",
    "(It sank on Friday.) ",
    "He said: “Go!” and left [S1]. ",
    "1. First of all [S1]\n\n2. Second [S2]\n",
    "According to [S1], it sank... ",
    "No stop here [S1]\n",
    "東京は雨。大阪は晴れ。",
    "NOT IN THE SOURCES",
    "<b>It</b> sank. ",
    "iPhones floated [S2]. ",
    "The fee rose to 12 crowns The council has resigned, It is over. ",
    "They met in The Hague and read The Times. ",
    "[S1 It sank. [S",
]


def cut(pieces: list[str]) -> list[str]:
    cutter = SentenceCutter(label="S")
    found = [sentence for piece in pieces for sentence in cutter.feed(piece)]
    return [*found, *cutter.finish()]


def pieces_of(text: str, cuts: list[int]) -> list[str]:
    ends = [0, *sorted(c % (len(text) + 1) for c in cuts), len(text)]
    return [text[a:b] for a, b in itertools.pairwise(ends)]


@given(st.lists(st.sampled_from(PHRASES), max_size=8).map("".join), st.lists(st.integers(0, 10_000), max_size=40))
@example("It sank. [S1] Nobody died [S2].", [8, 9, 10, 11, 12, 13])
@example("<think>Well. S1?</think>\n\nIt sank [S1].", list(range(40)))
def test_pieces_do_not_matter(text: str, cuts: list[int]) -> None:
    assert cut(pieces_of(text, cuts)) == cut([text]) == cut(list(text))


@given(st.lists(st.sampled_from(PHRASES), max_size=8).map("".join))
def test_no_word_is_lost(text: str) -> None:
    """Only markers move, in front of a stop."""
    assert sorted("".join(cut([text])).replace(" ", "")) == sorted("".join(text.split()))


@pytest.mark.parametrize(
    ("draft", "sentences"),
    [
        ("It sank. [S1] Nobody died. [S2]", ["It sank [S1].", "Nobody died [S2]."]),
        ("It sank. [S1, S2] Nobody died.", ["It sank [S1, S2].", "Nobody died."]),
        ("It sank [S1]. Nobody died [S2].", ["It sank [S1].", "Nobody died [S2]."]),
        ("Dr. Bo came at 9 p.m. Monday. He left.", ["Dr. Bo came at 9 p.m. Monday.", "He left."]),
        ("It sank [S1]. iPhones floated [S2].", ["It sank [S1].", "iPhones floated [S2]."]),
        ("It rose by 5 [S1] The mayor fled, He is gone.", ["It rose by 5 [S1]", "The mayor fled,", "He is gone."]),
        ("They met in The Hague and saw The Who.", ["They met in The Hague and saw The Who."]),
        ("It rose 3.5 percent. It fell.", ["It rose 3.5 percent.", "It fell."]),
        ("- It sank [S1]\n- Nobody died [S2]", ["- It sank [S1]", "- Nobody died [S2]"]),
        ("<think>Hm. Let me see.</think>It sank.", ["It sank."]),
        ("<think>Hm. Let me see. It sank.", []),
        ("<b>It sank.</b>", ["<b>It sank.</b>"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences(draft: str, sentences: list[str]) -> None:
    assert cut([draft]) == sentences


def test_a_sentence_comes_out_with_the_next_word() -> None:
    cutter = SentenceCutter(label="S")
    assert cutter.feed("It sank on Tuesday. [S") == []
    assert cutter.feed("1] Nob") == []
    assert cutter.feed("ody ") == ["It sank on Tuesday [S1]."]
    assert cutter.feed("died\n") == ["Nobody died"]


def test_a_draft_without_an_end_does_not_pile_up() -> None:
    cutter = SentenceCutter(label="S")
    sizes = [len(sentence) for _ in range(2_000) for sentence in cutter.feed("and so on ")]
    assert sizes
    assert max(sizes) < 2_100


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        ("**Kelmar** has *two* bridges.", "Kelmar has two bridges."),
        ("- Kelmar has `two` bridges.", "Kelmar has two bridges."),
        ("1. Kelmar has two bridges.", "Kelmar has two bridges."),
        ("## Kelmar", "Kelmar."),
        ("Kelmar has two bridges,", "Kelmar has two bridges."),
        ("The fee rose by 5%", "The fee rose by 5%."),
        ("It sank .", "It sank."),
        ("“It sank.”", "“It sank.”"),
        ("> Kelmar has two bridges.", "Kelmar has two bridges."),
        ("**Answer:** Kelmar has two bridges.", "Kelmar has two bridges."),
        ("Answer: two", "Two."),
        ("Yes, the bridge is shut.", "The bridge is shut."),
        ("**No**, she ruled it out.", "She ruled it out."),
        ("No - she ruled it out.", "She ruled it out."),
        ("The answer is 214.", "214."),
        ("The answer to the question is that it sank.", "It sank."),
        ("No. 10 is shut.", "No. 10 is shut."),
        ("No bodies were found, police said.", "No bodies were found, police said."),
        ("According to the provided sources, it sank.", "It sank."),
        ("Based on the articles, it sank.", "It sank."),
        ("According to sources, it sank.", "According to sources, it sank."),
        ("According to the sources, it sank.", "According to the sources, it sank."),
        ("Yes-men left.", "Yes-men left."),
        ("\x1b[31mRed\x1b[0m \x1b]8;;http://a.example\x07link\x1b]8;;\x07.", "Red link."),
        ("Derna\u202e is\u200b a\u2066 city.", "Derna is a city."),
        ("A\x00B\x07C", "ABC."),
        ("Over 2 * 3 * 4 people came.", "Over 2 * 3 * 4 people came."),
        ("Snake_case_name is kept.", "Snake_case_name is kept."),
        ("1.5 million came.", "1.5 million came."),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3."),
        ("Amazon.com shut it.", "Amazon.com shut it."),
        (
            "He met the U.S. and U.N. envoys at 3 p.m. in St. Ives.",
            "He met the U.S. and U.N. envoys at 3 p.m. in St. Ives.",
        ),
    ],
)
def test_what_is_left(sentence: str, text: str) -> None:
    assert plain(sentence, sources=["Amazon.com is a shop, according to the sources."]) == text


@pytest.mark.parametrize(
    "sentence",
    [
        "See https://a.example/x for more.",
        "See HTTP://A.EXAMPLE.",
        "See hxxps[:]//a.example.",
        "See //a.example/x.",
        "See www.example.org.",
        "See a.example/path now.",
        "See evil.com now.",
        "Ask bob@example.org.",
        "Open javascript:alert(1).",
        "Open data:text/html;base64,AAAA now.",
        "![logo](x)",
        "![logo]",
        "[click](/here)",
        "[click][1]",
        "[1]: nowhere",
        "<img src=x onerror=alert(1)>",
        "It <b>sank</b>.",
        "It sank<!-- really -->.",
        "It sank &lt;b&gt;.",
        "It sank &#60;b&#62;.",
        "<|im_start|>system",
        "```sh",
        "| a | b |",
        "Go to 10.0.0.1 now.",
        "{{question}}",
        "[INST] Say hello [/INST]",
        "",
        "...",
        "long " * 200,
    ],
)
def test_what_does_not_pass(sentence: str) -> None:
    assert plain(sentence, sources=["https://a.example/x <b>sank</b> www.example.org"]) is None


@given(st.text(max_size=200))
def test_nothing_hidden_is_left(text: str) -> None:
    line = plain_line(text)
    assert line == plain_line(line)
    assert "\n" not in line
    hidden = {"\x1b", "\x9b", "\u202e", "\u2066", "\u200b", "\ufeff", "\u200d", "\x00", "\x07"}
    assert not hidden & set(line)
    assert all(
        character.isprintable() or character in "\u00a0\u3000" or character.isspace() for character in line
    ) or any(ord(character) > 0x2FF for character in line)


@pytest.mark.parametrize(
    "sentence",
    [
        "NOT IN THE SOURCES",
        "Answer: Not in the sources.",
        "It is not in the sources.",
        "The provided sources do not mention his age.",
        "The sources do not say why [S1].",
        "The source [S2] does not mention the cost.",
        "The articles don’t say who paid for it.",
        "These passages do not explicitly state the date.",
        "The text does not specify how many people were on board.",
        "The context doesn't contain the answer.",
        "The sources provided did not give a date.",
        "The given information does not include the name of the captain.",
        "The articles contain no information about the price.",
        "These sentences do not say who paid.",
        "The sources say nothing about the crew.",
        "None of the sources mentions a cause.",
        "No source states when the bridge will open.",
        "The ferry sank on Tuesday, but the sources do not say why.",
        "Based on the sources, the articles do not indicate who won.",
        "There is no information about the cost in the articles.",
        "There is no information on who owns the ship.",
        "There is not enough information to answer the question.",
        "There is no mention of the captain's name.",
        "According to the sources, there is no information about the owner.",
        "No information is provided about the number of passengers.",
        "Insufficient information.",
        "Not mentioned.",
        "The cost is not mentioned in the sources.",
        "The name of the captain is not explicitly given in the provided text.",
        "This cannot be determined from the sources.",
        "It is not possible to answer this question from the given passages.",
        "The question cannot be answered.",
        "The answer to this question is not stated.",
        "I cannot answer this question.",
        "I'm sorry, but I can't help with that request.",
        "I don't have enough information.",
        "Unfortunately, I could not find it.",
        "Sorry, that is not known.",
    ],
)
def test_the_sources_or_the_model_have_nothing_to_say(sentence: str) -> None:
    assert declines(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Police gave no details of the suspects.",
        "The ministry did not say how many were hurt.",
        "The ministry did not say who was to blame.",
        "The information ministry did not say how many were hurt.",
        "Police have not given a cause.",
        "No bodies were found in the wreck.",
        "The report does not name the captain.",
        "Officials would not provide details of the plan.",
        "The company released no information about the crash.",
        "There was no immediate information on casualties.",
        "There was no information about the whereabouts of the crew.",
        "There is no information on the whereabouts of the crew, the coast guard said.",
        "Officials said there is no evidence of foul play.",
        "There is no indication yet that the dam was damaged.",
        "According to the coroner, there is no evidence of a struggle.",
        "No details were given of the talks.",
        "No evidence was found at the scene.",
        "The source did not name the victim.",
        "The sources did not say where the attack took place.",
        "Two sources close to the talks did not give a date.",
        "The document does not mention a ceasefire.",
        "The evidence does not support the charge, the judge ruled.",
        "The text of the treaty does not mention borders.",
        "Lawyers said the text does not mention damages.",
        "The magazine said its article did not name the woman.",
        "His name was not included in the list of the dead.",
        "The weapon was not mentioned in the documents released by the court.",
        "The passage through the strait is not open to tankers.",
        "The minister did not answer questions about the contract.",
        "The airline provided no explanation for the delay.",
        "Investigators do not have enough information to name a cause.",
        "The question of who pays is not settled.",
        "The cause of the fire was not immediately known.",
        "It is not possible to reach the village by road.",
        '"I cannot say more," the captain told reporters.',
        "The article of the constitution on free speech was not changed.",
        "Unknown attackers shot the mayor.",
        "The sentences do not include parole.",
        "The city draws its water from sources that do not dry up.",
    ],
)
def test_what_a_source_says_was_not_said_is_a_fact(sentence: str) -> None:
    assert not declines(sentence)
