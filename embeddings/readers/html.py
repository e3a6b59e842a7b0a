"""Web pages: takes an `.html` file, gives its article.

    page_tree    parsed, the head mended, what is hidden dropped      page_facts   address, site, authors
    trafilatura  main text                                             page_dates   date of publication
    corrections  what extraction prunes and nobody may lose            page_titles  headline

Only the file is read: the page is handed over as a parsed tree, never as an address that a library might open.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import trafilatura
from lxml import etree  # type: ignore[import-untyped]  # lxml-stubs ends at lxml 4

from embeddings.errors import UnreadableFile
from embeddings.readers import corrections, decoding, linked_articles, page_dates, page_facts, page_titles, page_tree
from embeddings.types import RawArticle, Rejected

__all__ = ["MAX_PAGE", "read"]

MAX_PAGE: Final = 10_000_000
"""Largest page read, in bytes; parsing takes about ten times as much memory."""

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_XML_CHARSET = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})", re.IGNORECASE)
_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,200}\?>")
_SPACES = re.compile(r"[ \t\r\n\f]+")
_BLOCKS: Final = frozenset({"p", "head", "item", "row", "quote", "code", "list", "table", "div", "body"})
_NO_DATES: Final = {"extensive_search": False, "original_date": True}
"""What it finds is not used: it takes dates of change and of other articles, and guesses that days stand first."""
_FULLER: Final = 0.6
_FEWEST_FULLER: Final = 30
"""Linked data are believed where the page shows less than this share of what they hold, and they hold some words."""
_MIN_WORDS, _MIN_CHARACTERS = 5, 40
"""Less is a menu's remains. Scripts without spaces between words are counted by characters."""


def read(path: Path) -> Iterator[RawArticle | Rejected]:
    """Give the one article of the page, or why there is none."""
    try:
        data = decoding.load(path, limit=MAX_PAGE)
        declared = _XML_CHARSET.match(data[:400]) or _CHARSET.search(data[:8192])
        text = decoding.decode(data, declared=declared[1].decode("ascii", "ignore") if declared else None)
        yield _article(_DECLARATION.sub("", text, count=1), origin=f"{path}:1")
    except UnreadableFile as error:
        yield Rejected(origin=f"{path}:1", reason=str(error))


def _article(page: str, *, origin: str) -> RawArticle:
    tree, document = _extracted(page)
    described, data = page_facts.meta(tree), page_facts.linked_data(tree)
    text, of_text = _fuller(_text(document.body), data)
    if len(text.split()) < _MIN_WORDS and len(text) < _MIN_CHARACTERS:
        raise UnreadableFile(page_tree.NO_ARTICLE)
    address = page_facts.address(tree, described=described, data=data)
    published_at, of_date = page_dates.published(tree, described=described, data=data, url=address.url)
    added = corrections.missing(tree, text=text)
    sites = (described.get("og:site_name", document.sitename or ""), address.site)
    return RawArticle(
        text="\n\n".join((text, *added)),
        title=page_titles.headline(tree, found=document.title or _said(data), described=described, sites=sites),
        url=address.url,
        source=None if address.url else address.site or document.sitename,
        published_at=published_at,
        language=tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang"),
        authors=page_facts.people(document.author or "") or _writers(data),
        origin=origin,
        notes=(*address.notes, *of_date, *of_text),
    )


def _fuller(text: str, data: Sequence[dict[str, Any]]) -> tuple[str, tuple[str, ...]]:
    """Give the text that the page's linked data hold of its one article where the page shows much less of it.

    Pages filled in by scripts show nothing to a reader of files.
    """
    bodies = [body for body in map(linked_articles.body, data) if len(body.split()) >= _FEWEST_FULLER]
    if len(bodies) != 1:
        return text, ()
    if _FULLER * len(bodies[0]) > len(text):
        return bodies[0], ("its text is that of the page's linked data (articleBody); the page itself shows less",)
    same = text.split() == bodies[0].split()  # taken from there already, and its paragraphs lost
    return (bodies[0] if same and bodies[0].count("\n") > text.count("\n") else text), ()


def _said(data: Sequence[dict[str, Any]]) -> str:
    return next((title for title in map(linked_articles.headline, data) if title), "")


def _writers(data: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    return page_facts.people("; ".join(linked_articles.authors(data[0]))) if data else ()


def _extracted(page: str) -> tuple[etree._Element, trafilatura.settings.Document]:
    """Let trafilatura find text and metadata.

    Raises UnreadableFile where it finds none, or stumbles.
    """
    for name in ("trafilatura", "htmldate"):  # they log what is reported here as a refusal
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        tree = page_tree.parsed(page)
        document = trafilatura.bare_extraction(
            tree, with_metadata=True, include_comments=False, date_extraction_params=dict(_NO_DATES)
        )
    except UnreadableFile:
        raise
    except Exception as error:  # noqa: BLE001  a parser of other people's pages: no page may stop the others
        raise UnreadableFile(f"the page cannot be parsed ({type(error).__name__}: {error})") from None
    if document is None or document.body is None:
        if not any(map(linked_articles.body, page_facts.linked_data(tree))):
            raise UnreadableFile(page_tree.NO_ARTICLE)
        document = trafilatura.settings.Document()
        document.body = etree.Element("body")
    return tree, document


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
