"""Extracts the text of markup that is all article (from a feed, a mail, a book or a document).

Nothing is looked for and nothing left out but what no reader sees, unlike in a web page (`html`), where an article
stands among other things. Paragraphs are parted by an empty line; list items and table rows stand one a line.
"""

import re
from collections.abc import Iterator
from typing import Final

from lxml import etree  # type: ignore[import-untyped]  # lxml-stubs ends at lxml 4
from lxml import html as lxml_html

from embeddings.errors import UnreadableFile

Element = etree._Element  # noqa: SLF001 - the type of what its functions give

DECLARATION = re.compile(r"\s*<\?xml[^>]{0,200}\?>")
"""What XHTML begins with."""
_MARKUP = re.compile(
    r"</?(?:p|br|div|span|a|b|i|u|em|strong|small|sup|sub|font|section|article|figure|ul|ol|li|h[1-6]|table|blockquote|img"
    r"|script|style|iframe|object|embed|applet|noscript|svg|video|audio|picture|form|fieldset|center|pre|hr|del|ins|strike"
    r"|header|footer|aside|nav|main|figcaption|dl|dt|dd|tr|td|th|thead|tbody)\b[^<>]{0,2000}>",
    re.IGNORECASE,
)
_BLOCKS: Final = frozenset(
    "p div h1 h2 h3 h4 h5 h6 ul ol dl dt dd table caption thead tbody tfoot blockquote pre section article header"
    " footer main figure figcaption address aside hr body html center form"
    " fieldset".split()
)
_ROWS: Final = frozenset({"li", "tr"})
_UNSEEN_TAGS: Final = frozenset(
    "head script style template noscript iframe object embed svg math audio video canvas select button input textarea"
    " nav map".split()
)
_UNSEEN = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|clip\s*:\s*rect\(\s*[01](?:px)?[\s,]"
    r"|clip-path\s*:\s*(?:inset\(\s*(?:50|100)%|circle\(\s*0))",
    re.IGNORECASE,
)
"""A `style` of what no reader sees: not shown, or cut to nothing."""
_OUT_OF_FLOW = re.compile(r"(?:^|;)\s*position\s*:\s*(?:absolute|fixed)\b", re.IGNORECASE)
_FAR_OFF = re.compile(
    r"(?:^|;)\s*(?:left|right|top|text-indent)\s*:\s*-(?:(?:999|\d{4,6})(?:\.\d+)?px|\d{3,6}(?:\.\d+)?r?em)",
    re.IGNORECASE,
)
"""A `style` that, out of the flow, puts something beside the page; by less than 999 pixels it may still be seen."""
_SPOKEN_CLASSES: Final = frozenset(
    "sr-only visually-hidden visuallyhidden u-visually-hidden screen-reader-text screenreader-text screen-reader-only"
    " screenreader a11y-hidden".split()
)
"""What style sheets everywhere call what is only read aloud."""
_HIDDEN_CLASSES: Final = frozenset({"hidden", "d-none", "is-hidden"})
"""What hides where nothing is beside it: another class may show it again, on wide screens or at a click."""
_LONG_BLOCK: Final = 40
"""From so many characters on, a block called hidden is text that a click on "read more" shows."""
_STRUCK: Final = frozenset({"del", "s", "strike"})
"""What was taken back: in "<del>five</del> four dockers" the five are no words of the article any more."""
_NEVER_UNSEEN: Final = frozenset({"h1", "html", "head", "body", "main", "article"})
_NOTE_MARK = re.compile(r"\[?\W?\d{1,3}\W?\]?|[*†‡]|\[[a-z]\]|↩︎?|↑")
_CELL: Final = "\x1f"
"""Between the cells of a row, until its line is written."""
_SPACES = re.compile(r"[ \t\r\n\f]+")
_MAX_ELEMENTS: Final = 200_000


def looks_marked_up(text: str) -> bool:
    """Whether a text is HTML and not just one with a `<` in it."""
    return _MARKUP.search(text) is not None


def tree_of(markup: str) -> etree._Element:
    """Parse marked-up text, well-formed or not. Raises UnreadableFile where nothing can be made of it."""
    parser = lxml_html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    try:
        tree = lxml_html.document_fromstring(
            DECLARATION.sub("", markup, count=1).encode("utf-8", "replace"), parser=parser
        )
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise UnreadableFile(f"its markup cannot be parsed ({str(error)[:100]}); save it as text") from None
    if sum(1 for _ in tree.iter()) > _MAX_ELEMENTS:
        raise UnreadableFile(f"it has more than {_MAX_ELEMENTS:,} elements; save it as text")
    return tree


def xml_of(data: bytes) -> etree._Element:
    """Parse well-formed XML without entities of its own. Raises UnreadableFile for what is none."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    try:
        tree = etree.fromstring(data, parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise UnreadableFile(f"its description is no valid XML ({str(error)[:100]}); save it again") from None
    if tree is None:
        raise UnreadableFile("its description is no valid XML; save it again")
    return tree


def text_of(markup: str | etree._Element) -> str:
    """Write out the text of all that is seen.

    >>> text_of("<p>One<br>two</p><ul><li>a <b>b</b></li><li>c</li></ul><p hidden>no</p>")
    'One\\ntwo\\n\\n- a b\\n- c'
    """
    tree = tree_of(markup) if isinstance(markup, str) else markup
    text = ""
    for block, is_row in _blocks(tree):
        text += ("\n" if is_row and text else "\n\n" if text else "") + block
    return text


def _blocks(tree: etree._Element) -> Iterator[tuple[str, bool]]:
    """Each block's text, and whether it goes on a list or a table."""
    parts: list[str] = []
    hidden: etree._Element | None = None
    row_before = in_row = False
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else "script"
        if hidden is None and event == "start" and _is_unseen(element, tag):
            hidden = element
        breaks = tag in _ROWS or (tag in _BLOCKS and not _in_row(element))
        if hidden is None and breaks and (block := _line("".join(parts))):
            yield block, in_row and row_before
            row_before = in_row
            parts.clear()
        if breaks and hidden is None:
            parts.clear()
            in_row = (tag in _ROWS) == (event == "start") and (tag in _ROWS)
            row_before = row_before and tag not in {"table", "ul", "ol", "dl"}
        if event == "start":
            if hidden is None:
                parts.append(_opening(element, tag) + _folded(element.text, element))
            continue
        if hidden is element:
            hidden = None
        if hidden is None and element is not tree:
            parts.append((" " if tag in _BLOCKS and not breaks else "") + _folded(element.tail, element.getparent()))
    if block := _line("".join(parts)):
        yield block, in_row and row_before


def drop_unseen(tree: etree._Element) -> None:
    """Drop what a browser does not show; a wrapper of most of the page stays, for scripts will show it."""
    most = len("".join(tree.itertext())) / 2
    for element in list(tree.iter("*")):
        if not _is_hidden(element) or element.getparent() is None or element.tag in {"html", "body", "head"}:
            _say_shown(element)
            continue
        if len("".join(element.itertext())) < most:
            tail = element.tail  # emptied where it stands: moving its tail would copy it again and again
            element.clear()
            element.tag, element.tail = "span", tail


def _say_shown(element: etree._Element) -> None:
    """Take "hidden" off prose that stays: trafilatura drops what has it behind a class ("article-more hidden")."""
    classes = (element.get("class") or "").split()
    if not _HIDDEN_CLASSES.isdisjoint(classes) and (element.tag == "p" or _holds_prose(element)):
        element.set("class", " ".join(name for name in classes if name not in _HIDDEN_CLASSES))


def _holds_prose(element: etree._Element) -> bool:
    """Whether an element has a long paragraph and nothing to fill in, unlike a menu or a call to subscribe."""
    filled_in = next(element.iter("form", "input", "button", "select", "textarea", "nav"), None) is not None
    return not filled_in and any(_is_long_block(paragraph) for paragraph in element.findall("p"))


def _is_hidden(element: etree._Element) -> bool:
    hidden = element.get("hidden")
    if element.tag == "dialog":
        return element.get("open") is None
    if element.tag in _STRUCK or element.tag == "template" or (hidden is not None and hidden.lower() != "until-found"):
        return True
    style = element.get("style") or ""
    off_page = _OUT_OF_FLOW.search(style) is not None and _FAR_OFF.search(style) is not None
    return off_page or _UNSEEN.search(style) is not None or _is_called_unseen(element)


def _is_called_unseen(element: etree._Element) -> bool:
    """Whether a class says so; of a headline it says that a picture shows it, and beside a class for wide screens
    ("md:block") that only narrow ones hide it."""
    classes = (element.get("class") or "").split()
    if element.tag in _NEVER_UNSEEN or not classes:
        return False
    if _SPOKEN_CLASSES.isdisjoint(classes):
        return _HIDDEN_CLASSES.issuperset(classes) and not _is_long_block(element)
    return not any(":" in name or (name.startswith("d-") and name != "d-none") for name in classes)


def _is_long_block(element: etree._Element) -> bool:
    if not any(one.tag in _BLOCKS or one.tag in _ROWS or one.tag in {"td", "th"} for one in element.iter("*")):
        return False
    return len(" ".join("".join(element.itertext()).split())) >= _LONG_BLOCK


def _in_row(element: etree._Element) -> bool:
    """A paragraph inside a list item or a table cell is part of its line, a list or a table in it is not."""
    if element.tag in {"ul", "ol", "dl", "table"}:
        return False
    return any(above.tag in {"li", "td", "th"} for above in element.iterancestors())


def _is_unseen(element: etree._Element, tag: str) -> bool:
    return tag in _UNSEEN_TAGS or _is_hidden(element) or (tag in {"sup", "a"} and _is_note_mark(element))


def _is_note_mark(element: etree._Element) -> bool:
    """Whether an element is the number of a footnote, or the way back from one."""
    link = element if element.tag == "a" else next(element.iter("a"), None)
    inside = link is not None and "#" in (link.get("href") or "") and "://" not in (link.get("href") or "")
    return inside and _NOTE_MARK.fullmatch("".join(element.itertext()).strip()) is not None


def _opening(element: etree._Element, tag: str) -> str:
    if tag == "li":
        return "- "
    if tag == "br":
        return "\n"
    if tag in {"td", "th"} and element.getprevious() is not None:
        return _CELL
    return " " if tag in _BLOCKS else ""


def _folded(text: str | None, element: etree._Element | None) -> str:
    in_pre = element is not None and any(one.tag == "pre" for one in (element, *element.iterancestors()))
    return (text or "") if in_pre else _SPACES.sub(" ", text or "")


def _line(text: str) -> str:
    lines = (_row(line) for line in text.split("\n"))
    text = "\n".join(line for line in lines if line)
    return "" if text == "-" else text


def _row(line: str) -> str:
    """A line with its cells parted; nothing of a row whose cells are empty.

    >>> _row(f" a {_CELL} {_CELL} c "), _row(f" {_CELL} ")
    ('a |  | c', '')
    """
    cells = [cell.strip() for cell in line.split(_CELL)]
    return " | ".join(cells).strip() if any(cells) else ""


def first_heading(tree: etree._Element, *, tags: tuple[str, ...] = ("h1", "h2", "h3")) -> str:
    """The first heading that says something; an empty text where there is none."""
    for element in tree.iter(*tags):
        if text := " ".join("".join(element.itertext()).split()):
            return text
    return ""
