"""`qa evaluate score`, `report`, `compare` and `gate`: score a run, show it, compare it, hold it to limits.

They read a run's files alone. Lines of scores are the same on a terminal and in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.terminal import plain, read_settings, shortened, waiting

if TYPE_CHECKING:
    from qa.evaluation import Score, Scores
    from qa.evaluation.compare import Comparison, Flip, Limit
    from qa.evaluation.run_folder import FinishedRun

_FORMATS = ("console", "json", "markdown", "junit", "html")
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_BELOW, _NOTHING = 100, 101
_QUESTION = 90


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
    from qa.evaluation.run_folder import encode_scores, write_scores

    if articles:
        from qa.evaluation.run import supply_articles
        from qa.evaluation.run_folder import read_run

        kept = supply_articles(run, read_run(run), articles)
        click.echo(f"{kept:,} cited articles kept with the run", err=True)

    with waiting("judging") as status:
        scores = _scored(run, checker, seed, _telling(status))
    path = write_scores(run, scores)
    if as_json:
        click.echo(encode_scores(scores), nl=False)
        return

    click.echo(_score_lines(scores.scores))
    click.echo(f"{len(scores.examples):,} questions scored; written to {path}", err=True)


def _telling(status: object) -> Callable[[int], None]:
    """Shows on a terminal how many questions are judged."""
    from rich.status import Status

    return (
        (lambda number: status.update(f"judging question {number:,}")) if isinstance(status, Status) else lambda _: None
    )


def _scored(folder: Path, checker: str | None, seed: int, told: Callable[[int], None]) -> Scores:
    from qa.evaluation.judge import read_opinions
    from qa.evaluation.run_folder import read_run
    from qa.evaluation.scoring import score_run
    from qa.grounding import load_checker

    run = read_run(folder)
    missing = len(run.examples) - sum(example.id in run.predictions for example in run.examples)
    if missing:
        click.echo(f"qa: warning: {missing:,} questions were not asked yet; they count as got wrong", err=True)
    settings = read_settings()
    name = settings.support_checker if checker is None else checker
    judge = load_checker(name, threads=settings.threads)
    return score_run(run, checker=judge, seed=seed, opinions=read_opinions(folder), told=told)


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
    from qa.evaluation.run_folder import read_scored

    found, scores = read_scored(run)
    text = _rendered(form, found, scores, questions)
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    click.echo(f"written to {out}", err=True)


def _rendered(form: str, run: FinishedRun, scores: Scores, questions: int) -> str:
    if form == "console":
        return _score_lines(scores.scores) + "\n"
    if form == "html":
        from qa.evaluation.reports.page import render_html

        return render_html(run, scores, questions=questions)
    if form == "markdown":
        from qa.evaluation.reports import render_markdown

        return render_markdown(run, scores)
    if form == "junit":
        from qa.evaluation.reports import render_junit

        return render_junit(run, scores)
    from qa.evaluation.reports import render_json

    return render_json(run, scores)


@click.command()
@click.argument("baseline", type=_FOLDER)
@click.argument("candidate", type=_FOLDER)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the resampling.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.option("--markdown", is_flag=True, help="Print the comparison as Markdown, for a pull request.")
def compare(baseline: Path, candidate: Path, seed: int, as_json: bool, markdown: bool) -> None:
    """Compare two scored runs question by question: paired bootstrap, permutation test, and what flipped.

    Questions of one group are drawn together. A difference is called sure where its 95 % interval leaves out 0 and
    p is below 0.05; with dozens of metrics, expect one in twenty to look sure by chance.
    """
    from qa.evaluation.compare import compare_runs
    from qa.evaluation.run_folder import read_scored

    before, after = read_scored(baseline), read_scored(candidate)
    examples = {one.id: one for run, _ in (before, after) for one in run.examples}
    found = compare_runs(
        (before[0].manifest, before[1]), (after[0].manifest, after[1]), examples=tuple(examples.values()), seed=seed
    )
    for warning in found.warnings:
        click.echo(f"qa: warning: {plain(warning)}", err=True)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found, order="sorted"), indent=1))
        return
    if markdown:
        from qa.evaluation.reports import render_comparison

        click.echo(render_comparison(found), nl=False)
        return

    for name, values in found.changed.items():
        click.echo(plain(f"{name}: {values[0] or '(none)'} → {values[1] or '(none)'}"))
    click.echo(_comparison_lines(found))
    click.echo(_flip_lines("fixed", found.fixed))
    click.echo(_flip_lines("broken", found.broken))


@click.command()
@click.argument("run", type=_FOLDER)
@click.option("--min", "least", multiple=True, metavar="METRIC=VALUE", help="At least this; may be repeated.")
@click.option("--max", "most", multiple=True, metavar="METRIC=VALUE", help="At most this; may be repeated.")
@click.option(
    "--max-regression", "lost", multiple=True, metavar="METRIC=VALUE", help="No worse than the baseline by more."
)
@click.option("--baseline", type=_FOLDER, help="Scored run to hold against.")
@click.option(
    "--limits", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML file with more limits."
)
@click.pass_context
def gate(
    context: click.Context,
    run: Path,
    least: tuple[str, ...],
    most: tuple[str, ...],
    lost: tuple[str, ...],
    baseline: Path | None,
    limits: Path | None,
) -> None:
    """Hold a scored run against limits.

    Ends with 0 where all hold, 100 where one does not, 101 where nothing was evaluated, 1 or 2 on an error. What was
    not measured holds no limit.
    """
    from qa.evaluation.compare import check
    from qa.evaluation.run_folder import read_scored

    wanted = _limits(least, most, lost, limits)
    if any(one.kind == "max-regression" for one in wanted) and baseline is None:
        raise click.UsageError("a regression is one against a baseline: name its folder by --baseline")
    _, scores = read_scored(run)
    if not any("run.failed" in one.values and one.outcome != "failed" for one in scores.examples):
        click.echo("qa: nothing was evaluated: no question of the run got a reply", err=True)
        context.exit(_NOTHING)
    checks = check(scores, wanted, baseline=read_scored(baseline)[1] if baseline else None)
    for one in checks:
        click.echo(f"{'pass' if one.holds else 'FAIL'}  {one.message}")
    if not all(one.holds for one in checks):
        click.echo(f"each question: qa evaluate report {run} --format html --out report.html", err=True)
        context.exit(_BELOW)


def _limits(least: tuple[str, ...], most: tuple[str, ...], lost: tuple[str, ...], file: Path | None) -> list[Limit]:
    from qa.evaluation.compare import limit_of, read_limits

    wanted = [
        *(limit_of(text, kind="min") for text in least),
        *(limit_of(text, kind="max") for text in most),
        *(limit_of(text, kind="max-regression") for text in lost),
        *(read_limits(file) if file else ()),
    ]
    if not wanted:
        raise click.UsageError("a gate without limits lets everything pass: give --min, --max or --limits")
    return wanted


def _score_lines(scores: Sequence[Score]) -> str:
    """One line a metric: value, 95 % interval, what it is over."""
    from qa.evaluation.reports import interval_of, value_of

    rows = [(one.metric, value_of(one), interval_of(one), f"{one.n:,}", one.unit) for one in scores]
    return _aligned([("metric", "value", "95 % interval", "n", "of"), *rows])


def _comparison_lines(comparison: Comparison) -> str:
    """One line a metric: both values, their difference with its interval, and how likely chance is."""
    from qa.evaluation.reports import number_of

    rows = []
    for one in comparison.metrics:
        change = one.difference
        low, high = (number_of(end, one.metric, signed=True) for end in (change.low, change.high))
        before, after = (number_of(value, one.metric) for value in (one.baseline, one.candidate))
        gained = number_of(change.mean, one.metric, signed=True)
        # The difference is candidate - baseline: the candidate's count comes first.
        n = ", ".join(f"{count:,}" for count in dict.fromkeys(reversed(change.n)))
        rows.append((one.metric, before, after, gained, f"{low} … {high}", f"{change.p:.4f}", n, one.verdict))
    heading = ("metric", "baseline", "candidate", "difference", "95 % interval", "p", "n", "verdict")
    return _aligned([heading, *rows])


def _flip_lines(title: str, flips: Sequence[Flip]) -> str:
    """Questions that flipped, one a line."""
    lines = [
        f"  {shortened(flip.example_id, 60)}  {flip.baseline} → {flip.candidate}  {shortened(flip.question, _QUESTION)}"
        for flip in flips
    ]
    return "\n".join([f"{title}: {len(flips)}", *lines])


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns two spaces apart, numbers to the right; the first and the last hold words."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    last = len(widths) - 1
    return "\n".join(
        "  ".join(
            cell.ljust(width) if n == 0 else cell if n == last else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
