"""`qa evaluate compare`: what changed between two runs, and whether chance explains it."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from qa.cli.terminal import plain

__all__ = ["compare"]

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


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
    from qa.evaluation.scored_run import read_scored

    before, after = read_scored(baseline), read_scored(candidate)
    examples = {one.id: one for run, _ in (before, after) for one in run.examples}
    found = compare_runs(
        (before[0].manifest, before[1]),
        (after[0].manifest, after[1]),
        examples=tuple(examples.values()),
        seed=seed,
    )
    for warning in found.warnings:
        click.echo(f"qa: warning: {plain(warning)}", err=True)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found, order="sorted"), indent=1))
        return
    if markdown:
        from qa.evaluation.reports.markdown import render_comparison

        click.echo(render_comparison(found), nl=False)
        return
    from qa.cli.score_table import comparison_lines, flip_lines

    for name, values in found.changed.items():
        click.echo(plain(f"{name}: {values[0] or '(none)'} → {values[1] or '(none)'}"))
    click.echo(comparison_lines(found))
    click.echo(flip_lines("fixed", found.fixed))
    click.echo(flip_lines("broken", found.broken))
