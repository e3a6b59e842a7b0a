"""Reports of a scored run: Markdown, JUnit, JSON, and one self-contained HTML file."""

import re
from xml.etree import ElementTree as Xml

import msgspec

from qa.evaluation import SCHEMA_VERSION, ExampleScores, Manifest, Score, Scores
from qa.evaluation.compare import Comparison, MetricDifference
from qa.evaluation.metrics import metric
from qa.evaluation.run_folder import FinishedRun

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~-])")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FAULTS = {"wrong": "answered wrongly", "missed": "declined, though the articles answer it"}
UNKNOWN = "–"


def render_markdown(run: FinishedRun, scores: Scores) -> str:
    """Every metric with its interval and n, and what was run."""
    manifest = run.manifest
    outcomes = [one.outcome for one in scores.examples]
    told = ", ".join(f"{outcomes.count(name)} {name}" for name in dict.fromkeys(sorted(outcomes)))
    lines = [
        f"## {_plain(manifest.dataset)}",
        "",
        f"{len(outcomes)} questions ({told}); run `{_code(manifest.run_id)}` of {manifest.started_at[:10]}"
        + (f", revision `{_code(manifest.git_revision)}`" if manifest.git_revision else "")
        + f"; claims judged by `{_code(scores.scorer.get('support_checker', ''))}`.",
        "",
        "| metric | value | 95 % interval | n | of |",
        "|---|--:|--:|--:|---|",
        *(f"| {one.metric} | {value_of(one)} | {interval_of(one)} | {one.n} | {one.unit} |" for one in scores.scores),
    ]
    return "\n".join(lines) + "\n"


def render_comparison(comparison: Comparison) -> str:
    """What changed, every metric with its difference, and the questions that flipped."""
    lines = [f"- **Warning**: {_plain(warning)}" for warning in comparison.warnings]
    lines += [
        f"- {_plain(name)}: `{_code(before) or '(none)'}` → `{_code(after) or '(none)'}`"
        for name, (before, after) in comparison.changed.items()
    ]
    lines += [
        "",
        "| metric | baseline | candidate | difference | 95 % interval | p | verdict |",
        "|---|--:|--:|--:|--:|--:|---|",
        *(_difference(one) for one in comparison.metrics),
    ]
    for title, flips in (("Fixed", comparison.fixed), ("Broken", comparison.broken)):
        lines += ["", f"**{title}: {len(flips)}**", ""]
        lines += [f"- {_plain(one.question)} ({one.baseline} → {one.candidate})" for one in flips]
    return "\n".join(lines).strip() + "\n"


def _difference(one: MetricDifference) -> str:
    numbers = (number_of(value, one.metric) for value in (one.baseline, one.candidate))
    change = one.difference
    mean, low, high = (number_of(value, one.metric, signed=True) for value in (change.mean, change.low, change.high))
    verdict = one.verdict if one.verdict == "no sure difference" else f"**{one.verdict}**"
    return f"| {one.metric} | {' | '.join(numbers)} | {mean} | {low} … {high} | {change.p:.4f} | {verdict} |"


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    return " ".join(text.replace("`", "'").split())


def render_junit(run: FinishedRun, scores: Scores) -> str:
    """Right is a pass, wrong and missed are failures, no reply is an error, what nobody can judge is skipped."""
    questions = {one.id: one.question for one in run.examples}
    counts = {
        "tests": len(scores.examples),
        "failures": sum(one.outcome in _FAULTS for one in scores.examples),
        "errors": sum(one.outcome == "failed" for one in scores.examples),
        "skipped": sum(one.outcome in {"declined", "unjudged"} for one in scores.examples),
    }
    attributes = {"name": _text(run.manifest.dataset)} | {name: str(count) for name, count in counts.items()}
    suite = Xml.Element("testsuite", attributes)
    properties = Xml.SubElement(suite, "properties")
    for one in scores.scores:
        if one.value is not None:
            Xml.SubElement(properties, "property", name=one.metric, value=f"{one.value:.6f}")
    for one_example in scores.examples:
        _case(suite, one_example, questions.get(one_example.example_id, ""))
    suites = Xml.Element("testsuites")
    suites.append(suite)
    Xml.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(suites, encoding="unicode") + "\n"


def _case(suite: Xml.Element, one: ExampleScores, question: str) -> None:
    case = Xml.SubElement(
        suite,
        "testcase",
        classname=_text(one.group),
        name=_text(one.example_id),
        time=f"{(one.latency_ms or 0.0) / 1000:.3f}",
    )
    if one.outcome in _FAULTS:
        Xml.SubElement(case, "failure", message=_FAULTS[one.outcome]).text = _text(question)
    elif one.outcome == "failed":
        Xml.SubElement(case, "error", message="no reply").text = _text(question)
    elif one.outcome != "right":
        Xml.SubElement(case, "skipped", message="the dataset does not say what is right")


def _text(text: str) -> str:
    """Without characters that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)


class _Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was run and what came of it."""

    schema_version: int
    manifest: Manifest
    scores: Scores


def render_json(run: FinishedRun, scores: Scores) -> str:
    """The document; the same run gives the same bytes."""
    report = _Report(schema_version=SCHEMA_VERSION, manifest=run.manifest, scores=scores)
    return msgspec.json.format(msgspec.json.encode(report, order="sorted"), indent=1).decode() + "\n"


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
