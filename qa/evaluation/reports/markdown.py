"""Takes a scored run, or the comparison of two, gives a table for a pull request or a document."""

from __future__ import annotations

import re

from qa.evaluation.compare import Comparison, MetricDifference
from qa.evaluation.number_format import interval_of, number_of, value_of
from qa.evaluation.run_folder import FinishedRun
from qa.evaluation.types import Scores

__all__ = ["render_comparison", "render_markdown"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~-])")


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
