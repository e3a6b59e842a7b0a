"""How the words of a question meet the words of a sentence, in contextual vectors.

Late interaction as in ColBERT (Khattab & Zaharia, 2020), over the token states the encoder computes anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.encoders.protocol import TokenVectors
from embeddings.types import Vector, Vectors
from qa.extractive.expectation import Expectation
from qa.extractive.families import families
from qa.extractive.words import Word, words_of

__all__ = ["Alignment", "ReadQuestion", "align", "pool", "read_question"]

_Matrix = npt.NDArray[np.float32]


class ReadQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question, read once: what it asks for and the vectors of its words."""

    text: str
    expectation: Expectation
    vector: Vector
    """Sentence vector, shape (dimension,)."""
    content_vectors: Vectors
    """One row per word of `expectation.content`."""
    ask_vector: Vector
    """Mean vector of the question phrase; zeros where the question has none."""


class Alignment(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence set against one question."""

    words: tuple[Word, ...]
    similarity: _Matrix
    """Cosine of each content word of the question (rows) and each word of the sentence (columns)."""
    same_stem: npt.NDArray[np.bool_]
    """Same shape: whether the two words are forms of one word."""
    same_family: npt.NDArray[np.bool_]
    """Same shape: whether news writes the two words for the same matter (see `families`)."""
    ask_similarity: _Matrix
    """Cosine of the question phrase and each word of the sentence, shape (words,)."""
    cosine: float
    """Cosine of the two sentence vectors."""


def read_question(question: TokenVectors, expectation: Expectation) -> ReadQuestion:
    """Pool the token vectors of a question into its content words and its question phrase."""
    return ReadQuestion(
        text=question.text,
        expectation=expectation,
        vector=question.vector,
        content_vectors=pool(question, [(word.start, word.end) for word in expectation.content]),
        ask_vector=pool(question, [expectation.phrase])[0],
    )


def align(question: ReadQuestion, sentence: TokenVectors) -> Alignment:
    """Compare every content word of the question with every word of the sentence."""
    words = words_of(sentence.text)
    vectors = pool(sentence, [(word.start, word.end) for word in words])
    content = question.expectation.content
    return Alignment(
        words=words,
        similarity=question.content_vectors @ vectors.T,
        same_stem=_sharing(_stems(content), _stems(words)),
        same_family=_sharing(_kin(content), _kin(words)),
        ask_similarity=vectors @ question.ask_vector,
        cosine=float(question.vector @ sentence.vector),
    )


def _stems(words: Sequence[Word]) -> list[frozenset[str]]:
    return [frozenset({word.stem}) for word in words]


def _kin(words: Sequence[Word]) -> list[frozenset[int]]:
    known = families()
    return [known.get(word.stem, frozenset()) for word in words]


def _sharing(rows: Sequence[frozenset[Any]], columns: Sequence[frozenset[Any]]) -> npt.NDArray[np.bool_]:
    """Which of the row sets have something in common with which of the column sets."""
    shared = [[not row.isdisjoint(column) for column in columns] for row in rows]
    return np.array(shared, np.bool_).reshape(len(rows), len(columns))


def pool(text: TokenVectors, spans: Sequence[tuple[int, int]]) -> Vectors:
    """Mean token vector of each span, unit length; zeros for a span without tokens (cut off, or empty)."""
    if not text.spans or not spans:
        return np.zeros((len(spans), text.vector.shape[0]), np.float32)
    starts, ends = np.array(text.spans, np.int64).T
    # Tokens stand in order, so each span covers a run of them: running sums beat a matrix product, whose threads
    # cost more than they save at this size.
    first = np.searchsorted(ends, [start for start, _ in spans], side="right")
    last = np.maximum(np.searchsorted(starts, [end for _, end in spans], side="left"), first)
    sums = np.concatenate([np.zeros((1, text.tokens.shape[1]), np.float32), np.cumsum(text.tokens, axis=0)])
    pooled = sums[last] - sums[first]
    norms = np.linalg.norm(pooled, axis=1, keepdims=True)
    return np.asarray(pooled / np.maximum(norms, 1e-6), np.float32)
