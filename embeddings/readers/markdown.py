"""Markdown files: takes a `.md`, gives its article, described by the YAML front matter if there is one.

Fields read: `title`, `date` (or `published_at`, `published`), `author` (or `authors`), `url` (or `link`), `source`,
`id`, `language` (or `lang`), `collection`; notes name others. Without a `title` the first `# heading` is the title.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import yaml

from embeddings.errors import UnreadableFile
from embeddings.readers import decoding, markup
from embeddings.types import RawArticle, Rejected

__all__ = ["MAX_FRONT_MATTER", "read"]

MAX_FRONT_MATTER: Final = 65_536
"""Longest front matter read, in characters."""

_MAX_BRACKETS: Final = 500
"""YAML's scanner takes time with the square of open brackets: 5,000 take seven seconds."""

_NAMES: Final = {
    "title": ("title",),
    "id": ("id",),
    "url": ("url", "link"),
    "source": ("source",),
    "published_at": ("published_at", "published", "date"),
    "language": ("language", "lang"),
    "collection": ("collection",),
}

_READ: Final = frozenset({"authors", "author", *(name for names in _NAMES.values() for name in names)})

_UNKNOWN: Final = ("", "~", "null")


def read(path: Path) -> Iterator[RawArticle | Rejected]:
    """Give the one article of the file, or why it cannot be used."""
    try:
        text = decoding.decode(decoding.load(path)).replace("\r\n", "\n").replace("\r", "\n")
        fields, body, line = _front_matter(text)
        given = {field: _scalar(fields, names) for field, names in _NAMES.items()}
        authors = _authors(fields)
    except UnreadableFile as error:
        yield Rejected(origin=f"{path}:1", reason=str(error))
        return
    title = given.pop("title")
    if not title:
        title, body = markup.heading(body)
    plain = markup.plain(body)
    if not plain.strip():
        yield Rejected(origin=f"{path}:{line}", reason="there is no text below the front matter and the title")
        return
    unread = sorted(str(name) for name in fields.keys() - _READ)
    notes = (f"fields that are not read: {', '.join(unread)[:300]}",) if unread else ()
    article = RawArticle(text=plain, title=title, authors=authors, origin=f"{path}:{line}", notes=notes)
    yield msgspec.structs.replace(article, **given)


def _front_matter(text: str) -> tuple[Mapping[str, object], str, int]:
    """Part the front matter from the body; give its fields, the body and the line the body begins at.

    Raises UnreadableFile where it is not closed, no YAML or no mapping.
    """
    if not text.startswith("---\n"):
        return {}, text, 1
    lines = text[: MAX_FRONT_MATTER + 1].split("\n")
    closing = next((number for number, line in enumerate(lines) if number and line.rstrip() in {"---", "..."}), None)
    if closing is None:
        if ":" not in lines[1]:
            return {}, text, 1  # a thematic break that opens the text
        raise UnreadableFile("the front matter that begins in line 1 is not closed; add a line `---` below it")
    described = "\n".join(lines[1:closing])
    if sum(map(described.count, "[{")) > _MAX_BRACKETS:
        raise UnreadableFile("the front matter is nested too deeply; write `name: value` lines")
    # BaseLoader builds texts, lists and mappings and nothing else: less than safe_load, which would read `id: 007` as
    # the number 7 and `title: No` as false, and would merge aliases until memory ends.
    try:
        fields = yaml.BaseLoader(described).get_single_data()
    except yaml.YAMLError as error:
        raise UnreadableFile(f"the front matter is no valid YAML: {_what(error)}") from None
    except RecursionError:
        raise UnreadableFile("the front matter is nested too deeply; write `name: value` lines") from None
    if fields in (None, ""):
        fields = {}
    if not isinstance(fields, dict):
        raise UnreadableFile("the front matter is no list of `name: value` lines")
    body = text.split("\n", closing + 1)[closing + 1 :]
    return fields, body[0] if body else "", closing + 2


def _what(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be parsed"
    # Counted from 1, plus the opening line, which YAML has not seen.
    return f"line {mark.line + 2}, column {mark.column + 1}: {problem}" if mark else str(problem)


def _scalar(fields: Mapping[str, object], names: Sequence[str]) -> str | None:
    for name in names:
        value = fields.get(name)
        if value is None or value in _UNKNOWN:
            continue
        if isinstance(value, str):
            return value
        raise UnreadableFile(f"`{name}` in the front matter must be one text, not {_kind(value)}")
    return None


def _authors(fields: Mapping[str, object]) -> tuple[str, ...]:
    for name in ("authors", "author"):
        value = fields.get(name)
        if value is None or value in _UNKNOWN:
            continue
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise UnreadableFile(f"`{name}` in the front matter must be a name or a list of names, not {_kind(value)}")
    return ()


def _kind(value: object) -> str:
    return "a mapping" if isinstance(value, dict) else "a list"
