"""Tables: takes a `.csv` or `.tsv` whose first row names the columns, gives an article a row.

Columns are called like the fields of a JSON record (`jsonl`), or as other programs call those, in any case; a row is
read as such a record. Comma, semicolon, tab and bar part columns, whichever the header shows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

import msgspec

from embeddings.errors import UnreadableFile
from embeddings.readers import decoding
from embeddings.readers.jsonl import ALIASES, MAX_LINE, parse_record
from embeddings.types import RawArticle, Rejected

__all__ = ["read"]

_FIELDS: Final = (
    "text",
    "title",
    "url",
    "source",
    "published_at",
    "authors",
    "id",
    "language",
    "section",
    "usage_terms",
    "embargoed_until",
    "status",
    "collection",
)
_COLUMNS: Final = {name.casefold(): name for name in (*_FIELDS, *ALIASES)} | {
    "article": "text",
    "article text": "text",
    "full text": "text",
    "story": "text",
    "article title": "title",
    "publication": "source",
    "publication date": "published_at",
    "date published": "published_at",
    "pub date": "published_at",
    "usage terms": "usage_terms",
    "embargoed until": "embargoed_until",
}
_TEXTS: Final = frozenset({"text", "content", "body", "articleBody", "maintext"})


def read(path: Path, folder: Path) -> Iterator[RawArticle | Rejected]:  # noqa: ARG001 - what every reader is given
    """Give an article or a refusal for each filled row. Raises UnreadableFile where the header names no text."""
    csv.field_size_limit(MAX_LINE)
    with _text(path) as file:
        rows = csv.reader(file, delimiter=_delimiter(file), strict=False)
        header = [" ".join(name.replace("_", " ").split()) for name in next(rows, [])]
        names = [_column(name) for name in header]
        if not _TEXTS & {*names}:
            raise UnreadableFile(
                f"no column of it holds the text: {', '.join(header)[:200]}; call it `text` in the first row"
            )
        unread = tuple(name for name, column in zip(header, names, strict=True) if column is None and name)
        notes = (f"columns that are not read: {', '.join(unread)[:300]}",) if unread else ()
        line, given = rows.line_num + 1, False
        for row in rows:
            found = _article(row, names, origin=f"{path}:{line}")
            line = rows.line_num + 1
            if found is not None:
                given = True
                yield msgspec.structs.replace(found, notes=notes) if isinstance(found, RawArticle) else found
        if not given:
            raise UnreadableFile("there is no filled row below its header")


def _article(row: Sequence[str], names: Sequence[str | None], *, origin: str) -> RawArticle | Rejected | None:
    if not any(cell.strip() for cell in row):
        return None
    if len(row) > len(names):
        reason = f"the row has {len(row)} cells, the header {len(names)}; put quotation marks around cells with commas"
        return Rejected(origin=origin, reason=reason)
    record: dict[str, str] = {}
    for name, cell in zip(names, row, strict=False):
        if name and cell.strip() and cell.strip().casefold() not in {"nan", "null", "none"}:
            record.setdefault(name, cell)
    if not _TEXTS & record.keys() and "status" not in record:
        return Rejected(origin=origin, reason="the row has no text")
    return parse_record(msgspec.json.encode(record), origin=origin)


def _column(name: str) -> str | None:
    folded = name.casefold()
    return _COLUMNS.get(folded) or _COLUMNS.get(folded.replace(" ", "_"))


def _delimiter(file: TextIO) -> str:
    """Whichever the header has most of; the file is left at its beginning."""
    header = file.readline(1 << 16)
    file.seek(0)
    return max((",", ";", "\t", "|"), key=header.count)


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    """Open the file as text: UTF-8, however long; another encoding only as far as it is read into memory."""
    with path.open("rb") as file:
        first = file.read(1 << 20)
    try:
        first[: first.rfind(b"\n") + 1 or len(first)].decode("utf-8-sig")
    except UnicodeDecodeError:
        yield io.StringIO(decoding.decode(decoding.load(path)), newline="")
        return
    if first.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in first:
        yield io.StringIO(decoding.decode(decoding.load(path)), newline="")
        return
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        yield text
