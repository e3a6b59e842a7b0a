"""`qa evaluate gate`: end with a code that says whether a run is good enough."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from qa.evaluation.gate import Limit

__all__ = ["gate"]

_BELOW, _NOTHING = 100, 101
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


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
    from qa.evaluation.gate import check
    from qa.evaluation.scored_run import read_scored

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
        context.exit(_BELOW)


def _limits(least: tuple[str, ...], most: tuple[str, ...], lost: tuple[str, ...], file: Path | None) -> list[Limit]:
    from qa.evaluation.gate import limit_of, read_limits

    wanted = [
        *(limit_of(text, kind="min") for text in least),
        *(limit_of(text, kind="max") for text in most),
        *(limit_of(text, kind="max-regression") for text in lost),
        *(read_limits(file) if file else ()),
    ]
    if not wanted:
        raise click.UsageError("a gate without limits lets everything pass: give --min, --max or --limits")
    return wanted
