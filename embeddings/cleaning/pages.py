"""On which page of its source a word stands: takes offsets at which pages begin, gives the page of an offset.

`pages[n]` is the offset at which page n + 1 begins; a page without text begins where the next one does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import islice

from embeddings.cleaning.unicode import canonical_line

__all__ = ["carried", "page_at"]

_AHEAD = 50
"""So many lines are looked at for one that cleaning moved up."""


def page_at(pages: Sequence[int], offset: int) -> int | None:
    """The page, counted from 1, on which the character at an offset stands; None for a text without pages.

    >>> page_at((0, 10, 10, 25), 10), page_at((), 3)
    (3, None)
    """
    return max(1, bisect_right(pages, offset)) if pages else None


def carried(pages: Sequence[int], *, written: str, text: str) -> tuple[int, ...]:
    """Say where pages begin in the canonical text that cleaning made of what a reader wrote; they are in order.

    Cleaning drops lines and characters and moves none: each line is found again, in order, and a page that begins in
    the middle of one begins there behind as many characters as are left of what stood before it.
    """
    if not pages:
        return ()
    places = _line_places(written, text)
    lines = list(places)
    begins: list[int] = []
    line = done = length = 0  # where the line begins, how far it was looked at, how long that is in the text
    spaced = False
    for start in pages:
        if (end := written.rfind("\n", done, start)) >= 0:
            line = done = end + 1
            length, spaced = 0, False
        piece = written[done:start]
        done = max(done, start)
        if shown := canonical_line(piece):
            length += len(shown) + int(length > 0 and (spaced or piece[0].isspace()))
        spaced = piece[-1].isspace() if piece else spaced
        if line in places:
            place = places[line] + length
            begins.append(place + int(length > 0 and text[place : place + 1] == " "))
        else:  # the line was dropped: the page begins with the next one that was not
            after = bisect_right(lines, line)
            begins.append(places[lines[after]] if after < len(lines) else len(text))
    return tuple(begins)


def _line_places(written: str, text: str) -> dict[int, int]:
    """Where each line of what was written that is still there begins in the text, by where it began."""
    kept: list[tuple[str, int]] = []
    at = 0
    for line in text.split("\n"):
        if line:
            kept.append((line, at))
        at += len(line) + 1
    places: dict[int, int] = {}
    at = following = 0
    for line in written.split("\n"):
        shown = canonical_line(line)
        ahead = islice(range(following, len(kept)), _AHEAD)
        found = next((number for number in ahead if kept[number][0] == shown), None) if shown else None
        if found is not None:
            places[at] = kept[found][1]
            following = found + 1
        at += len(line) + 1
    return places
