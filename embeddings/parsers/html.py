"""Web pages: parses an `.html` file as one article.

    tree         the head mended, what is hidden dropped       page_facts   what the page says of itself
    trafilatura  main text                                     corrections  what extraction prunes and nobody may lose

Only the file is read: the page is handed over as a parsed tree, never as an address that a library might open.
libxml2 ends `<head>` at the first element that does not belong there, and trafilatura looks for a page's links and
names in the head alone: they are put back. What is hidden goes, so that no quotation shows words that the page does
not. A body that comes in several pieces (advertisements between them) becomes one, for trafilatura keeps the first.
Extraction prunes footers and boxes, and with them the sentence that puts a figure right. It may never be lost: a
correction is what says so in its first words or in the name of its element.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
import trafilatura
from lxml import etree  # type: ignore[import-untyped]  # lxml-stubs ends at lxml 4
from trafilatura.xpaths import BODY_XPATH

from embeddings.errors import UnreadableFile
from embeddings.parsers import decoding, fragments, page_dates, page_facts
from embeddings.types import RawArticle, Rejected

_MAX_PAGE: Final = 10_000_000
"""Largest page read, in bytes; parsing takes about ten times as much memory."""
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_XML_CHARSET = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})", re.IGNORECASE)
_LANGUAGE = re.compile(rb"<html[^>]{0,400}?\slang\s*=\s*[\"']?([A-Za-z]{2})", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\r\n\f]+")
_BLOCKS: Final = frozenset({"p", "head", "item", "row", "quote", "code", "list", "table", "div", "body"})
_NO_DATES: Final = {"extensive_search": False, "original_date": True}
"""What it finds is not used: it takes dates of change and of other articles, and guesses that days stand first."""
_FULLER: Final = 0.6
_FEWEST_FULLER: Final = 30
"""Linked data are believed where the page shows less than this share of what they hold, and they hold some words."""
_MIN_WORDS, _MIN_CHARACTERS = 5, 40
"""Less is a menu's remains. Scripts without spaces between words are counted by characters."""
_NO_ARTICLE: Final = "no article was found in the page; save the article's own page, or its text as .txt"
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
_PROSE: Final = 80
"""Characters of a paragraph that is no label, caption or teaser."""
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
_CORRECTION_BLOCKS: Final = frozenset(
    "p div section article main ul ol li table h1 h2 h3 h4 header footer aside blockquote".split()
)
_SHORTEST, _LONGEST = 15, 2_000
_MOST: Final = 50
"""So many are looked at; no honest page has more."""
_WORDS = re.compile(r"\w+")


def read(path: Path, folder: Path | None = None) -> Iterator[RawArticle | Rejected]:  # noqa: ARG001 - as others are
    """Give the one article of the page, or why there is none."""
    try:
        data = decoding.load(path, limit=_MAX_PAGE)
        declared = _XML_CHARSET.match(data[:400]) or _CHARSET.search(data[:8192])
        said = (declared, _LANGUAGE.search(data[:8192]))
        label, language = (found[1].decode("ascii", "ignore") if found else None for found in said)
        text, notes = decoding.decode_or_guess(data, declared=label, language=language)
        article = _article(fragments.DECLARATION.sub("", text, count=1), origin=f"{path}:1")
        yield msgspec.structs.replace(article, notes=(*notes, *article.notes))
    except UnreadableFile as error:
        yield Rejected(origin=f"{path}:1", reason=str(error))


def _article(page: str, *, origin: str) -> RawArticle:
    tree, document = _extracted(page)
    described, data = page_facts.meta(tree), page_facts.linked_data(tree)
    text, of_text = _fuller(_text(document.body), data)
    if len(text.split()) < _MIN_WORDS and len(text) < _MIN_CHARACTERS:
        raise UnreadableFile(_NO_ARTICLE)
    address = page_facts.address(tree, described=described, data=data)
    published_at, of_date = page_dates.published(tree, described=described, data=data, url=address.url)
    added = _missing(tree, text=text)
    sites = (described.get("og:site_name", document.sitename or ""), address.site)
    return RawArticle(
        text="\n\n".join((text, *added)),
        title=page_facts.headline(tree, found=document.title or _said(data), described=described, sites=sites),
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
    bodies = [body for body in map(page_facts.linked_body, data) if len(body.split()) >= _FEWEST_FULLER]
    if len(bodies) != 1:
        return text, ()
    if _FULLER * len(bodies[0]) > len(text):
        return bodies[0], ("its text is that of the page's linked data (articleBody); the page itself shows less",)
    same = text.split() == bodies[0].split()  # taken from there already, and its paragraphs lost
    return (bodies[0] if same and bodies[0].count("\n") > text.count("\n") else text), ()


def _said(data: Sequence[dict[str, Any]]) -> str:
    return next((title for title in map(page_facts.linked_headline, data) if title), "")


def _writers(data: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    return page_facts.people("; ".join(page_facts.linked_authors(data[0]))) if data else ()


def _extracted(page: str) -> tuple[etree._Element, trafilatura.settings.Document]:
    """Let trafilatura find text and metadata.

    Raises UnreadableFile where it finds none, or stumbles.
    """
    for name in ("trafilatura", "htmldate"):  # they log what is reported here as a refusal
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        tree = _parsed(page)
        document = max(map(_found, _arrangements(tree)), key=_length)
    except UnreadableFile:
        raise
    except Exception as error:  # noqa: BLE001  a parser of other people's pages: no page may stop the others
        raise UnreadableFile(f"the page cannot be parsed ({type(error).__name__}: {error})") from None
    if document is None or document.body is None:
        if not any(map(page_facts.linked_body, page_facts.linked_data(tree))):
            raise UnreadableFile(_NO_ARTICLE)
        document = trafilatura.settings.Document()
        document.body = etree.Element("body")
    return tree, document


def _arrangements(tree: etree._Element) -> Iterator[etree._Element]:
    """Give the page as it is and, where its body comes in several pieces, with those joined.

    Joined, a part that stands between the pieces can be lost: the longer text is taken.
    """
    joined = deepcopy(tree) if _pieces(tree) else None
    yield tree
    if joined is not None:
        _join(_pieces(joined))
        yield joined


def _found(tree: etree._Element) -> trafilatura.settings.Document | None:
    return trafilatura.bare_extraction(
        tree, with_metadata=True, include_comments=False, date_extraction_params=dict(_NO_DATES)
    )


def _length(document: trafilatura.settings.Document | None) -> int:
    return len(_text(document.body)) if document is not None and document.body is not None else -1


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


def _parsed(page: str) -> etree._Element:
    """Parse a page and make it ready.

    Raises UnreadableFile for what is no page and for one that would take too long.
    """
    _refuse_endless_tags(page)
    tree = trafilatura.load_html(page)
    if tree is None:
        raise UnreadableFile(_NO_ARTICLE)
    if sum(1 for _ in islice(tree.iter(), _MAX_ELEMENTS + 1)) > _MAX_ELEMENTS:
        raise UnreadableFile(f"the page has more than {_MAX_ELEMENTS:,} elements; save its text as .txt")
    _mend_head(tree)
    fragments.drop_unseen(tree)
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


def _pieces(tree: etree._Element) -> list[etree._Element]:
    """The pieces in which the body comes, the first one first; none where it is whole."""
    first = next((found for expression in BODY_XPATH for found in expression(tree)), None)
    if first is None or first.tag == "article" or not first.get("class"):
        return []
    scope = next((above for above in first.iterancestors("article", "main", "body")), None)
    if scope is None or sum(1 for _ in islice(scope.iter("h1"), 2)) > 1:
        return []
    own = next(first.iterancestors("article"), None)
    pieces = {first: None}
    for piece in scope.iter(first.tag):
        apart = not any(above in pieces for above in piece.iterancestors())
        apart = apart and piece not in first.iterancestors() and piece is not first
        alike = piece.get("class") == first.get("class") and next(piece.iterancestors("article"), None) is own
        if apart and alike and _holds_prose(piece) and not _is_aside(piece):
            pieces[piece] = None
    return list(pieces) if len(pieces) > 1 else []


def _join(pieces: Sequence[etree._Element]) -> None:
    """Move the paragraphs of further pieces behind those of the first."""
    first, *further = pieces
    for piece in further:
        for child in list(piece):
            first.append(child)


def _holds_prose(element: etree._Element) -> bool:
    return any(len("".join(paragraph.itertext()).strip()) >= _PROSE for paragraph in element.iterchildren("p"))


def _is_aside(element: etree._Element) -> bool:
    return any(above.tag in {"aside", "nav", "footer"} for above in element.iterancestors())


def _missing(tree: etree._Element, *, text: str) -> tuple[str, ...]:
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
        if not any(child.tag in _CORRECTION_BLOCKS for child in element.iterchildren("*")):
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
