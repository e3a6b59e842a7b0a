"""Takes scores and comparisons, gives them as lines of aligned columns: the same on a terminal and in a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qa.cli.terminal import shortened
from qa.evaluation.number_format import interval_of, number_of, value_of

if TYPE_CHECKING:
    from qa.evaluation.compare import Comparison, Flip
    from qa.evaluation.types import Score

__all__ = ["comparison_lines", "flip_lines", "score_lines"]

_QUESTION = 90


def score_lines(scores: Sequence[Score]) -> str:
    """One line a metric: value, 95 % interval, what it is over."""
    rows = [(one.metric, value_of(one), interval_of(one), f"{one.n:,}", one.unit) for one in scores]
    return _aligned([("metric", "value", "95 % interval", "n", "of"), *rows])


def comparison_lines(comparison: Comparison) -> str:
    """One line a metric: both values, their difference with its interval, and how likely chance is."""
    rows = []
    for one in comparison.metrics:
        change = one.difference
        low, high = (number_of(end, one.metric, signed=True) for end in (change.low, change.high))
        before, after = (number_of(value, one.metric) for value in (one.baseline, one.candidate))
        gained = number_of(change.mean, one.metric, signed=True)
        # The difference is candidate - baseline: the candidate's count comes first.
        n = ", ".join(f"{count:,}" for count in dict.fromkeys(reversed(change.n)))
        rows.append((one.metric, before, after, gained, f"{low} … {high}", f"{change.p:.4f}", n, one.verdict))
    heading = ("metric", "baseline", "candidate", "difference", "95 % interval", "p", "n", "verdict")
    return _aligned([heading, *rows])


def flip_lines(title: str, flips: Sequence[Flip]) -> str:
    """Questions that flipped, one a line."""
    lines = [
        f"  {shortened(flip.example_id, 60)}  {flip.baseline} → {flip.candidate}  {shortened(flip.question, _QUESTION)}"
        for flip in flips
    ]
    return "\n".join([f"{title}: {len(flips)}", *lines])


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns two spaces apart, numbers to the right; the first and the last hold words."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    last = len(widths) - 1
    return "\n".join(
        "  ".join(
            cell.ljust(width) if n == 0 else cell if n == last else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
