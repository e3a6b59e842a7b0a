from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from qa.extractive.expectation import expectation_of
from qa.extractive.selection import pick_sentences
from qa.types import Evidence

EvidenceOf = Callable[..., Evidence]
QUESTION = expectation_of("How many people live in Derna?")
TEXT = "The army advanced. Derna is a port. Some 125,000 people live in Derna. Rain fell. Nobody knows why."


def test_the_sentence_that_shares_most_words_is_kept(evidence_of: EvidenceOf) -> None:
    (picked,) = pick_sentences(QUESTION, [evidence_of(TEXT)], limit=1)
    assert picked.text == "Some 125,000 people live in Derna."
    assert TEXT[picked.start : picked.end] == picked.text
    assert (picked.evidence, picked.position) == (0, 2)


def test_all_sentences_are_kept_in_order_where_there_is_room(evidence_of: EvidenceOf) -> None:
    picked = pick_sentences(QUESTION, [evidence_of(TEXT), evidence_of("Another text.", article="a2")], limit=32)
    assert [(item.evidence, item.position) for item in picked] == [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 0)]


def test_the_limit_holds_over_all_evidence(evidence_of: EvidenceOf) -> None:
    evidence = [evidence_of(TEXT, article=f"a{n}", score=1 - n / 10) for n in range(8)]
    assert len(pick_sentences(QUESTION, evidence, limit=7)) == 7


def test_a_sentence_in_two_overlapping_passages_counts_once(evidence_of: EvidenceOf) -> None:
    middle = TEXT.index("Some")
    end = TEXT.index(" Rain")
    overlapping = [evidence_of(TEXT, span=(0, end)), evidence_of(TEXT, span=(middle, len(TEXT)), score=0.9)]
    picked = pick_sentences(QUESTION, overlapping, limit=32)
    assert [item.text for item in picked].count("Some 125,000 people live in Derna.") == 1
    assert len(picked) == 5
    assert next(item.evidence for item in picked if item.text.startswith("Some")) == 0


def test_offsets_are_those_of_the_article(evidence_of: EvidenceOf) -> None:
    text = "🌊🌊 First. " + TEXT
    picked = pick_sentences(QUESTION, [evidence_of(text, span=(10, len(text)))], limit=32)
    assert all(text[item.start : item.end] == item.text for item in picked)
    assert picked[0].start == 10


def test_nothing_gives_nothing(evidence_of: EvidenceOf) -> None:
    assert pick_sentences(QUESTION, [], limit=32) == ()
    assert pick_sentences(QUESTION, [evidence_of(" \n ")], limit=32) == ()


@given(text=st.text(min_size=1, max_size=200), data=st.data())
def test_sentences_slice_to_their_own_text(evidence_of: EvidenceOf, text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    evidence = [evidence_of(text, span=(start, end)), evidence_of(text, span=(0, end))]
    for item in pick_sentences(expectation_of(text[:50]), evidence, limit=5):
        passage = evidence[item.evidence].stored.passage
        assert passage.start <= item.start < item.end <= passage.end
        assert text[item.start : item.end] == item.text
