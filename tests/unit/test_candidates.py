from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.extractive.candidates import candidates_of
from qa.extractive.words import words_of


def found(text: str) -> dict[str, str]:
    """Kind by the words of each candidate."""
    return {text[c.start : c.end]: c.kind for c in candidates_of(text, words_of(text))}


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("On June 4, Haftar said so.", "date", {"June 4"}),
        ("It opened on 16 March 1994.", "date", {"16 March 1994"}),
        ("In the 1990s it closed.", "date", {"1990s"}),
        ("He left on Monday evening.", "date", {"Monday evening"}),
        ("They met yesterday.", "date", {"yesterday"}),
        ("About 265 km (165 miles) to the west.", "quantity", {"265 km", "165 miles"}),
        ("It cost $4.5 million then.", "quantity", {"$4.5 million"}),
        ("Turnout was 41 percent.", "quantity", {"41 percent"}),
        ("The 125,000 residents fled.", "number", {"125,000"}),
        ("Twenty-three were hurt.", "number", {"Twenty-three"}),
        ("He called it “a miracle” twice.", "quote", {"a miracle"}),
    ],
)
def test_numbers_dates_and_quotes(text: str, kind: str, expected: set[str]) -> None:
    assert {words for words, k in found(text).items() if k == kind} == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The army, commanded by Khalifa Haftar, advanced.", "Khalifa Haftar"),
        ("Police held Maj. Gen. Mowaffaq Nazeer Haidar on Tuesday.", "Maj. Gen. Mowaffaq Nazeer Haidar"),
        ("The Bank of England raised rates.", "Bank of England"),
        ("Both Renn and Okafor testified.", "Okafor"),
        ("Zoë Ångström spoke.", "Zoë Ångström"),
        ("He led the Third Armored Division.", "Third Armored Division"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert found(text)[name] == "name"


def test_a_phrase_stays_inside_its_clause() -> None:
    texts = found("It delivered humanitarian aid, to 6,000 people")
    assert "humanitarian aid" in texts
    assert not any("," in words.replace("6,000", "") for words in texts)


def test_each_span_once_in_order() -> None:
    text = "On June 4, 1994 the Bank of England lent Derna $4.5 million."
    spans = [(c.start, c.end) for c in candidates_of(text, words_of(text))]
    assert spans == sorted(set(spans))


NOISY = st.lists(
    st.sampled_from(
        ["June", "4", " ", ", ", "1994", "$", "km", "Derna", "of", "the", "“", "”", "Maj.", "-", "️🌊", "é", "\u0301"]
    )
    | st.text(max_size=4),
    max_size=40,
).map("".join)


@given(NOISY)
def test_spans_lie_inside_any_text(text: str) -> None:
    for candidate in candidates_of(text, words_of(text)):
        assert 0 <= candidate.start < candidate.end <= len(text)
        assert text[candidate.start : candidate.end].strip()


@pytest.mark.parametrize("piece", ["1", "1,", "one ", "one-", "June ", "“a", "Derna ", "Bank of ", "$ ", "May 1 ", " "])
def test_time_grows_with_length_no_faster(piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        began = time.process_time()
        candidates_of(text, words_of(text))
        return time.process_time() - began

    seconds(2000)
    assert seconds(16_000) < 0.1 + 40 * min(seconds(2000) for _ in range(3))
