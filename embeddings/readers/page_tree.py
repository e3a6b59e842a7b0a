"""A web page's tree, made ready for extraction: takes the page, gives a tree without what no reader sees.

libxml2 ends `<head>` at the first element that does not belong there, and trafilatura looks for a page's links and
names in the head alone: they are put back. What is hidden goes, so that no quotation shows words that the page does
not. A body that comes in several pieces (advertisements between them) becomes one, for trafilatura keeps the first.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

import trafilatura
from lxml import etree  # type: ignore[import-untyped]  # lxml-stubs ends at lxml 4
from trafilatura.xpaths import BODY_XPATH

from embeddings.errors import UnreadableFile

__all__ = ["NO_ARTICLE", "parsed"]

NO_ARTICLE: Final = "no article was found in the page; save the article's own page, or its text as .txt"

_MAX_ELEMENTS: Final = 30_000
"""News pages have 500 to 5,000 elements; trafilatura's time grows with their square."""
_MAX_ATTRIBUTES: Final = 1_000
"""Of one element; libxml2's time grows with their square."""

# Attributes as HTML tokenises them. Possessive throughout, so that no character is read more than a few times.
_TAG = re.compile(
    r"""<[A-Za-z][^\s/>]*+((?:[\s/]++|[^\s/>=][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+)?+|=)*+)"""
)
_ATTRIBUTE = re.compile(r"""[^\s/>=][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+)?+""")
_RAW: Final = (("<script", "</script"), ("<style", "</style"), ("<!--", "-->"))

_UNSEEN = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)\b", re.IGNORECASE)
_PROSE: Final = 80
"""Characters of a paragraph that is no label, caption or teaser."""


def parsed(page: str) -> etree._Element:
    """Parse a page and make it ready.

    Raises UnreadableFile for what is no page and for one that would take too long.
    """
    _refuse_endless_tags(page)
    tree = trafilatura.load_html(page)
    if tree is None:
        raise UnreadableFile(NO_ARTICLE)
    if sum(1 for _ in islice(tree.iter(), _MAX_ELEMENTS + 1)) > _MAX_ELEMENTS:
        raise UnreadableFile(f"the page has more than {_MAX_ELEMENTS:,} elements; save its text as .txt")
    _mend_head(tree)
    _drop_unseen(tree)
    _join_pieces(tree)
    return tree


def _refuse_endless_tags(page: str) -> None:
    folded = page.lower() if page.isascii() else page.translate({code: code + 32 for code in range(65, 91)})
    for opening, closing in _RAW:
        kept, position = [], 0
        while (start := folded.find(opening, position)) >= 0 and (end := folded.find(closing, start)) >= 0:
            kept.append(folded[position:start])
            position = end + len(closing)
        folded = "".join([*kept, folded[position:]])
    for tag in _TAG.finditer(folded):
        if len(tag[1]) > _MAX_ATTRIBUTES and sum(1 for _ in _ATTRIBUTE.finditer(tag[1])) > _MAX_ATTRIBUTES:
            raise UnreadableFile(f"an element has more than {_MAX_ATTRIBUTES:,} attributes; save the text as .txt")


def _mend_head(tree: etree._Element) -> None:
    """Repeat in the head what stands outside of it because a stray element closed it early."""
    head = tree.find(".//head")
    if head is None:
        head = etree.Element("head")
        tree.insert(0, head)
    for element in list(tree.iter("meta", "link", "title")):
        named = element.get("property") or element.get("name") or element.get("rel") or element.tag == "title"
        parent = element.getparent()
        inside = any(above.tag in {"head", "svg", "article"} for above in element.iterancestors())
        if named and parent is not None and not inside:
            copy = etree.SubElement(head, element.tag, dict(element.attrib))
            copy.text = element.text


def _drop_unseen(tree: etree._Element) -> None:
    """Drop what a browser does not show; a wrapper of most of the page stays, for scripts will show it."""
    most = len("".join(tree.itertext())) / 2
    for element in list(tree.iter("*")):
        hidden = element.get("hidden")
        unseen = (
            element.tag in {"template", "dialog"}
            or (hidden is not None and hidden.lower() != "until-found")
            or _UNSEEN.search(element.get("style") or "") is not None
        )
        if unseen and element.getparent() is not None and element.tag not in {"html", "body", "head"}:
            if element.tag == "dialog" and element.get("open") is not None:
                continue
            if len("".join(element.itertext())) < most:
                tail = element.tail  # emptied where it stands: moving its tail would copy it again and again
                element.clear()
                element.tag, element.tail = "span", tail


def _join_pieces(tree: etree._Element) -> None:
    """Move the paragraphs of further pieces of the body behind those of the first."""
    first = next((found for expression in BODY_XPATH for found in expression(tree)), None)
    if first is None or first.tag == "article" or not first.get("class"):
        return
    scope = next((above for above in first.iterancestors("article", "main", "body")), None)
    if scope is None or sum(1 for _ in islice(scope.iter("h1"), 2)) > 1:
        return
    own = next(first.iterancestors("article"), None)
    for piece in list(scope.iter(first.tag)):
        apart = first not in piece.iterancestors() and piece not in first.iterancestors() and piece is not first
        alike = piece.get("class") == first.get("class") and next(piece.iterancestors("article"), None) is own
        if apart and alike and _holds_prose(piece) and not _is_aside(piece):
            for child in list(piece):
                first.append(child)


def _holds_prose(element: etree._Element) -> bool:
    return any(len("".join(paragraph.itertext()).strip()) >= _PROSE for paragraph in element.iterchildren("p"))


def _is_aside(element: etree._Element) -> bool:
    return any(above.tag in {"aside", "nav", "footer"} for above in element.iterancestors())
