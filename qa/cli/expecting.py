"""How many articles to expect of files, for the progress shown: a count where that is cheap, else an estimate."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from embeddings.readers.finding import unreadable

__all__ = ["expected"]

_LOOKED_AT = 64_000_000
"""Of a longer file, and of an archive that holds more, this much is counted and the rest inferred."""
_BLOCK = 1 << 20


def expected(file: Path) -> int:
    """How many articles a file is likely to hold: one a line of JSON Lines, one of anything else."""
    name = file.name.lower()
    if unreadable(file) or not name.endswith((".jsonl", ".jsonl.gz")):
        return 1
    try:
        with file.open("rb") as packed:
            lines = cast(BinaryIO, gzip.GzipFile(fileobj=packed)) if name.endswith(".gz") else packed
            return _count(lines, packed, size=file.stat().st_size)
    except (OSError, EOFError, zlib.error):  # the reader says what is wrong with it
        return 1


def _count(lines: BinaryIO, packed: BinaryIO, *, size: int) -> int:
    seen = count = 0
    last = b"\n"
    while seen < _LOOKED_AT:
        block = lines.read(_BLOCK)
        if not block:
            return count + (last != b"\n")
        seen += len(block)
        count += block.count(b"\n")
        last = block[-1:]
    return max(1, round(count * size / max(1, packed.tell())))
