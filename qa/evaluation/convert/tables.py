"""CSV and TSV: takes a table whose columns are named like the fields of an example, gives a question a row.

Columns that hold several values (`answers`, `gold_urls`, `gold_article_ids`, `must_not_say`, `conversation`, `tags`)
part them by ` | `, or write a JSON list. `answerable` is true, false or empty. Empty cells mean: not known.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from qa.evaluation.convert.converted import Converted
from qa.evaluation.errors import InvalidDataset
from qa.evaluation.types import Example

__all__ = ["convert"]

_SINGLE = ("id", "question", "asked_at", "group")
_SEVERAL = ("answers", "gold_urls", "gold_article_ids", "must_not_say", "conversation", "withheld_article_ids", "tags")
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def convert(paths: Sequence[Path]) -> Converted:
    """A row without `id` is named by its line. Raises InvalidDataset naming file, line and column."""
    examples = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidDataset(f"{path.name}: not valid UTF-8 ({error.reason}); save the table as UTF-8") from None
        table = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if path.suffix == ".tsv" else ",")
        columns = [name.strip() for name in table.fieldnames or ()]
        table.fieldnames = columns
        _check_columns(path, columns)
        examples += [_example(row, f"{path.name}:{table.line_num}") for row in table]
    return Converted(examples=tuple(examples))


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    known = {*_SINGLE, *_SEVERAL, "answerable"}
    if "question" not in columns:
        raise InvalidDataset(f"{path.name}:1: no column is named question; the first line must name the columns")
    if unknown := [name for name in columns if name not in known]:
        raise InvalidDataset(
            f"{path.name}:1: unknown columns {', '.join(unknown)}; known are {', '.join(sorted(known))}"
        )


def _example(row: Mapping[str | None, object], place: str) -> Example:
    if None in row:
        raise InvalidDataset(f'{place}: more cells than columns; put cells with commas in "quotes"')
    cells = {str(name): value.strip() for name, value in row.items() if isinstance(value, str) and value.strip()}
    given: dict[str, object] = {name: cells[name] for name in _SINGLE if name in cells}
    given.setdefault("id", place)
    given |= {name: _several(cells[name], f"{place}, column {name}") for name in _SEVERAL if name in cells}
    if "answerable" in cells:
        if cells["answerable"].lower() not in _TRUTH:
            raise InvalidDataset(f"{place}: answerable is {cells['answerable']!r}; write true, false or nothing")
        given["answerable"] = _TRUTH[cells["answerable"].lower()]
    try:
        return msgspec.convert(given, Example)
    except msgspec.ValidationError as error:
        raise InvalidDataset(f"{place}: {error}") from None


def _several(cell: str, place: str) -> list[str]:
    if not cell.startswith("["):
        return [part.strip() for part in cell.split(" | ") if part.strip()]
    try:
        return msgspec.json.decode(cell, type=list[str])
    except msgspec.DecodeError as error:
        raise InvalidDataset(f"{place}: begins like a JSON list and is none ({error})") from None
