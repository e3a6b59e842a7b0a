"""Tables: parses a `.csv` or `.tsv` whose first row names the columns; each row is an article.

Columns are called like the fields of a JSON record (`jsonl`), or as other programs and languages call those; a row is
read as such a record. One without a text but with a title and a summary is that summary, as the entry of a feed is.
Exports of a CMS hold HTML: of a marked-up cell, its text counts. Comma, semicolon, tab and bar part columns, whichever
the header shows.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

import msgspec

from embeddings.errors import UnreadableFile
from embeddings.parsers import decoding, fragments
from embeddings.parsers.jsonl import MAX_LINE, folded, parse_record
from embeddings.runtime import word_lists
from embeddings.types import RawArticle, Rejected

_NAMES: Final = word_lists("embeddings.parsers", "columns.txt")
_EMPTY: Final = frozenset({"nan", "null", "none", "n/a"})
_ONLY_A_SUMMARY: Final = "the table gives only a summary of it; the page it links to holds the article"


_RANKS: Final = {
    folded(name): (field, rank) for field, names in _NAMES.items() for rank, name in enumerate(names.split(", "))
}


def read(path: Path, folder: Path) -> Iterator[RawArticle | Rejected]:  # noqa: ARG001 - what every parser is given
    """Give an article or a refusal for each filled row. Raises UnreadableFile where the header names no text."""
    csv.field_size_limit(MAX_LINE)
    with _text(path) as file:
        rows = csv.reader(file, delimiter=_delimiter(file), strict=False)
        header = [" ".join(name.replace("_", " ").split()) for name in next(rows, [])]
        columns = _columns(header)
        if "text" not in columns and not _lists_articles(columns):
            raise UnreadableFile(
                f"no column of it holds the text: {', '.join(header)[:200]}; call it `text` in the first row"
            )
        unread = tuple(name for name in header if name and folded(name) not in _RANKS)
        notes = (f"columns that are not read: {', '.join(unread)[:300]}",) if unread else ()
        line, given = rows.line_num + 1, False
        for row in rows:
            found = _article(row, columns, width=len(header), origin=f"{path}:{line}")
            line = rows.line_num + 1
            if found is not None:
                given = True
                if isinstance(found, RawArticle):
                    found = msgspec.structs.replace(found, notes=(*notes, *found.notes))
                yield found
        if not given:
            raise UnreadableFile("there is no filled row below its header")


def _columns(header: Sequence[str]) -> dict[str, list[int]]:
    """The places of each field's columns, the most trusted one first."""
    known = [(*_RANKS[key], at) for at, name in enumerate(header) if (key := folded(name)) in _RANKS]
    found: dict[str, list[int]] = {}
    for field, _, at in sorted(known, key=lambda one: one[1:]):
        found.setdefault(field, []).append(at)
    return found


def _lists_articles(columns: dict[str, list[int]]) -> bool:
    """Whether a table without texts is one of articles all the same, and not of goods or of columns."""
    return {"title", "summary"} <= columns.keys() and bool({"url", "published_at"} & columns.keys())


def _article(
    row: Sequence[str], columns: dict[str, list[int]], *, width: int, origin: str
) -> RawArticle | Rejected | None:
    if not any(cell.strip() for cell in row):
        return None
    if len(row) > width:
        reason = f"the row has {len(row)} cells, the header {width}; put quotation marks around cells with commas"
        return Rejected(origin=origin, reason=reason)
    try:
        record = {field: cell for field, places in columns.items() if (cell := _first_filled(row, places))}
    except UnreadableFile as error:
        return Rejected(origin=origin, reason=str(error))
    summary = record.pop("summary", None)
    if "text" in record or summary is None:
        found = parse_record(msgspec.json.encode(record), origin=origin)
        no_text = "text" not in record and "status" not in record
        return Rejected(origin=origin, reason="the row has no text") if no_text else found
    found = parse_record(msgspec.json.encode({**record, "text": summary, "summary_only": True}), origin=origin)
    return msgspec.structs.replace(found, notes=(_ONLY_A_SUMMARY,)) if isinstance(found, RawArticle) else found


def _first_filled(row: Sequence[str], places: Sequence[int]) -> str | None:
    """The text of the most trusted cell that says something."""
    cells = (row[at] for at in places if at < len(row))
    filled = next((one for one in cells if one.strip() and one.strip().casefold() not in _EMPTY), None)
    return fragments.text_of(f"<div>{filled}</div>") if filled and fragments.looks_marked_up(filled) else filled


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
