"""Takes a sentence's words and token vectors, gives its dependency tree; the encoder is read, not run again.

A biaffine scorer (Dozat & Manning, 2017) over the hidden states half-way up a frozen encoder, where grammar shows best
(Hewitt & Manning, 2019; Tenney et al., 2019); fitted by `make fit-parser` for one encoder, useless with another.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from embeddings.encoders.encoder import TokenVectors
from qa.grounding.syntax.tree import ROOT, Tree, likeliest_heads
from qa.language.words import Word

__all__ = ["Parser", "load_parser", "word_states"]

_Floats = npt.NDArray[np.float32]
_NEVER = -1e4
_LEAK = 0.1
_LONGEST = 100
"""Words beyond which no sentence is parsed: it is none, or a list, and the time grows with the square."""


class Parser:
    """The fitted scorer."""

    def __init__(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        self.encoder = str(arrays["encoder"])
        """Revision of the encoder whose vectors it reads."""
        self.relations = tuple(str(name) for name in arrays["relations"])
        self._weights = {
            name: array.astype(np.float32) for name, array in arrays.items() if name not in {"encoder", "relations"}
        }
        self._reach = (len(self._weights["distance"]) - 1) // 2

    def parse(self, words: tuple[Word, ...], vectors: TokenVectors) -> Tree | None:
        """The tree over these words of the text; None without half-way states, a word, or an end in sight."""
        if vectors.halfway is None or not 0 < len(words) <= _LONGEST:
            return None
        rows = _with_neighbours(word_states(words, vectors))
        heads = likeliest_heads(self._head_scores(rows))
        return Tree(words=words, heads=heads, relations=self._relations_of(rows, heads))

    def _head_scores(self, rows: _Floats) -> _Floats:
        """Shape (n, n + 1): each word with the root, then with every word, as its head."""
        count, weights = len(rows), self._weights
        heads = np.concatenate([weights["root"][None], self._projected(rows, "head")])
        scores = _with_one(self._projected(rows, "dependent")) @ weights["arcs"] @ heads.T
        places = np.arange(count)
        apart = np.clip(places[None] - places[:, None], -self._reach, self._reach) + self._reach
        scores[:, 1:] += weights["distance"][apart]
        scores[places, places + 1] = _NEVER
        return np.asarray(scores, np.float32)

    def _relations_of(self, rows: _Floats, heads: tuple[int, ...]) -> tuple[str, ...]:
        candidates = np.concatenate([self._weights["relation_root"][None], self._projected(rows, "relation_head")])
        theirs = _with_one(candidates[np.array(heads) + 1])
        ours = _with_one(self._projected(rows, "relation_dependent"))
        scores = np.einsum("nk,rkl,nl->nr", ours, self._weights["relation"], theirs, optimize=True)
        scores[:, self.relations.index("root")] = _NEVER
        best = scores.argmax(axis=1)
        return tuple("root" if head == ROOT else self.relations[best[word]] for word, head in enumerate(heads))

    def _projected(self, rows: _Floats, name: str) -> _Floats:
        out = rows @ self._weights[f"{name}_weight"].T + self._weights[f"{name}_bias"]
        return np.asarray(np.where(out > 0, out, _LEAK * out), np.float32)


@lru_cache(maxsize=1)
def load_parser() -> Parser:
    """The parser that ships with the package."""
    path = files("qa.grounding.syntax").joinpath("parser.npz")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return Parser(dict(arrays))


def word_states(words: Sequence[Word], vectors: TokenVectors) -> _Floats:
    """Mean half-way state of each word's tokens; zeros for a word that the encoder cut off.

    The vectors must have such states. Fitting pools by this, too: otherwise the parser would read what it never saw.
    """
    halfway = np.asarray(vectors.halfway, np.float32)
    pooled = np.zeros((len(words), halfway.shape[1]), np.float32)
    if not vectors.spans:
        return pooled
    starts, ends = np.array(vectors.spans, np.int64).T
    for at, word in enumerate(words):
        own = (starts < word.end) & (word.start < ends)
        if own.any():
            pooled[at] = halfway[own].mean(axis=0)
    return pooled


def _with_neighbours(rows: _Floats) -> _Floats:
    """Each word beside the one before it and the one after it; zeros beyond the ends."""
    edge = np.zeros((1, rows.shape[1]), np.float32)
    padded = np.concatenate([edge, rows, edge])
    return np.concatenate([padded[:-2], rows, padded[2:]], axis=1)


def _with_one(rows: _Floats) -> _Floats:
    return np.concatenate([rows, np.ones((len(rows), 1), np.float32)], axis=1)
