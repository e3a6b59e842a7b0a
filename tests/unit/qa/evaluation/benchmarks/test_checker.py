"""The support checker's rows of the yardsticks: every figure with the best floor beside it."""

from __future__ import annotations

from qa.evaluation.benchmarks.checker import Figures, SetReport, checker_rows
from qa.evaluation.metrics.statistics import NOTHING, Estimate


def estimate(value: float) -> Estimate:
    return Estimate(value=value, low=value - 0.1, high=value + 0.1, n=40, groups=20, method="bootstrap")


def figures(judge: str, accuracy: float, area: float, spans: Estimate = NOTHING) -> Figures:
    return Figures(
        judge=judge,
        balanced_accuracy=estimate(accuracy),
        threshold=0.5,
        auroc=estimate(area),
        span_f1=spans,
        sentence_f1=NOTHING,
    )


def report(spans: Estimate) -> SetReport:
    return SetReport(
        set="cliff",
        n=40,
        documents=20,
        supported=0.5,
        verdicts=estimate(0.61),
        by_domain={},
        figures=(
            figures("checker", 0.7, 0.8, spans),
            figures("word overlap", 0.55, 0.65, estimate(0.3) if spans.n else NOTHING),
            figures("bigram overlap", 0.6, 0.62),
        ),
    )


def test_the_better_floor_stands_beside_each_figure() -> None:
    accuracy, verdicts, area = checker_rows(report(NOTHING))
    assert (accuracy.value, accuracy.floor) == (0.7, 0.6)
    assert (area.value, area.floor) == (0.8, 0.65)
    assert (verdicts.value, verdicts.floor) == (0.61, 0.6)
    assert accuracy.anchor
    assert {row.section for row in (accuracy, verdicts, area)} == {"Support checker: CLIFF"}


def test_spans_are_shown_where_the_set_marks_them() -> None:
    *_, spans = checker_rows(report(estimate(0.4)))
    assert (spans.measure, spans.value, spans.floor) == ("F1 of the characters marked as wrong", 0.4, 0.3)
