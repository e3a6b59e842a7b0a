"""Takes measured rows, gives the one table of the yardsticks, as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from qa.evaluation.metrics.intervals import Estimate
from qa.evaluation.types import Machine, Score

__all__ = ["Named", "Row", "Table", "by_metric", "markdown", "of_estimate", "of_score", "write"]

_VERSION = 1


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure."""

    section: str
    measure: str
    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    floor: float | None = None
    """What is reached without understanding anything, measured on the same questions."""
    floor_is: str = ""
    anchor: str = ""
    """What others reached, on what; not always the same questions."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Everything measured, and under which conditions."""

    version: int = _VERSION
    made_at: str
    git_revision: str
    code: str
    encoder: Mapping[str, str]
    checker: str
    machine: Machine
    seconds: Mapping[str, float]
    """Wall-clock time of each part; little where predictions were kept from an earlier call."""
    notes: tuple[str, ...]
    rows: tuple[Row, ...]


def of_score(score: Score, *, section: str, measure: str = "", **about: object) -> Row:
    """A row of a score; `about` holds floor and anchor."""
    row = Row(
        section=section, measure=measure or score.metric, value=score.value, n=score.n, low=score.low, high=score.high
    )
    return msgspec.structs.replace(row, **about)


def of_estimate(estimate: Estimate, *, section: str, measure: str, **about: object) -> Row:
    """A row of an estimate; `about` holds floor and anchor."""
    row = Row(
        section=section, measure=measure, value=estimate.value, n=estimate.n, low=estimate.low, high=estimate.high
    )
    return msgspec.structs.replace(row, **about)


def markdown(table: Table) -> str:
    """The table for people."""
    made = (
        f"Made {table.made_at} at revision `{table.git_revision[:12] or 'unknown'}` with encoder "
        f"`{table.encoder.get('name', '')}` and support checker `{table.checker}`, in "
        f"{sum(table.seconds.values()) / 60:.0f} minutes on {table.machine.cores} cores. Intervals are 95 %.\n"
    )
    parts = [
        "# Yardsticks\n",
        made,
        *(f"- {note}" for note in table.notes),
        "",
    ]
    for section, rows in groupby(table.rows, key=lambda row: row.section):
        parts += [f"## {section}\n", "| measure | value | 95 % | n | floor | others |", "|---|---|---|---|---|---|"]
        parts += [_line(row) for row in rows]
        parts.append("")
    return "\n".join(parts)


def write(table: Table, folder: Path) -> tuple[Path, Path]:
    """Write `yardsticks.md` and `yardsticks.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    for_people, for_programs = folder / "yardsticks.md", folder / "yardsticks.json"
    for_people.write_text(markdown(table), encoding="utf-8")
    for_programs.write_bytes(msgspec.json.format(msgspec.json.encode(table), indent=1) + b"\n")
    return for_people, for_programs


def _line(row: Row) -> str:
    interval = "" if row.low is None or row.high is None else f"{_number(row.low)}–{_number(row.high)}"
    floor = "" if row.floor is None else f"{_number(row.floor)} ({row.floor_is})"
    return f"| {row.measure} | {_number(row.value)} | {interval} | {row.n:,} | {floor} | {row.anchor} |"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


class Named(dict[str, Score]):
    """Scores by name; one that applied to nothing is there without a value."""

    def __missing__(self, name: str) -> Score:
        """Nothing was measured, and the table says so."""
        return Score(metric=name, value=None, n=0)


def by_metric(scores: Sequence[Score]) -> Named:
    """Scores by name."""
    return Named((score.metric, score) for score in scores)
