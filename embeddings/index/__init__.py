"""Exact search over the store: dense, lexical, and the immutable snapshot that a search uses.

Here is how several arrays lie in one file, and are had from its bytes again without copying them.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.errors import IndexDamaged

Array = npt.NDArray[Any]
Buffer = bytes | memoryview

_MARK = b"arrays 1"
_ALIGNED = 64
"""Every array begins at a multiple of it, so that it can be read in place."""


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """Where an array lies, counted from the end of the table."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int


def pack(arrays: Mapping[str, Array]) -> bytes:
    """Write arrays one after the other, behind a table that says where each lies."""
    table, pieces, at = [], [], 0
    for name, given in arrays.items():
        array = np.ascontiguousarray(given, dtype=given.dtype.newbyteorder("<"))
        table.append(Placed(name=name, dtype=array.dtype.str, shape=array.shape, start=at))
        pieces += [array.tobytes(), bytes(-array.nbytes % _ALIGNED)]
        at += array.nbytes + -array.nbytes % _ALIGNED
    written = msgspec.json.encode(table)
    written += b" " * (-(len(_MARK) + 8 + len(written)) % _ALIGNED)
    return b"".join((_MARK, len(written).to_bytes(8, "little"), written, *pieces))


def unpack(stored: Buffer) -> dict[str, Array]:
    """The arrays of a file, as views of its bytes.

    Raises IndexDamaged for anything but what `pack` wrote; bytes altered with care must be recognised beforehand.
    """
    try:
        return dict(_arrays(stored))
    except (ValueError, TypeError, msgspec.MsgspecError) as error:
        raise IndexDamaged(f"an index file cannot be read ({error}); it is made again from the store") from error


def _arrays(stored: Buffer) -> Iterator[tuple[str, Array]]:
    head = len(_MARK) + 8
    if bytes(stored[: len(_MARK)]) != _MARK:
        raise ValueError("it does not begin as such a file does")
    end = head + int.from_bytes(stored[len(_MARK) : head], "little")
    for placed in msgspec.json.decode(stored[head:end], type=list[Placed]):
        count = math.prod(placed.shape)
        array = np.frombuffer(stored, dtype=np.dtype(placed.dtype), count=count, offset=end + placed.start)
        yield placed.name, array.reshape(placed.shape)
