"""Several scraped articles in one text: takes the text of a file, gives one piece per article, each with its title.

What tells a scraped article's beginning is the way pages are built, not any word: the headline stands first, then
the picture's caption and some controls, then the headline *again* above the text. A line begins an article if

- it looks like a headline (one line, no end of a sentence, no quotation) and opens a paragraph,
- it comes back, alone, within `_HEAD` filled lines, with no prose between (at most a standfirst), and
- at the start of the file: nothing more; further down: a gap wider than the file's own between paragraphs lies
  before it, or the lines between hold a page's controls or a caption printed twice; and the article before it has
  said something.

So an article with subheadings, lists, a line said twice or lone numbers stays whole: nothing of it repeats in this
way. Articles put into one file without such heads cannot be told apart and stay one; give them a file each.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from embeddings.cleaning.boilerplate import drop_boilerplate
from embeddings.cleaning.repeats import title_key

__all__ = ["Piece", "split"]

_HEAD: Final = 12
_MAX_HEADLINE: Final = 250
_MIN_WORDS: Final = 3
_PROSE: Final = 100
"""A line this long that ends like a sentence is prose, unless it is printed twice."""
_SENTENCE: Final = 10
_CAPTION: Final = 20
_HEAD_BOILERPLATE: Final = frozenset({"control", "font-size", "share-bar", "reading-time"})
_PREFACE: Final = 3
"""Short lines (a section's name, a date) that may stand between a wide gap and the headline."""
_ENDS_OF_SENTENCE = (".", ":", ";", ",", "…", '."', ".”", ".'", ".’", "。")
_ABBREVIATION = re.compile(r"\b(?:[A-Z]\.){2,}$")  # "… Reaches the U.S."
_OPENING, _CLOSING = tuple("\"“‘'«„"), tuple("\"”’'»“")


class Piece(msgspec.Struct, frozen=True):
    """One article of a file: where it begins, its title (empty if none was found), its text without that line."""

    line: int
    """Number of its first line in the file, counted from 1."""
    title: str
    text: str


class _Line(msgspec.Struct, frozen=True):
    """A filled line: what it says, where it stands, how many empty lines precede it."""

    text: str
    number: int
    gap: int


def split(text: str) -> list[Piece]:
    """Cut a file's text into its articles; a text that holds one comes back as one piece.

    >>> page = "Rain Stops in the North\\n\\nA man. (AP)\\nTT\\n\\nRain Stops in the North\\n\\nIt stopped.\\n\\n\\n\\n"
    >>> [piece.title for piece in split(page + page.replace("Rain", "Snow"))]
    ['Rain Stops in the North', 'Snow Stops in the North']
    """
    lines = _filled(text)
    if not lines:
        return []
    heads = _heads(lines)
    if not heads:
        return [_single(lines)]
    starts = [start for start, _ in heads]
    if _is_substantial(lines[: starts[0]]):
        pieces = [_single(lines[: starts[0]])]
    else:
        pieces, starts[0] = [], 0
    for (_, head), start, end in zip(heads, starts, [*starts[1:], len(lines)], strict=True):
        body = [line for index, line in enumerate(lines[start:end], start) if index != head]
        pieces.append(Piece(lines[start].number, lines[head].text, _joined(body)))
    return pieces


def _filled(text: str) -> list[_Line]:
    lines: list[_Line] = []
    gap = 0
    for number, written in enumerate(text.split("\n"), start=1):
        if line := written.strip():
            lines.append(_Line(line, number, gap if lines else 0))
            gap = 0
        else:
            gap += 1
    return lines


def _heads(lines: Sequence[_Line]) -> list[tuple[int, int]]:
    """For each scraped article the position where it begins and that of its headline."""
    usual = Counter(line.gap for line in lines[1:] if line.gap).most_common(1)
    wide = (usual[0][0] if usual else 1) + 1
    heads: list[tuple[int, int]] = []
    index = 0
    silent = False  # whether the article begun last has said nothing yet
    while index < len(lines):
        again = _repeated_at(lines, index) if index == 0 or (lines[index].gap and not silent) else None
        start = None if again is None else _start(lines, index, again, wide=wide)
        if again is not None and start is not None:
            heads.append((start, index))
            index, silent = again, True
        elif _is_sentence(lines[index].text):
            silent = False
        index += 1
    return heads


def _repeated_at(lines: Sequence[_Line], index: int) -> int | None:
    """Where the line comes back as a headline does, if it does."""
    line = lines[index]
    if not _is_headline(line.text):
        return None
    key = title_key(line.text)
    again = None
    for later in range(index + 1, min(index + 1 + _HEAD, len(lines))):
        if title_key(lines[later].text[: _MAX_HEADLINE + 10]) == key:
            if sum(map(_is_prose, _once(lines[index + 1 : later]))) > 1:
                break
            again = later
    return again


def _start(lines: Sequence[_Line], head: int, again: int, *, wide: int) -> int | None:
    """Where the article begins whose headline is at `head`, if it begins one at all."""
    for start in range(head, max(-1, head - _PREFACE - 1), -1):
        if start != head and (_is_prose(lines[start].text) or _ends_sentence(lines[start].text)):
            break
        if start == head == 0 or lines[start].gap >= wide:
            return start
    between = [line.text for line in lines[head + 1 : again]]
    controls = any(dropped.rule in _HEAD_BOILERPLATE for dropped in drop_boilerplate(between)[1])
    captions = any(line == after and len(line) >= _CAPTION for line, after in pairwise(between))
    return head if controls or captions else None


def _is_headline(line: str) -> bool:
    # Scripts that put no spaces between words are counted by characters.
    long_enough = len(line.split()) >= _MIN_WORDS or (len(line) >= 2 * _MIN_WORDS and not line.isascii())
    if len(line) > _MAX_HEADLINE or not long_enough or _ends_sentence(line):
        return False
    return not (line.startswith(_OPENING) and line.endswith(_CLOSING))


def _ends_sentence(line: str) -> bool:
    return line.endswith(_ENDS_OF_SENTENCE) and not _ABBREVIATION.search(line[-10:])


def _is_prose(line: str) -> bool:
    return len(line) >= _PROSE and line.rstrip("\"”’'»)").endswith((".", "!", "?", "。"))


def _is_sentence(line: str) -> bool:
    return len(line) >= _SENTENCE and line.rstrip("\"”’'»)").endswith((".", "!", "?", "。"))


def _once(lines: Sequence[_Line]) -> list[str]:
    counts = Counter(line.text for line in lines)
    return [text for text, count in counts.items() if count == 1]


def _is_substantial(lines: Sequence[_Line]) -> bool:
    return any(_is_prose(line.text) for line in lines) or sum(len(line.text) for line in lines) > 3 * _PROSE


def _single(lines: Sequence[_Line]) -> Piece:
    """Give one article; its title is a first line that stands alone, is short and ends no sentence."""
    first = lines[0]
    alone = len(lines) > 1 and (lines[1].gap > 0 or len(lines[1].text) > max(len(first.text), _PROSE))
    if alone and len(first.text) <= _MAX_HEADLINE and not _ends_sentence(first.text):
        return Piece(first.number, first.text, _joined(lines[1:]))
    return Piece(first.number, "", _joined(lines))


def _joined(lines: Sequence[_Line]) -> str:
    """Put lines back together, paragraphs parted by one empty line."""
    return "".join(("\n\n" if line.gap else "\n") + line.text for line in lines).strip("\n")
