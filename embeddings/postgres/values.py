"""How vectors and terms travel to the server: in its binary formats, exact to the last bit."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable

import msgspec
import numpy as np
import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.types import TypeInfo

from embeddings.errors import StoreError
from embeddings.types import Vector

__all__ = ["Counts", "adapt", "counted", "lexeme", "received"]

_LONGEST_TERM = 200
"""Characters of a term that count; the server refuses lexemes of 2 kB."""
_MOST_COUNTED = 255
"""The server keeps so many places of a lexeme."""


class Counts(msgspec.Struct, frozen=True):
    """How often each term occurs in a passage: a tsvector whose places are 1, 2 … count."""

    of: dict[str, int]


def lexeme(term: str) -> str:
    """A term as the server keeps it."""
    return term[:_LONGEST_TERM]


def counted(terms: Iterable[str]) -> Counts:
    """Count terms.

    >>> counted(["dam", "river", "dam"]).of
    {'dam': 2, 'river': 1}
    """
    return Counts(dict(Counter(map(lexeme, terms))))


def received(sent: bytes) -> bytes:
    """The numbers of a vector, float32 and little endian, from what the server's vector_send gives."""
    return np.frombuffer(sent, dtype=">f4", offset=4).astype("<f4").tobytes()


def adapt(db: psycopg.Connection) -> None:
    """Let a connection take vectors and counted terms as parameters, and read its library in."""
    kind = TypeInfo.fetch(db, "vector")
    if kind is None:
        raise StoreError("the extension vector is no longer on the search path of the database")
    kind.register(db)
    number = kind.oid

    class OfVector(_VectorDumper):
        oid = number

    db.adapters.register_dumper(np.ndarray, OfVector)
    db.adapters.register_dumper(Counts, _CountsDumper)
    db.execute("SELECT '[1]'::vector")  # settings of hnsw.* exist only once the library is loaded


class _VectorDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Vector) -> Buffer:
        """Dimension, nothing, numbers; all big endian."""
        return struct.pack(">hh", len(obj), 0) + obj.astype(">f4").tobytes()


class _CountsDumper(Dumper):
    format = Format.BINARY
    oid = psycopg.adapters.types["tsvector"].oid

    def dump(self, obj: Counts) -> Buffer:
        """Number of lexemes, then each with the number of its places and these."""
        parts = [struct.pack(">i", len(obj.of))]
        for term, count in obj.of.items():
            parts += [term.encode(), _PLACES[min(count, _MOST_COUNTED)]]
        return b"".join(parts)


_PLACES = [b"\0" + struct.pack(f">{count + 1}H", count, *range(1, count + 1)) for count in range(_MOST_COUNTED + 1)]
"""What follows a lexeme that occurs so often: how many places it has, and these."""
