"""Lines a page prints twice: takes an article's lines and title, gives each headline and caption at most once.

A scraper sees the headline above the picture and again above the text, and a caption both as the picture's
description and below it. Three causes, three rules:

- *title*: a line that is the title goes, wherever it stands; the title is kept apart from the text.
- *page-head*: where the title comes back within the first lines, what stands before it is the page's head; of what
  the head prints twice, or prints and repeats right after it, one stays.
- *caption*: a caption stays once. A line is taken for a doubled caption when it follows itself and is no short line
  (`SHORTEST_CAPTION`: table cells, refrains) and no quotation, or when it ends in a photo credit such as
  "(Reuters)" and occurred before.

Captions themselves stay, credit included: who is seen where is news, and the words are the source's.
A sentence said twice within prose is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from embeddings.cleaning.boilerplate import Dropped

__all__ = ["SHORTEST_CAPTION", "drop_repeats", "title_key"]

SHORTEST_CAPTION: Final = 40
"""Characters from which a line that follows itself counts as a doubled caption."""

_HEAD: Final = 15
"""Filled lines within which the title must come back to mark a page's head."""

_FOLD = str.maketrans({"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "\u00a0": " "})
_SITE_SUFFIX = re.compile(r" [|·»] [^|·»]{1,60}$")
_SITE_MARKS = frozenset("|·»")
_QUOTE_ENDS = tuple("\"'“”‘’„‚«»‹›「」『』")
_CREDIT = re.compile(
    r"\([^()]{0,100}\b(?:Reuters|AP|AFP|EPA|EFE|UPI|Getty|Xinhua|dpa|Anadolu|TASS|Shutterstock|Bloomberg|Photo|Images|"
    r"Handout|Press|File)\b[^()]{0,100}\)\.?$|\b(?:Getty Images|AFP|Shutterstock|AP Photo)$"
)
_CREDIT_ENDS = (")", ").", "Getty Images", "AFP", "Shutterstock", "AP Photo")
_LONGEST_CREDIT = 230


def drop_repeats(lines: Sequence[str], *, title: str) -> tuple[list[str], list[Dropped]]:
    """Take out the title and what is doubled; order and empty lines stay. A second pass finds nothing more.

    >>> drop_repeats(["A man. (AP)", "", "Rain Stops", "", "A man. (AP)", "", "It stopped."], title="Rain Stops")[0]
    ['A man. (AP)', '', '', '', '', '', 'It stopped.']
    """
    lines = list(lines)
    dropped: list[Dropped] = []
    titles = _titles(lines, title)
    _drop_head(lines, titles, dropped)
    _drop(lines, titles, "title", dropped)
    _drop_captions(lines, dropped)
    return lines, dropped


def title_key(line: str) -> str:
    """Fold what differs between two settings of one headline: case, quotes, dashes, final stops.

    >>> title_key("‘Death Checkpoint’ – Near Damascus.") == title_key("'Death checkpoint' - near Damascus")
    True
    """
    return line.translate(_FOLD).casefold().rstrip(" .:")


def _titles(lines: Sequence[str], title: str) -> list[int]:
    """Positions of the lines that are the title, with or without the site's name behind it."""
    keys = {title_key(title), _without_site(title)} - {"", None}
    limit = len(title) + 100  # spares the folding of prose
    short = [index for index, line in enumerate(lines) if line and len(line) <= limit]
    return [index for index in short if title_key(lines[index]) in keys or _without_site(lines[index]) in keys]


def _without_site(line: str) -> str | None:
    suffix = _SITE_SUFFIX.search(line) if _SITE_MARKS.intersection(line) else None
    return title_key(line[: suffix.start()]) if suffix else None


def _drop_head(lines: list[str], titles: Sequence[int], dropped: list[Dropped]) -> None:
    filled = [index for index, line in enumerate(lines) if line]
    marks = set(titles).intersection(filled[:_HEAD])
    if not marks:
        return
    body = max(marks)
    seen: set[str] = set()
    for index in filled:
        if index in marks:
            continue
        if lines[index] in seen:
            _drop(lines, [index], "page-head", dropped)
        elif index > body:
            return
        else:
            seen.add(lines[index])


def _drop_captions(lines: list[str], dropped: list[Dropped]) -> None:
    credited: set[str] = set()
    before = ""
    for index, line in enumerate(lines):
        if not line:
            continue
        credit = line.endswith(_CREDIT_ENDS) and bool(_CREDIT.search(line[-_LONGEST_CREDIT:]))
        if (credit and line in credited) or (line == before and _may_be_caption(line, credit=credit)):
            _drop(lines, [index], "caption", dropped)
        else:
            before = line
        if credit:
            credited.add(line)


def _may_be_caption(line: str, *, credit: bool) -> bool:
    quoted = line.startswith(_QUOTE_ENDS) or line.endswith(_QUOTE_ENDS)
    return credit or (len(line) >= SHORTEST_CAPTION and not quoted)


def _drop(lines: list[str], indexes: Sequence[int], rule: str, dropped: list[Dropped]) -> None:
    for index in indexes:
        dropped.append(Dropped(rule, lines[index]))
        lines[index] = ""
