"""Takes the halves of the grounding sets that may be fitted on, gives their sentences with the evidence they are given.

Only `GroundingRow.part == "fit"`, and of that a part is kept back: thresholds are set by documents never trained on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from embeddings.chunking.sentences import split_sentences
from qa.evaluation.benchmarks.grounding_sets import GroundingRow, read_sets
from qa.grounding.case import case_of, passages_of
from qa.grounding.checker import Context
from qa.training.checker_data import Label, Pair

__all__ = ["EVIDENCE_WORDS", "judged_sentences", "kept_back", "pairs_of_sets"]

EVIDENCE_WORDS = 130
"""Of the evidence that a claim is read with."""
_KEPT_BACK = 4
"""One in so many documents of the fitting halves."""


def kept_back(row: GroundingRow) -> bool:
    """Whether thresholds, and not weights, are set by this row's document."""
    return hashlib.blake2b(row.group.encode(), digest_size=1, salt=b"kept").digest()[0] % _KEPT_BACK == 0


def pairs_of_sets(folder: Path) -> Iterator[Pair]:
    """Every sentence of a response that people judged, or that stands unedited in a response they found supported."""
    rows = sorted(
        (row for row in read_sets(folder) if row.part == "fit" and not kept_back(row)),
        key=lambda row: (row.set, row.group),  # a document is read once while its rows follow each other
    )
    seen = set()
    for row, claim, supported in judged_sentences(rows):
        key = (row.group, claim, supported)
        if key in seen:
            continue
        seen.add(key)
        case = case_of(claim, [row.document], question="", contexts=[Context(title=row.title)])
        if case is None:
            continue
        label: Label = "entailment" if supported else "not_entailment"
        yield Pair(passages_of(case, words=EVIDENCE_WORDS)[0], claim, label, f"set:{row.set}")


def judged_sentences(rows: Sequence[GroundingRow]) -> Iterator[tuple[GroundingRow, str, bool]]:
    """Sentences whose own truth is known: of a false response of several, only those that an edit or a mark touches."""
    true = {
        (row.group, row.response[start:end])
        for row in rows
        if row.supported
        for start, end in split_sentences(row.response)
    }
    for row in rows:
        spans = list(split_sentences(row.response))
        for start, end in spans:
            claim = row.response[start:end]
            if row.supported or (row.group, claim) in true:
                yield row, claim, True
            elif len(spans) == 1 or row.original is not None:
                if row.original is None or claim not in row.original:
                    yield row, claim, False
            elif row.wrong and any(start < last and first < end for first, last in row.wrong):
                yield row, claim, False
