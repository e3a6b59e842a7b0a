"""The seam between passages and vectors, and an encoder that remembers the vectors of questions it encoded lately."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

import msgspec

from embeddings.runtime.memory import Memory, key_of
from embeddings.types import Vector, Vectors

__all__ = ["Encoder", "EncoderIdentity", "RememberingEncoder", "TokenVectors"]


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
