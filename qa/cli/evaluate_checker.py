"""`qa evaluate checker`: how well the support checker tells supported claims from others, with the floors beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import rich_click as click

from qa.cli.opening import load_encoder, read_settings
from qa.cli.terminal import console
from qa.evaluation.benchmarks.grounding_sets import SetName

if TYPE_CHECKING:
    from qa.evaluation.benchmarks.checker import Figures, SetReport
    from qa.evaluation.metrics.intervals import Estimate

__all__ = ["checker"]

_LINE_EVERY = 500


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
            folder,
            checker=chosen,
            encoder=load_encoder(settings),
            names=names or get_args(SetName),
            limit=limit,
            seed=seed,
            told=_tell,
        )
    except FileNotFoundError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(reports), indent=1))
        return
    for one in reports:
        _show(one)


def _tell(name: str, done: int, total: int) -> None:
    if done and done % _LINE_EVERY == 0:
        click.echo(f"{name}: {done:,} of {total:,} responses", err=True)


def _show(one: SetReport) -> None:
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
