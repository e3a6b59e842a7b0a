"""Takes a claim and its few sentences as token vectors, gives how each word of the claim meets the evidence."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.encoders.encoder import TokenVectors
from qa.grounding.mismatches import Case
from qa.grounding.word_vectors import pool
from qa.language.words import Word

__all__ = ["Aligned", "Slot", "align"]

_Floats = npt.NDArray[np.float32]
_REACH = 4
"""How far apart, in words of the evidence, two neighbours of the claim may stand and still hold a slot between them."""


class Slot(msgspec.Struct, frozen=True):
    """What the evidence has where the claim has a word, going by the words around it."""

    kind: int
    """0: no such place; 1: the same word; 2: another word; 3: nothing, so that the claim's word was put in."""
    likeness: float
    """Cosine of the claim's word and the likest of the words in its place."""


class Aligned(msgspec.Struct, frozen=True, kw_only=True):
    """A claim's words (rows) against the words of all chosen sentences, one after the other (columns)."""

    words: tuple[Word, ...]
    theirs: tuple[Word, ...]
    sentence_of: npt.NDArray[np.int64]
    """For each column, the number of its sentence among the chosen ones."""
    similarity: _Floats
    same: npt.NDArray[np.bool_]
    """Same shape: forms of one word."""
    cosines: _Floats
    """Cosine of the claim and each chosen sentence."""
    slots: tuple[Slot, ...]

    @property
    def most(self) -> _Floats:
        """Highest similarity of each word of the claim to any of theirs."""
        return np.asarray(self.similarity.max(axis=1, initial=0.0), np.float32)


def align(case: Case, claim: TokenVectors, sentences: Sequence[TokenVectors]) -> Aligned:
    """Set every word of the claim against every word of the chosen sentences, in contextual vectors and in stems."""
    words = case.claim.words
    theirs = [word for row in case.chosen for word in case.sentences[row].words]
    sentence_of = np.array(
        [number for number, row in enumerate(case.chosen) for _ in case.sentences[row].words], np.int64
    )
    ours = pool(claim, [(word.start, word.end) for word in words])
    parts = [
        pool(vectors, [(word.start, word.end) for word in case.sentences[row].words])
        for row, vectors in zip(case.chosen, sentences, strict=True)
    ]
    similarity = ours @ np.concatenate(parts).T if parts else np.zeros((len(words), 0), np.float32)
    stems = [word.stem for word in theirs]
    same = np.array([[word.stem == stem for stem in stems] for word in words], np.bool_).reshape(len(words), len(stems))
    return Aligned(
        words=words,
        theirs=tuple(theirs),
        sentence_of=sentence_of,
        similarity=np.asarray(similarity, np.float32),
        same=same,
        cosines=np.array([float(claim.vector @ vectors.vector) for vectors in sentences], np.float32),
        slots=tuple(_slot(at, same, similarity, sentence_of) for at in range(len(words))),
    )


def _slot(
    at: int, same: npt.NDArray[np.bool_], similarity: npt.NDArray[np.floating], sentence_of: npt.NDArray[np.int64]
) -> Slot:
    """The place between a word's left and right neighbour in the evidence; the tightest there is."""
    if not 0 < at < same.shape[0] - 1:
        return Slot(0, 0.0)
    best, kind, likeness = _REACH + 1, 0, 0.0
    for left in np.flatnonzero(same[at - 1]):
        rights = np.flatnonzero(same[at + 1, left + 1 : left + 1 + _REACH]) + left + 1
        for right in rights[:1]:
            if sentence_of[left] != sentence_of[right] or right - left >= best:
                continue
            between = slice(left + 1, right)
            best = int(right - left)
            if same[at, between].any():
                return Slot(1, 1.0)
            kind = 2 if best > 1 else 3
            likeness = float(similarity[at, between].max(initial=0.0))
    return Slot(kind, likeness)
