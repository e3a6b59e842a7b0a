"""Plain text files: takes a `.txt`, gives its articles, several where the file holds several scraped pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from embeddings.errors import UnreadableFile
from embeddings.readers import decoding, scraped
from embeddings.types import RawArticle, Rejected

__all__ = ["read", "unwrapped"]

_NARROWEST: Final = 30
_WIDEST: Final = 100
"""Widths to which texts are wrapped, by hand or by a mail program."""
_BREAKS: Final = 3
"""Breaks that must all look like wrapping before a text counts as wrapped."""
_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028]")


def read(path: Path) -> Iterator[RawArticle | Rejected]:
    """Give each article of the file with the line it begins at as its origin."""
    try:
        text = decoding.decode(decoding.load(path))
    except UnreadableFile as error:
        yield Rejected(origin=f"{path}:1", reason=str(error))
        return
    pieces = scraped.split(unwrapped(_LINE_BREAKS.sub("\n", text.replace("\u2029", "\n\n"))))
    if not pieces:
        yield Rejected(origin=f"{path}:1", reason="the file is empty; remove it or fill it")
    for piece in pieces:
        yield RawArticle(title=piece.title, text=piece.text, origin=f"{path}:{piece.line}")


def unwrapped(text: str) -> str:
    r"""Join lines that were broken only to fit a width, so that a sentence is one line again.

    Wrapping leaves a trace that can be checked: the first word of each next line would not have fitted on the line
    before. A paragraph is joined where that holds for every one of its breaks, and only in a text whose lines are
    all short; verses, lists and captions fail the test and keep their lines.

    >>> import textwrap
    >>> words = "It rained all night in the whole valley of the Anse, and at dawn the river had reached the old mill, "
    >>> words += "where the road ends."
    >>> unwrapped(textwrap.fill(words, 35) + "\n\n- a\n- b") == words + "\n\n- a\n- b"
    True
    """
    blocks = [block.split("\n") for block in re.split(r"\n[ \t]*(?:\n[ \t]*)+", text)]
    blocks = [[line.strip() for line in block] for block in blocks]
    width = max(len(line) for block in blocks for line in block)
    wrapped = [_is_wrapped(block, width=width) for block in blocks]
    breaks = sum(len(block) - 1 for block, joined in zip(blocks, wrapped, strict=True) if joined)
    if not _NARROWEST <= width <= _WIDEST or breaks < _BREAKS:
        return text
    gaps = re.findall(r"\n[ \t]*(?:\n[ \t]*)+", text)
    joined = [_join(block) if flag else "\n".join(block) for block, flag in zip(blocks, wrapped, strict=True)]
    return "".join(block + gap for block, gap in zip(joined, [*gaps, ""], strict=True))


def _is_wrapped(block: Sequence[str], *, width: int) -> bool:
    pairs = pairwise(block)
    return (
        len(block) > 1
        and len(set(block)) == len(block)
        and all(len(line) + 1 + len(after.split(" ", 1)[0]) > width for line, after in pairs)
    )


def _join(lines: Sequence[str]) -> str:
    """Put a space between lines, none after a hyphen that parts a word."""
    text = lines[0]
    for line in lines[1:]:
        parted = text.endswith("-") and text[-2:-1].isalpha() and line[:1].islower()
        text += line if parted else f" {line}"
    return text
