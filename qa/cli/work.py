"""`qa work`: do the ingests that services leave to workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.opening import load_encoder, opened, read_settings
from qa.cli.sources import log_to_terminal, until_stopped
from qa.errors import SettingsError

if TYPE_CHECKING:
    from embeddings.ingest import IngestReport
    from qa.server.job_queue import Job

__all__ = ["work"]


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

    settings = read_settings()
    if not settings.store:
        raise SettingsError("workers take their work from the database: set QA_STORE (docs/postgresql.md)")
    log_to_terminal(settings)
    encoder = load_encoder(settings)
    with (
        opened(settings, encoder) as corpus,
        closing(JobQueue(settings.place)) as queue,
        until_stopped() as stop,
    ):

        def store(job: Job) -> Iterator[IngestReport]:
            for items in slices(job.items):
                yield ingest(items, corpus=corpus, encoder=encoder, collection=job.collection, within=job.within)

        click.echo("Waiting for work.")
        for job in done(queue, store=store, stop=stop, once=once):
            click.echo(f"{len(job.contents):,} articles done")
