"""Archives: unpacks the readable files of a `.zip`, one after the other.

How many there may be, how large each and how large all of them together is limited, as the archive itself says
nothing that can be relied on. Their names are never used as paths. Hidden files and links are left out.
"""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final
from zipfile import ZipFile

from embeddings.errors import UnreadableFile
from embeddings.parsers import suffix_of, unread
from embeddings.parsers.sandbox import Member
from embeddings.types import Rejected

__all__ = ["MAX_MEMBERS", "ZipFile", "content", "opened", "read"]

MAX_MEMBERS: Final = 10_000
MAX_MEMBER: Final = 200_000_000
_INFLATED_FREE: Final = 100_000_000
_INFLATED_RATIO: Final = 200
"""An archive may inflate to `_INFLATED_FREE` bytes plus this many times its size, as one of JSON Lines may."""
_BLOCK: Final = 1 << 20
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError, RuntimeError)
LOCKED: Final = "it is locked with a password; unpack it and ingest what it holds"


def read(path: Path, folder: Path) -> Iterator[Member | Rejected]:
    """Give each file of the archive that has a known kind, unpacked into `folder`; of others of note, why not."""
    left = _INFLATED_FREE + _INFLATED_RATIO * path.stat().st_size
    given = False
    with opened(path) as archive:
        for number, info in enumerate(archive.infolist()):
            origin = f"{path}/{info.filename}:1"
            if not _is_wanted(info):
                continue
            unpacked = folder / f"{number}{suffix_of(info.filename) or ''}"
            if reason := unread(info.filename):
                yield Rejected(origin=origin, reason=reason)
                given = True
                continue
            try:
                left -= _unpack(archive, info, unpacked, most=min(left, MAX_MEMBER))
            except UnreadableFile as error:
                yield Rejected(origin=origin, reason=str(error))
                if "inflates" in str(error):
                    return
                given = True
                continue
            yield Member(name=info.filename, path=str(unpacked))
            given = True
    if not given:
        raise UnreadableFile("the archive holds no file that is read; see the list of kinds in the documentation")


def opened(path: Path) -> ZipFile:
    """Open an archive. Raises UnreadableFile where it is none, or holds more than `MAX_MEMBERS` files."""
    try:
        archive = ZipFile(path)
    except _DAMAGED as error:
        raise UnreadableFile(f"it is no zip archive, or damaged ({error}); copy or pack it again") from None
    if len(archive.infolist()) > MAX_MEMBERS:
        raise UnreadableFile(f"the archive holds more than {MAX_MEMBERS:,} files; unpack it and ingest the folder")
    return archive


def content(archive: ZipFile, name: str, *, most: int) -> bytes:
    """Read one file of an archive. Raises UnreadableFile for one that is missing, damaged, locked or too large."""
    try:
        with archive.open(name) as file:
            data = file.read(most + 1)
    except KeyError:
        raise UnreadableFile(f"{name[:100]} is missing in it; save it again") from None
    except _DAMAGED as error:
        raise UnreadableFile(f"{name[:100]} in it is damaged ({error}); save it again") from None
    if len(data) > most:
        raise UnreadableFile(f"{name[:100]} in it is larger than {most:,} bytes; split it up")
    return data


def _is_wanted(info: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(info.filename).parts
    is_link = stat.S_ISLNK(info.external_attr >> 16)
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    known = suffix_of(info.filename) is not None or unread(info.filename) is not None
    return not info.is_dir() and not is_link and not hidden and known


def _unpack(archive: ZipFile, info: zipfile.ZipInfo, into: Path, *, most: int) -> int:
    """Write one file of the archive; give its size."""
    if info.flag_bits & 1:
        raise UnreadableFile(LOCKED)
    size = 0
    try:
        with archive.open(info) as packed, into.open("wb") as file:
            while block := packed.read(_BLOCK):
                size += len(block)
                if size > most:
                    into.unlink()
                    raise UnreadableFile(f"the archive inflates to more than {most:,} bytes; look at it, split it up")
                file.write(block)
    except _DAMAGED as error:
        into.unlink(missing_ok=True)
        raise UnreadableFile(f"it is damaged in the archive ({error}); pack it again") from None
    return size
