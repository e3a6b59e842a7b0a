"""`qa evaluate reader`: how well the extractive reader answers SQuAD questions, and when it declines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.opening import load_encoder, read_settings
from qa.cli.terminal import console

if TYPE_CHECKING:
    from qa.evaluation.benchmarks.reader import ReaderReport
    from qa.evaluation.benchmarks.reader_files import FileReport
    from qa.evaluation.types import Score

__all__ = ["reader"]

_TITLES = {"given": "paragraph given", "open": "over all paragraphs"}
_LINE_EVERY = 250


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
    from qa.evaluation.benchmarks.reader_files import measure
    from qa.reading.load_reader import load_reader

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
            told=_tell,
        )
        for path in squad
    ]
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(reports), indent=1))
        return
    for one in reports:
        _show(one)


def _tell(setting: str, done: int, total: int) -> None:
    if done and done % _LINE_EVERY == 0:
        click.echo(f"{_TITLES[setting]}: {done:,} of {total:,} questions", err=True)


def _show(file: FileReport) -> None:
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
