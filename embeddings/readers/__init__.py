"""Files to raw articles: `find` collects files, `read` gives what one file holds.

| suffix | holds | file |
|---|---|---|
| `.txt` | one article, or several scraped pages | text.py, scraped.py |
| `.md` | one article, optional YAML front matter | markdown.py, markup.py |
| `.html`, `.htm` | one web page | html.py |
| `.jsonl`, `.jsonl.gz` | one article a line, streamed | jsonl.py |

Nothing here cleans: see `embeddings.cleaning`. Nothing here opens a network connection.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from embeddings.errors import UnreadableFile
from embeddings.types import RawArticle, Rejected

__all__ = ["SUFFIXES", "find", "read"]

SUFFIXES = (".txt", ".md", ".html", ".htm", ".jsonl", ".jsonl.gz")
"""What files may end in, in any case."""


def find(paths: Sequence[Path]) -> list[Path]:
    """List the files to read, sorted, each once.

    Folders are searched for files with a known suffix; hidden files and folders are left out and links to
    folders not followed. A file named itself is listed whatever it ends in: `read` says why it cannot be used.

    Raises UnreadableFile for a path that does not exist and a folder that cannot be listed.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if not path.exists():
            raise UnreadableFile(f"{path}: no such file or folder; check the spelling")
        for file in _walk(path) if path.is_dir() else [path]:
            found.setdefault(file.resolve(), file)
    return sorted(found.values())


def read(path: Path) -> Iterator[RawArticle | Rejected]:
    """Give every article of a file; what cannot be read comes as Rejected (`path:line`), the rest goes on.

    Never raises for what the file holds.
    """
    suffix = _suffix(path)
    if suffix is None:
        yield Rejected(origin=f"{path}:1", reason=f"files of this kind are not read; use one of {', '.join(SUFFIXES)}")
        return
    yield from _reader(suffix)(path)


def _reader(suffix: str) -> Callable[[Path], Iterator[RawArticle | Rejected]]:
    """Import a reader when it is first needed: trafilatura alone takes a second."""
    if suffix == ".txt":
        from embeddings.readers.text import read as read_text

        return read_text
    if suffix == ".md":
        from embeddings.readers.markdown import read as read_markdown

        return read_markdown
    if suffix in {".html", ".htm"}:
        from embeddings.readers.html import read as read_html

        return read_html
    from embeddings.readers.jsonl import read as read_jsonl

    return read_jsonl


def _walk(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise UnreadableFile(f"{error.filename}: the folder cannot be listed: {error.strerror}") from error

    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and _suffix(path := Path(parent, name)):
                yield path


def _suffix(path: Path) -> str | None:
    name = path.name.lower()
    return next((suffix for suffix in SUFFIXES if name.endswith(suffix) and len(name) > len(suffix)), None)
