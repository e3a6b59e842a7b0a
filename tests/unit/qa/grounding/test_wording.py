"""Who spoke the words that a claim quotes: the names that a source gives where it quotes them, or shortly before."""

from __future__ import annotations

import pytest

from qa.grounding.claim_evidence import set_against
from qa.grounding.wording import other_speaker_named

SOURCE = (
    "“The bridge will not fall down,” said engineer Runa Vestby. Cars must wait until May. "
    "“Cracks do not care who is mayor,” she added. The town of Velda has 9,000 people. "
    "Mayor Ivar Lund told reporters that he would walk. “I like to walk in the rain,” he said."
)


def other_speaker(claim: str, *, source: str = SOURCE) -> str | None:
    case = set_against(claim, [source], question="", contexts=())
    assert case is not None
    found = other_speaker_named(case.claim, case.sentences)
    return None if found is None else found.text


@pytest.mark.parametrize(
    ("claim", "speaker"),
    [
        ("“The bridge will not fall down,” said Ivar Lund.", "Ivar"),
        ("“Cracks do not care who is mayor,” Ivar Lund said in Velda.", "Ivar"),
        ("According to Mayor Ivar Lund, the bridge will not fall down.", "Ivar"),
        ("“I like to walk in the rain,” said Runa Vestby.", "Runa"),
    ],
)
def test_somebody_else_spoke(claim: str, speaker: str) -> None:
    assert other_speaker(claim) == speaker


@pytest.mark.parametrize(
    "claim",
    [
        "“The bridge will not fall down,” said the engineer, Runa Vestby.",
        "“Cracks do not care who is mayor,” Vestby said.",
        "“I like to walk in the rain,” Ivar Lund told people in Velda.",
        "“I like to walk in the rain,” the mayor said.",
        "“Nobody has ever said these words,” said Ivar Lund.",
        "Cars must wait until May.",
    ],
)
def test_who_spoke_is_not_disputed(claim: str) -> None:
    assert other_speaker(claim) is None


def test_where_no_speaker_is_named_nobody_knows() -> None:
    source = "“Cracks do not care who is mayor,” she said. Velda has 9,000 people."
    assert other_speaker("“Cracks do not care who is mayor,” said Runa Vestby.", source=source) is None


def test_who_hears_it_does_not_say_it() -> None:
    assert other_speaker("Runa Vestby told the paper Nordal Post that the bridge will not fall down.") is None
