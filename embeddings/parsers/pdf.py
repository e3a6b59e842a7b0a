"""PDF: parses a `.pdf` as one article, with the offset of each page.

The properties of the file are believed where its first page says the same; programs write templates' titles, their own
names and the date of the last conversion into them.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median, median_low
from typing import Final

import msgspec
import pypdfium2
import pypdfium2.raw as pdfium

from embeddings.errors import UnreadableFile
from embeddings.parsers import text
from embeddings.parsers.pdf_lines import CELL, Line, Page, is_apart, page_of, without_running_lines
from embeddings.types import RawArticle

# --- From the lines of a PDF to its text: takes pages, gives paragraphs in reading order, and where each page begins
# blocks                  lines that follow one another in a column
# order                   as the file draws them, unless it draws what stands lower first: then column by column
# rows of tables          a line each, with " | " between what stands far apart in it
# paragraphs              by indents, gaps and short lines; words parted at a line's end are joined
# gaps                    wider than between lines that surely run on: a block of paragraphs of one line has no others
_BULLET = re.compile(r"(?:[•▪■●◦‣⁃·*–—-]|\(?\d{1,2}[.)]|\(?[a-z][.)])\s")
_ENDS = re.compile(r"[.!?:;…。！？](?:[\"'”’»)\]]|\d{1,3})*$")
_WORD = re.compile(r"[^\W\d_]+(?:[-‐’'][^\W\d_]+)*")
_LAST_WORD = re.compile(r"([^\W\d_]+)[-‐\xad]$")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_EAST_ASIAN = re.compile("[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_CERTAIN_GAPS: Final = 2
"""A line with so many wide gaps is a row of a table, whatever stands about it."""
_FEWEST_ACROSS, _FEWEST_WORDS, _FEWEST_RUN_ON, _GAP_LETTERS = 3, 3, 2, 4
"""Lines with words on both sides from which two columns may have been drawn across."""
_OPEN = re.compile(
    r"[,;:&/(‐–—\xad-]$|\b(?:[Tt]he|an?|of|and|or|to|in|on|at|by|for|from|with|der|die|das|von|und|de|la|le|et)$"
)
"""What ends a line that another one goes on with."""
_WIDER: Final = 1.3
"""A pitch so many times the one within a paragraph begins another."""
_PITCH: Final = 1.15
"""Of lines set close, in heights of their letters: believed where no line in letters of their size runs on."""
_SHORT: Final = 0.6
"""Share of its column that a line fills at most which nothing follows although it ends no sentence."""
_MOST_ORDERED: Final = 150
"""So many blocks of a page are put in order; a page with more keeps the file's."""


class Laid(msgspec.Struct, frozen=True, kw_only=True):
    """The text of a document and the offset at which each of its pages begins."""

    text: str
    pages: tuple[int, ...]


class _Block(msgspec.Struct, kw_only=True):
    """Lines that follow one another in one column."""

    lines: list[Line]

    @property
    def left(self) -> float:
        return min(line.left for line in self.lines)

    @property
    def right(self) -> float:
        return max(line.right for line in self.lines)


def laid_out(pages: Sequence[Page]) -> Laid:
    """Write the pages out as one text."""
    writer = _Writer(_words(line.text for page in pages for line in page.lines))
    starts: list[int | None] = []
    blocks = [_blocks(page) for page in pages]
    usual = _pitches(block for found in blocks for block in found)
    for found in blocks:
        starts.append(None)
        for block in _ordered(found):
            block.lines = _with_rows(block.lines)
            for line, opens in _paragraphs(block, usual, edge=_edge(block, found)):
                begins = writer.write(line, opens=opens, first=line is block.lines[0])
                starts[-1] = begins if starts[-1] is None else starts[-1]
    return Laid(text=writer.text(), pages=_filled(starts, end=writer.length))


class _Writer:
    """Puts line after line, joined as what stands before asks for."""

    def __init__(self, words: frozenset[str]) -> None:
        self._words = words
        self._parts: list[str] = []
        self._before: Line | None = None
        self.length = 0

    def write(self, line: Line, *, opens: bool, first: bool) -> int:
        """Add a line that opens a paragraph or does not, the first of its block or not; give where it begins."""
        before, self._before = self._before, line
        text = line.text.replace(CELL, " | ")
        if before is not None:
            in_rows = CELL in line.text or CELL in before.text
            goes_on = (_BULLET.match(line.text) or (CELL in line.text and CELL in before.text)) and not first
            joint = "\n" if goes_on else "\n\n"
            if not in_rows and (not opens or (first and _goes_on(before, line))):
                loses_hyphen, joint = _joint(before.text, line.text, spaced=before.spaced, words=self._words)
                if loses_hyphen:
                    self._parts[-1] = self._parts[-1][:-1]
                    self.length -= 1
            self._add(joint)
        begins = self.length
        self._add(text)
        return begins

    def text(self) -> str:
        """All of it."""
        return "".join(self._parts)

    def _add(self, piece: str) -> None:
        self._parts.append(piece)
        self.length += len(piece)


def _filled(starts: Sequence[int | None], *, end: int) -> tuple[int, ...]:
    """Let a page without text begin where the next one does."""
    filled: list[int] = []
    for start in reversed(starts):
        end = end if start is None else start
        filled.append(end)
    return tuple(reversed(filled))


def _blocks(page: Page) -> list[_Block]:
    blocks: list[_Block] = []
    for line in _in_columns(page.lines):
        last = blocks[-1].lines[-1] if blocks else None
        if last is not None and _is_beside(line, last):
            between = CELL if is_apart(line.left - last.right, size=last.size) else " "
            text = f"{last.text}{between}{line.text}"
            blocks[-1].lines[-1] = msgspec.structs.replace(last, text=text, right=max(last.right, line.right))
        elif last is not None and _follows(line, last):
            blocks[-1].lines.append(line)
        else:
            blocks.append(_Block(lines=[line]))
    return blocks


def _in_columns(lines: Sequence[Line]) -> Sequence[Line]:
    """Put what is drawn across two columns of running text back into one after the other.

    Such lines have one wide gap each, words enough on both sides, and go on below: most of what stands under a line
    that ends no sentence begins in small letters. In the cells of a table that is rare.
    """
    halves = [_halves(line) for line in lines]
    ordered: list[Line] = []
    place = 0
    while place < len(lines):
        end = place
        while end < len(lines) and halves[end] and (end == place or _follows(lines[end], lines[end - 1])):
            end += 1
        run = [pair for pair in halves[place:end] if pair]
        if len(run) < _FEWEST_ACROSS or not _runs_on([*zip(*run, strict=True)]):
            ordered += lines[place : max(end, place + 1)]
            place = max(end, place + 1)
            continue
        left, right = ([*column] for column in zip(*run, strict=True))
        while (
            end < len(lines)
            and not halves[end]
            and _follows(lines[end], (left[-1], right[-1])[_is_right(lines[end], right)])
        ):
            (left, right)[_is_right(lines[end], right)].append(lines[end])
            end += 1
        ordered += [*left, *right]
        place = end
    return ordered


def _halves(line: Line) -> tuple[Line, Line] | None:
    """Both sides of the only gap of a line, where each has words enough; widths are guessed by counting letters."""
    sides = line.text.split(CELL)
    if len(sides) != 2 or any(len(side.split()) < _FEWEST_WORDS for side in sides):
        return None
    letter = line.width / (len(line.text) + _GAP_LETTERS)
    left = msgspec.structs.replace(line, text=sides[0], right=line.left + letter * len(sides[0]))
    return left, msgspec.structs.replace(line, text=sides[1], left=line.right - letter * len(sides[1]))


def _runs_on(columns: Sequence[Sequence[Line]]) -> bool:
    pairs = [pair for column in columns for pair in pairwise(column)]
    begun = [below.text[:1].islower() for line, below in pairs if not _ENDS.search(line.text)]
    # Cells in small letters, too, begin so; but no sentence ends in them.
    ends = any(_ENDS.search(line.text) for column in columns for line in column)
    return ends and sum(begun) >= max(_FEWEST_RUN_ON, len(begun) / 2)


def _is_right(line: Line, right: Sequence[Line]) -> bool:
    return line.left > right[-1].left - line.size


def _with_rows(lines: Sequence[Line]) -> list[Line]:
    """Let gaps part cells only in lines that stand with others like them, or have many: a single wide gap is a gap."""
    gaps = [line.text.count(CELL) for line in lines]
    return [
        line
        if gaps[place] >= _CERTAIN_GAPS or any(gaps[max(0, place - 1) : place] + gaps[place + 1 : place + 2])
        else msgspec.structs.replace(line, text=line.plain)
        for place, line in enumerate(lines)
    ]


def _is_beside(line: Line, last: Line) -> bool:
    """Whether a line goes on where another one ended, at the same height."""
    return abs(line.bottom - last.bottom) < 0.4 * last.size and -1.0 <= line.left - last.right < 3 * last.size


def _follows(line: Line, last: Line) -> bool:
    """Whether a line stands below another one in its column, in letters of its size."""
    pitch = last.bottom - line.bottom
    overlap = min(line.right, last.right) - max(line.left, last.left)
    alike = 0.8 < line.size / last.size < 1.25
    near = 0.3 * line.size < pitch < 1.9 * max(line.size, last.size)
    return alike and near and overlap > 0.3 * min(line.width, last.width)


def _ordered(blocks: list[_Block]) -> list[_Block]:
    """Keep the file's order unless it draws a block after one that stands below it in the same column."""
    if len(blocks) > _MOST_ORDERED:
        return blocks
    boxes = [(one.left, one.right, one.lines[-1].bottom, one.lines[0].top) for one in blocks]
    pairs = [(one, other) for one in range(len(boxes)) for other in range(len(boxes)) if one != other]
    above = {
        (one, other)
        for one, other in pairs
        if _share_column(boxes[one], boxes[other]) and _is_above(boxes[one], boxes[other])
    }
    if not any(one > other for one, other in above):
        return blocks
    beside = {
        (one, other)
        for one, other in pairs
        if boxes[one][1] <= boxes[other][0] + 1.0 and not _is_parted(boxes, one, other)
    }
    waiting, done = list(range(len(blocks))), list[int]()
    before = above | beside
    while waiting:
        free = [one for one in waiting if not any((other, one) in before for other in waiting)]
        chosen = free[0] if free else waiting[0]
        waiting.remove(chosen)
        done.append(chosen)
    return [blocks[place] for place in done]


_Box = tuple[float, float, float, float]


def _share_column(one: _Box, other: _Box) -> bool:
    return min(one[1], other[1]) - max(one[0], other[0]) > 0.2 * min(one[1] - one[0], other[1] - other[0])


def _is_above(one: _Box, other: _Box) -> bool:
    return one[2] >= other[3] - 0.3 * (other[3] - other[2]) and one[2] > other[2]


def _is_parted(boxes: Sequence[_Box], one: int, other: int) -> bool:
    """Whether something that spans both columns stands between two blocks of different heights."""
    low, high = sorted((boxes[one][2], boxes[other][2]))
    return any(
        low < box[2] < high and _share_column(box, boxes[one]) and _share_column(box, boxes[other])
        for place, box in enumerate(boxes)
        if place not in {one, other}
    )


def _pitches(blocks: Iterable[_Block]) -> dict[int, float]:
    """From line to line within paragraphs, by the size of the letters."""
    found = defaultdict[int, list[float]](list)
    for block in blocks:
        for before, line in pairwise(block.lines):
            if _runs_into(before, line, right=block.right):
                found[round(line.size)].append(before.bottom - line.bottom)
    return {size: median_low(pitches) for size, pitches in found.items()}


def _runs_into(before: Line, line: Line, *, right: float) -> bool:
    """Whether a sentence surely goes on from one line to the next; letters without case tell by a full line."""
    begins = line.text[:1]
    if _ENDS.search(before.text) or CELL in before.text or CELL in line.text:
        return False
    return begins.islower() or (begins.isalpha() and begins == begins.swapcase() and right - before.right < line.size)


def _paragraphs(block: _Block, usual: Mapping[int, float], *, edge: float) -> Iterator[tuple[Line, bool]]:
    """Each line of a block, and whether a paragraph begins with it."""
    lines, left, right = block.lines, block.left, block.right
    pairs = [*pairwise(lines)]
    own = [one.bottom - other.bottom for one, other in pairs if _runs_into(one, other, right=right)]
    stands_alone = _standing_alone(block, runs_on=bool(own), edge=edge)
    yield lines[0], True
    for (before, line), alone in zip(pairs, stands_alone, strict=True):
        pitch = before.bottom - line.bottom
        within = median_low(own) if own else usual.get(round(line.size), _PITCH * line.size)
        indent = line.left - left > 0.7 * line.size and before.left - left < 0.5 * line.size
        short = before.right < right - 0.15 * (right - left)
        ends = (short or indent) and _ENDS.search(before.text) is not None
        yield line, pitch > _WIDER * within or _BULLET.match(line.text) is not None or ends or alone


def _standing_alone(block: _Block, *, runs_on: bool, edge: float) -> list[bool]:
    """For each line but the last, whether it is a row, a heading, a line of an address: no sentence goes on below it.

    A line that is loose may be so by chance, several that follow one another are not.
    """
    pairs, width = [*pairwise(block.lines)], block.right - block.left
    if len(pairs) > 1 and not runs_on and all(_is_loose(before, line, right=edge) for before, line in pairs):
        return [True for _ in pairs]
    loose = [_is_loose(before, line, right=block.right) for before, line in pairs]
    free = len(pairs) > 1 and not runs_on
    return [
        one
        and (
            free
            or any(loose[max(0, place - 1) : place] + loose[place + 1 : place + 2])
            or before.width < _SHORT * width
        )
        for place, (one, (before, _)) in enumerate(zip(loose, pairs, strict=True))
    ]


def _edge(block: _Block, blocks: Sequence[_Block]) -> float:
    """How far to the right blocks go that begin where this one does, in letters of its size."""
    left, size = block.left, block.lines[0].size
    if len(block.lines) < 3 or len(blocks) > _MOST_ORDERED:
        return block.right
    alike = [one for one in blocks if abs(one.left - left) < size and 0.8 < one.lines[0].size / size < 1.25]
    return max(one.right for one in alike)


def _is_loose(before: Line, line: Line, *, right: float) -> bool:
    """Whether a line ends no sentence and yet had room for the word that begins the next one, which may begin one."""
    ended = _ENDS.search(before.text) or _OPEN.search(before.text)
    if ended or line.text[:1].islower() or CELL in before.text + line.text:
        return False
    word = line.width * len(line.text.split()[0]) / len(line.text)
    return before.right + word + line.size < right


def _goes_on(before: Line, line: Line) -> bool:
    """Whether a block goes on with the sentence that the one before it left open."""
    alike = 0.9 < line.size / before.size < 1.1
    begins_amid = line.text[:1].islower() or before.text.endswith(("-", "‐", "\xad"))
    return alike and begins_amid and _ENDS.search(before.text) is None


def _joint(before: str, after: str, *, spaced: bool, words: frozenset[str]) -> tuple[bool, str]:
    """Whether the hyphen that ends a line goes, and what stands between it and the next line.

    A hyphen stays where the document writes the same word with one elsewhere, or a capital or a figure follows.
    """
    parted, following = _LAST_WORD.search(before), _FIRST_WORD.match(after)
    if parted and following and following[0][0].islower():
        whole, hyphened = f"{parted[1]}{following[0]}".casefold(), f"{parted[1]}-{following[0]}".casefold()
        keeps = hyphened in words and whole not in words and not before.endswith("\xad")
        return not keeps, ""
    if before.endswith(("-", "‐")) and len(before) > 1 and before[-2].isalnum() and after[:1].isalnum():
        return False, ""
    if _EAST_ASIAN.match(before[-1:]) and _EAST_ASIAN.match(after[:1]):
        return False, " " if spaced and _HANGUL.search(before[-1:] + after[:1]) else ""
    return False, " "


def _words(lines: Iterable[str]) -> frozenset[str]:
    return frozenset(found.casefold() for line in lines for found in _WORD.findall(line))


MAX_PAGES: Final = 2_000
_LOCKED: Final = "it is locked with a password; save a copy without one"
_NO_TEXT: Final = "its pages are pictures or empty; make text of them by OCR first (ocrmypdf, for one)"
_UNTOLD: Final = (
    "its letters cannot be told (fonts without a character map); make text of it by OCR (ocrmypdf --force-ocr)"
)
_STRANGE = re.compile("[\ufffd\ue000-\uf8ff\x00-\x08\x0e-\x1f]|\\(cid:\\d+\\)")
_LETTER = re.compile(r"\w")
_STRANGE_SHARE: Final = 0.1
_FEWEST_LETTERS: Final = 20
_HEADLINE: Final = 1.15
"""A headline's letters are at least so many times as large as most of the text's."""
_LONGEST_HEADLINE: Final = 250


def read(path: Path, folder: Path) -> Iterator[RawArticle]:  # noqa: ARG001 - what every parser is given
    """Give the document. Raises UnreadableFile where it is none, locked, too long or without text."""
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD or "password" in str(error).lower()
        raise UnreadableFile(_LOCKED if locked else "it is no PDF, or damaged; save it again") from None
    with document:
        if len(document) > MAX_PAGES:
            raise UnreadableFile(f"it has more than {MAX_PAGES:,} pages; split it up")
        properties = document.get_metadata_dict()
        pages, notes = _pages(document)
    laid = laid_out(without_running_lines(pages))
    letters = len(_LETTER.findall(laid.text))
    if letters < _FEWEST_LETTERS:
        raise UnreadableFile(_NO_TEXT)
    if len(_STRANGE.findall(laid.text)) > _STRANGE_SHARE * letters:
        raise UnreadableFile(_UNTOLD)
    head = " ".join(line.plain for line in pages[0].lines) if pages else ""
    author = " ".join(properties.get("Author", "").split())
    yield RawArticle(
        text=laid.text,
        title=_title(pages, given=" ".join(properties.get("Title", "").split()), head=head),
        published_at=text.dated(line.plain for line in pages[0].lines) if pages else None,
        authors=(author,) if " " in author and text.says(head, author) else (),
        origin=f"{path}:1",
        notes=notes,
        pages=laid.pages,
    )


def _pages(document: pypdfium2.PdfDocument) -> tuple[list[Page], tuple[str, ...]]:
    """Read every page; one that is damaged is empty, and noted."""
    pages, damaged = list[Page](), list[str]()
    for index in range(len(document)):
        try:
            pages.append(page_of(document, index))
        except pypdfium2.PdfiumError:
            damaged.append(str(index + 1))
            pages.append(Page(height=1.0, width=1.0, lines=()))
    return pages, (f"pages that are damaged and were not read: {', '.join(damaged)[:200]}",) if damaged else ()


def _title(pages: Sequence[Page], *, given: str, head: str) -> str:
    """The title in the properties where the first page says it, else the words in the largest letters there."""
    if text.plausible_title(given) and text.says(head, given):
        return given
    first = next((page for page in pages if page.lines), None)
    if first is None:
        return ""
    usual = median(line.size for page in pages[:5] for line in page.lines for _ in range(1 + len(line.text) // 10))
    found = sorted(_displayed(first, usual), key=lambda lines: -max(line.size for line in lines))
    titles = [" ".join(line.plain for line in lines) for lines in found]
    said = [one for one in titles if len(one) <= _LONGEST_HEADLINE and _LETTER.search(one)]
    return next((one for one in said if len(one.split()) > 2 or len(one) > 20), said[0] if said else "")


def _displayed(page: Page, usual: float) -> list[list[Line]]:
    """Lines in large letters, those that follow one another in the same size together."""
    found: list[list[Line]] = []
    before: Line | None = None
    for line in page.lines:
        if line.size >= _HEADLINE * usual and line.bottom > 0.3 * page.height:
            if before is not None and abs(line.size - before.size) < 0.08 * line.size:
                found[-1].append(line)
            else:
                found.append([line])
            before = line
        else:
            before = None
    return found
