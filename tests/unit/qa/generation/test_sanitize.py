"""Plain text: what a model adds to words never reaches a reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.generation.sanitize import plain, plain_line


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
