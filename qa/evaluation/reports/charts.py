"""Takes numbers, gives inline SVG: axes, lines, bars and dots; colours come from the page by class."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from markupsafe import Markup, escape

__all__ = ["Bar", "Dot", "Plot", "interval_bar"]

_WIDTH, _HEIGHT = 400, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 12, 40
_TICK = 4


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

    def dot(self, dot: Dot, *, kind: str) -> None:
        """A point with a whisker for its interval."""
        x = f"{self._across(dot.x):.1f}"
        self._marks.append(
            Markup('<g class="{}"><title>{}</title><line x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
                kind, dot.note, x, x, self._up(dot.low), self._up(dot.high)
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
