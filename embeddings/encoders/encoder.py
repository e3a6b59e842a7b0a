"""The seam between passages and vectors, an encoder that remembers, and one that needs no model.

The one that remembers keeps the vectors of questions it encoded lately; the other hashes words and their trigrams.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Protocol

import msgspec
import numpy as np

from embeddings.runtime import Memory, key_of
from embeddings.types import Vector, Vectors

__all__ = ["Encoder", "EncoderIdentity", "HashingEncoder", "RememberingEncoder", "TokenVectors"]


class EncoderIdentity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What makes two encoders interchangeable: equal identity means equal vectors."""

    name: str
    revision: str
    """SHA-256 (hex) over the weights and the configuration that shapes the vectors."""
    dimension: int
    max_tokens: int
    """Longest input the encoder reads, its special tokens included."""
    normalised: bool
    runtime: str = ""
    """What computes the vectors, how precisely, by which network; empty for the model's own library in full precision.

    Not written where it is empty: so a store knows an encoder again from before there was a choice."""

    @property
    def key(self) -> str:
        """SHA-256 (hex) of all of it, for whatever is kept beside vectors."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


class TokenVectors(msgspec.Struct, frozen=True, kw_only=True):
    """One text with its sentence vector and the contextual vectors of its tokens."""

    text: str
    vector: Vector
    spans: tuple[tuple[int, int], ...]
    """Code-point span of each token in `text`; special tokens left out."""
    tokens: Vectors
    """Shape (len(spans), dimension), L2-normalised rows."""
    halfway: Vectors | None = None
    """Hidden states of the same tokens half-way up the model's layers, as they are: grammar shows best there (Tenney et
    al., 2019). None where the encoder has no such layers."""


class Encoder(Protocol):
    """Turns text into vectors; deterministic, thread-safe by being called from one thread at a time."""

    @property
    def identity(self) -> EncoderIdentity:
        """Known without loading the weights into memory."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed passages; rows in the order given, shape (len(texts), dimension)."""

    def encode_query(self, text: str) -> Vector:
        """Embed one question."""

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Embed short texts and keep their token vectors, all from one forward pass."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in the encoder's own tokens, its special tokens included."""


class RememberingEncoder:
    """Passes on to an encoder; the same vectors."""

    def __init__(self, encoder: Encoder, *, vectors: Memory[Vector]) -> None:
        self._encoder = encoder
        self._vectors = vectors

    @property
    def identity(self) -> EncoderIdentity:
        """The wrapped encoder's."""
        return self._encoder.identity

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Passed on."""
        return self._encoder.encode_passages(texts)

    def encode_query(self, text: str) -> Vector:
        """Encoded where it is not remembered of an encoder of the same identity."""
        key = key_of(self.identity.key, text)
        vector = self._vectors.get(key)
        if vector is None:
            vector = self._encoder.encode_query(text)
            self._vectors.put(key, vector)
        return vector.copy()

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Passed on."""
        return self._encoder.encode_tokens(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Passed on."""
        return self._encoder.count_tokens(texts)


_TOKEN = re.compile(r"\w+|[^\w\s]")
_DIMENSION = 256
_SPECIAL_TOKENS = 2
_WHOLE_WORD_WEIGHT = 2.0


class HashingEncoder:
    """Vectors from hashed words; unit length, no weights, no download."""

    identity = EncoderIdentity(name="hashing", revision="1", dimension=_DIMENSION, max_tokens=256, normalised=True)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; shape (len(texts), 256)."""
        if not texts:
            return np.zeros((0, _DIMENSION), np.float32)
        return np.stack([self.encode_query(text) for text in texts])

    def encode_query(self, text: str) -> Vector:
        """Embed one text; a text without a single word gives the first unit vector, never zero."""
        words = [match.group().casefold() for match in _TOKEN.finditer(text)]
        total = np.zeros(_DIMENSION, np.float32)
        for word in words:
            total += _word_vector(word)
        return _unit(total)

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Embed texts with one vector per word or punctuation mark."""
        return [self._tokens_of(text) for text in texts]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words and punctuation marks, plus two for the special tokens a transformer would add."""
        return [sum(1 for _ in _TOKEN.finditer(text)) + _SPECIAL_TOKENS for text in texts]

    def _tokens_of(self, text: str) -> TokenVectors:
        found = list(_TOKEN.finditer(text))
        rows = [_unit(_word_vector(match.group().casefold())) for match in found]
        return TokenVectors(
            text=text,
            vector=self.encode_query(text),
            spans=tuple(match.span() for match in found),
            tokens=np.stack(rows) if rows else np.zeros((0, _DIMENSION), np.float32),
        )


def _word_vector(word: str) -> Vector:
    """Sum of signed one-hot buckets: the word, weighted, and its character trigrams."""
    vector = np.zeros(_DIMENSION, np.float32)
    padded = f"<{word}>"
    for feature, weight in [(word, _WHOLE_WORD_WEIGHT), *((padded[i : i + 3], 1.0) for i in range(len(padded) - 2))]:
        digest = hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        bucket = int.from_bytes(digest[:4], "little") % _DIMENSION
        vector[bucket] += weight if digest[4] & 1 else -weight
    return vector


def _unit(vector: Vector) -> Vector:
    norm = float(np.linalg.norm(vector))
    if norm == 0.0:
        fallback = np.zeros(_DIMENSION, np.float32)
        fallback[0] = 1.0
        return fallback
    return np.asarray(vector / norm, np.float32)
