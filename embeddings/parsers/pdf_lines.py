"""Finds the lines on a PDF's pages, with their places.

Points are measured from the lower left corner of the page as it is shown. Lines set at another angle than most of the
page (watermarks, stamps in the margin) are left out; so is what pages repeat at the same height, and their numbers.
"""

import ctypes
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import pypdfium2
import pypdfium2.raw as pdfium

MAX_CHARACTERS: Final = 200_000
"""Of one page; what follows is not read."""
_HYPHEN: Final = 0x02
"""What PDFium gives for a hyphen at the end of a line, in place of the break."""
CELL: Final = "\t"
"""Stands in a line where a gap parts two cells of a table, or what looks like them."""
_APART: Final = 1.5
"""A gap so many times as wide as letters are high parts cells; spaces are a fifth of that, also in justified text."""
_BREAKS: Final = frozenset({0x0A, 0x0D})
_RIGHT_ANGLE: Final = math.pi / 2
_MARGIN: Final = 0.12
"""Share of the page's height at its head and foot in which running lines stand."""
_FEWEST_PAGES: Final = 3
_NUMBER = re.compile(
    r"\W*(?:(?:page|seite|p\.?|pagina|página|стр\.?)\s*)?(?:\d{1,4}|[ivxlc]{1,7})(?:\s*(?:/|of|von|de|sur|из)\s*\d{1,4})?\W*",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line, or the part of one that stands apart from the others."""

    text: str
    """With a `CELL` between what stands far apart."""
    left: float
    right: float
    bottom: float
    top: float
    size: float
    """Height of its letters from the lowest to the highest of their font, in points."""
    spaced: bool = False
    """Whether a space ends it: its last word is whole, in Korean, too, whose words go on below without a hyphen."""

    @property
    def plain(self) -> str:
        """Its text with a space for each gap."""
        return self.text.replace(CELL, " ")

    @property
    def width(self) -> float:
        """In points."""
        return self.right - self.left


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on one page, in the order in which the file draws it."""

    height: float
    width: float
    lines: tuple[Line, ...]


class _Span(msgspec.Struct, frozen=True):
    codes: list[int]
    first: int
    last: int
    """Places of the first and the last character that is no space."""
    start: int
    """Place of the first character."""


def page_of(document: pypdfium2.PdfDocument, index: int) -> Page:
    """Read one page. Raises PdfiumError where it is damaged."""
    page = document[index]
    try:
        text = page.get_textpage()
        try:
            placed = [(_turns(text, span), span) for span in _spans(text)]
            turns = Counter(turn for turn, span in placed for _ in span.codes).most_common(1)
            upright = turns[0][0] if turns else 0
            left, bottom, right, top = page.get_bbox()
            box = (left, bottom, right - left, top - bottom)
            lines = [_line(text, span, box, upright) for turn, span in placed if turn == upright]
            width, height = (box[2], box[3]) if upright % 2 == 0 else (box[3], box[2])
            return Page(height=height, width=width, lines=tuple(one for one in lines if one.text))
        finally:
            text.close()
    finally:
        page.close()


def _spans(text: pypdfium2.PdfTextPage) -> Iterator[_Span]:
    """The characters of each line."""
    codes: list[int] = []
    first = last = -1
    start = 0
    for place in range(min(text.count_chars(), MAX_CHARACTERS)):
        code = pdfium.FPDFText_GetUnicode(text, place)
        if code in _BREAKS or code == _HYPHEN:
            if first >= 0:
                yield _Span([*codes, 0x2D] if code == _HYPHEN else codes, first, last, start)
            codes, first, last, start = [], -1, -1, place + 1
            continue
        codes.append(code)
        if code > 0x20 and code != 0xA0:
            first, last = (place if first < 0 else first), place
    if first >= 0:
        yield _Span(codes, first, last, start)


def _turns(text: pypdfium2.PdfTextPage, span: _Span) -> int:
    """By how many right angles a line is turned; 9 for any other angle."""
    angle = pdfium.FPDFText_GetCharAngle(text, span.first)
    turns = angle / _RIGHT_ANGLE
    return round(turns) % 4 if angle >= 0 and abs(turns - round(turns)) < 0.1 else 9


def _line(text: pypdfium2.PdfTextPage, span: _Span, box: tuple[float, float, float, float], turns: int) -> Line:
    first, last = _box(text, span.first), _box(text, span.last)
    left, bottom = min(first[0], last[0]) - box[0], min(first[1], last[1]) - box[1]
    right, top = max(first[2], last[2]) - box[0], max(first[3], last[3]) - box[1]
    width, height = box[2], box[3]
    if turns == 1:
        left, bottom, right, top = height - top, left, height - bottom, right
    elif turns == 2:
        left, bottom, right, top = width - right, height - top, width - left, height - bottom
    elif turns == 3:
        left, bottom, right, top = bottom, width - right, top, width - left
    size = max(1.0, top - bottom)
    cells = _decoded(_celled(text, span, size)).split(CELL)
    return Line(
        text=CELL.join(" ".join(cell.split()) for cell in cells),
        left=left,
        right=right,
        bottom=bottom,
        top=top,
        size=size,
        spaced=0x20 in span.codes[span.last + 1 - span.start :],
    )


def is_apart(gap: float, *, size: float) -> bool:
    """Whether a gap between words parts cells and not words."""
    return gap > _APART * size


def _celled(text: pypdfium2.PdfTextPage, span: _Span, size: float) -> list[int]:
    """The characters of a line, with a `CELL` for the spaces between what stands far apart."""
    codes = [0x20 if code == ord(CELL) else code for code in span.codes]
    before: int | None = None
    for place in range(span.first, span.last + 1):
        if codes[place - span.start] <= 0x20:
            continue
        if before is not None and place > before + 1 and is_apart(_gap(text, before, place), size=size):
            codes[before + 1 - span.start] = ord(CELL)
        before = place
    return codes


def _gap(text: pypdfium2.PdfTextPage, one: int, other: int) -> float:
    """Points between two characters of a line, in whatever direction it runs."""
    left, bottom, right, top = _box(text, one)
    next_left, next_bottom, next_right, next_top = _box(text, other)
    return max(next_left - right, left - next_right, next_bottom - top, bottom - next_top)


def _box(text: pypdfium2.PdfTextPage, place: int) -> tuple[float, float, float, float]:
    rectangle = pdfium.FS_RECTF()
    if not pdfium.FPDFText_GetLooseCharBox(text, place, ctypes.byref(rectangle)):
        return 0.0, 0.0, 0.0, 0.0
    return rectangle.left, rectangle.bottom, rectangle.right, rectangle.top


def _decoded(codes: list[int]) -> str:
    """Turn the numbers into text; halves of a pair that stand alone are damage."""
    units = b"".join(
        code.to_bytes(2, "little") if code < 0x10000 else chr(code).encode("utf-16-le")
        for code in codes
        if code < 0x110000
    )
    return units.decode("utf-16-le", "replace").replace("\0", "\ufffd")


def without_running_lines(pages: Sequence[Page]) -> list[Page]:
    """Drop the heads and feet that pages repeat, and their numbers."""
    seen = Counter(key for page in pages for key in {_key(line, page) for line in page.lines if _in_margin(line, page)})
    least = min(_FEWEST_PAGES, max(2, len(pages)))

    def runs(line: Line, page: Page) -> bool:
        return _in_margin(line, page) and (_NUMBER.fullmatch(line.text) is not None or seen[_key(line, page)] >= least)

    return [
        msgspec.structs.replace(page, lines=tuple(line for line in page.lines if not runs(line, page)))
        for page in pages
    ]


def _in_margin(line: Line, page: Page) -> bool:
    return line.bottom > (1 - _MARGIN) * page.height or line.top < _MARGIN * page.height


def _key(line: Line, page: Page) -> tuple[str, int]:
    """What a running line repeats: its words, numbers apart, at its distance from the nearer edge."""
    foot = line.top < _MARGIN * page.height
    return _DIGITS.sub("#", line.text.casefold()), round((line.bottom if foot else page.height - line.bottom) / 4)
