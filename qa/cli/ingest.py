"""`qa ingest`: reads files, brings the corpus up to date, says what became of each article.

With QA_SERVICE_URL, files are read here and sent to the service that has the store open.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.terminal import (
    expected,
    ingest_shown,
    load_encoder,
    opened,
    plain,
    print_json,
    read_settings,
    until_stopped,
)

if TYPE_CHECKING:
    from embeddings.ingest import IngestProgress, IngestReport
    from embeddings.types import RawArticle, Rejected
    from qa.settings import Settings
    from qa.sources.delivery import ToService

REJECTED, _INTERRUPTED = 1, 130
_STOPPING = "\nStopping after this batch; press Ctrl-C again to stop at once."
_MOST_ERRORS = 100
"""So many errors are listed; `--json` has all of them."""
_AT_ONCE = 64
"""Articles read ahead of one request: so many are under way where it breaks off."""


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
    With QA_SERVICE_URL set, the files are read here and the service that has the store open stores the articles.
    Exit code 1: some articles were rejected, the others are stored. 130: interrupted, what was done is stored.
    """
    from embeddings import parsers
    from qa.sources.delivery import BrokenOff

    settings = read_settings()
    found = parsers.look(paths, follow_links=follow_links)
    if not found.files and not found.passed_over:
        raise click.UsageError(f"no file to read there; files must end in {', '.join(parsers.SUFFIXES)}")
    try:
        report = ingested(
            chain(found.passed_over, chain.from_iterable(map(parsers.read, found.files))),
            collection=collection or settings.collection,
            total=len(found.passed_over) + sum(map(expected, found.files)),
        )
    except BrokenOff as error:
        if error.report.articles or error.report.rejected:
            _show(error.report, as_json=as_json)
        raise
    if found.others:
        kinds = ", ".join(f"{count:,} {plain(kind) or 'without an ending'}" for kind, count in found.others.items())
        click.echo(f"passed over, as files of their kinds are not read: {kinds[:300]}", err=True)
    _show(report, as_json=as_json)
    context.exit(_INTERRUPTED if report.stopped else REJECTED if report.rejected else 0)


def ingested(items: Iterable[RawArticle | Rejected], *, collection: str, total: int) -> IngestReport:
    """Store articles, or have the service store them; the report. Raises SourceError, BrokenOff, StoreError."""
    from embeddings.ingest import ingest as bring_up_to_date
    from qa.tracing import part, told_of_ingests, tracing

    settings = read_settings()
    if settings.service_url:
        return _sent_to_service(items, settings=settings, collection=collection, total=total)
    encoder = load_encoder(settings)
    with (
        opened(settings, encoder) as corpus,
        until_stopped((signal.SIGINT,), saying=_STOPPING) as interrupted,
        corpus.filling(),
        ingest_shown(total=total) as progress,
        tracing(settings.otel_endpoint, texts=settings.otel_texts),
        part("ingest") as span,
    ):
        report = bring_up_to_date(
            items,
            corpus=corpus,
            encoder=encoder,
            collection=collection,
            progress=progress,
            should_stop=interrupted.is_set,
            heard=span.stage,
        )
        span.tell(told_of_ingests([report]))
        return report


def noted(report: IngestReport) -> Iterator[str]:
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


def _show(report: IngestReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report)
    else:
        _print_report(report)


def _print_report(report: IngestReport) -> None:
    """What was rejected or noted, and why, on standard error; a summary on standard output."""
    for rejected in report.rejected[:_MOST_ERRORS]:
        click.echo(f"{plain(rejected.origin)}: {' '.join(plain(rejected.reason).split())}", err=True)
    if len(report.rejected) > _MOST_ERRORS:
        click.echo(f"... and {len(report.rejected) - _MOST_ERRORS:,} more; --json lists all", err=True)
    for note in noted(report):
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


def _sent_to_service(
    items: Iterable[RawArticle | Rejected], *, settings: Settings, collection: str, total: int
) -> IngestReport:
    """Send what was read, a few articles at a time; give the report of an ingest. Raises SourceError, BrokenOff."""
    from qa.sources.delivery import ToService
    from qa.tracing import part, told_of_ingests, tracing

    with until_stopped((signal.SIGINT,), saying=_STOPPING) as interrupted:
        service = ToService(
            settings.service_url, key=settings.service_key, collection=collection, wait=interrupted.wait
        )
        with (
            ingest_shown(total=total) as progress,
            tracing(settings.otel_endpoint, texts=settings.otel_texts),
            part("ingest") as span,
        ):
            report = _sent(items, service, progress=progress, should_stop=interrupted.is_set)
            span.tell(told_of_ingests([report]))
    return report


def _sent(
    items: Iterable[RawArticle | Rejected],
    service: ToService,
    *,
    progress: Callable[[IngestProgress], None],
    should_stop: Callable[[], bool],
) -> IngestReport:
    """What became of all: those that could not be read, and those that the service was sent. Raises BrokenOff."""
    import msgspec

    from embeddings.ingest import IngestProgress
    from embeddings.types import RawArticle, Rejected
    from qa.sources.delivery import BrokenOff, together

    report, left = together([]), iter(items)
    while batch := list(islice(left, _AT_ONCE)):
        unread = tuple(one for one in batch if isinstance(one, Rejected))
        report = msgspec.structs.replace(report, rejected=(*report.rejected, *unread))
        try:
            report = together([report, service.ingest([one for one in batch if isinstance(one, RawArticle)])])
        except BrokenOff as error:
            report = msgspec.structs.replace(together([report, error.report]), stopped=True)
            if should_stop():  # a wait that Ctrl-C ended
                return report
            kept = f". Stored before: {len(report.articles):,}; the same command does the rest"
            raise BrokenOff(f"{error}{kept if report.articles else ''}", report=report) from error
        done = len(report.articles) + len(report.rejected)
        progress(IngestProgress(items=done, passages=report.passages_encoded, read=done))
        if should_stop():
            return msgspec.structs.replace(report, stopped=True)
    return report
