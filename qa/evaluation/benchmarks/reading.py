"""SQuAD 2.0 and 1.1: the reader with the paragraph given and over all paragraphs, as rows of the table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from qa.evaluation.benchmarks.asking import Bench
from qa.evaluation.benchmarks.reader import ReaderReport
from qa.evaluation.benchmarks.reader_files import FileReport, measure
from qa.evaluation.benchmarks.table import Row, of_score
from qa.evaluation.types import Score
from qa.reading.load_reader import load_reader

__all__ = ["measure_reading", "reader_rows"]

_SETTINGS: Mapping[str, str] = {"given": "paragraph given", "open": "over all paragraphs"}
_PUBLISHED = "MiniLM 22 M trained on SQuAD .756, BERT-large .818, human .895 (paragraph given)"
_SHOWN = (
    "exact_match",
    "f1",
    "exact_match.has_answer",
    "f1.has_answer",
    "no_answer.declined",
    "confidence.auroc",
    "span_f1.has_answer",
    "span_exact_match.has_answer",
    "answerable.auroc",
)


def measure_reading(path: Path, *, title: str, bench: Bench, limit: int | None, searched: bool = True) -> list[Row]:
    """Measure one file, `limit` questions of it, also over all its paragraphs if `searched`; give its rows."""

    def tell(setting: str, done: int, total: int) -> None:
        if done and done % 100 == 0:
            bench.tell(f"  {path.name}, {_SETTINGS[setting]}: {done:,} of {total:,} questions")

    return reader_rows(
        measure(
            path,
            encoder=bench.encoder,
            reader=load_reader(bench.settings.reader, threads=bench.settings.threads),
            settings=("given", "open") if searched else ("given",),
            limit=limit,
            cache=bench.cache / "squad",
            told=tell,
        ),
        title=title,
    )


def reader_rows(file: FileReport, *, title: str) -> list[Row]:
    """Rows at the shipped threshold; what the best threshold would reach stands in a row of its own, called so."""
    return [row for report in file.reports for row in _rows(report, title)]


def _rows(report: ReaderReport, title: str) -> list[Row]:
    section = f"{title}: {_SETTINGS[report.setting]}" + (
        " (the reader was FITTED on it)" if report.fitted_on_these else ""
    )
    known = {score.metric.removeprefix("reader."): score for score in report.scores}
    rows = [_row(known[name], name, report, section) for name in _SHOWN if known[name].n]
    if report.answerable < report.n:
        measure = f"upper bound: f1 at the threshold best for these answers ({report.best_f1.threshold:.2f})"
        rows.append(Row(section=section, measure=measure, value=report.best_f1.value, n=report.n))
    return rows


def _row(score: Score, name: str, report: ReaderReport, section: str) -> Row:
    floors = {
        "exact_match": (report.floor, "always declining"),
        "f1": (report.floor, "always declining"),
        "exact_match.has_answer": (0.0, "always declining"),
        "f1.has_answer": (0.0, "always declining"),
        "no_answer.declined": (0.0, "never declining"),
        "confidence.auroc": (0.5, "chance"),
        "span_f1.has_answer": (0.0, "always declining"),
        "span_exact_match.has_answer": (0.0, "always declining"),
        "answerable.auroc": (0.5, "chance"),
    }
    floor, what = floors[name]
    published = _PUBLISHED if name == "f1" and report.setting == "given" and report.answerable < report.n else ""
    return of_score(score, section=section, measure=name, floor=floor, floor_is=what, anchor=published)
