"""Takes a claim aligned with its evidence and the doubt about each word, gives one row: is the claim borne out?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from qa.grounding.alignment import Aligned
from qa.grounding.checker import Mismatch
from qa.grounding.mismatches import Case
from qa.grounding.spans import supporting_rows
from qa.language.polarity import hedged

__all__ = ["CLAIM_FEATURES", "claim_features"]

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
_Floats = npt.NDArray[np.float32]
_LOW = 0.1


def claim_features(
    case: Case, aligned: Aligned, doubts: npt.NDArray[np.floating], mismatches: Sequence[Mismatch]
) -> _Floats:
    """The row, in the order of `CLAIM_FEATURES`; `doubts` is the probability, per word, that it is not borne out."""
    matter = np.array([not word.stop for word in aligned.words], np.bool_)
    ranked = np.sort(doubts)[::-1] if doubts.size else np.zeros(1)
    most = aligned.most[matter] if matter.any() else aligned.most
    rows = supporting_rows(case)
    best = case.sentences[case.chosen[0]]
    counts = [sum(m.kind in kinds for m in mismatches) for kinds in _KINDS]
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


_KINDS = (("number", "unit"), ("date",), ("name",), ("negation", "quantifier", "meaning"))


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
