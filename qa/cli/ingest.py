"""`qa ingest`: read files, bring the corpus up to date, say what became of each article."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.terminal import load_encoder, opened, plain, read_settings

if TYPE_CHECKING:
    from embeddings.ingest import IngestReport
    from embeddings.readers.finding import Found

__all__ = ["ingest"]

_REJECTED, _INTERRUPTED = 1, 130
_MOST_ERRORS = 100
"""So many errors are listed; `--json` has all of them."""


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--collection", help="Where articles go that name no collection.  [default: QA_COLLECTION or default]")
@click.option("--follow-links", is_flag=True, help="Read also what links in a folder lead to outside of it.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def ingest(
    context: click.Context, paths: tuple[Path, ...], collection: str | None, follow_links: bool, as_json: bool
) -> None:
    """Add the articles of files and folders: text, pages, documents, feeds, mail, web archives, zip files.

    Text, Markdown, HTML, JSON Lines, PDF, Word, EPUB, RSS, Atom, JSON, CSV, mail, WARC, and zip archives of these.
    What is stored already and unchanged costs next to nothing, so the same command goes on after an interruption.
    Exit code 1: some articles were rejected, the others are stored. 130: interrupted, what was done is stored.
    """
    from embeddings import readers

    settings = read_settings()
    found = readers.look(paths, follow_links=follow_links)
    if not found.files and not found.passed_over:
        raise click.UsageError(f"no file to read there; files must end in {', '.join(readers.SUFFIXES)}")
    report = _run(found, collection=collection or settings.collection)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(report))
    else:
        _print(report)
    context.exit(_INTERRUPTED if report.stopped else _REJECTED if report.rejected else 0)


def _run(found: Found, *, collection: str) -> IngestReport:
    from embeddings import readers
    from embeddings.ingest import ingest as bring_up_to_date
    from qa.cli.terminal import expected, ingest_shown
    from qa.tracing import part, told_of_ingests, tracing

    settings = read_settings()
    encoder = load_encoder(settings)
    with (
        opened(settings, encoder) as corpus,
        _interruptible() as interrupted,
        ingest_shown(total=len(found.passed_over) + sum(map(expected, found.files))) as progress,
        tracing(settings.otel_endpoint, texts=settings.otel_texts),
        part("ingest") as span,
    ):
        report = bring_up_to_date(
            chain(found.passed_over, chain.from_iterable(map(readers.read, found.files))),
            corpus=corpus,
            encoder=encoder,
            collection=collection,
            progress=progress,
            should_stop=interrupted,
            heard=span.stage,
        )
        span.tell(told_of_ingests([report]))
        return report


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C ask for a stop after the batch under way, and the second one stop at once."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what a signal handler is given
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        click.echo("\nStopping after this batch; press Ctrl-C again to stop at once.", err=True)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


def _noted(report: IngestReport) -> Iterator[str]:
    """Notes on articles that were taken, the same of several in one line with the first place."""
    places: dict[str, list[str]] = {}
    for article in report.articles:
        for note in article.notes:
            places.setdefault(note, []).append(article.origin)
    for note, origins in islice(places.items(), _MOST_ERRORS):
        more = f" (and {len(origins) - 1:,} more)" if len(origins) > 1 else ""
        yield f"{plain(origins[0])}{more}: note: {' '.join(plain(note).split())}"
    if len(places) > _MOST_ERRORS:
        yield f"... and {len(places) - _MOST_ERRORS:,} more notes; --json lists all"


def _print(report: IngestReport) -> None:
    """What was rejected or noted, and why, on standard error; a summary on standard output."""
    for rejected in report.rejected[:_MOST_ERRORS]:
        click.echo(f"{plain(rejected.origin)}: {' '.join(plain(rejected.reason).split())}", err=True)
    if len(report.rejected) > _MOST_ERRORS:
        click.echo(f"... and {len(report.rejected) - _MOST_ERRORS:,} more; --json lists all", err=True)
    for note in _noted(report):
        click.echo(note, err=True)
    outcomes = Counter(article.outcome for article in report.articles)
    for outcome in ("added", "updated", "unchanged", "duplicate"):
        if outcomes[outcome]:
            click.echo(f"{outcome:<10} {outcomes[outcome]:>7,}")
    if report.rejected:
        click.echo(f"{'rejected':<10} {len(report.rejected):>7,}")
    rate = f" ({report.passages_encoded / report.seconds:,.1f} a second)" if report.passages_encoded else ""
    click.echo(f"{report.passages_encoded:,} passages encoded in {report.seconds:,.1f} s{rate}")
    if report.stopped:
        click.echo("Interrupted. Run the same command again to go on; what is stored is not encoded again.", err=True)
