"""Files to raw articles: `find` collects files, `read` gives what one file holds.

| suffix | holds | file |
|---|---|---|
| `.txt` | one article, or several scraped pages | text.py |
| `.md` | one article, optional YAML front matter | markdown.py |
| `.html`, `.htm` | one web page | html.py |
| `.jsonl`, `.jsonl.gz` | one article a line, streamed | jsonl.py |
| `.pdf` | one article, in pages | pdf.py, pdf_lines.py |
| `.docx` | one article | docx.py |
| `.epub` | one article a chapter | epub.py |
| `.rss`, `.atom`, `.rdf`, `.xml` | one article an entry | feeds.py |
| `.opml` | none; it is said so | feeds.py |
| `.json`, `.jsonld` | JSON Feed, schema.org, ninjs, records | json_documents.py |
| `.csv`, `.tsv` | one article a row | csv_rows.py |
| `.eml` | one message | mail.py |
| `.warc`, `.warc.gz` | one article a page | warc.py |
| `.zip` | files of all these kinds | zipped.py |

From `.pdf` on they are read in a process that can be killed (`sandbox`). Nothing here cleans: see
`embeddings.cleaning`. Nothing here opens a network connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from embeddings.parsers import finding
from embeddings.parsers.finding import SUFFIXES, Found
from embeddings.types import RawArticle, Rejected

__all__ = ["SUFFIXES", "find", "look", "read"]

_DEEPEST = 3
"""An archive in an archive in an archive is read, one more is not."""


def find(paths: Sequence[Path]) -> list[Path]:
    """List the files to read; `look` says of what is passed over, too, why.

    Raises UnreadableFile for a path that does not exist and a folder that cannot be listed.
    """
    return list(look(paths).files)


def look(paths: Sequence[Path], *, follow_links: bool = False) -> Found:
    """Collect the files to read, sorted, each once.

    Folders are searched for files with a known suffix; hidden files and folders are left out, and links that lead out
    of the folder are not followed unless asked for. A file named itself is listed whatever it ends in: `read` says why
    it cannot be used. Raises what `find` raises.
    """
    return finding.look(paths, known=lambda path: _is_of_note(path.name), follow_links=follow_links)


def read(path: Path, *, from_afar: bool = False) -> Iterator[RawArticle | Rejected]:
    """Give every article of a file; what cannot be read comes as Rejected (`path:line`), the rest goes on.

    `from_afar`: nobody has chosen this file, so pages and texts, too, are read in a process that can be killed.
    Never raises for what the file holds.
    """
    for found in _read(path, depth=0, sandboxed=finding.SANDBOXED_FROM_AFAR if from_afar else finding.SANDBOXED):
        origin = finding.shown(found.origin)
        yield found if origin == found.origin else msgspec.structs.replace(found, origin=origin)


def _read(path: Path, *, depth: int, sandboxed: Mapping[str, str]) -> Iterator[RawArticle | Rejected]:
    suffix = finding.suffix_of(path.name)
    if suffix is None:
        yield Rejected(origin=f"{path}:1", reason=finding.unread(path.name, named_itself=True) or "")
    elif reason := finding.unreadable(path):
        yield Rejected(origin=f"{path}:1", reason=reason)
    elif suffix not in sandboxed:
        yield from _parser(suffix)(path)
    elif depth < _DEEPEST:
        yield from _sandboxed(path, sandboxed[suffix], depth=depth, inner=sandboxed)
    else:
        yield Rejected(origin=f"{path}:1", reason="it is packed into too many archives; unpack the outer ones")


def _sandboxed(path: Path, kind: str, *, depth: int, inner: Mapping[str, str]) -> Iterator[RawArticle | Rejected]:
    """Read a file in a process of its own, and what it holds if it is a container."""
    from embeddings.parsers import sandbox

    for found in sandbox.read(path, kind):
        if not isinstance(found, sandbox.Member):
            yield found
            continue
        for held in _read(Path(found.path), depth=depth + 1, sandboxed=inner):
            origin = f"{path}/{found.name}{held.origin.removeprefix(found.path)}"
            at = (
                {"url": found.url, "source": None}
                if isinstance(held, RawArticle) and not held.url and found.url
                else {}
            )
            yield msgspec.structs.replace(held, origin=origin, **at)


def _is_of_note(name: str) -> bool:
    """Whether a file of a folder is looked at: one that is read, or a document of which it is to be said why not."""
    return finding.suffix_of(name) is not None or finding.unread(name) is not None


def _parser(suffix: str) -> Callable[[Path], Iterator[RawArticle | Rejected]]:
    """Import a parser when it is first needed: trafilatura alone takes a second."""
    if suffix == ".txt":
        from embeddings.parsers.text import read as read_text

        return read_text
    if suffix == ".md":
        from embeddings.parsers.markdown import read as read_markdown

        return read_markdown
    if suffix in {".html", ".htm"}:
        from embeddings.parsers.html import read as read_html

        return read_html
    from embeddings.parsers.jsonl import read as read_jsonl

    return read_jsonl
