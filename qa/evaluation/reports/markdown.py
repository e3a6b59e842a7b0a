"""Takes a scored run, gives a table for a pull request or a document."""

from __future__ import annotations

import re

from qa.evaluation.run_folder import FinishedRun
from qa.evaluation.types import Scores
from qa.evaluation.wording import interval_of, value_of

__all__ = ["render_markdown"]

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


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    return " ".join(text.replace("`", "'").split())
