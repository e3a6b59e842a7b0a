"""`qa store`: move the articles from one store to another."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.opening import read_settings

if TYPE_CHECKING:
    from embeddings.moving import CopyReport
    from embeddings.place import Place
    from qa.settings import Settings

__all__ = ["store"]

_NOT_VERIFIED = 1
_MOST_NAMED = 20


@click.group()
def store() -> None:
    """Move articles from one store to another: a folder, or a database on a PostgreSQL server."""


@store.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def copy(context: click.Context, source: str, target: str, as_json: bool) -> None:
    """Copy every article with its versions, passages and vectors, then compare the two; nothing is encoded.

    FROM and TO are folders or addresses (postgresql://...); the words QA_DATA_DIR and QA_STORE stand for what these
    settings say, so that no password need stand here. FROM may serve meanwhile. The same command goes on after an
    interruption. Exit code 1: the two are not the same; what differs is told.
    """
    from embeddings.moving import copy as bring_over
    from embeddings.opening import active_identity, open_corpus

    settings = read_settings()
    there, here = _place(target, settings), _place(source, settings)
    if there == here:
        raise click.UsageError("FROM and TO are the same store")
    identity = active_identity(here)
    if identity is None:
        raise click.UsageError(f"there is nothing in {here}")
    with (
        closing(open_corpus(here, identity=identity, read_only=True)) as read,
        closing(open_corpus(there, identity=identity)) as written,
    ):
        report = bring_over(read, written, progress=lambda seen: click.echo(f"{seen:,} articles", err=True))
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(report))
    else:
        _print(report)
    context.exit(0 if report.verified else _NOT_VERIFIED)


def _place(text: str, settings: Settings) -> Place:
    """What a word on the command line means."""
    import msgspec

    from embeddings.place import is_server

    if text == "QA_STORE":
        if not settings.store:
            raise click.UsageError("QA_STORE is not set")
        return settings.place
    if is_server(text):
        return msgspec.structs.replace(settings.place, server=text)
    folder = settings.data_dir if text == "QA_DATA_DIR" else Path(text)
    return msgspec.structs.replace(settings.place, server="", folder=folder)


def _print(report: CopyReport) -> None:
    click.echo(f"copied     {report.copied:>7,} articles; {report.target.articles:,} are there now")
    click.echo(f"searches   {report.searches:>7,}: {report.alike:.1%} of the first passages are the same")
    for name in report.left_out[:_MOST_NAMED]:
        click.echo(f"left out: {name!r} is damaged or not encoded; ingest it again (`qa index verify`)", err=True)
    if len(report.left_out) > _MOST_NAMED:
        click.echo(f"... and {len(report.left_out) - _MOST_NAMED:,} more; --json lists all", err=True)
    for count, what in (
        (report.different, "articles are not the same in both, or in the target alone"),
        (report.versions_missing, "earlier versions are missing in the target"),
    ):
        if count:
            click.echo(f"{count:,} {what}", err=True)
    click.echo("Both hold the same." if report.verified else "The two are NOT the same.")
