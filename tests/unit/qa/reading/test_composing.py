from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.chunking.sentences import split_sentences
from qa.reading import SentenceAt
from qa.reading.composing import Composition, choose, compose
from qa.reading.sentence_ranking import Reading, ReadSentence
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
        ),
        **{"logit": 2.0, "short": None, **judged},  # type: ignore[arg-type]
    )


def reading(*sentences: ReadSentence) -> Reading:
    return Reading(sentences=sentences, probability=0.9)


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


def test_why_is_answered_by_a_sentence_and_long_words_are_no_short_answer(evidence: list[Evidence]) -> None:
    judged = sentence(evidence, 0, 0, short=(17, 27), short_logit=1.0)
    assert compose([judged], evidence, kind="sentence").short_answer is None
    assert compose([judged], evidence, kind="decision").short_answer is None
    assert compose([judged], evidence, kind="list").short_answer is not None


def test_a_sentence_that_leans_back_brings_the_one_before(evidence_of: EvidenceOf) -> None:
    text = "Ida Renn is mayor of Kelmar. She was a harbour pilot for 12 years."
    evidence = [evidence_of(text, article="mayor")]
    first, second = split_sentences(text)
    judged = ReadSentence(
        sentence=SentenceAt(
            text=text[slice(*second)], start=second[0], end=second[1], evidence=0, before=text[slice(*first)]
        ),
        logit=2.0,
        short=(28, 36),
        short_logit=2.0,
    )
    made = compose([judged], evidence, limit=3)
    assert made.text == text
    assert [len(claim.citation_ids) for claim in made.claims] == [1, 1]
    assert made.short_answer is not None
    assert made.short_answer.text == "12 years"
    assert text[made.short_answer.start_char_index : made.short_answer.end_char_index] == "12 years"
    alone = compose([judged], evidence, limit=1)
    assert alone.text == text[slice(*second)]
    assert alone.short_answer == made.short_answer


def test_the_sentence_before_stands_once_though_it_was_chosen_too(evidence_of: EvidenceOf) -> None:
    text = "Ida Renn keeps the pool of Kelmar open. She will close those of Velda and Orrin."
    evidence = [evidence_of(text, article="pools")]
    first, second = split_sentences(text)
    places = [
        SentenceAt(text=text[slice(*second)], start=second[0], end=second[1], evidence=0, before=text[slice(*first)]),
        SentenceAt(text=text[slice(*first)], start=first[0], end=first[1], evidence=0),
    ]
    judged = [ReadSentence(sentence=one, logit=2.0, short=(0, 3), short_logit=2.0) for one in places]
    made = compose(judged, evidence, kind="list", limit=3)
    assert made.text == text
    assert made.short_answer is not None
    assert made.short_answer.text == "She"


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
        assert (made.short_answer is not None) == (0 < len(chosen[0].words.split()) <= 12)
        assert_consistent(made, {f"a{n}": text for n, text in enumerate(texts)})


# --- which sentences


def chosen_ids(made: Sequence[ReadSentence]) -> list[tuple[int, str]]:
    return [(item.sentence.evidence, item.sentence.text.split()[0]) for item in made]


def test_the_best_sentence_always(evidence: list[Evidence]) -> None:
    judged = reading(sentence(evidence, 0, 0, logit=-4.0), sentence(evidence, 1, 0, logit=-4.1))
    assert chosen_ids(choose(judged, evidence, limit=3)) == [(0, "The")]


def test_other_articles_that_give_the_same_answer(evidence_of: EvidenceOf) -> None:
    texts = ["Some 214 people were aboard.", "Officials counted 214 travellers.", "It carried 90 people."]
    evidence = [evidence_of(text, article=f"a{number}") for number, text in enumerate(texts)]
    spans = [(5, 8), (18, 21), (11, 13)]
    judged = [
        sentence(evidence, number, 0, logit=3.0 - number / 2, short=spans[number], short_logit=3.0)
        for number in range(3)
    ]
    assert [one.words for one in judged] == ["214", "214", "90"]
    assert [one.sentence.evidence for one in choose(reading(*judged), evidence, limit=3)] == [0, 1]
    far = msgspec.structs.replace(judged[1], logit=0.5)
    assert [one.sentence.evidence for one in choose(reading(judged[0], far), evidence, limit=3)] == [0]


def test_a_quotation_goes_on_as_long_as_its_speaker_does(evidence_of: EvidenceOf) -> None:
    said = "“We lost,” Zoë said. “We will be back.” She also said the fans were great. Rain fell. “Not for us.”"
    evidence = [evidence_of(said)]
    asked = msgspec.structs.replace(reading(sentence(evidence, 0, 0, short_logit=1.0)), kind="sentence")
    chosen = choose(asked, evidence, limit=5)
    assert [one.sentence.text for one in chosen] == [
        "“We lost,” Zoë said.",
        "“We will be back.”",
        "She also said the fans were great.",
    ]
    assert_consistent(compose(chosen, evidence, kind="sentence"), {"a1": said})
    assert len(choose(asked, evidence, limit=2)) == 2
    plain = msgspec.structs.replace(asked, sentences=(sentence(evidence, 0, 3, short_logit=1.0),))
    assert len(choose(plain, evidence, limit=5)) == 1, "no quotation"
    assert len(choose(msgspec.structs.replace(asked, kind="words"), evidence, limit=5)) == 1, "a few words answer"


def test_a_list_takes_further_items_also_of_the_same_article(evidence_of: EvidenceOf) -> None:
    text = "Norvia voted against. Later Lundland said no, too. Norvia explained itself."
    evidence = [evidence_of(text, article="vote")]
    judged = [
        sentence(evidence, 0, 0, logit=3.0, short=(0, 6), short_logit=3.0),
        sentence(evidence, 0, 1, logit=2.0, short=(6, 14), short_logit=2.0),
        sentence(evidence, 0, 2, logit=1.5, short=(0, 6), short_logit=2.0),
    ]
    listing = Reading(sentences=tuple(judged), probability=0.9, kind="list")
    assert [one.words for one in choose(listing, evidence, limit=3)] == ["Norvia", "Lundland"]
    assert [one.words for one in choose(reading(*judged), evidence, limit=3)] == ["Norvia"]


def test_no_more_than_asked_for(evidence_of: EvidenceOf) -> None:
    evidence = [evidence_of(f"{word} counted 214 people.", article=word) for word in ("Police", "Mediators", "Doctors")]
    judged = reading(
        *(
            sentence(evidence, at, 0, logit=3.0 - at / 10, short=(len(w) + 9, len(w) + 12), short_logit=1.0)
            for at, w in enumerate(("Police", "Mediators", "Doctors"))
        )
    )
    assert {one.words for one in judged.sentences} == {"214"}
    # One of three words is another: copies of one wording count once.
    assert len(choose(judged, evidence, limit=1)) == 1


def test_each_wording_once(evidence: list[Evidence]) -> None:
    judged = reading(
        sentence(evidence, 0, 1, logit=3.0, short=(0, 6)), sentence(evidence, 2, 0, logit=2.9, short=(0, 6))
    )
    assert judged.sentences[0].sentence.text == judged.sentences[1].sentence.text == "Nobody was hurt."
    assert chosen_ids(choose(judged, evidence, limit=3)) == [(0, "Nobody")]


def test_nothing_read_nothing_chosen() -> None:
    assert choose(reading(), [], limit=3) == ()
