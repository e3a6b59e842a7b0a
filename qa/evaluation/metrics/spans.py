"""Takes a cited span and the text of the cited article version, gives whether the words stand exactly there.

Source: invariant 1 of this project: `text[start:end] == cited words`, for the version that the citation pins.
"""

from __future__ import annotations

__all__ = ["is_exact_span", "overlaps"]


def is_exact_span(text: str | None, start: int, end: int, *, words: str) -> bool:
    """Whether `words` are exactly the characters from `start` to `end`; False where the text is not known.

    >>> is_exact_span("125,000 people", 0, 7, words="125,000"), is_exact_span("125,000 people", 1, 8, words="125,000")
    (True, False)
    """
    # Python would count negative offsets from the end and cut those behind it.
    return text is not None and 0 <= start < end <= len(text) and text[start:end] == words


def overlaps(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two half-open spans share a character."""
    return max(one[0], other[0]) < min(one[1], other[1])
