"""Rows of the grounding sets as the aligned checker reads them, labelled word by word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.chunking.sentences import split_sentences
from embeddings.encoders import Encoder
from qa.evaluation.benchmarks.grounding_sets import GroundingRow
from qa.grounding.aligned import Judged, judge
from qa.grounding.checker import Provenance
from qa.grounding.features import word_features
from qa.grounding.syntax.comparing import grammar_for
from qa.language.words import words_of

__all__ = ["ClaimExample", "claims_of", "edited_words", "read_examples"]

Span = tuple[int, int]


class ClaimExample(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence of a response with what people said of it."""

    set: str
    group: str
    text: str
    supported: bool
    judged: Judged
    word_rows: npt.NDArray[np.float32]
    word_wrong: npt.NDArray[np.bool_] | None
    """For each word, whether it is wrong; None where nobody said which are."""


def claims_of(response: str) -> list[Span]:
    """Spans of the sentences of a response: each is a claim."""
    return list(split_sentences(response))


def read_examples(
    rows: Sequence[GroundingRow], *, encoder: Encoder, told: Callable[[int], None] = lambda _: None
) -> list[ClaimExample]:
    """Read every distinct sentence of these rows once; quotations, which need no weighing, are left out."""
    found: dict[tuple[str, str, bool], ClaimExample] = {}
    grammar = grammar_for(encoder.identity)
    for number, row in enumerate(sorted(rows, key=lambda row: (row.set, row.group))):
        told(number)
        wrong = _wrong(row)
        for span in claims_of(row.response):
            text = row.response[span[0] : span[1]]
            supported = row.supported or (wrong is not None and not any(_meets(span, other) for other in wrong))
            key = (row.group, text, supported)
            if key in found:
                continue
            contexts = [Provenance(title=row.title)]
            judged = judge(text, [row.document], encoder=encoder, grammar=grammar, question="", contexts=contexts)
            if judged is not None:
                found[key] = _example(row, span, supported, wrong, judged)
    return list(found.values())


def _example(
    row: GroundingRow, span: Span, supported: bool, wrong: tuple[Span, ...] | None, judged: Judged
) -> ClaimExample:
    marked = [(start - span[0], end - span[0]) for start, end in wrong or ()]
    words = judged.case.claim.words
    flags = np.array([any(w.start < end and start < w.end for start, end in marked) for w in words], np.bool_)
    known = supported or (wrong is not None and bool(flags.any()))
    return ClaimExample(
        set=row.set,
        group=row.group,
        text=row.response[span[0] : span[1]],
        supported=supported,
        judged=judged,
        word_rows=word_features(judged.case, judged.aligned, judged.mismatches),
        word_wrong=(flags & (not supported)) if known else None,
    )


def _wrong(row: GroundingRow) -> tuple[Span, ...] | None:
    """Where a response is wrong: as annotated, or where it was edited; None where nothing tells."""
    if row.supported:
        return ()
    if row.wrong:
        return row.wrong
    return edited_words(row.original, row.response) if row.original else None


def edited_words(original: str, edited: str) -> tuple[Span, ...] | None:
    """Spans of the words that an edit put in, or before which it took some out; None where there are none.

    >>> edited_words("The net margin rose.", "The net margin fell.")
    ((15, 19),)
    """
    before, after = words_of(original), words_of(edited)
    matcher = SequenceMatcher(None, [w.text for w in before], [w.text for w in after], autojunk=False)
    spans = []
    for kind, _, _, start, end in matcher.get_opcodes():
        if kind != "equal" and after:
            last = min(max(end, start + 1), len(after))
            first = min(start, last - 1)
            spans.append((after[first].start, after[last - 1].end))
    return tuple(spans) or None


def _meets(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
