"""From files to raw articles: `find` collects files, `read` parses one.

Nothing that is no regular file is opened: a pipe would never end, and neither would a device. Inside a folder, a link
is followed only to a file inside it, unless the caller wants all of them followed.

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

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Final

import msgspec

from embeddings.errors import UnreadableFile
from embeddings.parsers.sandbox import Kind
from embeddings.types import RawArticle, Rejected

SANDBOXED: Final[dict[str, Kind]] = {
    ".pdf": "pdf",
    ".docx": "docx",
    ".epub": "epub",
    ".rss": "xml",
    ".atom": "xml",
    ".rdf": "xml",
    ".xml": "xml",
    ".opml": "xml",
    ".json": "json",
    ".jsonld": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".eml": "eml",
    ".warc": "warc",
    ".warc.gz": "warc",
    ".zip": "zip",
}
"""Files whose parsers work in a process of their own."""
SANDBOXED_FROM_AFAR: Final[dict[str, Kind]] = SANDBOXED | {".html": "html", ".htm": "html", ".txt": "text"}
"""And those of files that come from strangers without anybody's looking: pages that feeds lead to."""

SUFFIXES: Final = (".txt", ".md", ".html", ".htm", ".jsonl", ".jsonl.gz", *SANDBOXED)
"""What files may end in, in any case."""
_SAME: Final = {
    ".text": ".txt",
    ".markdown": ".md",
    ".xhtml": ".html",
    ".ndjson": ".jsonl",
    ".ndjson.gz": ".jsonl.gz",
}
"""What others call these files."""
_UNREAD: Final = {
    ".doc": "Word's old format is not read; save it as .docx",
    ".odt": "OpenDocument is not read; save it as .docx or .pdf",
    ".rtf": "Rich Text is not read; save it as .docx or .txt",
    ".pages": "Pages documents are not read; export it as .docx or .pdf",
    ".mobi": "Kindle books are not read; convert it to .epub, for example with Calibre",
    ".azw3": "Kindle books are not read; convert it to .epub, for example with Calibre",
    ".xls": "spreadsheets are not read; save the sheet as .csv with a header",
    ".xlsx": "spreadsheets are not read; save the sheet as .csv with a header",
    ".ods": "spreadsheets are not read; save the sheet as .csv with a header",
    ".ppt": "slides are not read; save them as .pdf",
    ".pptx": "slides are not read; save them as .pdf",
    ".msg": "Outlook's messages are not read; save it as .eml",
    ".mbox": "mailboxes are not read; export the messages as .eml",
    ".mht": "MHTML is not read; save the page as .html",
    ".mhtml": "MHTML is not read; save the page as .html",
    ".rar": "this kind of archive is not read; pack the files as .zip",
    ".7z": "this kind of archive is not read; pack the files as .zip",
    ".tar": "this kind of archive is not read; pack the files as .zip",
    ".tar.gz": "this kind of archive is not read; pack the files as .zip",
    ".tgz": "this kind of archive is not read; pack the files as .zip",
    ".parquet": "Parquet is not read; write it as .jsonl",
    ".sqlite": "databases are not read; write the articles as .jsonl",
    ".wacz": "WACZ is not read; unpack it and ingest the .warc.gz in it",
}
_PICTURES: Final = (".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff", ".webp", ".heic", ".bmp")
_RECORDINGS: Final = (".mp3", ".mp4", ".m4a", ".wav", ".ogg", ".mov", ".avi", ".mkv", ".webm", ".flac")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to read."""

    files: tuple[Path, ...]
    """In order, each once."""
    passed_over: tuple[Rejected, ...]
    others: Mapping[str, int] = {}
    """How many files in folders are of no kind that is read or named, by what they end in."""


def _look(paths: Sequence[Path], *, known: Callable[[Path], bool], follow_links: bool = False) -> Found:
    """Collect what paths name: a file whatever it is called, of a folder those that are `known` by their names.

    Raises UnreadableFile for a path that does not exist and a folder that cannot be listed.
    """
    files: dict[str, Path] = {}
    passed_over: dict[Path, Rejected] = {}
    others: Counter[str] = Counter()
    for path in paths:
        if not os.path.lexists(path):
            raise UnreadableFile(f"{path}: no such file or folder; check the spelling")
        for file in _walk(path, follow_links=follow_links) if path.is_dir() else [path]:
            if file != path and not known(file) and not file.is_dir():
                others[shown(file.suffix.lower())] += 1
                continue
            outside = None if follow_links or file == path else _leads_out(file, path)
            reason = (outside if file.is_dir() else None) or unreadable(file) or outside
            if reason:
                passed_over[file] = Rejected(origin=shown(f"{file}:1"), reason=reason)
            else:
                files.setdefault(os.path.realpath(file), file)
    ordered = sorted(passed_over.items())
    return Found(
        files=tuple(sorted(files.values())),
        passed_over=tuple(rejected for _, rejected in ordered),
        others=dict(others.most_common()),
    )


def shown(name: str) -> str:
    r"""Write a file's name in Unicode: bytes of it that are no UTF-8 (names of older archives) as `\xe9`."""
    return os.fsencode(name).decode(errors="backslashreplace") if not name.isascii() else name


def unreadable(path: Path) -> str | None:
    """Say why a file must not be opened; None where it may be."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if path.is_symlink():
            return "it is a link that leads nowhere; remove it, or put the file in its place"
        missing = isinstance(error, FileNotFoundError)
        return "it does not exist" if missing else f"it cannot be opened: {error.strerror or error}"
    if stat.S_ISREG(mode):
        return None
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    kind = next((name for test, name in kinds if test(mode)), "a device")
    return f"it is no regular file but {kind}, and was not opened"


def _leads_out(file: Path, folder: Path) -> str | None:
    target, inside = os.path.realpath(file), os.path.realpath(folder)
    if os.path.commonpath((target, inside)) == inside:
        return None
    return "it is a link that leads out of the folder; `--follow-links` reads it all the same"


def _walk(folder: Path, *, follow_links: bool) -> Iterator[Path]:
    """Files, without hidden ones and what hidden folders hold; no folder twice."""

    def refuse(error: OSError) -> None:
        raise UnreadableFile(f"{error.filename}: the folder cannot be listed: {error.strerror}") from error

    been = {os.path.realpath(folder)}
    for parent, folders, files in os.walk(folder, onerror=refuse, followlinks=follow_links):
        new = []
        for name in sorted(folders):
            real = os.path.realpath(os.path.join(parent, name))  # noqa: PTH118 - as text: pathlib raises for a loop
            if not name.startswith(".") and not (follow_links and real in been):
                been.add(real)
                new.append(name)
        folders[:] = new
        yield from (Path(parent, name) for name in sorted(files) if not name.startswith("."))
        if not follow_links:
            yield from _folders_outside(Path(parent), folders, folder)


def _folders_outside(parent: Path, names: Sequence[str], folder: Path) -> Iterator[Path]:
    """Links to folders elsewhere: given like files, so that they are reported."""
    for path in (parent / name for name in names):
        if path.is_symlink() and _leads_out(path, folder):
            yield path


def suffix_of(name: str) -> str | None:
    """Give the known suffix that a file's name ends in, the longest one, `.jsonl` for `.ndjson`; None for another or
    for nothing else."""
    found = _ending(name, (*SUFFIXES, *_SAME))
    return _SAME.get(found, found) if found else None


def unread(name: str, *, named_itself: bool = False) -> str | None:
    """Say what is needed to read a document of a kind that is not; None for what is read and for no document.

    Pictures and recordings lie in every folder of pages, and are spoken of only where one is `named_itself`.
    """
    if suffix_of(name):
        return None
    if ending := _ending(name, tuple(_UNREAD)):
        return _UNREAD[ending]
    if not named_itself:
        return None
    if _ending(name, _PICTURES):
        return "pictures are not read; make a .pdf with text of it by OCR (ocrmypdf, for one)"
    if _ending(name, _RECORDINGS):
        return "recordings are not read; ingest a transcript as .txt"
    return f"files of this kind are not read; use one of {', '.join(SUFFIXES)}"


def _ending(name: str, suffixes: tuple[str, ...]) -> str | None:
    name = PurePath(name).name.lower()
    found = [suffix for suffix in suffixes if name.endswith(suffix) and len(name) > len(suffix)]
    return max(found, key=len, default=None)


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
    return _look(paths, known=lambda path: _is_of_note(path.name), follow_links=follow_links)


def read(path: Path, *, from_afar: bool = False) -> Iterator[RawArticle | Rejected]:
    """Give every article of a file; what cannot be read comes as Rejected (`path:line`), the rest goes on.

    `from_afar`: nobody has chosen this file, so pages and texts, too, are read in a process that can be killed.
    Never raises for what the file holds.
    """
    for found in _read(path, depth=0, sandboxed=SANDBOXED_FROM_AFAR if from_afar else SANDBOXED):
        origin = shown(found.origin)
        yield found if origin == found.origin else msgspec.structs.replace(found, origin=origin)


def _read(path: Path, *, depth: int, sandboxed: Mapping[str, str]) -> Iterator[RawArticle | Rejected]:
    suffix = suffix_of(path.name)
    if suffix is None:
        yield Rejected(origin=f"{path}:1", reason=unread(path.name, named_itself=True) or "")
    elif reason := unreadable(path):
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
    return suffix_of(name) is not None or unread(name) is not None


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
