"""An encoder that needs no model: words and their trigrams, hashed into signed buckets.

Deterministic on every machine. It finds texts that share words, nothing more, so it serves tests and
demonstrations and is never chosen unless named.
Source of the method: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning" (2009).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from embeddings.encoders.encoder import EncoderIdentity, TokenVectors
from embeddings.types import Vector, Vectors

__all__ = ["HashingEncoder"]

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
