"""What a conversion gives, and how the files it takes are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from qa.evaluation.dataset import line_problem, numbered_lines
from qa.evaluation.errors import InvalidDataset
from qa.evaluation.types import Example

__all__ = ["ArticleRow", "Converted", "read_rows"]

Row = TypeVar("Row")


class ArticleRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line for `qa ingest`."""

    text: str
    id: str | None = None
    title: str = ""
    url: str | None = None
    source: str | None = None
    published_at: str | None = None
    authors: tuple[str, ...] = ()


class Converted(msgspec.Struct, frozen=True, kw_only=True):
    """Examples, and the articles that came with them."""

    examples: tuple[Example, ...]
    articles: tuple[ArticleRow, ...] = ()
    notes: tuple[str, ...] = ()
    """What the format held that could not be carried over."""


def read_rows(paths: Sequence[Path], row: type[Row]) -> Iterator[tuple[str, Row]]:
    """The rows of JSON Lines files, or of files that hold one JSON list, each with its place for messages.

    Raises InvalidDataset at the first that is no such row.
    """
    decoder = msgspec.json.Decoder(row)
    for path in paths:
        content = path.read_bytes()
        if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
            yield from ((f"{path.name} item {number}", item) for number, item in enumerate(_list(path, row), start=1))
            continue
        for number, line in numbered_lines(content):
            try:
                yield f"{path.name}:{number}", decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise InvalidDataset(f"{path.name}:{number}: {_problem(error)}") from None


def _list(path: Path, row: type[Row]) -> list[Row]:
    try:
        return msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"), type=list[row])  # type: ignore[valid-type]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidDataset(f"{path.name}: {_problem(error)}") from None


def _problem(error: msgspec.DecodeError | UnicodeDecodeError | RecursionError) -> str:
    if isinstance(error, msgspec.ValidationError):
        return f"{error}; is this the format that --from names?"
    return line_problem(error)
