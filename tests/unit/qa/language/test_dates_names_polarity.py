"""Dates, names and negation, each read and compared on its own."""

from __future__ import annotations

from datetime import date

import pytest

from qa.language.dates import agree, moments_of, resolved
from qa.language.names import name_words, same_name
from qa.language.words import denials, negated, words_of


def parts(text: str) -> list[tuple[int | None, ...]]:
    return [(m.year, m.month, m.day, m.weekday, m.minutes) for m in moments_of(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("June 4, 2024", [(2024, 6, 4, None, None)]),
        ("4 June 2024", [(2024, 6, 4, None, None)]),
        ("the 4th of June", [(None, 6, 4, None, None)]),
        ("2024-06-04", [(2024, 6, 4, None, None)]),
        ("in June 2024", [(2024, 6, None, None, None)]),
        ("since 2011", [(2011, None, None, None, None)]),
        ("on Tuesday at 4:50 am", [(None, None, None, 1, None), (None, None, None, None, 290)]),
        ("10 p.m. or 21:45 or noon", [(None,) * 4 + (1320,), (None,) * 4 + (1305,), (None,) * 4 + (720,)]),
        ("they may march; 2,011 of them; $1999; 31/32", []),
    ],
)
def test_dates_are_read_in_every_writing(text: str, expected: list[tuple[int | None, ...]]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("claimed", "said", "published", "agreed"),
    [
        ("June 4", "4 June", None, True),
        ("June 4", "June 5", None, False),
        ("June 4", "in June", None, False),
        ("June", "June 4", None, True),
        ("June 4, 2024", "June 4", None, False),
        ("June 4, 2024", "June 4", date(2024, 6, 6), True),
        ("June 4, 2023", "June 4", date(2024, 6, 6), False),
        ("June 4", "on Tuesday", date(2024, 6, 6), True),
        ("June 5", "on Tuesday", date(2024, 6, 6), False),
        ("Tuesday", "June 4, 2024", None, True),
        ("30 December 2023", "December 30", date(2024, 1, 2), True),
        ("4:50 am", "04:50", None, True),
    ],
)
def test_a_day_is_the_same_however_it_is_named(claimed: str, said: str, published: date | None, agreed: bool) -> None:
    meant = [full for moment in moments_of(said) for full in resolved(moment, published)]
    assert any(agree(moments_of(claimed)[0], moment) for moment in meant) is agreed


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Mesmari", "Mismari", True),
        ("Mesmari", "al-Mismari", True),
        ("Lindqvist", "Lindquist", True),
        ("Achterberg’s", "Achterbergh", True),
        ("São", "Sao", True),
        ("Libya", "Libyan", True),
        ("Britain", "UK", True),
        ("Shaw", "Jeffrey-Shaw", True),
        ("Austria", "Australia", False),
        ("Iran", "Iraq", False),
        ("Niger", "Nigeria", False),
        ("Johnson", "Johnston", False),
        ("Vance", "Voss", False),
    ],
)
def test_spellings_of_one_name(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same
    assert same_name(other, one) is same


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Officials said that Oda Lindqvist won.", ["Oda", "Lindqvist"]),
        ("On Monday Judge Fielding spoke.", ["Fielding"]),
        ("Lindqvist won.", ["Lindqvist"]),
        ("Turnout was 61 percent.", []),
        ("Boris was seen.", ["Boris"]),
        ("Shops closed.", []),
        ("Nineteen-year-old Zoë won.", ["Zoë"]),
    ],
)
def test_names_are_told_from_words_that_open_sentences(text: str, expected: list[str]) -> None:
    assert [name.text for name in name_words(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Vance did not concede.", ["concede"]),
        ("He wasn't granted bail, and left.", ["granted", "bail"]),
        ("She ruled out a charge.", ["out", "a", "charge"]),
        ("It is not only big but new.", []),
        ("Nobody is missing and nobody has died.", ["is", "missing", "and", "has", "died"]),
        ("He did not refuse to pay.", ["refuse"]),
    ],
)
def test_negation_reaches_its_clause(text: str, expected: list[str]) -> None:
    words = words_of(text)
    assert [word.text for word, no in zip(words, negated(text, words), strict=True) if no] == expected


def test_denials_are_counted() -> None:
    text = "Most shops may not open, and all of them said so."
    words = words_of(text)
    assert denials(text, words) == 1
