"""Web pages: takes an `.html` file, gives its article: main text by trafilatura, date by htmldate.

Only the file is read: the page is handed over as a parsed tree, never as an address that a library might open.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import trafilatura
from lxml import etree  # type: ignore[import-untyped]  # lxml-stubs ends at lxml 4

from embeddings.errors import UnreadableFile
from embeddings.readers import decoding
from embeddings.titles import clean_title
from embeddings.types import RawArticle, Rejected

__all__ = ["MAX_PAGE", "read"]

MAX_PAGE: Final = 10_000_000
"""Largest page read, in bytes; parsing takes about ten times as much memory."""

_MAX_ELEMENTS: Final = 30_000
"""News pages have 500 to 5,000 elements; trafilatura's time grows with their square."""

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,200}\?>")
_SPACES = re.compile(r"[ \t\r\n\f]+")
_BLOCKS: Final = frozenset({"p", "head", "item", "row", "quote", "code", "list", "table", "div", "body"})
_DATES: Final = {
    "original_date": True,  # published, not last changed
    "extensive_search": False,  # a date found anywhere in the text is a guess
    "outputformat": "%Y-%m-%dT%H:%M:%S%z",
}
_MIN_WORDS, _MIN_CHARACTERS = 5, 40
"""Less is a menu's remains. Scripts without spaces between words are counted by characters."""
_NO_ARTICLE: Final = "no article was found in the page; save the article's own page, or its text as .txt"
_NO_TIME = re.compile(r"T00:00:00(?:\+0000)?$")


def read(path: Path) -> Iterator[RawArticle | Rejected]:
    """Give the one article of the page, or why there is none."""
    try:
        data = decoding.load(path, limit=MAX_PAGE)
        declared = _CHARSET.search(data[:4096])
        text = decoding.decode(data, declared=declared[1].decode("ascii", "ignore") if declared else None)
        yield _article(_DECLARATION.sub("", text, count=1), origin=f"{path}:1")
    except UnreadableFile as error:
        yield Rejected(origin=f"{path}:1", reason=str(error))


def _article(page: str, *, origin: str) -> RawArticle:
    document, language = _extracted(page)
    text = _text(document.body)
    if len(text.split()) < _MIN_WORDS and len(text) < _MIN_CHARACTERS:
        raise UnreadableFile(_NO_ARTICLE)
    sites = (document.sitename or "", document.hostname or "")
    return RawArticle(
        text=text,
        title=clean_title(document.title or "", sites=sites),
        url=document.url,
        source=None if document.url else document.sitename,
        published_at=_NO_TIME.sub("", document.date) if document.date else None,
        language=language,
        authors=tuple(name.strip() for name in (document.author or "").split(";") if name.strip()),
        origin=origin,
    )


def _extracted(page: str) -> tuple[trafilatura.settings.Document, str | None]:
    """Let trafilatura find text and metadata.

    Raises UnreadableFile where it finds none, or stumbles.
    """
    for name in ("trafilatura", "htmldate"):  # they log what is reported here as a refusal
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        tree = trafilatura.load_html(page)
        if tree is None:
            raise UnreadableFile(_NO_ARTICLE)
        if sum(1 for _ in islice(tree.iter(), _MAX_ELEMENTS + 1)) > _MAX_ELEMENTS:
            raise UnreadableFile(f"the page has more than {_MAX_ELEMENTS:,} elements; save its text as .txt")
        document = trafilatura.bare_extraction(
            tree, with_metadata=True, include_comments=False, date_extraction_params=dict(_DATES)
        )
    except UnreadableFile:
        raise
    except Exception as error:  # noqa: BLE001  a parser of other people's pages: no page may stop the others
        raise UnreadableFile(f"the page cannot be parsed ({type(error).__name__}: {error})") from None
    if document is None or document.body is None:
        raise UnreadableFile(_NO_ARTICLE)
    return document, tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang")


def _text(body: etree._Element) -> str:
    """Write out the main text: paragraphs parted by an empty line, list items and table rows one a line."""
    blocks: list[tuple[str, object]] = []
    buffer: list[str] = []

    def close(group: object) -> None:
        lines = (line.strip() for line in "".join(buffer).split("\n"))
        if text := "\n".join(line for line in lines if line).removesuffix("-").rstrip():
            blocks.append((text, group))
        buffer.clear()

    for event, element in etree.iterwalk(body, events=("start", "end")):
        if not isinstance(element.tag, str):
            continue
        group = element.getparent() if element.tag in {"item", "row"} else element
        is_block = _is_block(element)
        if event == "start":
            if is_block:
                close(None)
            buffer.append(_opening(element) + _folded(element.text, element))
        else:
            if is_block:
                close(group)
            buffer.append(_folded(element.tail, element) if element is not body else "")
    close(None)
    return _joined(blocks)


def _is_block(element: etree._Element) -> bool:
    """A paragraph inside a list item or a table cell is part of its line."""
    parent = element.getparent()
    inside = parent is not None and parent.tag in {"item", "cell"} and element.tag in {"p", "div", "head"}
    return element.tag in _BLOCKS and not inside


def _opening(element: etree._Element) -> str:
    if element.tag == "item":
        return "- "
    if element.tag == "lb":
        return "\n"
    if element.tag == "cell" and element.getprevious() is not None:
        return " | "
    return " " if element.tag in {"p", "div", "head"} else ""


def _folded(text: str | None, element: etree._Element) -> str:
    return (text or "") if element.tag == "code" else _SPACES.sub(" ", text or "")


def _joined(blocks: Sequence[tuple[str, object]]) -> str:
    parts: list[str] = []
    before: object = None
    for text, group in blocks:
        parts.append(("\n" if group is not None and group is before else "\n\n") + text)
        before = group
    return "".join(parts).strip("\n")
