"""`qa evaluate reader` and `qa evaluate checker`: measure the reader and the checker on public data sets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import msgspec
import rich_click as click

from qa.cli.terminal import console, load_encoder, read_settings
from qa.evaluation.benchmarks.grounding_sets import SetName
from qa.reading import load_reader

if TYPE_CHECKING:
    from qa.evaluation import Score
    from qa.evaluation.benchmarks.checker import Figures, SetReport
    from qa.evaluation.benchmarks.reader import FileReport, ReaderReport
    from qa.evaluation.metrics.statistics import Estimate

_TITLES = {"given": "paragraph given", "open": "over all paragraphs"}
_QUESTIONS_A_LINE = 250
_ROWS_A_LINE = 500


@click.command()
@click.argument("squad", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--setting", type=click.Choice(["given", "open", "both"]), default="both", show_default=True,
    help="The right paragraph is given, or all paragraphs are searched.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), help="Draw so many questions of each file.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draw.")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help="Folder to keep vectors in.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def reader(
    squad: tuple[Path, ...], setting: str, limit: int | None, seed: int, cache: Path | None, as_json: bool
) -> None:
    """Score the reader on SQuAD files, or .jsonl.gz lines of questions, as the official script does.

    Figures at the shipped threshold are results; those at the best threshold are chosen on the same answers and are
    an upper bound. Intervals (95 %) come from resampling articles. Needs no store: paragraphs are indexed aside.
    """
    from qa.evaluation.benchmarks.reader import measure

    settings = read_settings()
    encoder = load_encoder(settings)
    loaded = load_reader(settings.reader, threads=settings.threads)
    reports = [
        measure(
            path,
            encoder=encoder,
            reader=loaded,
            settings=("given", "open") if setting == "both" else (setting,),  # type: ignore[arg-type]
            limit=limit,
            seed=seed,
            cache=cache,
            told=_tell_questions,
        )
        for path in squad
    ]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(reports), indent=1))
        return
    for one in reports:
        _show_file(one)


def _tell_questions(setting: str, total: int, done: int) -> None:
    if done and done % _QUESTIONS_A_LINE == 0:
        click.echo(f"{_TITLES[setting]}: {done:,} of {total:,} questions", err=True)


def _show_file(file: FileReport) -> None:
    from rich.table import Table

    for one in file.reports:
        title = f"{file.file}, {_TITLES[one.setting]}: {one.n:,} questions, {one.answerable:,} answerable"
        table = Table("", "value", "95 % interval", "n", title=title, title_justify="left")
        for score in one.scores:
            table.add_row(score.metric.removeprefix("reader."), *_cells(score))
        table.add_row("floor: always declining (EM = F1)", f"{one.floor:.3f}", "", f"{one.n:,}")
        for name, best in (("EM", one.best_exact_match), ("F1", one.best_f1)):
            table.add_row(
                f"upper bound: {name} at threshold {best.threshold:.3f}", f"{best.value:.3f}", "", f"{one.n:,}"
            )
        console().print(table)
        _explain(one)


def _cells(score: Score) -> tuple[str, str, str]:
    value = "none" if score.value is None else f"{score.value:.3f}"
    interval = "" if score.low is None or score.high is None else f"{score.low:.3f} to {score.high:.3f}"
    return value, interval, f"{score.n:,}"


def _explain(one: ReaderReport) -> None:
    click.echo(f"Results are at the shipped threshold, {one.threshold:.3f}; upper bounds are fitted to these answers.")
    if one.fitted_on_these:
        click.echo("The shipped reader was FITTED ON THIS FILE: expect less on other questions.")
    sys.stdout.flush()


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--set", "names", multiple=True, type=click.Choice(get_args(SetName)), help="Only these sets.")
@click.option("--limit", type=click.IntRange(min=1), help="Draw so many responses of each set.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draw.")
@click.option(
    "--checker", "name", help="`lexical`, or a cross-encoder by name or path; else what QA_SUPPORT_CHECKER says."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def checker(
    folder: Path, names: tuple[SetName, ...], limit: int | None, seed: int, name: str | None, as_json: bool
) -> None:
    """Score the support checker on SummEdits, CLIFF, QAGS and WiCE, as files of FOLDER.

    Thresholds come from one half of the documents, the one that the shipped checker was fitted on; figures from the
    other. Intervals (95 %) come from resampling documents; the lead over a floor is tested pair by pair.
    """
    from qa.evaluation.benchmarks.checker import measure

    settings = read_settings()
    chosen = settings.support_checker if name is None else name
    try:
        reports = measure(
            folder, checker=chosen, names=names or get_args(SetName), limit=limit, seed=seed, told=_tell_rows
        )
    except FileNotFoundError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(reports), indent=1))
        return
    for one in reports:
        _show_set(one)


def _tell_rows(name: str, total: int, done: int) -> None:
    if done and done % _ROWS_A_LINE == 0:
        click.echo(f"{name}: {done:,} of {total:,} responses", err=True)


def _show_set(one: SetReport) -> None:
    from rich.table import Table

    title = (
        f"{one.set}: {one.n:,} responses on {one.documents:,} documents, {one.supported:.0%} supported; "
        f"the checker's own verdicts: BAcc {_cell(one.verdicts)}"
    )
    columns = ("judge", "BAcc", "AUROC", "wrong characters F1", "supporting sentences F1", "lead of the checker")
    table = Table(*columns, title=title, title_justify="left")
    for figures in one.figures:
        table.add_row(
            figures.judge,
            _cell(figures.balanced_accuracy),
            _cell(figures.auroc),
            _cell(figures.span_f1),
            _cell(figures.sentence_f1),
            _lead(figures),
        )
    console().print(table)
    if one.by_domain:
        click.echo("BAcc by kind of text: " + ", ".join(f"{name} {_cell(e)}" for name, e in one.by_domain.items()))


def _cell(estimate: Estimate) -> str:
    if estimate.value is None:
        return ""
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def _lead(figures: Figures) -> str:
    if figures.lead is None:
        return ""
    return f"{figures.lead.mean:+.3f} ({figures.lead.low:+.3f} to {figures.lead.high:+.3f}), p={figures.lead.p:.3f}"
