"""An encoder for writers that takes turns: it cuts their work into small batches on the encoding thread.

A question then waits for one small batch, not for a whole article; and the encoder is still used by one thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from embeddings.encoders.encoder import Encoder, EncoderIdentity, TokenVectors
from embeddings.types import Vector, Vectors
from qa.server.worker import Worker

__all__ = ["BatchingEncoder"]

T = TypeVar("T")

_PASSAGES_PER_TURN = 8
"""About a tenth of a second of the bundled model on two cores."""
_TEXTS_PER_COUNT = 256
"""Counting tokens is some hundred times cheaper than encoding."""


class BatchingEncoder:
    """The encoder as any other thread may use it; same vectors, up to the rounding of another batch."""

    def __init__(self, encoder: Encoder, *, worker: Worker, check: Callable[[], None]) -> None:
        """`check` is called before each batch and may raise to end the work."""
        self._encoder = encoder
        self._worker = worker
        self._check = check

    @property
    def identity(self) -> EncoderIdentity:
        """The wrapped encoder's identity."""
        return self._encoder.identity

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed passages, a few per turn; batches of like length, because short texts are padded to the longest."""
        if not texts:
            return self._turn(partial(self._encoder.encode_passages, texts))
        vectors = np.empty((len(texts), self._encoder.identity.dimension), dtype=np.float32)
        by_length = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for rows in _batches(by_length, _PASSAGES_PER_TURN):
            batch = [texts[row] for row in rows]
            vectors[rows] = self._turn(partial(self._encoder.encode_passages, batch))
        return vectors

    def encode_query(self, text: str) -> Vector:
        """Embed one question."""
        return self._turn(partial(self._encoder.encode_query, text))

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Embed short texts with their token vectors, a few per turn."""
        found: list[TokenVectors] = []
        for batch in _batches(texts, _PASSAGES_PER_TURN):
            found += self._turn(partial(self._encoder.encode_tokens, batch))
        return found

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in tokens, many per turn."""
        counts: list[int] = []
        for batch in _batches(texts, _TEXTS_PER_COUNT):
            counts += self._turn(partial(self._encoder.count_tokens, batch))
        return counts

    def _turn(self, job: Callable[[], T]) -> T:
        self._check()
        return self._worker.submit(job, urgent=False).result()


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
