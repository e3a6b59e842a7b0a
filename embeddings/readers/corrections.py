"""Corrections that a page prints beside its article: takes its tree, gives those that the text found does not hold.

Extraction prunes footers and boxes, and with them the sentence that puts a figure right. It may never be lost: a
correction is what says so in its first words or in the name of its element.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lxml import etree  # type: ignore[import-untyped]  # lxml-stubs ends at lxml 4

__all__ = ["missing"]

_SAYS_SO = re.compile(
    r"^\W*(?:corrections?|clarifications?|editor['’]?s['’]? note|erratum|errata|amendment|retraction|"
    r"berichtigung|korrektur|richtigstellung|anmerkung der redaktion|rectificatif|précision|erratum|"
    r"corrección|rectificación|fe de erratas|rettifica|errata corrige|correção|rectificatie|correctie|"
    r"rättelse|rettelse|retting|sprostowanie|уточнение|исправление|поправка|уточнення|виправлення|訂正|更正|勘误|정정)"
    r"(?=[\s:：.,(–—-]|$).{10}"
    r"|\b(?:an )?earlier version of this (?:article|story|report|post|piece|page)\b"
    r"|\bthis (?:article|story|report|post|piece|headline|page) (?:was|has been|is being) (?:\w+ ){0,3}"
    r"(?:amended|corrected|updated|edited|changed|revised)\b"
    r"|\bin einer früheren (?:version|fassung)\b|\bune version précédente\b|\buna versión anterior\b",
    re.IGNORECASE | re.DOTALL,
)
_NAMED: Final = re.compile(
    r"(?:^|[\s_-])(?:correction|clarification|erratum|editors?-?note|amendment)s?(?:$|[\s_-])", re.IGNORECASE
)
_BLOCKS: Final = frozenset(
    "p div section article main ul ol li table h1 h2 h3 h4 header footer aside blockquote".split()
)
_SHORTEST, _LONGEST = 15, 2_000
_MOST: Final = 50
"""So many are looked at; no honest page has more."""
_WORDS = re.compile(r"\w+")


def missing(tree: etree._Element, *, text: str) -> tuple[str, ...]:
    """Give the corrections of the page that `text` lacks, in the order of the page."""
    held = _squeezed(text)
    found: dict[str, str] = {}
    looked = 0
    for block in _leaves(tree):
        words = " ".join("".join(block.itertext()).split())
        if not _SHORTEST <= len(words) <= _LONGEST:
            continue
        named = any(_NAMED.search(one.get("class") or one.get("id") or "") for one in (block, block.getparent()))
        if not (named or _SAYS_SO.search(words)):
            continue
        looked += 1
        key = _squeezed(words)
        if key and key not in held and not _is_of_another(block):
            found.setdefault(key, words)
        if looked >= _MOST:
            break
    return tuple(found.values())


def _leaves(tree: etree._Element) -> Iterator[etree._Element]:
    """Elements that hold words and no block of their own."""
    body = tree.find(".//body")
    for element in (tree if body is None else body).iter("p", "div", "li", "span", "em", "footer", "aside", "section"):
        inline = element.tag in {"span", "em"}
        parent = element.getparent()
        if parent is None or (inline and parent.tag not in {"footer", "aside", "section", "article"}):
            continue
        if not any(child.tag in _BLOCKS for child in element.iterchildren("*")):
            yield element


def _is_of_another(block: etree._Element) -> bool:
    """Whether it stands in a list of links or in what readers wrote."""
    return any(
        above.tag in {"nav", "a"} or re.search(r"comment|relat|teaser", above.get("class") or "", re.IGNORECASE)
        for above in block.iterancestors()
        if above.tag not in {"html", "body"}
    )


def _squeezed(text: str) -> str:
    return " ".join(_WORDS.findall(text.casefold()))
