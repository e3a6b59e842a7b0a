"""Takes numbers of evaluation, gives them as every report writes them."""

from __future__ import annotations

from qa.evaluation.catalogue import metric
from qa.evaluation.types import Score

__all__ = ["interval_of", "number_of", "value_of"]

UNKNOWN = "–"


def value_of(score: Score) -> str:
    """The value, or a dash where nothing was measured."""
    return UNKNOWN if score.value is None else number_of(score.value, score.metric)


def interval_of(score: Score) -> str:
    """Both ends of the 95 % interval, or a dash where there is none."""
    if score.low is None or score.high is None:
        return UNKNOWN
    return f"{number_of(score.low, score.metric)} … {number_of(score.high, score.metric)}"


def number_of(value: float, name: str, *, signed: bool = False) -> str:
    """Three decimals of a rate, whole milliseconds of a time.

    >>> number_of(0.12345, "answer.f1"), number_of(1234.5, "latency.p50_ms"), number_of(0.1, "answer.f1", signed=True)
    ('0.123', '1,234', '+0.100')
    """
    sign = "+" if signed else ""
    return f"{value:{sign},.0f}" if metric(name).unit == "milliseconds" else f"{value:{sign}.3f}"
