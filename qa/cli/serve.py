"""Long-running commands: `qa serve`, `work`, `mcp`, `feeds` and `watch`; and `qa keys`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import rich_click as click

from qa.access import origins
from qa.access.keys import PERMISSIONS, Permission, new_key, scope_of
from qa.cli.terminal import load_encoder, log_to_terminal, opened, plain, read_settings, said, until_stopped
from qa.errors import NotFound, QAError, SettingsError
from qa.mcp import SDK

if TYPE_CHECKING:
    from threading import Event

    from embeddings.ingest import IngestReport
    from qa.server.job_queue import QueuedIngest
    from qa.settings import Settings
    from qa.sources.ledger import Ledger
    from qa.sources.visits import Feeds


@click.command()
@click.option("--host", help="Address to listen on.  [default: QA_HOST or 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 picks a free one.  [default: QA_PORT or 8000]")
@click.pass_context
def serve(context: click.Context, host: str | None, port: int | None) -> None:
    """Start the service. It ingests nothing by itself; stop it with Ctrl-C."""
    from qa.server.run import load
    from qa.server.run import serve as run

    settings = read_settings()
    settings = msgspec.structs.replace(
        settings, host=host or settings.host, port=settings.port if port is None else port
    )
    context.exit(run(settings, load=load))


@click.command()
@click.option("--once", is_flag=True, help="End when nothing waits.")
def work(once: bool) -> None:
    """Store what services with QA_WORKERS were sent; stop it with Ctrl-C.

    Any number may run, on any machines.
    """
    from embeddings.ingest import ingest
    from qa.server.job_queue import JobQueue
    from qa.server.job_queue import work as done
    from qa.server.submissions import slices
    from qa.tracing import part, told_of_ingests, tracing

    settings = read_settings()
    if not settings.store:
        raise SettingsError("workers take their work from the database: set QA_STORE (docs/postgresql.md)")
    log_to_terminal(settings)
    encoder = load_encoder(settings)
    with (
        tracing(settings.otel_endpoint, texts=settings.otel_texts),
        opened(settings, encoder) as corpus,
        closing(JobQueue(settings.place)) as queue,
        until_stopped() as stop,
    ):

        def store(job: QueuedIngest) -> Iterator[IngestReport]:
            store_one = partial(ingest, corpus=corpus, encoder=encoder, collection=job.collection, within=job.within)
            with part("ingest") as span:
                reports = []
                for items in slices(job.items):
                    reports.append(store_one(items, heard=span.stage))
                    yield reports[-1]
                span.tell(told_of_ingests(reports))

        click.echo("Waiting for work.")
        for job in done(queue, store=store, stop=stop, once=once):
            click.echo(f"{len(job.contents):,} articles done")


@click.command()
@click.option(
    "--collection", multiple=True, help="Read only this collection; may be repeated.  [default: all collections]"
)
def mcp(collection: tuple[str, ...]) -> None:
    """Give the stored articles to an MCP client over standard input and output: ask, search, read, check claims.

    The client starts this command itself; docs/mcp.md says how to tell it. The store is only read.
    """
    import asyncio

    from qa.tracing import tracing

    settings = read_settings()
    try:
        from qa.mcp.protocol import serve
    except ModuleNotFoundError as error:
        if error.name != "mcp":
            raise
        raise QAError(f"this needs the MCP SDK: {sys.executable} -m pip install '{SDK}'") from None
    if sys.stdin.isatty():
        click.echo("qa mcp: an MCP client starts this and speaks to it; Ctrl-C ends it", err=True)
    # The SDK's thread waits for a line until there is one; nothing is written here that an end could cut off.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with tracing(settings.otel_endpoint, texts=settings.otel_texts):
        asyncio.run(serve(settings, within=collection or None))


@click.group()
def keys() -> None:
    """Make API keys for the service."""


@keys.command()
@click.argument("name")
@click.option(
    "--may",
    multiple=True,
    type=click.Choice(PERMISSIONS),
    help="What it opens: asking, adding and deleting, running the service; may be repeated.  [default: all]",
)
@click.option(
    "--collection", multiple=True, help="Open only this collection; may be repeated.  [default: all collections]"
)
def new(name: str, may: tuple[Permission, ...], collection: tuple[str, ...]) -> None:
    """Make a key for the caller NAME.

    Prints the key, which is stored nowhere, and the entry for QA_API_KEYS, which holds only its hash and its scope.
    """
    secret, entry = new_key(name, scope=scope_of(may, collection))
    click.echo(f"key: {secret}")
    click.echo(f"entry: {entry}")


# --- `qa feeds` and `qa watch`: which feeds are read, and the processes that read feeds and folders
_LOOK_SECONDS = 15.0
"""So often it is looked whether a feed is due, or was added."""


@click.group()
def feeds() -> None:
    """Add, list or remove feeds, or read them in a process of its own."""


@feeds.command()
@click.argument("urls", nargs=-1, required=True, metavar="URL|FILE.opml...")
@click.option("--collection", help="Where its articles go.  [default: QA_COLLECTION or default]")
@click.option(
    "--every", type=click.IntRange(1, 10_080), default=15, show_default=True, help="Minutes between two looks."
)
def add(urls: tuple[str, ...], collection: str | None, every: int) -> None:
    """Add feeds: RSS, Atom or JSON Feed, or all that an OPML file lists. `qa feeds run` reads them."""
    from qa.sources.fetching import address_of
    from qa.sources.ledger import Feed

    named = [url for url in urls if "://" in url]
    for url in named:
        address_of(url)
    listed, refused = _listed([Path(url) for url in urls if "://" not in url])
    with _ledger(read_settings()) as ledger:
        for url in dict.fromkeys([*named, *listed]):
            new = ledger.add(Feed(url=url, collection=collection, every_seconds=60.0 * every))
            click.echo(f"{'added' if new else 'there already'}: {plain(url)}")
    for reason in refused:
        click.echo(f"not added: {plain(reason)}", err=True)


def _listed(files: Sequence[Path]) -> tuple[Sequence[str], Sequence[str]]:
    """What OPML files list: addresses that can be asked, and why others cannot. Raises UnreadableFile, SourceError."""
    from embeddings.parsers.feeds import listed
    from qa.sources.fetching import FetchRefused, SourceError, address_of

    found, refused = list[str](), list[str]()
    for file in files:
        if not file.is_file():
            raise SourceError(f"{str(file)!r} is no http or https address, and no file that lists feeds (OPML)")
        before = len(found)
        for url in listed(file):
            try:
                address_of(url)
            except FetchRefused as error:
                refused.append(f"{file}: {error}")
            else:
                found.append(url)
        if len(found) == before:
            raise SourceError(f"{file} lists no feed that can be asked" + "".join(f"; {one}" for one in refused))
    return found, refused


@feeds.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print the feeds as JSON.")
def list_feeds(as_json: bool) -> None:
    """List the feeds: when each last brought something, when it is due, and what is wrong with it."""
    with _ledger(read_settings()) as ledger:
        known, brought = ledger.feeds(), {source.name: source.brought for source in ledger.sources()}
    if as_json:
        listed = [msgspec.to_builtins(feed) | {"brought": brought.get(feed.url)} for feed in known]
        click.echo(msgspec.json.encode(listed))
        return
    for feed in known:
        due = "gone" if feed.state == "gone" else f"due {_moment(feed.due)}"
        cells = (feed.url, f"brought {_moment(brought.get(feed.url))}", due, feed.trouble)
        click.echo("\t".join(plain(cell) for cell in cells).rstrip())


@feeds.command()
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
def remove(urls: tuple[str, ...]) -> None:
    """Remove feeds. What they brought stays stored."""
    with _ledger(read_settings()) as ledger:
        missing = [url for url in urls if not ledger.remove(url)]
    if missing:
        raise NotFound(f"no feed {', '.join(map(repr, missing))}; `qa feeds list` lists them")


@feeds.command()
@click.option("--once", is_flag=True, help="Read the feeds that are due, then end.")
def run(once: bool) -> None:
    """Read the feeds, each when it is due, until Ctrl-C.

    Articles go to the store, or to the service at QA_SERVICE_URL. Private addresses are refused, except those of
    QA_FEED_NETWORKS.
    """
    from qa.tracing import tracing

    settings = read_settings()
    log_to_terminal(settings)
    with (
        tracing(settings.otel_endpoint, texts=settings.otel_texts),
        _ledger(settings) as ledger,
        ledger.running(),
        until_stopped() as stop,
    ):
        reading = _feeds(settings, ledger, stop)
        while not stop.is_set():
            due = reading.due()
            if once and not due:
                click.echo("no feed is due; `qa feeds list` says when each is", err=True)
            for feed in due:
                if not stop.is_set():
                    said(feed.url, reading.turn(feed).delivered)
            if once:
                return
            stop.wait(_LOOK_SECONDS)


def _feeds(settings: Settings, ledger: Ledger, stop: Event) -> Feeds:
    from qa.sources.delivery import delivery_of
    from qa.sources.fetching import Fetcher
    from qa.sources.visits import Feeds

    allowed = origins.parse_networks(settings.feed_networks, setting="QA_FEED_NETWORKS")
    return Feeds(
        ledger,
        fetcher=Fetcher(allowed=allowed, sleep=stop.wait),
        deliver=cache(lambda collection: delivery_of(settings, collection=collection, wait=stop.wait)),
        should_stop=stop.is_set,
    )


@contextmanager
def _ledger(settings: Settings) -> Iterator[Ledger]:
    from qa.sources.ledger import Ledger

    with closing(Ledger.open(settings.data_dir)) as ledger:
        yield ledger


def _moment(at: float | None) -> str:
    """A moment as people read it, in UTC."""
    return "never" if at is None else "now" if at == 0 else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


@click.command()
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    metavar="FOLDER...",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
)
@click.option("--collection", help="Where articles go that name no collection.  [default: QA_COLLECTION or default]")
def watch(folders: tuple[Path, ...], collection: str | None) -> None:
    """Add the articles of folders, and what is written there from now on; stop it with Ctrl-C.

    Articles go to the store, or to the service at QA_SERVICE_URL. A file that is removed takes nothing back.
    """
    from qa.sources.delivery import delivery_of
    from qa.sources.ledger import Ledger
    from qa.sources.visits import Folders, wakes
    from qa.tracing import tracing

    settings = read_settings()
    log_to_terminal(settings)
    with (
        tracing(settings.otel_endpoint, texts=settings.otel_texts),
        closing(Ledger.open(settings.data_dir)) as ledger,
        until_stopped() as stop,
    ):
        deliver = delivery_of(settings, collection=collection, wait=stop.wait)
        watched = Folders(folders, ledger=ledger, deliver=deliver, stop=stop)
        for told in watched.run(wakes(folders, stop=stop)):
            said(", ".join(map(str, folders)), told)
