"""The four figures of a report as inline SVG, each with what it covers.

Colours come from the page by class.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from markupsafe import Markup, escape

from qa.evaluation import ExampleScores, Outcome
from qa.evaluation.metrics.confidence import coverage_accuracy, reliability
from qa.evaluation.metrics.statistics import percentile

_BINS = 20
_KINDS: tuple[tuple[str, frozenset[Outcome]], ...] = (
    ("right", frozenset({"right"})),
    ("wrong", frozenset({"wrong", "missed"})),
    ("unknown", frozenset({"declined", "unjudged"})),
)
"""Colours of bars, and whose outcomes they stand for."""
_WIDTH, _HEIGHT = 400, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 12, 40
_TICK = 4


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
        plot.dot(Dot(x=last.coverage, y=last.accuracy, low=last.accuracy, high=last.accuracy, note=note))
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
            plot.dot(dot)
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


class Dot(msgspec.Struct, frozen=True, kw_only=True):
    """A measured point with its interval and what to say of it."""

    x: float
    y: float
    low: float
    high: float
    note: str


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a stacked bar from `left` to `right`."""

    left: float
    right: float
    low: float
    high: float
    kind: str
    note: str


class Plot:
    """A plane with two axes on which marks are put; `str` gives the picture."""

    def __init__(
        self, name: str, *, x: tuple[float, float], y: tuple[float, float], labels: tuple[str, str], whole: bool = False
    ) -> None:
        """`name` is read to those who cannot see it; `whole` numbers the upright axis by whole numbers."""
        self._x, self._y = x, y
        self._name = name
        self._marks: list[Markup] = []
        self._axes(labels, whole=whole)

    def line(self, points: Sequence[tuple[float, float]], *, kind: str) -> None:
        """Connect points."""
        path = " ".join(f"{self._across(x):.1f},{self._up(y):.1f}" for x, y in points)
        self._marks.append(Markup('<polyline class="{}" points="{}"/>').format(kind, path))

    def dot(self, dot: Dot) -> None:
        """A point with a whisker for its interval."""
        x = f"{self._across(dot.x):.1f}"
        self._marks.append(
            Markup('<g class="point"><title>{}</title><line x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
                dot.note, x, x, self._up(dot.low), self._up(dot.high)
            )
            + Markup('<circle cx="{}" cy="{:.1f}" r="3.5"/></g>').format(x, self._up(dot.y))
        )

    def bar(self, bar: Bar) -> None:
        """A rectangle."""
        left, right = self._across(bar.left) + 0.5, self._across(bar.right) - 0.5
        top, bottom = self._up(bar.high), self._up(bar.low)
        self._marks.append(
            Markup(
                '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
            ).format(bar.kind, left, top, max(right - left, 0.5), max(bottom - top, 0.0), bar.note)
        )

    def upright(self, x: float, *, label: str, row: int) -> None:
        """A labelled line from top to bottom; the label keeps inside the picture, on a row of its own."""
        at = self._across(x)
        anchor = "end" if at > _WIDTH * 0.6 else "start"
        self._marks.append(
            Markup('<line class="mark" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>').format(
                at, at, _TOP, _HEIGHT - _BOTTOM
            )
            + Markup('<text x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
                at + (-4 if anchor == "end" else 4), _TOP + 11 + 15 * row, anchor, label
            )
        )

    def __str__(self) -> str:
        return self.__html__()

    def __html__(self) -> str:
        """What a template puts in unescaped: every text in it was escaped as it was put here."""
        opening = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(_WIDTH, _HEIGHT, self._name)
        return str(opening + Markup("").join(self._marks) + Markup("</svg>"))

    def _axes(self, labels: tuple[str, str], *, whole: bool) -> None:
        for share in (n / _TICK for n in range(_TICK + 1)):
            x, y = self._x[0] + share * (self._x[1] - self._x[0]), self._y[0] + share * (self._y[1] - self._y[0])
            across, up = self._across(x), self._up(y)
            self._marks.append(
                Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
                    _LEFT, _WIDTH - _RIGHT, up, up
                )
                + Markup('<text x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
                    _LEFT - 6, up + 4, _tick(y, whole)
                )
                + Markup('<text x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
                    across, _HEIGHT - _BOTTOM + 16, "end" if share == 1 else "middle", _tick(x, self._x[1] > 1)
                )
            )
        middle = (_TOP + _HEIGHT - _BOTTOM) / 2
        self._marks.append(
            Markup('<text class="axis" x="{}" y="{}" text-anchor="middle">{}</text>').format(
                (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 6, labels[0]
            )
            + Markup(
                '<text class="axis" x="12" y="{}" text-anchor="middle" transform="rotate(-90 12 {})">{}</text>'
            ).format(middle, middle, labels[1])
        )

    def _across(self, x: float) -> float:
        return _LEFT + (x - self._x[0]) / (self._x[1] - self._x[0]) * (_WIDTH - _LEFT - _RIGHT)

    def _up(self, y: float) -> float:
        return _HEIGHT - _BOTTOM - (y - self._y[0]) / (self._y[1] - self._y[0]) * (_HEIGHT - _TOP - _BOTTOM)


def interval_bar(value: float, low: float | None, high: float | None, *, note: str) -> Markup:
    """A rate between 0 and 1 as a dot on a line, with its interval."""
    ends = (value if low is None else low, value if high is None else high)
    return Markup(
        '<svg class="rate" viewBox="0 0 120 12" role="img" aria-label="{}"><line class="grid" x1="4" x2="116" '
        'y1="6" y2="6"/>'
        '<line class="interval" x1="{:.1f}" x2="{:.1f}" y1="6" y2="6"/><circle cx="{:.1f}" cy="6" r="3.5"/></svg>'
    ).format(escape(note), *(4 + 112 * min(max(end, 0.0), 1.0) for end in (*ends, value)))


def _tick(value: float, whole: bool) -> str:
    return f"{value:,.0f}" if whole else f"{value:.2f}".rstrip("0").rstrip(".")
