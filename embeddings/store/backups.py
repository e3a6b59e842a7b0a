"""Copies of an SQLite file while others read and write it: takes a file, gives one that shows a single state of it."""

from __future__ import annotations

from pathlib import Path

import apsw

from embeddings.errors import StoreError

__all__ = ["copy_database"]


def copy_database(source: Path, target: Path) -> None:
    """Copy a database with what stands in its log only, as one state; nobody who uses it has to wait.

    Raises StoreError where the source cannot be read whole, or the target not be written.
    """
    try:
        opened = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)
        copied = apsw.Connection(str(target))
        try:
            opened.set_busy_timeout(5_000)
            with copied.backup("main", opened, "main") as copying:
                copying.step(-1)
            copied.pragma("journal_mode", "delete")  # one file, no log beside it
            copied.pragma("synchronous", "extra")
            damaged = copied.pragma("integrity_check")
        finally:
            copied.close()
            opened.close()
    except (apsw.Error, OSError) as error:
        raise StoreError(f"{source} cannot be copied to {target}: {error}") from error
    if damaged != "ok":
        raise StoreError(f"the copy of {source} is damaged, most likely as the file itself is; see `qa index verify`")
