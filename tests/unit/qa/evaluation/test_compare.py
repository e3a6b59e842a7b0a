"""Limits: what holds, what does not, and what was not measured."""

from __future__ import annotations

import math

import pytest

from qa.evaluation import SCHEMA_VERSION, Score, Scores
from qa.evaluation.compare import Kind, check, limit_of
from qa.evaluation.metrics import METRICS


def scores(**values: tuple[float | None, int]) -> Scores:
    """Scores by name, dots written as underscores twice."""
    return Scores(
        schema_version=SCHEMA_VERSION,
        run_id="",
        fingerprint="",
        predictions_sha256="",
        scorer={},
        scores=tuple(Score(metric=name.replace("__", "."), value=v, n=n) for name, (v, n) in values.items()),
        examples=(),
    )


def holds(text: str, kind: Kind, measured: Scores, baseline: Scores | None = None) -> bool:
    (found,) = check(measured, [limit_of(text, kind=kind)], baseline=baseline)
    return found.holds


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", ["min", "max", "max-regression"])
def test_what_is_no_number_holds_no_limit(value: float | None, kind: Kind) -> None:
    good, bad = scores(answer__f1=(0.5, 10)), scores(answer__f1=(value, 10))
    assert not holds("answer.f1=0", kind, bad, good)
    if kind == "max-regression":
        assert not holds("answer.f1=1", kind, good, bad)


@pytest.mark.parametrize("kind", ["min", "max", "max-regression"])
def test_what_was_measured_on_nothing_or_is_missing_holds_no_limit(kind: Kind) -> None:
    good = scores(answer__f1=(0.5, 10))
    for bad in (scores(answer__f1=(0.5, 0)), scores()):
        assert not holds("answer.f1=0", kind, bad, good)
    assert not holds("answer.f1=1", "max-regression", good, scores())
    assert not holds("answer.f1=1", "max-regression", good, None)


@pytest.mark.parametrize(
    ("metric", "before", "now", "allowed", "expected"),
    [
        ("answer__f1", 0.5, 0.45, 0.05, True),
        ("answer__f1", 0.5, 0.44, 0.05, False),
        ("answer__f1", 0.5, 0.9, 0.0, True),
        ("calibration__ece", 0.10, 0.15, 0.05, True),
        ("calibration__ece", 0.10, 0.16, 0.05, False),
        ("calibration__ece", 0.10, 0.01, 0.0, True),
        ("latency__p95_ms", 100.0, 130.0, 20.0, False),
    ],
)
def test_what_is_lost_is_lost_in_the_direction_that_is_worse(
    metric: str, before: float, now: float, allowed: float, expected: bool
) -> None:
    name = metric.replace("__", ".")
    found = holds(f"{name}={allowed}", "max-regression", scores(**{metric: (now, 9)}), scores(**{metric: (before, 9)}))
    assert found == expected


def test_a_limit_that_is_met_exactly_holds() -> None:
    third = scores(answer__f1=(0.1 + 0.2, 3))
    assert holds("answer.f1=0.3", "min", third)
    assert holds("answer.f1=0.3", "max", third)


def test_every_metric_says_what_it_is() -> None:
    assert len(METRICS) > 50
    assert all(one.about and one.name == name for name, one in METRICS.items())
    lower = {name for name, one in METRICS.items() if not one.higher_is_better}
    assert {"run.failed", "calibration.ece", "latency.p95_ms", "grounding.unsupported_numbers"} <= lower
    assert not {name for name in lower if name.startswith(("retrieval.", "abstention.", "judge."))}
