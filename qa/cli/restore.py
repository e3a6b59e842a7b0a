"""`qa restore`: what `qa backup` copied, put back."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from qa.cli.backup import require_folder, told
from qa.cli.opening import read_settings

__all__ = ["restore"]


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(folder: Path) -> None:
    """Put what `qa backup` copied into QA_DATA_DIR, which must be empty of it; hashes are checked first."""
    from embeddings.keeping import restore as put_back

    settings = read_settings()
    require_folder(settings)
    told("restored", put_back(folder, settings.data_dir))
