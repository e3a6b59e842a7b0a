"""`qa feeds` and `qa watch`: which feeds are read, and the processes that read feeds and folders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.terminal import log_to_terminal, plain, read_settings, said, until_stopped

if TYPE_CHECKING:
    from threading import Event

    from qa.settings import Settings
    from qa.sources.feeds import Feeds
    from qa.sources.ledger import Ledger

__all__ = ["feeds", "watch"]

_LOOK_SECONDS = 15.0
"""So often it is looked whether a feed is due, or was added."""


@click.group()
def feeds() -> None:
    """Add, list or remove feeds, or read them in a process of its own."""


@feeds.command()
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option("--collection", help="Where its articles go.  [default: QA_COLLECTION or default]")
@click.option(
    "--every", type=click.IntRange(1, 10_080), default=15, show_default=True, help="Minutes between two looks."
)
def add(urls: tuple[str, ...], collection: str | None, every: int) -> None:
    """Add feeds: RSS, Atom or JSON Feed. `qa feeds run` reads them."""
    from qa.sources.fetching import SourceError
    from qa.sources.ledger import Feed

    for url in urls:
        if not url.startswith(("http://", "https://")):
            raise SourceError(f"{url!r} is no http or https address; a feed in a file is read by `qa ingest`")
    with _ledger(read_settings()) as ledger:
        for url in urls:
            new = ledger.add(Feed(url=url, collection=collection, every_seconds=60.0 * every))
            click.echo(f"{'added' if new else 'there already'}: {plain(url)}")


@feeds.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print the feeds as JSON.")
def list_feeds(as_json: bool) -> None:
    """List the feeds: when each last brought something, when it is due, and what is wrong with it."""
    with _ledger(read_settings()) as ledger:
        known, brought = ledger.feeds(), {source.name: source.brought for source in ledger.sources()}
    if as_json:
        import msgspec

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
    from qa.errors import NotFound

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
            for feed in reading.due():
                if not stop.is_set():
                    said(feed.url, reading.turn(feed).delivered)
            if once:
                return
            stop.wait(_LOOK_SECONDS)


def _feeds(settings: Settings, ledger: Ledger, stop: Event) -> Feeds:
    from functools import cache

    from qa.access import places
    from qa.sources.delivery import delivery_of
    from qa.sources.feeds import Feeds
    from qa.sources.fetching import Fetcher

    allowed = places.parse_networks(settings.feed_networks, setting="QA_FEED_NETWORKS")
    return Feeds(
        ledger,
        fetcher=Fetcher(allowed=allowed, sleep=stop.wait),
        deliver=cache(lambda collection: delivery_of(settings, collection=collection)),
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
    from qa.sources.fetching import NotDelivered
    from qa.sources.ledger import Ledger
    from qa.sources.watching import Folders, wakes
    from qa.tracing import tracing

    settings = read_settings()
    log_to_terminal(settings)
    with (
        tracing(settings.otel_endpoint, texts=settings.otel_texts),
        closing(Ledger.open(settings.data_dir)) as ledger,
        until_stopped() as stop,
    ):
        deliver = delivery_of(settings, collection=collection)
        watched = Folders(folders, ledger=ledger, deliver=deliver, stop=stop)
        try:
            for told in watched.run(wakes(folders, stop=stop)):
                said(", ".join(map(str, folders)), told)
        except NotDelivered:
            if not stop.is_set():
                raise
