"""What is certain about a claim: figures that its evidence has nowhere, and what it denies."""

from __future__ import annotations

import pytest

from qa.grounding import Provenance
from qa.grounding.claim_evidence import set_against
from qa.grounding.mismatches import doubts, vetoes

EVIDENCE = (
    (
        "The ferry Almeric struck the pier of Marvo on Tuesday. It carried 1,234 people, Ada Brandt and Jonas Weir "
        "among them. The captain did not brake. Repairs will take 30 days. In 2019 the line was fined 40,000 euros."
    ),
    "The pier is 87 miles from Skerra. About half of the 600 passengers were treated.",
)


def found(claim: str, *, hard: bool) -> list[tuple[str, str, str]]:
    case = set_against(claim, EVIDENCE, question="", contexts=[Provenance(published_at="2024-06-05")])
    assert case is not None
    return [(item.kind, claim[item.start : item.end], item.found) for item in (vetoes if hard else doubts)(case)]


@pytest.mark.parametrize(
    "claim",
    [
        "The Almeric carried about 1,200 people.",
        "More than 1,000 people were on the ferry.",
        "The line paid 40,000 euros in 2019.",
        "Repairs will take 30 days, and the pier is 140 km from Skerra.",
        "Half of the passengers were treated.",
        "Three passengers were treated.",
        "The two passengers were Ada Brandt and Jonas Weir.",
        "The ferry struck the pier on June 4.",
        "The line that was fined 40,000 euros carried 1,234 people.",
        "A third of the passengers were treated.",
        "More than 200 people were on the ferry.",
        "Repairs will take less than 900 days.",
        "Professor Weir was on the ferry since mid-June.",
    ],
)
def test_a_figure_that_stands_anywhere_is_no_veto(claim: str) -> None:
    assert found(claim, hard=True) == []


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("The Almeric carried 1,243 people.", ("number", "1,243", "1,234")),
        ("The Almeric struck the pier on Monday.", ("date", "Monday", "Tuesday")),
        ("Repairs will cost 30 euros.", ("unit", "30 euros", "30 days")),
        ("In 2018 the line was fined.", ("date", "2018", "2019")),
        ("Repairs will take 30 weeks.", ("number", "30 weeks", "30 days")),
        ("Repairs will take less than 20 days.", ("number", "20 days", "30 days")),
        ("The ferry struck the pier of Marvo [4].", ("number", "[4]", "")),
    ],
)
def test_a_figure_that_stands_nowhere_is_one_that_says_what_stands_there(
    claim: str, expected: tuple[str, str, str]
) -> None:
    assert expected in found(claim, hard=True)


def test_a_name_nowhere_is_a_veto_and_so_is_the_denial_of_the_same_words() -> None:
    assert found("On Tuesday Oskar struck the pier of Marvo.", hard=True) == [("name", "Oskar", "Almeric")]
    assert found("The captain braked.", hard=True)[0][0] == "negation"
    assert found("The captain of the old ship braked.", hard=True) == []
    assert found("The captain of the old ship braked.", hard=False)[0][0] == "negation"
    assert found("The captain did not brake.", hard=True) == []
    assert found("The captain did not brake.", hard=False) == []
    assert found("Ada Brandt was on the ferry.", hard=False) == []


def test_a_figure_of_another_matter_is_named_beside_the_one_that_stands_in_its_place() -> None:
    claim = "In 2019 the line was fined 600 euros."
    assert found(claim, hard=False) == [("number", "600 euros", "40,000 euros")]
    assert found("Half of the 600 passengers were treated.", hard=False) == []
