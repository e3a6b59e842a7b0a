"""A claim before its evidence: the passages around the sentences that may support it."""

from __future__ import annotations

from qa.grounding.claim_evidence import passages_of, set_against

FIRST = " ".join(
    ["The harbour opened in May."]
    + [f"Trader {n} sold {n} crates of fish." for n in range(2, 9)]
    + ["The ferry Almeric sank off Skerra."]
    + ["Nobody was hurt there."]
)
SECOND = "It rained. Skerra has 4,000 inhabitants."


def passages(claim: str, words: int) -> list[str]:
    case = set_against(claim, [FIRST, SECOND], question="", contexts=())
    assert case is not None
    return passages_of(case, words=words)


def test_each_text_with_a_likely_sentence_gives_one_passage_in_its_own_order() -> None:
    whole = passages("The ferry Almeric sank off Skerra, which has 4,000 inhabitants.", 350)
    assert sorted(whole) == sorted([FIRST, SECOND])


def test_a_passage_keeps_to_its_words_and_takes_neighbours_first() -> None:
    found = passages("The ferry Almeric sank.", 17)[0]
    assert "The ferry Almeric sank off Skerra." in found
    assert "Nobody was hurt there." in found
    assert "May" not in found
    assert len(found.split()) <= 17


def test_a_sentence_longer_than_the_room_stands_alone() -> None:
    assert passages("The ferry Almeric sank.", 2)[0] == "The ferry Almeric sank off Skerra."
