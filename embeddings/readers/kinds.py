"""Which kinds of files are read, told by what their names end in, and what to do with those that are not."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from embeddings.readers.confined.frames import Kind

__all__ = ["CONFINED", "SUFFIXES", "suffix_of", "unread"]

CONFINED: Final[dict[str, Kind]] = {
    ".pdf": "pdf",
    ".docx": "docx",
    ".epub": "epub",
    ".rss": "xml",
    ".atom": "xml",
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

SUFFIXES: Final = (".txt", ".md", ".html", ".htm", ".jsonl", ".jsonl.gz", *CONFINED)
"""What files may end in, in any case."""

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


def suffix_of(name: str) -> str | None:
    """Give the known suffix that a file's name ends in, the longest one; None for another or for nothing else."""
    return _ending(name, SUFFIXES)


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
