"""Numbers are read however they are written, and compared as what they measure."""

from __future__ import annotations

import pytest

from qa.grounding.evidence import bears_out, counted
from qa.language.quantities import quantities_of


def values(text: str) -> list[float]:
    return [round(q.value, 3) for q in quantities_of(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("some 1,800 people", [1800]),
        ("3.5m barrels, 2m people and a wall 3m high", [3_500_000, 2_000_000, 3]),
        ("1\u202f800 people, 1.8 thousand and 1.8k", [1800, 1800, 1800]),
        ("forty-seven days and two hundred and six men", [47, 206]),
        ("half a million crowns, a dozen eggs, a hundred men", [500_000, 12, 100]),
        ("$1.8m, £2bn and €3 billion", [1_800_000, 2e9, 3e9]),
        ("two-thirds, 2 thirds, a quarter of them, 2½ years", [0.667, 0.667, 0.25, 2.5]),
        ("the 21st, the twenty-first and the third quarter", [21, 21, 3]),
        ("an A320 of the 1990s; no one, one of the best, one another", []),
        ("one year, one million", [1, 1_000_000]),
        ("a 3-1 win, a 47-year-old", [3, 1, 47]),
        ("twenty, thirty", [20, 30]),
    ],
)
def test_numbers_are_read_in_every_writing(text: str, expected: list[float]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("at least 30 people", "least"),
        ("no fewer than 30 people", "least"),
        ("no more than 30 people", "most"),
        ("up to 30 people", "most"),
        ("30 people or more", "least"),
        ("nearly 30 people", "about"),
        ("30 people", "exact"),
    ],
)
def test_bounds_are_read(text: str, bound: str) -> None:
    assert quantities_of(text)[0].bound == bound


def supports(claimed: str, said: str) -> bool:
    return bears_out(quantities_of(claimed)[0], quantities_of(said)[0])


@pytest.mark.parametrize(
    ("claimed", "said"),
    [
        ("1800 people", "some 1,800 people"),
        ("61.3%", "61.3 percent"),
        ("half of them", "50 percent"),
        ("14 days", "two weeks"),
        ("87 miles", "140 km"),
        ("about 600,000 people", "597,412 people"),
        ("more than 20 people", "23 people"),
        ("2.3 million crowns", "2,312,405 crowns"),
        ("47 days", "forty-seven days"),
        ("$5 million", "5 million dollars"),
    ],
)
def test_a_claim_may_be_written_otherwise_or_vaguer(claimed: str, said: str) -> None:
    assert supports(claimed, said)


@pytest.mark.parametrize(
    ("claimed", "said"),
    [
        ("1,900 people", "1,800 people"),
        ("47 weeks", "47 days"),
        ("9 million dollars", "9 million crowns"),
        ("at most 30 days", "at least 30 days"),
        ("up to 43 minutes", "up to 40 minutes"),
        ("more than 20 people", "19 people"),
        ("more than 20 people", "90 people"),
        ("the 3rd man", "3 men"),
        ("597,412 people", "about 600,000 people"),
    ],
)
def test_a_claim_may_not_say_something_else_or_be_sharper(claimed: str, said: str) -> None:
    assert not supports(claimed, said)


def test_units_are_not_converted_where_the_sentence_has_the_very_unit() -> None:
    said = quantities_of("a crossing of 140 km (87 miles)")
    assert counted(quantities_of("87 miles")[0], said)
    assert not counted(quantities_of("88 miles")[0], said)


@pytest.mark.parametrize(
    "text", ["", "…", "½", "$", "%", "-", "\u00a0", "1", "a", "one", "1,", "£m", "٣", "²", "x² is 1²"]
)
def test_scraps_are_read_without_harm(text: str) -> None:
    for quantity in quantities_of(text):
        assert 0 <= quantity.start < quantity.end <= len(text)
