"""`qa watch`: keep the store up to date with folders."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import rich_click as click

from qa.cli.opening import read_settings
from qa.cli.sources import log_to_terminal, said, until_stopped

__all__ = ["watch"]


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
    from qa.sources.errors import NotDelivered
    from qa.sources.ledger import Ledger
    from qa.sources.watching import Folders, wakes

    settings = read_settings()
    log_to_terminal(settings)
    with closing(Ledger.open(settings.data_dir)) as ledger, until_stopped() as stop:
        deliver = delivery_of(settings, collection=collection)
        watched = Folders(folders, ledger=ledger, deliver=deliver, stop=stop)
        try:
            for told in watched.run(wakes(folders, stop=stop)):
                said(", ".join(map(str, folders)), told)
        except NotDelivered:
            if not stop.is_set():
                raise
