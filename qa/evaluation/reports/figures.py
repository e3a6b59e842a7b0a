"""Takes scored examples, gives the four pictures of a report, each with what it is over."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from qa.evaluation.metrics.calibration import reliability
from qa.evaluation.metrics.latency import percentile
from qa.evaluation.metrics.selective import coverage_accuracy
from qa.evaluation.reports.charts import Bar, Dot, Plot
from qa.evaluation.types import ExampleScores, Outcome

__all__ = ["Figure", "figures"]

_BINS = 20
_KINDS: tuple[tuple[str, frozenset[Outcome]], ...] = (
    ("right", frozenset({"right"})),
    ("wrong", frozenset({"wrong", "missed"})),
    ("unknown", frozenset({"declined", "unjudged"})),
)
"""Colours of bars, and whose outcomes they stand for."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A picture and the words below it."""

    title: str
    caption: str
    plot: Plot | None
    """None where there is nothing to draw."""
    legend: tuple[tuple[str, str], ...] = ()
    """Colours by class, and what they mean."""


def figures(examples: Sequence[ExampleScores]) -> tuple[Figure, ...]:
    """Coverage–accuracy, calibration, confidence and latency."""
    judged = [
        (one.confidence, one.values["answer.right"])
        for one in examples
        if one.confidence is not None and "answer.right_when_answered" in one.values
    ]
    return (
        _coverage([sure for sure, _ in judged], [right for _, right in judged], len(examples)),
        _calibration([sure for sure, _ in judged], [right for _, right in judged]),
        _confidence([one for one in examples if one.confidence is not None]),
        _latency([one.latency_ms for one in examples if one.latency_ms is not None]),
    )


def _coverage(confidence: Sequence[float], right: Sequence[float], asked: int) -> Figure:
    curve = coverage_accuracy(confidence, right, asked=asked)
    plot = Plot("Accuracy by coverage", x=(0, 1), y=(0, 1), labels=("coverage", "accuracy")) if curve else None
    if plot:
        plot.line([(point.coverage, point.accuracy) for point in curve], kind="curve")
        last = curve[-1]
        note = f"all answers given: {last.accuracy:.0%} of {last.coverage:.0%} are right"
        plot.dot(Dot(x=last.coverage, y=last.accuracy, low=last.accuracy, high=last.accuracy, note=note), kind="point")
    return Figure(
        title="Coverage and accuracy",
        caption="Share of answers that are right if only the surest are given, from few (left) to all that were given "
        f"(dot). {len(confidence):,} answers to {asked:,} questions.",
        plot=plot,
    )


def _calibration(confidence: Sequence[float], right: Sequence[float]) -> Figure:
    bins = reliability(confidence, right)
    plot = Plot("Accuracy by confidence", x=(0, 1), y=(0, 1), labels=("confidence", "right")) if bins else None
    if plot:
        plot.line([(0, 0), (1, 1)], kind="ideal")
        for one in bins:
            note = f"confidence {one.confidence:.2f}: {one.accuracy:.0%} right (n = {one.n})"
            dot = Dot(x=one.confidence, y=one.accuracy, low=one.accuracy_low, high=one.accuracy_high, note=note)
            plot.dot(dot, kind="point")
    return Figure(
        title="Calibration",
        caption="Share of right answers at each confidence, with 95 % intervals; on the dashed line confidence means "
        f"what it says. {len(confidence):,} answers.",
        plot=plot,
    )


def _confidence(examples: Sequence[ExampleScores]) -> Figure:
    stacks: list[list[tuple[str, int]]] = [[] for _ in range(_BINS)]
    for kind, outcomes in _KINDS:
        sure = [one.confidence or 0.0 for one in examples if one.outcome in outcomes]
        for number in range(_BINS):
            stacks[number].append((kind, sum(min(int(one * _BINS), _BINS - 1) == number for one in sure)))
    highest = max((sum(count for _, count in stack) for stack in stacks), default=0)
    labels = ("confidence", "questions")
    plot = Plot("Questions by confidence", x=(0, 1), y=(0, _round_up(highest)), labels=labels, whole=True)
    for number, stack in enumerate(stacks):
        _stack(plot, (number / _BINS, (number + 1) / _BINS), stack)
    return Figure(
        title="Confidence",
        caption=f"How sure the answerer was of {len(examples):,} questions, declined ones too.",
        plot=plot if examples else None,
        legend=(("right", "right, or rightly declined"), ("wrong", "wrong, or missed"), ("unknown", "not judged")),
    )


def _latency(milliseconds: Sequence[float]) -> Figure:
    plot = None
    p50, p95 = percentile(milliseconds, 50) or 0.0, percentile(milliseconds, 95) or 0.0
    if milliseconds:
        # A few slow ones would press all others into one bar: those beyond stand in the last.
        longest = _round_up(min(max(milliseconds), 1.5 * p95) or 1.0)
        width = longest / _BINS
        counts = [sum(min(int(one / width), _BINS - 1) == n for one in milliseconds) for n in range(_BINS)]
        labels = ("milliseconds", "questions")
        plot = Plot("Questions by latency", x=(0, longest), y=(0, _round_up(max(counts))), labels=labels, whole=True)
        for number, count in enumerate(counts):
            _stack(plot, (number * width, (number + 1) * width), [("neutral", count)])
        plot.upright(p50, label=f"half took up to {p50:,.0f}", row=0)
        plot.upright(p95, label=f"95 % up to {p95:,.0f}", row=1)
    return Figure(
        title="Latency",
        caption=f"How long {len(milliseconds):,} questions took, as whoever asked saw it; the longest "
        f"{max(milliseconds, default=0):,.0f} ms. The last bar also holds what took longer than the axis goes.",
        plot=plot,
    )


def _stack(plot: Plot, span: tuple[float, float], parts: Sequence[tuple[str, int]]) -> None:
    at = 0
    for kind, count in parts:
        if count:
            note = f"{count:,} {kind if kind != 'neutral' else 'questions'}, {span[0]:,.4g} to {span[1]:,.4g}"
            plot.bar(Bar(left=span[0], right=span[1], low=at, high=at + count, kind=kind, note=note))
        at += count


def _round_up(value: float) -> float:
    """The next number that four ticks divide into round ones.

    >>> _round_up(7), _round_up(130), _round_up(0)
    (8, 160.0, 4)
    """
    if value <= 8:
        return 4 if value <= 4 else 8
    size = 10.0 ** math.floor(math.log10(value))
    return next(step * size for step in (1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 12) if step * size >= value)
