"""`qa ingest` and `qa articles`: ingest files; list, show, withdraw and delete articles."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.terminal import (
    console,
    load_encoder,
    opened,
    plain,
    print_json,
    read_settings,
    shortened,
    store_exists,
    until_stopped,
)
from qa.errors import NotFound

if TYPE_CHECKING:
    from embeddings.ingest import IngestReport
    from embeddings.opening import KeptCorpus
    from embeddings.types import Article, RawArticle, Rejected, Status, Where
    from qa.settings import Settings
    from qa.sources.delivery import Delivered


# --- `qa ingest`: read files, bring the corpus up to date, say what became of each article
_REJECTED, _INTERRUPTED = 1, 130
_STOPPING = "\nStopping after this batch; press Ctrl-C again to stop at once."
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
    With QA_SERVICE_URL set, the files are read here and the service that has the store open stores the articles.
    Exit code 1: some articles were rejected, the others are stored. 130: interrupted, what was done is stored.
    """
    from embeddings import parsers
    from qa.cli.terminal import expected
    from qa.sources.delivery import BrokenOff

    settings = read_settings()
    found = parsers.look(paths, follow_links=follow_links)
    if not found.files and not found.passed_over:
        raise click.UsageError(f"no file to read there; files must end in {', '.join(parsers.SUFFIXES)}")
    try:
        report = _run(
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
    context.exit(_INTERRUPTED if report.stopped else _REJECTED if report.rejected else 0)


def _run(items: Iterable[RawArticle | Rejected], *, collection: str, total: int) -> IngestReport:
    from embeddings.ingest import ingest as bring_up_to_date
    from qa.cli.terminal import ingest_shown
    from qa.tracing import part, told_of_ingests, tracing

    settings = read_settings()
    if settings.service_url:
        from qa.cli.sending import sent_to_service

        return sent_to_service(items, settings=settings, collection=collection, total=total, saying=_STOPPING)
    encoder = load_encoder(settings)
    with (
        opened(settings, encoder) as corpus,
        until_stopped((signal.SIGINT,), saying=_STOPPING) as interrupted,
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


@click.group()
def articles() -> None:
    """List, show, withdraw or delete stored articles."""


@articles.command(name="list")
@click.option("--collection", help="Only articles of this collection.")
@click.option("--source", multiple=True, help="Only articles of this source; may be repeated.")
@click.option("--section", multiple=True, help="Only articles of this section; may be repeated.")
@click.option("--language", multiple=True, help="Only articles in this language, en with en-gb; may be repeated.")
@click.option("--author", multiple=True, help="Only articles by this author; may be repeated.")
@click.option(
    "--status",
    multiple=True,
    type=click.Choice(["usable", "withheld", "canceled"]),
    help="Only articles in this state; may be repeated.",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@click.option("--after", metavar="ID", help="Go on after this article: `next` of the page before.")
@click.option("--json", "as_json", is_flag=True, help="Print one page as JSON, as GET /api/articles gives it.")
def list_articles(
    collection: str | None,
    source: tuple[str, ...],
    section: tuple[str, ...],
    language: tuple[str, ...],
    author: tuple[str, ...],
    status: tuple[Status, ...],
    limit: int,
    after: str | None,
    as_json: bool,
) -> None:
    """List articles in order of id, also those that readers are not shown."""
    from embeddings.types import Where
    from qa.server.wire import ArticlePage, summary

    where = Where(
        collection=collection, sources=source, sections=section, languages=language, authors=author, statuses=status
    )
    found = _scan(read_settings(), where, after, limit + 1)
    page = tuple(summary(article) for article in found[:limit])
    following = page[-1].id if len(found) > limit else None
    if as_json:
        print_json(ArticlePage(articles=page, next=following))
        return
    _print(found[:limit])
    if following:
        click.echo(f"There are more: qa articles list --after {following}", err=True)


@articles.command()
@click.argument("article_id", metavar="ID")
@click.option("--version", help="An earlier version, by its SHA-256.")
@click.option("--collection", help="The collection in which its publisher gave the id, where several did.")
@click.option("--json", "as_json", is_flag=True, help="Print the article as JSON.")
def show(article_id: str, version: str | None, collection: str | None, as_json: bool) -> None:
    """Show one article with its canonical text, the text that citations point into."""
    from embeddings.usable_corpus import UsableCorpus

    settings = read_settings()
    with opened(settings, load_encoder(settings), read_only=True) as corpus:
        seen = UsableCorpus(corpus, within=None if collection is None else (collection,), kept_back=True)
        article = seen.get(seen.called(article_id) or article_id, version=version)
    if article is None:
        raise NotFound(f"no article {article_id!r}" + (f" in version {version!r}" if version else ""))
    if as_json:
        print_json(article)
        return
    about = {
        "id": article.id,
        "version": article.version,
        "source": article.source,
        "url": article.url,
        "published": article.published_at,
        "collection": article.collection,
        "authors": ", ".join(article.authors),
        "section": article.section,
        "terms": article.usage_terms,
        "status": "" if article.status == "usable" else article.status,
        "embargo": article.embargoed_until,
    }
    click.secho(plain(article.title), bold=True)
    for name, value in about.items():
        if value:
            click.echo(f"{name:<11} {plain(value)}")
    click.echo(f"\n{plain(article.text)}")


@articles.command()
@click.argument("article_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--collection", help="The collection in which their publishers gave the ids, where several did.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(article_ids: tuple[str, ...], collection: str | None, yes: bool) -> None:
    """Delete articles with all their versions. What was deleted is never cited again."""
    from embeddings.types import Where

    settings = read_settings()
    encoder = load_encoder(settings)
    with opened(settings, encoder, read_only=True) as corpus:
        titles = {one: _title(corpus, one) for one in _named(corpus, article_ids, collection, undone="deleted")}
    if not yes:
        for name, title in titles.items():
            click.echo(f"{name}  {shortened(title, 100)}")
        click.confirm(f"Delete {len(titles)} article{'s' if len(titles) > 1 else ''} for good?", abort=True)
    with opened(settings, encoder) as corpus:
        click.echo(f"deleted {corpus.delete(Where(article_ids=tuple(titles)))}")


@articles.command()
@click.argument("names", metavar="ID|URL...", nargs=-1, required=True)
@click.option(
    "--status",
    type=click.Choice(["withheld", "canceled", "usable"]),
    default="withheld",
    show_default=True,
    help="canceled: for good; usable: bring them back.",
)
@click.option(
    "--copies",
    is_flag=True,
    help="Take back copies, too: other articles of the same text or page, in every collection.",
)
@click.option(
    "--collection", help="The collection in which they are.  [default: of an id, where it is; of a link, QA_COLLECTION]"
)
@click.pass_context
def withdraw(
    context: click.Context, names: tuple[str, ...], status: Status, copies: bool, collection: str | None
) -> None:
    """Take articles back, named by id or link: readers are shown nothing of them. Nothing is deleted.

    Copies that go on being shown are named. Exit code 1: some were not found; the others are taken back. With
    QA_SERVICE_URL set, the service does it that has the store open.
    """
    import msgspec

    from embeddings.cleaning.identity import parted
    from embeddings.errors import StoreBusy
    from embeddings.types import RawArticle
    from qa.sources.delivery import ToService

    settings = read_settings()
    links = [name for name in names if name.startswith(("http://", "https://"))]
    given = [name for name in names if name not in links]
    service = None
    if settings.service_url:
        service = ToService(settings.service_url, key=settings.service_key, collection=settings.collection)
        home = collection or settings.collection
        ids = dict(service.called(name, collection=collection) or (name, parted(name)[0] or home) for name in given)
    else:
        with opened(settings, load_encoder(settings), read_only=True) as corpus:
            ids = dict(_named(corpus, given, collection, undone="taken back"))
    said = RawArticle(text="", status=status, copies=copies)
    notices = [
        *(msgspec.structs.replace(said, id=one, collection=home, origin=one) for one, home in ids.items()),
        *(msgspec.structs.replace(said, url=one, collection=collection, origin=one) for one in links),
    ]
    if service is not None:
        context.exit(_sent(service(notices), to=service.url))
    try:
        report = _run(notices, collection=settings.collection, total=len(notices))
    except StoreBusy as error:
        raise StoreBusy(f"{error}. With QA_SERVICE_URL set to its address, this command has it do so") from error
    for rejected in report.rejected:
        click.echo(plain(rejected.reason), err=True)
    for one in report.articles:
        click.echo(f"{one.id}\t{one.outcome}\t{shortened(plain(one.title), 100)}")
    for note in _noted(report):
        click.echo(note, err=True)
    context.exit(_REJECTED if report.rejected else 0)


def _sent(told: Delivered, *, to: str) -> int:
    """Say what became of articles that a running service took back; give the exit code."""
    from qa.cli.terminal import said

    for line in (*told.rejected, *told.notes):
        click.echo(" ".join(plain(line).split()), err=True)
    said(to, told)
    return _REJECTED if told.rejected else 0


def _named(corpus: KeptCorpus, names: Sequence[str], collection: str | None, *, undone: str) -> Mapping[str, str]:
    """The ids that these names mean, each with its collection. Raises NotFound, AmbiguousId: nothing is `undone`."""
    from embeddings.corpus import meant, the_one

    found = meant(corpus, names, within=None if collection is None else (collection,))
    ids = {name: the_one(name, found.get(name, {})) for name in names}
    missing = [name for name, one in ids.items() if one is None]
    if missing:
        raise NotFound(f"no article {', '.join(map(repr, missing))}; nothing was {undone}")
    return {one: found[name][one] for name, one in ids.items() if one is not None}


def _title(corpus: KeptCorpus, article_id: str) -> str:
    """What an article is called, as far as it can be read."""
    from embeddings.corpus import readable

    article = readable(corpus, article_id)
    return "(damaged)" if article is None else article.title


def _scan(settings: Settings, where: Where, after: str | None, limit: int) -> Sequence[Article]:
    """Stored articles; none where nothing was ever stored."""
    if not store_exists(settings):
        return []
    with opened(settings, load_encoder(settings), read_only=True) as corpus:
        return corpus.scan(where=where, after=after, limit=limit)


def _print(found: Sequence[Article]) -> None:
    """A table for a terminal, tab-separated lines for anything else."""
    rows = [
        [plain(cell) for cell in (one.id, (one.published_at or "")[:10], one.source, shortened(one.title, 100))]
        for one in found
    ]
    output = console()
    if not output.is_terminal:
        click.echo("".join("\t".join(row) + "\n" for row in rows), nl=False)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_edge=False)
    for name in ("id", "published", "source", "title"):
        table.add_column(name, no_wrap=True, overflow="fold" if name == "id" else "ellipsis")
    for row in rows:
        table.add_row(*map(Text, row))
    output.print(table)
