"""`qa evaluate score`: judge the predictions of a run, from its files alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.opening import load_encoder, read_settings
from qa.cli.terminal import waiting

if TYPE_CHECKING:
    from qa.evaluation.types import Scores

__all__ = ["score"]


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--checker", metavar="NAME", help="Support checker, as QA_SUPPORT_CHECKER names one.  [default: that]")
@click.option(
    "--articles",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Articles that an OpenAI-compatible server answers from: those it cites are kept with the run.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the resampling behind the intervals.")
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON instead of a table.")
def score(run: Path, checker: str | None, articles: tuple[Path, ...], seed: int, as_json: bool) -> None:
    """Score the predictions in a run's folder and write `scores.json` beside them.

    Needs neither the service nor its articles: the run kept what it cites. The same files give the same scores.
    """
    from qa.evaluation.scored_run import encode_scores, write_scores

    if articles:
        from qa.evaluation.cited_articles import supply_articles
        from qa.evaluation.run_folder import read_run

        kept = supply_articles(run, read_run(run), articles)
        click.echo(f"{kept:,} cited articles kept with the run", err=True)

    with waiting("judging") as status:
        scores = _scored(run, checker, seed, _telling(status))
    path = write_scores(run, scores)
    if as_json:
        click.echo(encode_scores(scores), nl=False)
        return
    from qa.cli.score_table import score_lines

    click.echo(score_lines(scores.scores))
    click.echo(f"{len(scores.examples):,} questions scored; written to {path}", err=True)


def _telling(status: object) -> Callable[[int], None]:
    """Shows on a terminal how many questions are judged."""
    from rich.status import Status

    return (
        (lambda number: status.update(f"judging question {number:,}")) if isinstance(status, Status) else lambda _: None
    )


def _scored(folder: Path, checker: str | None, seed: int, told: Callable[[int], None]) -> Scores:
    from qa.evaluation.opinions import read_opinions
    from qa.evaluation.run_folder import read_run
    from qa.evaluation.scoring import score_run
    from qa.grounding import load_checker

    run = read_run(folder)
    missing = len(run.examples) - sum(example.id in run.predictions for example in run.examples)
    if missing:
        click.echo(f"qa: warning: {missing:,} questions were not asked yet; they count as got wrong", err=True)
    settings = read_settings()
    name = settings.support_checker if checker is None else checker
    judge = load_checker(name, encoder=load_encoder(settings), threads=settings.threads)
    return score_run(run, checker=judge, seed=seed, opinions=read_opinions(folder), told=told)
