"""Short forms and the names they stand for."""

from __future__ import annotations

import pytest

from qa.language.names import expansions, long_forms, meeting


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("The Kelmar Rail Board (KRB) met.", [("KRB", "Kelmar Rail Board")]),
        ("the Bank of the North (BN) said", [("BN", "Bank of the North")]),
        ("the North Sea Fisheries Council (N.S.F.C.)", [("N.S.F.C.", "North Sea Fisheries Council")]),
        ("the KRB (Kelmar Rail Board) met", [("KRB", "Kelmar Rail Board")]),
        ("a mobile ad-hoc network (MANET)", [("MANET", "mobile ad-hoc network")]),
        ("The Veldany Broadcasting Corp (VBC) and Orrin Transport (OT)",
         [("VBC", "Veldany Broadcasting Corp"), ("OT", "Orrin Transport")]),
        ("He won (USA).", []),
        ("the mayor (pictured) spoke (see page 3)", []),
        ("Kelmar left. Rail Board (KRB)", []),
    ],
)  # fmt: skip
def test_pairs_that_a_text_writes(text: str, pairs: list[tuple[str, str]]) -> None:
    assert [(pair.short, pair.long) for pair in expansions(text)] == pairs


def test_names_with_the_initials_of_a_short_form() -> None:
    assert long_forms("OTB", ["The Orrin Transport Board lowered fares. Ola T. Berg was there."]) == [
        "Orrin Transport Board"
    ]
    assert long_forms("OTB", ["Orrin Transport Board President Lena Holm spoke."]) == ["Orrin Transport Board"]
    assert long_forms("US", ["Union Stores lowered prices."]) == [], "two letters tell too little"
    assert long_forms("US", ["Union Stores (US) lowered prices."]) == ["Union Stores"]


@pytest.mark.parametrize(
    ("question", "text", "met"),
    [
        ("What did the OTB do?", "The Orrin Transport Board lowered fares.", "What did the Orrin Transport Board do?"),
        ("What did the Orrin Transport Board lower?", "The OTB lowered fares.", "What did the OTB lower?"),
        ("What did the OTB lower?", "The OTB, the Orrin Transport Board, lowered fares.", "What did the OTB lower?"),
        ("What did the OTB lower?", "Orrin Transport Board, Osprey Toll Bridge", "What did the OTB lower?"),
        ("WHAT DID THE OTB LOWER?", "The Orrin Transport Board lowered fares.", "WHAT DID THE OTB LOWER?"),
        ("Who runs Velda?", "The Orrin Transport Board lowered fares.", "Who runs Velda?"),
    ],
)  # fmt: skip
def test_a_question_meets_the_texts_in_their_words(question: str, text: str, met: str) -> None:
    assert meeting(question, [text]) == met
