"""Takes a scored run, gives one HTML file: no script, no network, nothing beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from qa.evaluation.catalogue import metric
from qa.evaluation.number_format import interval_of, value_of
from qa.evaluation.reports.charts import interval_bar
from qa.evaluation.reports.figures import figures
from qa.evaluation.reports.questions import QuestionView, view
from qa.evaluation.run_folder import FinishedRun
from qa.evaluation.types import Outcome, Score, Scores

__all__ = ["Row", "Section", "render_html"]

_HEADLINES = {
    "answer.right": "Right answers and abstentions",
    "answer.right_when_answered": "Right, of those answered",
    "answer.f1": "Token F1",
    "retrieval.article.hit@1": "Right article first",
    "grounding.exact_spans": "Exact quotations",
    "grounding.citation_recall": "Citation recall",
    "grounding.citation_precision": "Citation precision",
    "abstention.f1": "Abstention F1",
}
_FAMILIES = {
    "retrieval": "Retrieval",
    "answer": "Answers",
    "grounding": "Grounding",
    "judge": "Language model's opinion",
    "abstention": "Abstention",
    "confidence": "Confidence",
    "calibration": "Calibration",
    "latency": "Latency",
    "run": "Run",
}
_SECTIONS: Mapping[Outcome, tuple[str, str]] = {
    "wrong": ("Wrong", "Answered, and not with what was expected"),
    "missed": ("Missed", "Declined, though the articles answer it"),
    "failed": ("Failed", "No reply came"),
    "unjudged": ("Not judged", "Answered; the dataset does not say what is right"),
    "declined": ("Declined", "The dataset does not say whether rightly"),
    "right": ("Right", "Answered as expected, or rightly declined"),
}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One metric as it is written."""

    name: str
    about: str
    value: str
    interval: str
    n: str
    bar: Markup


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Questions that ended alike."""

    name: str
    title: str
    about: str
    count: int
    questions: Sequence[QuestionView]
    """Of so many as fit into the report."""


def render_html(run: FinishedRun, scores: Scores, *, questions: int = 300) -> str:
    """Render the report with at most so many questions in full, those that went wrong first."""
    environment = Environment(
        loader=PackageLoader("qa.evaluation", "reports"),
        autoescape=select_autoescape(disabled_extensions=("css",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    rows = {one.metric: _row(one) for one in scores.scores}
    return environment.get_template("report.html").render(
        manifest=run.manifest,
        scores=scores,
        settings=_settings(run),
        headlines=[(title, rows[name]) for name, title in _HEADLINES.items() if name in rows],
        families=_families(rows),
        figures=figures(scores.examples),
        sections=_sections(run, scores, questions),
        tags=_tags(run, scores),
    )


def _row(score: Score) -> Row:
    bar = Markup()
    if score.value is not None and metric(score.metric).unit != "milliseconds":
        bar = interval_bar(score.value, score.low, score.high, note=f"{value_of(score)}, {interval_of(score)}")
    unit = "" if score.unit in {"examples", "milliseconds"} else f" {score.unit}"
    return Row(
        name=score.metric,
        about=metric(score.metric).about,
        value=value_of(score) + (" ms" if score.unit == "milliseconds" else ""),
        interval=interval_of(score),
        n=f"{score.n:,}{unit}",
        bar=bar,
    )


def _families(rows: Mapping[str, Row]) -> list[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = {}
    for name, row in rows.items():
        found.setdefault(_FAMILIES.get(name.partition(".")[0], "Other"), []).append(row)
    return list(found.items())


def _sections(run: FinishedRun, scores: Scores, most: int) -> list[Section]:
    examples = {one.id: one for one in run.examples}
    sections = []
    room = most
    for outcome, (title, about) in _SECTIONS.items():
        here = [one for one in scores.examples if one.outcome == outcome and one.example_id in examples]
        shown = [
            view(examples[one.example_id], one, prediction=run.predictions.get(one.example_id), articles=run.articles)
            for one in here[:room]
        ]
        room -= len(shown)
        if here:
            sections.append(Section(name=outcome, title=title, about=about, count=len(here), questions=shown))
    return sections


def _tags(run: FinishedRun, scores: Scores) -> list[tuple[str, int, int]]:
    """By tag of the examples, how many are right of how many that are judged; the commonest first."""
    outcomes = {one.example_id: one.values.get("answer.right") for one in scores.examples}
    found: dict[str, list[float]] = {}
    for example in run.examples:
        right = outcomes.get(example.id)
        for tag in example.tags if right is not None else ():
            found.setdefault(tag, []).append(right or 0.0)
    rows = [(tag, round(sum(rights)), len(rights)) for tag, rights in found.items()]
    return sorted(rows, key=lambda row: (-row[2], row[0]))[:20]


def _settings(run: FinishedRun) -> dict[str, str]:
    manifest = run.manifest
    parts = {"option": manifest.options, "setting": manifest.settings, "encoder": manifest.encoder}
    parts |= {"prompt": manifest.prompts, "corpus": manifest.corpus, "version": manifest.versions}
    return {f"{part} {name}": value for part, values in parts.items() for name, value in values.items() if value}
