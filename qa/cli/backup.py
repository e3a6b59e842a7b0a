"""`qa backup`: the store of a folder, copied while it serves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.opening import read_settings
from qa.errors import SettingsError

if TYPE_CHECKING:
    from embeddings.keeping import Backup
    from qa.settings import Settings

__all__ = ["backup", "require_folder", "told"]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def backup(folder: Path) -> None:
    """Copy what QA_DATA_DIR keeps into a new folder, also while the service runs.

    That is articles, conversations, feedback, and how far feeds and watched folders were read; indexes are made again,
    keys for visitors' tokens anew.
    """
    from embeddings.keeping import back_up
    from qa.conversations.database import FILE as CONVERSATIONS
    from qa.sources.ledger import FILE as SOURCES

    settings = read_settings()
    require_folder(settings)
    # What speaks of articles before these: nothing is noted as read, or cited, that the copy does not hold.
    told("backed up", back_up(settings.data_dir, folder, names=(SOURCES, CONVERSATIONS, "store.db")))


def require_folder(settings: Settings) -> None:
    """Raise SettingsError where the articles are not in the folder."""
    if settings.store:
        raise SettingsError(
            "QA_STORE names a server: back it up with its own tools (pg_dump, pg_basebackup; docs/postgresql.md). For "
            "the folder in QA_DATA_DIR, run this without QA_STORE"
        )


def told(what: str, made: Backup) -> None:
    """Say which files were copied."""
    for file in made.files:
        click.echo(f"{what} {file.name} ({file.size / 1e6:,.1f} MB)")
