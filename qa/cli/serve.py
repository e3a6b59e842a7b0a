"""`qa serve`, `qa work`, `qa mcp` and `qa keys`: answer over HTTP, do its ingests, answer one client, make keys."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import rich_click as click

from qa.access.keys import PERMISSIONS, Permission
from qa.cli.terminal import load_encoder, log_to_terminal, opened, read_settings, until_stopped
from qa.errors import QAError, SettingsError
from qa.mcp import SDK

if TYPE_CHECKING:
    from embeddings.ingest import IngestReport
    from qa.server.job_queue import Job

__all__ = ["keys", "mcp", "serve", "work"]


@click.command()
@click.option("--host", help="Address to listen on.  [default: QA_HOST or 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 picks a free one.  [default: QA_PORT or 8000]")
@click.pass_context
def serve(context: click.Context, host: str | None, port: int | None) -> None:
    """Start the service. It ingests nothing by itself; stop it with Ctrl-C."""
    import msgspec

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

        def store(job: Job) -> Iterator[IngestReport]:
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
    from qa.access.keys import new_key, scope_of

    secret, entry = new_key(name, scope=scope_of(may, collection))
    click.echo(f"key: {secret}")
    click.echo(f"entry: {entry}")
