"""A claim and its evidence as rows of numbers: is each word borne out, is the claim?

The two networks of the aligned checker weigh them.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.encoders import TokenVectors
from embeddings.types import Vectors
from qa.grounding import Mismatch
from qa.grounding.claim_evidence import ClaimEvidence, supporting_rows
from qa.language.words import Word, families, hedged, opposites

__all__ = ["CLAIM_FEATURES", "WORD_FEATURES", "Aligned", "Slot", "align", "claim_features", "pool", "word_features"]

_Floats = npt.NDArray[np.float32]
_REACH = 4
"""How far apart, in words of the evidence, two neighbours of the claim may stand and still hold a slot between them."""
WORD_FEATURES = (
    "stop",
    "name",
    "number",
    "capital",
    "length",
    "first",
    "same_best",
    "same_chosen",
    "same_anywhere",
    "share_of_sentences",
    "family",
    "opposite",
    "cosine",
    "cosine_best",
    "cosine_lead",
    "left_pair",
    "right_pair",
    "slot_same",
    "slot_other",
    "slot_none",
    "slot_likeness",
    "neighbours_cosine",
    "mismatch_number",
    "mismatch_date",
    "mismatch_name",
    "mismatch_wording",
    "cosine_if_absent",
    "cosine_if_name",
    "negated",
)
_WORD_KINDS = {"number": 0, "unit": 0, "date": 1, "name": 2, "negation": 3, "quantifier": 3, "meaning": 3}
_WINDOW = 2
CLAIM_FEATURES = (
    "doubt_most",
    "doubt_second",
    "doubt_third",
    "doubt_sum",
    "doubt_mean",
    "words",
    "share_best",
    "share_supporting",
    "share_chosen",
    "unigrams",
    "bigrams",
    "trigrams",
    "bigrams_chosen",
    "longest_run",
    "cosine_best",
    "cosine_mean",
    "alignment_mean",
    "alignment_low",
    "facts",
    "number_mismatches",
    "date_mismatches",
    "name_mismatches",
    "wording_mismatches",
    "hedge_lost",
    "hedge_added",
    "supporting_sentences",
    "sentences",
)
_LOW = 0.1


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


def align(case: ClaimEvidence, claim: TokenVectors, sentences: Sequence[TokenVectors]) -> Aligned:
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


def word_features(case: ClaimEvidence, aligned: Aligned, mismatches: Sequence[Mismatch]) -> _Floats:
    """One row per word of the claim, in the order of `WORD_FEATURES`."""
    count = len(aligned.words)
    if not count:
        return np.zeros((0, len(WORD_FEATURES)), np.float32)
    everywhere = [sentence.stems for sentence in case.sentences]
    all_stems = frozenset[str]().union(*everywhere, *(_stop_stems(case),))
    best = aligned.sentence_of == 0
    names = [any(n.start <= w.start < n.end for n in case.claim.names) for w in aligned.words]
    most, near = aligned.most, aligned.similarity[:, best].max(axis=1, initial=0.0)
    ranked = np.sort(aligned.similarity, axis=1)
    lead = ranked[:, -1] - ranked[:, -2] if ranked.shape[1] > 1 else np.zeros(count)
    pairs = _pairs(aligned)
    flags = _flags(aligned, mismatches)
    rows = [
        (
            *(word.stop, names[at], word.number, word.capital, min(len(word.text), 12) / 12, at == 0),
            bool(aligned.same[at, best].any()),
            bool(aligned.same[at].any()),
            word.stem in all_stems,
            sum(word.stem in stems for stems in everywhere) / max(len(everywhere), 1),
            *(_related(word.stem, aligned), _opposed(word.stem, aligned)),
            *(most[at], near[at], lead[at]),
            *(at == 0 or pairs[at - 1], at == count - 1 or pairs[at]),
            *(aligned.slots[at].kind == kind for kind in (1, 2, 3)),
            aligned.slots[at].likeness,
            _around(most, at),
            *flags[at],
            0.0 if aligned.same[at].any() else most[at],
            most[at] if names[at] else 0.0,
            case.claim.negated[at],
        )
        for at, word in enumerate(aligned.words)
    ]
    return np.array(rows, np.float32)


def _around(most: _Floats, at: int) -> float:
    """How well the words on either side of a word are met."""
    near = [most[o] for o in range(max(0, at - _WINDOW), min(len(most), at + _WINDOW + 1)) if o != at]
    return float(np.mean(near)) if near else 0.0


def _stop_stems(case: ClaimEvidence) -> frozenset[str]:
    return frozenset(word.stem for sentence in case.sentences for word in sentence.words if word.stop)


def _related(stem: str, aligned: Aligned) -> bool:
    kin = families().get(stem, frozenset[int]())
    return bool(kin) and any(kin & families().get(word.stem, frozenset()) for word in aligned.theirs)


def _opposed(stem: str, aligned: Aligned) -> bool:
    against = opposites().get(stem, frozenset[str]())
    return bool(against) and any(word.stem in against for word in aligned.theirs)


def _pairs(aligned: Aligned) -> list[bool]:
    """For each word but the last, whether the evidence has it and the next one side by side."""
    if aligned.same.shape[1] < 2:
        return [False] * len(aligned.words)
    together = aligned.sentence_of[1:] == aligned.sentence_of[:-1]
    both = aligned.same[:-1, :-1] & aligned.same[1:, 1:] & together
    return [*map(bool, both.any(axis=1)), False]


def _flags(aligned: Aligned, mismatches: Sequence[Mismatch]) -> npt.NDArray[np.float32]:
    """For each word, whether a hard check struck it: number, date, name, wording."""
    flags = np.zeros((len(aligned.words), 4), np.float32)
    for mismatch in mismatches:
        for at, word in enumerate(aligned.words):
            if word.start < mismatch.end and mismatch.start < word.end:
                flags[at, _WORD_KINDS[mismatch.kind]] = 1.0
    return flags


def claim_features(
    case: ClaimEvidence, aligned: Aligned, doubts: npt.NDArray[np.floating], mismatches: Sequence[Mismatch]
) -> _Floats:
    """The row, in the order of `CLAIM_FEATURES`; `doubts` is the probability, per word, that it is not borne out."""
    matter = np.array([not word.stop for word in aligned.words], np.bool_)
    ranked = np.sort(doubts)[::-1] if doubts.size else np.zeros(1)
    most = aligned.most[matter] if matter.any() else aligned.most
    rows = supporting_rows(case)
    best = case.sentences[case.chosen[0]]
    counts = [sum(m.kind in kinds for m in mismatches) for kinds in _CLAIM_KINDS]
    ours, theirs = hedged(case.claim.words), hedged(best.words)
    everything = [word.stem for sentence in case.sentences for word in sentence.words]
    return np.array(
        (
            *(float(ranked[place]) if place < len(ranked) else 0.0 for place in range(3)),
            min(float(-np.log1p(-np.clip(doubts, 0, 0.99)).sum()), 8.0),
            float(doubts.mean()) if doubts.size else 0.0,
            np.log1p(len(aligned.words)),
            case.coverage.share(case.chosen[:1]),
            case.coverage.share(rows),
            case.coverage.share(case.chosen),
            *(_overlap(aligned, everything, n) for n in (1, 2, 3)),
            _overlap(aligned, [word.stem for word in aligned.theirs], 2),
            _longest(aligned) / max(len(aligned.words), 1),
            float(aligned.cosines[:1].sum()),
            float(aligned.cosines.mean()) if aligned.cosines.size else 0.0,
            float(most.mean()) if most.size else 0.0,
            float(np.quantile(most, _LOW)) if most.size else 0.0,
            np.log1p(len(case.claim.quantities) + len(case.claim.moments) + len(case.claim.names)),
            *(min(count, 3) for count in counts),
            theirs and not ours,
            ours and not theirs,
            len(rows),
            np.log1p(len(case.sentences)),
        ),
        np.float32,
    )


_CLAIM_KINDS = (("number", "unit"), ("date",), ("name",), ("negation", "quantifier", "meaning"))


def _overlap(aligned: Aligned, theirs: Sequence[str], n: int) -> float:
    ours = [word.stem for word in aligned.words]
    grams = [tuple(ours[at : at + n]) for at in range(len(ours) - n + 1)]
    known = {tuple(theirs[at : at + n]) for at in range(len(theirs) - n + 1)}
    return sum(gram in known for gram in grams) / len(grams) if grams else 1.0


def _longest(aligned: Aligned) -> int:
    """Words of the longest run that claim and evidence share."""
    best, previous = 0, np.zeros(aligned.same.shape[1] + 1, np.int64)
    for row in aligned.same:
        current = np.zeros_like(previous)
        current[1:] = np.where(row, previous[:-1] + 1, 0)
        best, previous = max(best, int(current.max(initial=0))), current
    return best


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
