from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.sentences import split_sentences
from qa.extractive.composing import Composition, choose, compose
from qa.extractive.expectation import expectation_of
from qa.extractive.reading import Reading, ReadSentence
from qa.extractive.selection import SentenceAt
from qa.types import Evidence

EvidenceOf = Callable[..., Evidence]
FLOOD = "Rain fell. The 🌊 river rose 3.5 metres, said Zoë. Nobody was hurt."
WIRE = "The river rose by four metres. Zoë left."


def sentence(evidence: Sequence[Evidence], at: int, number: int, **judged: object) -> ReadSentence:
    """Sentence `number` of evidence `at`, judged as said."""
    passage = evidence[at].stored.passage
    start, end = split_sentences(passage.text)[number]
    return ReadSentence(
        sentence=SentenceAt(
            text=passage.text[start:end],
            start=passage.start + start,
            end=passage.start + end,
            evidence=at,
            position=number,
            before="",
        ),
        **{"logit": 2.0, "short": None, **judged},  # type: ignore[arg-type]
    )


def reading(*sentences: ReadSentence) -> Reading:
    return Reading(expectation=expectation_of("How far?"), sentences=sentences, probability=0.9, encodings=3)


def assert_consistent(made: Composition, texts: dict[str, str]) -> None:
    """The invariants of every answer: spans of the answer are its claims, cited words are the article's."""
    citations = {citation.id: citation for citation in made.citations}
    assert len(citations) == len(made.citations)
    for claim in made.claims:
        assert made.text[claim.start : claim.end] == claim.text
        assert claim.citation_ids
        for name in claim.citation_ids:
            cited = citations[name]
            assert claim.start <= cited.start < cited.end <= claim.end
            article = texts[cited.article_id]
            assert article[cited.start_char_index : cited.end_char_index] == cited.cited_text
            assert made.text[cited.start : cited.end] == cited.cited_text
    if made.short_answer:
        short = made.short_answer
        assert texts[short.article_id][short.start_char_index : short.end_char_index] == short.text
        assert short.text in made.claims[0].text


@pytest.fixture
def evidence(evidence_of: EvidenceOf) -> list[Evidence]:
    return [
        evidence_of(FLOOD, article="flood", span=(11, len(FLOOD)), title="Flood"),
        evidence_of(WIRE, article="wire"),
        evidence_of("Nobody was hurt. Rain fell.", article="late"),
    ]


def test_one_sentence_is_quoted_and_cited(evidence: list[Evidence]) -> None:
    made = compose([sentence(evidence, 0, 0, short=(17, 27), short_logit=1.0)], evidence)
    assert made.text == "The 🌊 river rose 3.5 metres, said Zoë."
    assert made.short_answer is not None
    assert made.short_answer.text == "3.5 metres"
    (claim,) = made.claims
    assert (claim.verdict, claim.support_score, claim.citation_ids) == ("supported", 1.0, ("c1",))
    assert (made.citations[0].start_char_index, made.citations[0].title) == (11, "Flood")
    assert_consistent(made, {"flood": FLOOD})


def test_several_sentences_stand_side_by_side(evidence: list[Evidence]) -> None:
    made = compose([sentence(evidence, 0, 0), sentence(evidence, 1, 0), sentence(evidence, 2, 1)], evidence)
    assert made.text == "The 🌊 river rose 3.5 metres, said Zoë. The river rose by four metres. Rain fell."
    assert [citation.id for citation in made.citations] == ["c1", "c2", "c3"]
    assert_consistent(made, {"flood": FLOOD, "wire": WIRE, "late": "Nobody was hurt. Rain fell."})


@pytest.mark.parametrize(
    ("short", "logit"), [(None, 3.0), ((17, 27), -0.5)], ids=["no few words answer", "more likely wrong than right"]
)
def test_no_short_answer(evidence: list[Evidence], short: tuple[int, int] | None, logit: float) -> None:
    assert compose([sentence(evidence, 0, 0, short=short, short_logit=logit)], evidence).short_answer is None


@given(texts=st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=4), data=st.data())
def test_offsets_hold_for_any_text(evidence_of: EvidenceOf, texts: list[str], data: st.DataObject) -> None:
    evidence = [evidence_of(text, article=f"a{n}") for n, text in enumerate(texts)]
    chosen = []
    for at, item in enumerate(evidence):
        for number, (start, end) in enumerate(split_sentences(item.stored.passage.text)):
            a = data.draw(st.integers(0, end - start - 1))
            b = data.draw(st.integers(a + 1, end - start))
            chosen.append(sentence(evidence, at, number, short=(a, b), short_logit=1.0))
    if chosen:
        made = compose(chosen, evidence)
        assert made.short_answer is not None
        assert_consistent(made, {f"a{n}": text for n, text in enumerate(texts)})


# --- which sentences


def chosen_ids(made: Sequence[ReadSentence]) -> list[tuple[int, int]]:
    return [(item.sentence.evidence, item.sentence.position) for item in made]


def test_the_best_sentence_always(evidence: list[Evidence]) -> None:
    judged = reading(sentence(evidence, 0, 0, logit=-4.0), sentence(evidence, 1, 0, logit=-4.1))
    assert chosen_ids(choose(judged, evidence, limit=3)) == [(0, 0)]


def test_others_nearly_as_good_from_other_articles(evidence: list[Evidence]) -> None:
    judged = reading(
        sentence(evidence, 0, 0, logit=3.0),
        sentence(evidence, 0, 1, logit=2.9),
        sentence(evidence, 1, 0, logit=2.8),
        sentence(evidence, 2, 1, logit=0.5),
    )
    assert chosen_ids(choose(judged, evidence, limit=3)) == [(0, 0), (1, 0)]


def test_no_more_than_asked_for(evidence: list[Evidence]) -> None:
    judged = reading(*(sentence(evidence, at, 0, logit=3.0 - at / 10) for at in range(3)))
    assert len(choose(judged, evidence, limit=2)) == 2
    assert len(choose(judged, evidence, limit=1)) == 1


def test_each_wording_once(evidence: list[Evidence]) -> None:
    judged = reading(sentence(evidence, 0, 1, logit=3.0), sentence(evidence, 2, 0, logit=2.9))
    assert judged.sentences[0].sentence.text == judged.sentences[1].sentence.text == "Nobody was hurt."
    assert chosen_ids(choose(judged, evidence, limit=3)) == [(0, 1)]


def test_nothing_read_nothing_chosen() -> None:
    assert choose(reading(), [], limit=3) == ()
