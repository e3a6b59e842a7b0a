"""`qa articles`: list, show, withdraw and delete articles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.ingest import REJECTED, ingested, noted
from qa.cli.terminal import console, load_encoder, opened, plain, print_json, read_settings, shortened, store_exists
from qa.errors import NotFound

if TYPE_CHECKING:
    from embeddings.opening import KeptCorpus
    from embeddings.types import Article, Status, Where
    from qa.settings import Settings
    from qa.sources.delivery import Delivered


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
    from qa.types import ArticleNow

    settings = read_settings()
    with opened(settings, load_encoder(settings), read_only=True) as corpus:
        seen = UsableCorpus(corpus, within=None if collection is None else (collection,), kept_back=True)
        article = seen.get(seen.called(article_id) or article_id, version=version)
        now = seen.get(article.id) if article else None
    if article is None or now is None:
        raise NotFound(f"no article {article_id!r}" + (f" in version {version!r}" if version else ""))
    if as_json:
        print_json(ArticleNow.of(article, now=now))
        return
    about = {
        "id": article.id,
        "version": article.version,
        "corrected": "" if now.version == article.version else f"since; the current version is {now.version}",
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
        report = ingested(notices, collection=settings.collection, total=len(notices))
    except StoreBusy as error:
        raise StoreBusy(f"{error}. With QA_SERVICE_URL set to its address, this command has it do so") from error
    for rejected in report.rejected:
        click.echo(plain(rejected.reason), err=True)
    for one in report.articles:
        click.echo(f"{one.id}\t{one.outcome}\t{shortened(plain(one.title), 100)}")
    for note in noted(report):
        click.echo(note, err=True)
    context.exit(REJECTED if report.rejected else 0)


def _sent(told: Delivered, *, to: str) -> int:
    """Say what became of articles that a running service took back; give the exit code."""
    from qa.cli.terminal import said

    for line in (*told.rejected, *told.notes):
        click.echo(" ".join(plain(line).split()), err=True)
    said(to, told)
    return REJECTED if told.rejected else 0


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
