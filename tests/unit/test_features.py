"""What the networks look at: the values a person can check by hand, and that any text gives finite ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.encoders import load
from qa.extractive.alignment import Alignment, ReadQuestion, align, read_question
from qa.extractive.candidates import candidates_of
from qa.extractive.expectation import expectation_of
from qa.extractive.network import Calibration, Network, load_reader
from qa.extractive.sentence_features import SENTENCE_FEATURES, Context, sentence_features
from qa.extractive.span_features import SPAN_FEATURES, span_features
from qa.extractive.words import words_of

ENCODER = load("hashing")
SENTENCE = "On June 4, some 125,000 people lived in Derna."


def asked(question: str) -> ReadQuestion:
    return read_question(ENCODER.encode_tokens([question])[0], expectation_of(question))


def set_against(question: str, sentence: str) -> tuple[ReadQuestion, Alignment]:
    read = asked(question)
    return read, align(read, ENCODER.encode_tokens([sentence])[0])


def sentence_row(
    question: str, sentence: str, stems: frozenset[str] = frozenset(), before: frozenset[str] = frozenset()
) -> dict[str, float]:
    read, aligned = set_against(question, sentence)
    context = Context(stems=stems, passage_cosine=0.4, passage_score=0.9, passage_rank=2, before=before, position=1)
    row = sentence_features(read, aligned, candidates_of(sentence, aligned.words), context)
    return dict(zip(SENTENCE_FEATURES, row.tolist(), strict=True))


def span_row(question: str, sentence: str, words: str) -> dict[str, float]:
    read, aligned = set_against(question, sentence)
    (candidate,) = (c for c in candidates_of(sentence, aligned.words) if sentence[c.start : c.end] == words)
    return dict(zip(SPAN_FEATURES, span_features(read, sentence, aligned, candidate).tolist(), strict=True))


@pytest.mark.parametrize(
    ("question", "feature", "expected"),
    [
        ("How many people live in Derna?", "exact_share", 1.0),
        ("How many people died in Derna?", "exact_share", 2 / 3),
        ("How many people live in Tobruk?", "name_share", 0.0),
        ("How many people live in Derna?", "name_share", 1.0),
        ("How many lived in Derna in 1995?", "numbers_unknown", 1.0),
        ("How many lived in Derna on June 4?", "numbers_unknown", 0.0),
        ("How many people live in Derna?", "kind_number", 1.0),
        ("How many people live in Derna?", "kind_date", 0.0),
        ("How many people live in Derna?", "passage_rank", 0.25),
        ("How many people live in Derna?", "starts_with_pronoun", 0.0),
    ],
)
def test_sentence_features_by_hand(question: str, feature: str, expected: float) -> None:
    assert sentence_row(question, SENTENCE)[feature] == pytest.approx(expected, abs=1e-5)


def test_what_the_passage_says_counts_as_known() -> None:
    question, sentence = "How many people live in Derna?", "Some 125,000 people live there."
    alone, placed = sentence_row(question, sentence), sentence_row(question, sentence, frozenset({"derna"}))
    assert (alone["unknown"], placed["unknown"]) == (1.0, 0.0)
    assert alone["name_known_share"] < placed["name_known_share"]


@pytest.mark.parametrize(
    ("question", "words", "feature", "expected"),
    [
        ("How many people live in Derna?", "125,000", "fits", 1.0),
        ("When did they live in Derna?", "125,000", "fits", 0.0),
        ("When did they live in Derna?", "June 4", "fits", 1.0),
        ("Who lived in Derna?", "Derna", "overlap", 1.0),
        ("How many people live in Derna?", "125,000", "overlap", 0.0),
        ("How many people live in Derna?", "Derna", "after_preposition", 1.0),
        ("How many people live in Derna?", "June 4", "before_mark", 1.0),
        ("How many people live in Derna?", "125,000", "digit_share", 1.0),
    ],
)
def test_span_features_by_hand(question: str, words: str, feature: str, expected: float) -> None:
    assert span_row(question, SENTENCE, words)[feature] == pytest.approx(expected, abs=1e-5)


@given(question=st.text(max_size=60), sentence=st.text(max_size=120))
def test_any_text_gives_finite_numbers(question: str, sentence: str) -> None:
    read, aligned = set_against(question, sentence)
    candidates = candidates_of(sentence, aligned.words)
    context = Context(
        stems=frozenset(), passage_cosine=0.0, passage_score=0.0, passage_rank=0, before=frozenset(), position=0
    )
    rows = [sentence_features(read, aligned, candidates, context)]
    rows += [span_features(read, sentence, aligned, candidate) for candidate in candidates]
    assert rows[0].shape == (len(SENTENCE_FEATURES),)
    assert all(row.shape == (len(SPAN_FEATURES),) for row in rows[1:])
    assert all(row.dtype == np.float32 and np.isfinite(row).all() for row in rows)


@pytest.mark.parametrize("question", ["Who?", "?", "Who was it?", "2024"])
@pytest.mark.parametrize("sentence", ["", "…", "🌊", "He.", "the of and"])
def test_questions_and_sentences_without_matter(question: str, sentence: str) -> None:
    assert np.isfinite(list(sentence_row(question, sentence).values())).all()


def test_the_stored_networks_know_these_features_in_this_order() -> None:
    reader = load_reader()
    assert reader.sentence.features == SENTENCE_FEATURES
    assert reader.span.features == SPAN_FEATURES
    for network in (reader.sentence, reader.span):
        count = len(network.features)
        assert len(network.mean) == len(network.scale) == len(network.hidden) == count
        assert min(network.scale) > 0
        assert {len(row) for row in network.hidden} == {len(network.hidden_bias)} == {len(network.output)}
        assert np.isfinite(network.logits(np.zeros((3, count), np.float32))).all()
        assert network.logits(np.zeros((0, count), np.float32)).shape == (0,)


def test_a_network_is_one_hidden_layer_of_rectified_units() -> None:
    network = Network(
        features=("a", "b"),
        mean=(1.0, 0.0),
        scale=(2.0, 1.0),
        hidden=((1.0, -1.0), (0.5, 0.0)),
        hidden_bias=(0.0, 0.25),
        output=(2.0, 4.0),
        output_bias=-1.0,
    )
    # Standardised: (1, 2) and (-1, 0); units: (2, 0) and (0, 1.25).
    logits = network.logits(np.array([[3.0, 2.0], [-1.0, 0.0]], np.float32))
    np.testing.assert_allclose(logits, [3.0, 4.0])


def test_probability_grows_with_the_score_the_lead_and_the_sentence() -> None:
    calibration = Calibration(
        mean=(0.0, 0.0, 0.5), scale=(1.0, 1.0, 0.5), weights=(1.0, 0.3, 0.2), bias=-0.5, threshold=0.5
    )
    plain, telling = np.array([0.5], np.float32), np.array([1.0], np.float32)
    assert calibration.probability(0.5, 0.5, plain) == pytest.approx(0.5)
    assert calibration.probability(0.5, 0.5, telling) > 0.5
    ranked = [calibration.probability(*scores, plain) for scores in ((2.0, 0.0), (2.0, 1.5), (1.0, 0.5))]
    assert ranked == sorted(ranked, reverse=True)
    assert calibration.probability(9.0, -900.0, plain) == calibration.probability(9.0, 4.0, plain)
    assert 0.0 <= calibration.probability(-700.0, -800.0, plain) < 1e-9


@pytest.mark.parametrize(
    ("sentence", "before", "share"),
    [
        ("It brought blankets to 6,000 people.", "Crescent", 1.0),
        ("It brought blankets to 6,000 people.", "Ferry", 0.0),
        ("Lorries brought blankets to 6,000 people.", "Crescent", 0.0),
    ],
)
def test_a_pronoun_at_the_start_stands_for_a_name_just_before(sentence: str, before: str, share: float) -> None:
    stems = frozenset(word.stem for word in words_of(before))
    row = sentence_row("How many people did Crescent help?", sentence, before=stems)
    assert row["name_share"] == share


def test_words_of_one_family_are_near_each_other() -> None:
    kin = sentence_row("How many people live in Derna?", "Derna has 125,000 inhabitants.")
    stranger = sentence_row("How many people live in Derna?", "Derna has 125,000 lamps.")
    assert kin["family_missing"] == 0.0
    assert stranger["family_missing"] == 2.0
    assert kin["matter_soft_min"] == pytest.approx(0.8)
