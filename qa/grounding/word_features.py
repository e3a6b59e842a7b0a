"""Takes a claim aligned with its evidence, gives one row of numbers per word: is this word borne out?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from qa.grounding.alignment import Aligned
from qa.grounding.checker import Mismatch
from qa.grounding.mismatches import Case
from qa.language.polarity import opposites
from qa.language.synonyms import families

__all__ = ["WORD_FEATURES", "word_features"]

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
_KINDS = {"number": 0, "unit": 0, "date": 1, "name": 2, "negation": 3, "quantifier": 3, "meaning": 3}
_WINDOW = 2

_Floats = npt.NDArray[np.float32]


def word_features(case: Case, aligned: Aligned, mismatches: Sequence[Mismatch]) -> _Floats:
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


def _stop_stems(case: Case) -> frozenset[str]:
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
                flags[at, _KINDS[mismatch.kind]] = 1.0
    return flags
