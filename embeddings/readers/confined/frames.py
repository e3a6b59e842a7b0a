"""What the reading process is asked and what it answers: one JSON value a line, in either direction."""

from __future__ import annotations

import msgspec

from embeddings.types import RawArticle, Rejected

__all__ = ["Broke", "Ended", "Found", "Frame", "Kind", "Member", "Refused", "Task", "seconds_for"]

Kind = str
"""Names a reader: see `child.READERS`."""

_SECONDS, _SECONDS_PER_MEGABYTE = 7.0, 1.0


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A file to read."""

    kind: Kind
    path: str
    folder: str
    """An empty folder for what a container holds."""
    seconds: float
    """Processor time for each thing it gives."""


class Member(msgspec.Struct, frozen=True, kw_only=True, tag="member"):
    """A file that a container holds, unpacked so that it can be read like any other."""

    name: str
    """What the container calls it."""
    path: str
    url: str | None = None
    """Where it was fetched from, for a page that does not say it."""


class Found(msgspec.Struct, frozen=True, tag="found"):
    """An article."""

    article: RawArticle


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """A file, or a piece of it, that is no article."""

    rejected: Rejected


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag="ended"):
    """The file has nothing more."""

    worn: bool
    """The process has grown and should not read another one."""


class Broke(msgspec.Struct, frozen=True, kw_only=True, tag="broke"):
    """The reader ran out of memory."""


Frame = Member | Found | Refused | Ended | Broke


def seconds_for(size: int) -> float:
    """Processor time that a file of so many bytes may take for each thing it gives.

    >>> seconds_for(0), seconds_for(10_000_000)
    (7.0, 17.0)
    """
    return _SECONDS + _SECONDS_PER_MEGABYTE * size / 1e6
