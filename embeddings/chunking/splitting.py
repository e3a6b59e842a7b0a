"""Cuts a span that is too long into pieces that are not: at pauses, else between words, else between characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

__all__ = ["cut_to_fit", "halve"]

Span = tuple[int, int]

_PAUSES = (
    re.compile(r"""[,;:—–)\]"”’»]\s+|\s+(?=[—–(\["“‘«])"""),
    re.compile(r"\s+"),
    re.compile(r"[、，；：。！？,;)）」』/]+"),
)
"""Where to cut, best first: after a clause, between words, after punctuation that no space follows."""

_JOINER = "\u200d"


def cut_to_fit(text: str, span: Span, *, fits: Callable[[Sequence[str]], Sequence[bool]]) -> list[Span]:
    """Halve a span until `fits` accepts every piece; a single character is never cut.

    The pieces are in order, trimmed of white space and cover everything else. `fits` is called once per level of
    halving, with all the pieces of that level.
    """
    pending, done = [span], []
    while pending:
        verdicts = fits([text[start:end] for start, end in pending])
        judged = list(zip(pending, verdicts, strict=True))
        done += [piece for piece, fine in judged if fine or piece[1] - piece[0] == 1]
        pending = [half for (a, b), fine in judged if not fine and b - a > 1 for half in halve(text, (a, b))]
    return sorted(done)


def halve(text: str, span: Span) -> list[Span]:
    """Cut a span of two or more characters near its middle, at the best pause of its middle half."""
    start, end = span
    middle, quarter = (start + end) // 2, (end - start) // 4
    for pause in _PAUSES:
        cuts = [match.end() for match in pause.finditer(text, start + quarter, end - quarter)]
        inner = [cut for cut in cuts if start < cut < end and not _inside_character(text, cut, start)]
        if inner:
            return _trimmed_halves(text, span, min(inner, key=lambda cut: abs(cut - middle)))
    return _trimmed_halves(text, span, _between_characters(text, start, middle, quarter))


def _trimmed_halves(text: str, span: Span, cut: int) -> list[Span]:
    start, end = span
    halves = []
    for low, high in ((start, cut), (cut, end)):
        part = text[low:high]
        if part.strip():
            halves.append((low + len(part) - len(part.lstrip()), low + len(part.rstrip())))
    return halves


def _between_characters(text: str, start: int, middle: int, reach: int) -> int:
    """The place nearest to `middle` that splits no character as a reader sees it; `middle` if all of them do."""
    for distance in range(reach):
        for cut in (middle - distance, middle + distance):
            if not _inside_character(text, cut, start):
                return cut
    return middle


def _inside_character(text: str, cut: int, start: int) -> bool:
    """Whether a cut parts code points that readers see as one character: accents, emoji sequences, flags, Hangul.

    `start` is the last place before known to part none. Covers the common cases of
    https://www.unicode.org/reports/tr29/ by the standard library alone.
    """
    before, after = text[cut - 1], text[cut]
    if after < "\u0300":
        return before == _JOINER or (before == "\r" and after == "\n")
    if unicodedata.category(after) in {"Mn", "Me", "Mc"} or _JOINER in (before, after):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":  # skin tones, flag tags
        return True
    if _is_flag_letter(before) and _is_flag_letter(after):
        flag = cut
        while flag > start and _is_flag_letter(text[flag - 1]):
            flag -= 1
        return (cut - flag) % 2 == 1
    return "\u1160" <= after <= "\u11ff" and ("\u1100" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7a3")


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
