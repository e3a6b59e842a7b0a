from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.encoders import TokenVectors, load
from qa.extractive.alignment import ReadQuestion, align, read_question
from qa.extractive.expectation import expectation_of

ENCODER = load("hashing")


def tokens(text: str) -> TokenVectors:
    return ENCODER.encode_tokens([text])[0]


def asked(question: str) -> ReadQuestion:
    return read_question(tokens(question), expectation_of(question))


def by_definition(text: TokenVectors, span: tuple[int, int]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Unit mean of the vectors of all tokens that overlap a span."""
    inside = [
        row for row, (start, end) in zip(text.tokens, text.spans, strict=True) if start < span[1] and end > span[0]
    ]
    total = np.sum(inside, axis=0, dtype=np.float64) if inside else np.zeros(text.vector.shape[0])
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-6))


@given(question=st.text(max_size=60), sentence=st.text(max_size=120))
def test_shapes_hold_for_any_text(question: str, sentence: str) -> None:
    read, aligned = asked(question), align(asked(question), tokens(sentence))
    content, words = len(read.expectation.content), len(aligned.words)
    assert read.content_vectors.shape == (content, ENCODER.identity.dimension)
    assert read.ask_vector.shape == (ENCODER.identity.dimension,)
    assert aligned.similarity.shape == aligned.same_stem.shape == (content, words)
    assert aligned.ask_similarity.shape == (words,)
    for values in (aligned.similarity, aligned.ask_similarity, np.array([aligned.cosine])):
        assert np.isfinite(values).all()
        assert (np.abs(values) <= 1.0001).all()


WORDS = st.lists(st.sampled_from(["Derna", "’s", "125,000", "al-Mismari", "…", " ", "🌊", "said", "U.S."]), max_size=20)


@given(pieces=WORDS)
def test_a_word_is_the_mean_of_its_tokens(pieces: list[str]) -> None:
    question, sentence = asked("Who is al-Mismari of Derna?"), tokens("".join(pieces))
    aligned = align(question, sentence)
    pooled = [by_definition(sentence, (word.start, word.end)) for word in aligned.words]
    for column, vector in enumerate(pooled):
        np.testing.assert_allclose(aligned.similarity[:, column], question.content_vectors @ vector, atol=1e-4)


def test_the_same_word_is_nearest_to_itself() -> None:
    aligned = align(asked("How many residents does Derna have?"), tokens("Officials said Derna has 125,000 residents."))
    words = [word.text for word in aligned.words]
    residents, derna = aligned.similarity[0], aligned.similarity[1]
    assert residents.argmax() == words.index("residents")
    assert derna.argmax() == words.index("Derna")
    assert residents.max() == pytest.approx(1.0, abs=1e-5)


def test_forms_of_a_word_count_as_the_same() -> None:
    aligned = align(asked("Who was arrested over the checkpoint?"), tokens("Checkpoints: police arrest two."))
    same = {(row, aligned.words[column].text) for row, column in zip(*np.nonzero(aligned.same_stem), strict=True)}
    assert same == {(0, "arrest"), (1, "Checkpoints")}


def test_words_beyond_what_the_encoder_read_have_no_vector() -> None:
    read = tokens("Derna is a port")
    cut = TokenVectors(text=read.text, vector=read.vector, spans=read.spans[:2], tokens=read.tokens[:2])
    aligned = align(asked("Where is Derna port?"), cut)
    assert aligned.similarity[:, 3].tolist() == [0.0, 0.0]
    assert aligned.same_stem[1, 3]
