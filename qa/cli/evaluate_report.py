"""`qa evaluate report`: a scored run for people and for tools to read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from qa.evaluation.run_folder import FinishedRun
    from qa.evaluation.types import Scores

__all__ = ["report"]

_FORMATS = ("console", "json", "markdown", "junit", "html")


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--format", "form", type=click.Choice(_FORMATS), default="console", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="File to write.")
@click.option(
    "--questions", type=click.IntRange(min=0), default=300, show_default=True, help="In full in HTML, wrong ones first."
)
def report(run: Path, form: str, out: Path | None, questions: int) -> None:
    """Report on a scored run.

    HTML is one file that needs no network: charts, and every question with its answer, the cited words in their
    article, what was retrieved and what was expected.
    """
    from qa.evaluation.scored_run import read_scored

    found, scores = read_scored(run)
    text = _rendered(form, found, scores, questions)
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    click.echo(f"written to {out}", err=True)


def _rendered(form: str, run: FinishedRun, scores: Scores, questions: int) -> str:
    if form == "console":
        from qa.cli.score_table import score_lines

        return score_lines(scores.scores) + "\n"
    if form == "html":
        from qa.evaluation.reports.page import render_html

        return render_html(run, scores, questions=questions)
    if form == "markdown":
        from qa.evaluation.reports.markdown import render_markdown

        return render_markdown(run, scores)
    if form == "junit":
        from qa.evaluation.reports.junit import render_junit

        return render_junit(run, scores)
    from qa.evaluation.reports.document import render_json

    return render_json(run, scores)
