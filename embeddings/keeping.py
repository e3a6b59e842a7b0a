"""Backups of a folder's files, taken while it serves: a folder of copies with their hashes, and the way back.

Only what is the truth is copied. Indexes are derived, and made again at the next start.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from embeddings.errors import InputError, StoreCorrupt, StoreError
from embeddings.store.database import copy_database

__all__ = ["Backup", "back_up", "restore"]

_MANIFEST = "backup.json"


class BackedUp(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    name: str
    size: int
    sha256: str


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds."""

    made_at: str
    files: tuple[BackedUp, ...]


def back_up(folder: Path, target: Path, *, names: Sequence[str]) -> Backup:
    """Copy those of some databases that a folder has into a new folder, which appears only when it is whole.

    Each file shows one state, a later one than all that was acknowledged before the call. Raises InputError where the
    target exists, StoreError where there is nothing to copy or it cannot be written.
    """
    found = [name for name in names if (folder / name).exists()]
    if not found:
        raise StoreError(f"there is no store in {folder}: nothing was backed up")
    if target.exists():
        raise InputError(f"{target} is there already; name a new folder for each backup")
    partial = target.with_name(f"{target.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True, mode=0o700)
        for name in found:
            copy_database(folder / name, partial / name)
            (partial / name).chmod(0o600)
        backup = Backup(
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            files=tuple(_described(partial / name) for name in found),
        )
        (partial / _MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(backup), indent=1))
        for path in partial.iterdir():
            _flush(path)
        partial.rename(target)
        _flush(target.parent)
    except OSError as error:
        raise StoreError(f"the backup in {target} cannot be written: {error}") from error
    return backup


def restore(source: Path, folder: Path) -> Backup:
    """Put the files of a backup into a folder that has none of them, after checking their hashes.

    Raises InputError where the folder holds any of them or the source is no backup, StoreCorrupt where one is not what
    was backed up; then nothing was written.
    """
    try:
        backup = msgspec.json.decode((source / _MANIFEST).read_bytes(), type=Backup)
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(f"{source} is no backup (`qa backup` makes one): {error}") from error
    for file in backup.files:
        if Path(file.name).name != file.name:
            raise InputError(f"{source} names a file outside of itself ({file.name!r}); it was not made by `qa backup`")
        for name in (file.name, f"{file.name}-wal"):  # the log of another file would be taken for this one's
            if (folder / name).exists():
                raise InputError(f"{folder / name} is there already; restore into another folder (QA_DATA_DIR)")
        if not (source / file.name).is_file() or _described(source / file.name) != file:
            raise StoreCorrupt(f"{source / file.name} is not the file that was backed up; nothing was restored")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in backup.files:
            partial = folder / f"{file.name}.partial"
            shutil.copyfile(source / file.name, partial)
            partial.chmod(0o600)
            _flush(partial)
            partial.rename(folder / file.name)
        _flush(folder)
    except OSError as error:
        raise StoreError(f"the backup cannot be put into {folder}: {error}") from error
    return backup


def _described(path: Path) -> BackedUp:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return BackedUp(name=path.name, size=path.stat().st_size, sha256=digest)


def _flush(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
