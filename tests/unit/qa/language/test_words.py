from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.language.words import STOPWORDS, is_name, stems, words_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Derna’s 125,000 residents, al-Mismari said.", ["Derna’s", "125,000", "residents", "al-Mismari", "said"]),
        ("It cost $4.50 (or €3) on June 4th.", ["It", "cost", "$4.50", "or", "€3", "on", "June", "4th"]),
        ("40% of 2020s' cars at 4:50 am", ["40%", "of", "2020s", "cars", "at", "4:50", "am"]),
        ("Sa\u0303o Bra\u0301ulio", ["Sa", "o", "Bra", "ulio"]),
        ("São Bráulio", ["São", "Bráulio"]),
        ("U.S. and AT&T", ["U.S", "and", "AT&T"]),
        ("… — “”", []),
        ("قال المتحدث", ["قال", "المتحدث"]),
        ("", []),
    ],
)
def test_words_of_a_text(text: str, expected: list[str]) -> None:
    assert [word.text for word in words_of(text)] == expected


@given(st.text(max_size=200))
def test_words_are_their_own_spans_in_order(text: str) -> None:
    at = 0
    for word in words_of(text):
        assert at <= word.start < word.end <= len(text)
        assert text[word.start : word.end] == word.text
        at = word.end


@given(st.text(max_size=200))
def test_stems_are_those_of_the_words(text: str) -> None:
    assert stems(text) == {word.stem for word in words_of(text)}


@given(st.text(max_size=200))
def test_a_long_text_has_the_words_of_its_short_parts(text: str) -> None:
    long = text + " " * 400  # the words of short texts are kept a while
    assert words_of(long) == words_of(text) == words_of(text)


@given(st.text(max_size=200))
def test_no_letter_or_digit_is_left_out(text: str) -> None:
    covered = {at for word in words_of(text) for at in range(word.start, word.end)}
    assert {at for at, character in enumerate(text) if character.isalnum()} <= covered


@pytest.mark.parametrize(
    ("one", "other"),
    [("arrested", "arrests"), ("Derna", "Derna’s"), ("captains'", "captain"), ("River", "RIVER"), ("city", "cities")],
)
def test_forms_of_one_word_share_a_stem(one: str, other: str) -> None:
    assert words_of(one)[0].stem == words_of(other)[0].stem


def test_different_words_keep_different_stems() -> None:
    assert len({words_of(text)[0].stem for text in ("ferry", "fair", "river", "rival", "1994", "1995")}) == 6


@pytest.mark.parametrize(
    ("text", "stop", "number", "name"),
    [
        ("the", True, False, False),
        ("The", True, False, False),
        ("Derna", False, False, True),
        ("NATO", False, False, True),
        ("river", False, False, False),
        ("125,000", False, True, False),
        ("4th", False, True, False),
    ],
)
def test_what_kind_of_word_it_is(text: str, stop: bool, number: bool, name: bool) -> None:
    (word,) = words_of(text)
    assert (word.stop, word.number, is_name(word)) == (stop, number, name)


def test_stopwords_are_lower_case_and_not_empty() -> None:
    assert all(word == word.casefold().strip() != "" for word in STOPWORDS)
