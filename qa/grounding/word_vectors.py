"""Token vectors pooled into the words that they are of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embeddings.encoders.encoder import TokenVectors
from embeddings.types import Vectors

__all__ = ["pool"]


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
