"""Takes a claim set against its evidence, gives the exact words that support it: the fewest sentences that say most."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from qa.grounding.binding import best_rows, clauses, inside
from qa.grounding.checker import SupportingSpan
from qa.grounding.mismatches import Case

__all__ = ["supporting_rows", "supporting_spans"]

_WORTH = 0.12
"""Share of the claim that a further sentence must add to be cited too."""
_LEAST = 0.2
"""A sentence with less of the claim supports nothing."""


def supporting_spans(case: Case) -> tuple[tuple[SupportingSpan, ...], float]:
    """Spans of the supporting sentences, best first, and the share of the claim that they have between them."""
    rows = supporting_rows(case)
    return _spans(case, rows), case.coverage.share(rows)


def supporting_rows(case: Case) -> tuple[int, ...]:
    """The best sentence for the whole, then those that add enough; the best of each clause is asked first."""
    wanted = [case.chosen[0]] if case.chosen else []
    for span in clauses(case.claim):
        wanted += best_rows(case.coverage, case.chosen, inside(case.coverage, span))[:1]
    kept: list[int] = []
    for row in dict.fromkeys([*wanted, *case.chosen]):
        added = case.coverage.share([*kept, row]) - case.coverage.share(kept)
        if added >= (_WORTH if kept else _LEAST):
            kept.append(row)
    return tuple(kept)


def _spans(case: Case, rows: Sequence[int]) -> tuple[SupportingSpan, ...]:
    """One span a sentence, those that follow each other in one."""
    found: list[SupportingSpan] = []
    for row in sorted(rows):
        sentence = case.sentences[row]
        score = round(case.coverage.share([row]), 4)
        last = found[-1] if found else None
        if last is not None and row - 1 in rows and last.index == sentence.index:
            found[-1] = msgspec.structs.replace(last, end=sentence.end, score=max(last.score, score))
        else:
            found.append(SupportingSpan(index=sentence.index, start=sentence.start, end=sentence.end, score=score))
    return tuple(sorted(found, key=lambda span: -span.score))
