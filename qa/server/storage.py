"""Whether articles can be written: what the last write met, and what the disk says now."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from embeddings.errors import StoreFull, StoreReadOnly

__all__ = ["Storage", "Writes", "is_read_only"]

Writes = Literal["open", "disk_full", "read_only"]

_LEAST_FREE_BYTES = 16_000_000
"""With less, the next article may not fit: its text and vectors are written twice, into the log and the database."""


class Storage:
    """Remembers a full disk until a write succeeds; a quota shows in no other way. Used from the event loop only."""

    def __init__(self, folder: Path | None) -> None:
        """`folder`: None where the store is on a server, whose disk nobody here can look at."""
        self._folder = folder
        self._full = False

    @property
    def writes(self) -> Writes:
        """Whether the next write is likely to succeed."""
        if self._folder is None:
            return "disk_full" if self._full else "open"
        if is_read_only(self._folder):
            return "read_only"
        return "disk_full" if self._full or _free(self._folder) < _LEAST_FREE_BYTES else "open"

    def require_writes(self) -> None:
        """Raise StoreFull or StoreReadOnly where the next write is likely to fail for want of room or right."""
        if self.writes == "read_only":
            raise StoreReadOnly(f"the folder {self._folder} cannot be written")
        if self.writes == "disk_full":
            raise StoreFull(f"the disk of {self._folder or 'the server'} is full")

    @contextmanager
    def written(self) -> Iterator[None]:
        """Put around a write: learn from how it ends."""
        try:
            yield
        except StoreFull:
            self._full = True
            raise
        self._full = False


def is_read_only(folder: Path) -> bool:
    """Whether a folder is there and this user may not write to it."""
    return folder.is_dir() and not os.access(folder, os.W_OK)


def _free(folder: Path) -> int:
    """Bytes that this user may still write; plenty where nobody can say."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return _LEAST_FREE_BYTES
