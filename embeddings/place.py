"""Where a store lies: a folder on this machine, or a database on a PostgreSQL server."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

__all__ = ["Place", "is_server"]

_SERVER = re.compile(r"postgres(ql)?://", re.IGNORECASE)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One store. Do not print it: the URL may hold a password."""

    folder: Path = Path("data")
    server: str = ""
    """A connection URL; empty: the store is the folder's."""
    schema: str = "sourceline"
    """Which of the stores of one database."""
    connections: int = 8
    """To the server at once, from this process."""
    timeout: float = 30.0
    """Seconds to wait for a connection, and for one statement."""

    def __str__(self) -> str:
        """What messages call it."""
        if not self.server:
            return str(self.folder)
        address = re.sub(r"//[^@/?]*@", "//", self.server.split("?")[0])
        return f"{address} (schema {self.schema})"

    __repr__ = __str__


def is_server(text: str) -> bool:
    """Whether a text is the URL of a server.

    >>> is_server("postgresql://db.example/news"), is_server("data")
    (True, False)
    """
    return _SERVER.match(text) is not None
