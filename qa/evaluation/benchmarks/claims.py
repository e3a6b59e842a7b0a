"""SummEdits, CLIFF, QAGS and WiCE: how well the support checker judges claims, as rows of the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from qa.evaluation.benchmarks.asking import Bench
from qa.evaluation.benchmarks.checker import Figures, SetReport, measure
from qa.evaluation.benchmarks.grounding_sets import SetName
from qa.evaluation.benchmarks.table import Row, of_estimate
from qa.evaluation.metrics.intervals import Estimate

__all__ = ["checker_rows", "measure_judging"]

_TITLES: Mapping[str, str] = {
    "summedits": "SummEdits, not news",
    "cliff": "CLIFF",
    "qags-cnndm": "QAGS, CNN/DailyMail",
    "qags-xsum": "QAGS, XSum",
    "wice": "WiCE",
}
_PUBLISHED: Mapping[str, str] = {
    "summedits": "on its news part: SummaC-Conv .619, QAFactEval .744, GPT-4 .833, human .90",
    "cliff": "on its test part, cnndm/xsum: DAE .730/.754, QAFactEval .716/.626",
    "qags-cnndm": "QAFactEval .754",
    "qags-xsum": "QAFactEval .756",
}


def measure_judging(folder: Path, *, bench: Bench, limit: int | None) -> list[Row]:
    """Judge at most `limit` responses of each set, always the same ones."""

    def tell(name: str, done: int, total: int) -> None:
        if done and done % 100 == 0:
            bench.tell(f"  {name}: {done:,} of {total:,} responses")

    names = get_args(SetName)
    reports = measure(
        folder, checker=bench.settings.support_checker, encoder=bench.encoder, names=names, limit=limit, told=tell
    )
    return [row for report in reports for row in checker_rows(report)]


def checker_rows(report: SetReport) -> list[Row]:
    """The checker's figures, each with what word overlap reaches beside it."""
    section = f"Support checker: {_TITLES.get(report.set, report.set)}"
    checker, *floors = report.figures
    rows = [
        _row(
            section,
            "balanced accuracy, threshold from the other half",
            checker.balanced_accuracy,
            _best(floors),
            report,
        ),
        _row(section, "balanced accuracy of the shipped verdicts", report.verdicts, _best(floors), report),
        _row(section, "AUROC", checker.auroc, max(floors, key=lambda one: one.auroc.value or 0.0).auroc, report),
    ]
    if checker.span_f1.n:
        rows.append(_row(section, "F1 of the characters marked as wrong", checker.span_f1, floors[0].span_f1, report))
    if checker.sentence_f1.n:
        rows.append(_row(section, "F1 of the supporting sentences", checker.sentence_f1, floors[0].sentence_f1, report))
    return rows


def _best(floors: Sequence[Figures]) -> Estimate:
    return max(floors, key=lambda one: one.balanced_accuracy.value or 0.0).balanced_accuracy


def _row(section: str, measure: str, own: Estimate, floor: Estimate, report: SetReport) -> Row:
    published = _PUBLISHED.get(report.set, "") if measure.startswith("balanced") else ""
    return of_estimate(
        own, section=section, measure=measure, floor=floor.value, floor_is="word overlap", anchor=published
    )
