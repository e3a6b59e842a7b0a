"""Takes a link that points at words of a page (`#:~:text=…`) and the page's text, gives where those words stand.

Source: "URL Fragment Text Directives" (WICG draft, 2023): `[prefix-,]start[,end][,-suffix]`, percent-encoded.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

__all__ = ["words_pointed_at"]

_DIRECTIVE = re.compile(r"#.*?:~:(?:[^#]*&)?text=([^&]+)")


def words_pointed_at(url: str, text: str) -> tuple[int, int] | None:
    """The span of the words that a link points at; None where it points at none, or they are not in the text.

    >>> words_pointed_at("https://news.example/1#:~:text=was%20shut,on%20Monday", "It was shut by six on Monday.")
    (3, 28)
    """
    found = _DIRECTIVE.search(url)
    if not found:
        return None
    parts = found[1].split(",")
    before = unquote(parts.pop(0)[:-1]) if len(parts) > 1 and parts[0].endswith("-") else ""
    if len(parts) > 1 and parts[-1].startswith("-"):
        parts.pop()
    start, *ends = (unquote(part) for part in parts)
    first = _found(start, text, _found(before, text, 0)[1] if before else 0)
    last = _found(ends[0], text, first[1]) if ends else first
    return (first[0], last[1]) if first[0] >= 0 and last[0] >= 0 and start else None


def _found(words: str, text: str, after: int) -> tuple[int, int]:
    """Where words first stand, spaces of any kind and number being the same; (-1, after) where they do not."""
    pattern = r"\s+".join(map(re.escape, words.split()))
    match = re.compile(pattern, re.IGNORECASE).search(text, after) if pattern else None
    return match.span() if match else (-1, after)
