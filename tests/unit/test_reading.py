from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest

from embeddings.encoders import TokenVectors, load
from embeddings.encoders.hashing import HashingEncoder
from qa.extractive.network import Calibration, Network, Reader
from qa.extractive.reading import SENTENCE_LIMIT, read
from qa.extractive.sentence_features import SENTENCE_FEATURES
from qa.extractive.span_features import SPAN_FEATURES
from qa.types import Evidence

EvidenceOf = Callable[..., Evidence]
TEXT = "The army advanced. Derna is a port. Some 125,000 people live in Derna. Rain fell. Nobody knows why."


def weighing(features: tuple[str, ...], **weights: float) -> Network:
    """A network whose log-odds are the weighted sum of the named features (which are never negative)."""
    return Network(
        features=features,
        mean=(0.0,) * len(features),
        scale=(1.0,) * len(features),
        hidden=tuple((weights.get(name, 0.0),) for name in features),
        hidden_bias=(0.0,),
        output=(1.0,),
        output_bias=-0.5,
    )


READER = Reader(
    sentence=weighing(SENTENCE_FEATURES, exact_share=3.0, fitting=1.0),
    span=weighing(SPAN_FEATURES, fits=2.0),
    calibration=Calibration(
        mean=(0.0,) * (2 + len(SENTENCE_FEATURES)),
        scale=(1.0,) * (2 + len(SENTENCE_FEATURES)),
        weights=(1.0, 0.5, *(0.2 if name == "soft_mean" else 0.0 for name in SENTENCE_FEATURES)),
        bias=-1.0,
        threshold=0.5,
    ),
    provenance="by hand",
)


class Counting(HashingEncoder):
    """The hashing encoder, remembering which texts it was asked to encode."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        self.texts += texts
        return super().encode_tokens(texts)


def test_the_sentence_that_answers_comes_first_with_its_words(evidence_of: EvidenceOf) -> None:
    evidence = [evidence_of("Rain is a kind of weather.", article="a0"), evidence_of(TEXT, score=0.8)]
    found = read("How many people live in Derna?", evidence, encoder=load("hashing"), reader=READER)
    best = found.sentences[0]
    assert best.sentence.text == "Some 125,000 people live in Derna."
    assert best.sentence.evidence == 1
    assert best.short is not None
    assert best.sentence.text[slice(*best.short)] == "125,000"
    logits = [item.logit for item in found.sentences]
    assert logits == sorted(logits, reverse=True)
    sure = 1.0 / (1.0 + math.exp(1.0 - logits[0] - 0.5 * (logits[0] - logits[1])))
    # The best sentence's own features count too: soft_mean, between 0 and 1, with weight 0.2.
    assert sure < found.probability < 1.0 / (1.0 + (1.0 / sure - 1.0) * math.exp(-0.2)) + 1e-6


def test_only_the_question_and_the_picked_sentences_are_encoded(evidence_of: EvidenceOf) -> None:
    evidence = [
        evidence_of(" ".join(f"Line {n} of {m} is dull." for n in range(20)), article=f"a{m}") for m in range(8)
    ]
    encoder = Counting()
    found = read("Which line is dull?", evidence, encoder=encoder, reader=READER)
    assert len(encoder.texts) == found.encodings == SENTENCE_LIMIT + 1
    assert len(found.sentences) == SENTENCE_LIMIT
    assert encoder.texts[0] == "Which line is dull?"


@pytest.mark.parametrize("question", ["Why did the army advance?", "Is Derna a port?"])
def test_some_questions_no_few_words_answer(evidence_of: EvidenceOf, question: str) -> None:
    found = read(question, [evidence_of(TEXT)], encoder=load("hashing"), reader=READER)
    assert all(item.short is None for item in found.sentences)


@pytest.mark.parametrize("text", ["", " \n ", "…"])
def test_evidence_without_words(evidence_of: EvidenceOf, text: str) -> None:
    found = read("Who?", [evidence_of(text)] if text else [], encoder=load("hashing"), reader=READER)
    assert 0.0 <= found.probability <= 1.0
    assert all(item.short is None for item in found.sentences)


def test_reading_is_deterministic(evidence_of: EvidenceOf) -> None:
    evidence = [evidence_of(TEXT, article=name) for name in ("a1", "a2")]
    once, again = (read("Who advanced?", evidence, encoder=load("hashing"), reader=READER) for _ in range(2))
    assert once == again


def test_a_passage_without_cosine_counts_as_the_farthest(evidence_of: EvidenceOf) -> None:
    by_cosine = READER.sentence.features.index("passage_cosine")
    network = weighing(SENTENCE_FEATURES, passage_cosine=1.0)
    assert network.hidden[by_cosine] == (1.0,)
    reader = Reader(sentence=network, span=READER.span, calibration=READER.calibration, provenance="by hand")
    evidence = [
        evidence_of("One.", article="a1", cosine=0.6),
        evidence_of("Two.", article="a2", cosine=None),
        evidence_of("Three.", article="a3", cosine=0.2),
    ]
    found = read("Which?", evidence, encoder=load("hashing"), reader=reader)
    assert {item.sentence.text: round(item.logit, 3) for item in found.sentences} == {
        "One.": 0.1,
        "Two.": -0.3,
        "Three.": -0.3,
    }
