"""An encoder that remembers the vectors of questions it encoded lately: one question is looked up several times."""

from __future__ import annotations

from collections.abc import Sequence

from embeddings.encoders.encoder import Encoder, EncoderIdentity, TokenVectors
from embeddings.runtime.memory import Memory, key_of
from embeddings.types import Vector, Vectors

__all__ = ["RememberingEncoder"]


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
