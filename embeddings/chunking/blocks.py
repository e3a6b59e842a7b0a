"""The stretches of a text within which sentences are told apart: paragraphs, items of a list, headings, rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from embeddings.chunking.abbreviations import AFTER_ORDINAL, opens_sentence
from embeddings.runtime import compiled_late

Span = tuple[int, int]
_PARAGRAPH_BREAK = re.compile(r"\n[^\S\n]*\n\s*")
_LIST_LINE = re.compile(
    r"\n(?=[^\S\n]*(?:[•▪►◦‣⁃*–—-]|\d{1,3}[.)]|[A-Za-z]\)|\((?:\d{1,3}|[A-Za-z])\)|\(?[ivx]{1,5}\))\s)"
)
_LABEL = re.compile(r"(?<!\S)(?:[•⁃*–—-]\s?)?(?P<open>\(?)(?P<label>\d{1,2}|[a-z])(?P<mark>\.\)|[.)])\s+(?P<word>\S+)")
"""What stands before an item of a list: "2.", "b)", "(c)", "• 4."."""
_BEFORE_A_LIST: Final = ".:;!?…"
_BULLETS: Final = "•▪►◦‣⁃"
_SIGNS_OF_A_LIST: Final = ("2.", "2)", "b. ", "b)", *_BULLETS)
"""One of them stands in every list of two: looked for first, for most lines hold none."""
_HEADING: Final = 120
"""Longest line, in characters, taken for one that stands for itself."""
_NARROW: Final = 30
"""Running text is wrapped to no such width: in lines all shorter than this, every break was meant."""
_WIDE = compiled_late(r"[\u2e80-\uffdf]")
_OPEN_END = compiled_late(
    r"""[,;:.!?…。！？、–—-]["”’»)]*$|\b(?:[Tt]he|an?|of|and|or|to|in|on|at|by|for|from|with|der|die|das|von|und|de|la|le|et)$"""
)
_LINE_GOES_ON = re.compile(r"[^\w\s\"“„«‹‘'(\[¿¡]")


def blocks_of(text: str) -> Iterator[Span]:
    """Paragraphs, within them the lines of a list, and within a line the items of one that goes on in it."""
    start = 0
    for match in _PARAGRAPH_BREAK.finditer(text):
        yield from _lines(text, start, match.start())
        start = match.end()
    yield from _lines(text, start, len(text))


def _items(text: str, start: int, end: int) -> Iterator[Span]:
    """The items of a list that lost its line breaks: "1. Close the bridge 2. Mend it" are two.

    Labels count where they begin a line or follow a stop, and go on one by one.
    """
    if not any(text.find(sign, start, end) >= 0 for sign in _SIGNS_OF_A_LIST):
        yield start, end
        return
    items: list[int] = []
    style, expected = "", ""
    for match in _LABEL.finditer(text, start, end):
        label, how = match["label"], match["open"] + match["mark"]
        if not _is_label(match):
            continue
        if items and (label, how) == (expected, style):
            items.append(match.start())
        elif label in {"1", "a"} and len(items) < 2 and text[start : match.start()].rstrip()[-1:] in _BEFORE_A_LIST:
            items, style = [match.start()], how
        else:
            continue
        expected = str(int(label) + 1) if label.isdigit() else chr(ord(label) + 1)
    cuts = [start, *(items if len(items) > 1 else _bullets(text, start, end)), end]
    yield from ((one, other) for one, other in pairwise(cuts) if one < other)


def _bullets(text: str, start: int, end: int) -> Iterator[int]:
    """Where a bullet stands again in a line that begins with one."""
    bullet = text[start:end].lstrip()[:1]
    if bullet and bullet in _BULLETS:
        yield from (match.start() for match in re.compile(rf"(?<=\s){bullet}").finditer(text, start, end))


def _is_label(match: re.Match[str]) -> bool:
    """Whether a number is the label of an item, and no ordinal ("am 1. Mai", "2. Bundesliga")."""
    if match["mark"] != "." or not match["label"].isdigit():
        return True
    word = match["word"].rstrip(".,;:!?)")
    return not word[:1].islower() and word not in AFTER_ORDINAL


def _lines(text: str, start: int, end: int) -> Iterator[Span]:
    for match in _LIST_LINE.finditer(text, start, end):
        yield from _headed(text, start, match.start())
        start = match.end()
    yield from _headed(text, start, end)


def _headed(text: str, start: int, end: int) -> Iterator[Span]:
    """Part lines that are no running text: headings, rows, addresses.

    Text that was wrapped to a width breaks where the next word would not have fitted; a break elsewhere was meant.
    """
    if "\n" not in text[start:end]:
        yield from _items(text, start, end)
        return
    lines = text[start:end].split("\n")
    width = max(map(len, lines))
    at = start
    for line, after in pairwise(lines):
        at += len(line) + 1
        if _is_apart(line.strip(), after.strip(), width=width):
            yield from _items(text, start, at - 1)
            start = at
    yield from _items(text, start, end)


def _is_apart(line: str, after: str, *, width: int) -> bool:
    """Whether a line is one of its own, not running on in the next."""
    if not line or not after or len(line) > _HEADING or after[0].islower():
        return False
    word = after[0] if _WIDE.match(after) else after.split(maxsplit=1)[0]
    if _OPEN_END.search(line[-20:]) or _LINE_GOES_ON.match(after):
        return False
    if width >= _NARROW and len(line) + 1 + len(word) > width and not (word.istitle() and opens_sentence(word)):
        return False
    return not line.endswith((" Mr", " Mrs", " Ms", " Dr"))
