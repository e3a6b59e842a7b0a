"""What a document says of itself at its head: takes its first lines, gives the date it was published.

Properties that a program wrote into the file (created, changed, title of the template) are not believed: they are of
the file and not of what it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final

from embeddings.cleaning.dates import iso_date

__all__ = ["dated", "plausible_title", "says"]

_LINES: Final = 15
_LONGEST: Final = 90
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d\S*|\d{1,2}[./]\d{1,2}[./]\d{4}"
    r"|\d{1,2}(?:st|nd|rd|th|\.)?(?: of| de)? [^\W\d_]{3,14}\.?,?(?: of| de)? \d{4}"
    r"|[^\W\d_]{3,14}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4}|\d{4} ?[年년] ?\d{1,2} ?[月월] ?\d{1,2} ?[日일号號]"
)
_BESIDE: Final = 45
"""Characters that may stand in a line beside its date: a place, a weekday, "For immediate release"."""
_SAYS_SO = re.compile(
    r"\bdated?\b|publi|issued|released|posted|erschienen|veröffentlicht|\bstand\b|fecha|data\b", re.IGNORECASE
)
_OTHER = re.compile(
    r"updat|modif|revis|effective|deadline|expire|valid|born|copyright|©|aktuali|geändert|until|from\b|to\b",
    re.IGNORECASE,
)
_NO_TITLE = re.compile(
    r"untitled|document ?\d*|title|microsoft word.*|.*\.(?:docx?|pdf|indd|qxp|rtf|odt|tex|dvi|ps|pages|html?)|\W*|\d+",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")


def dated(lines: Iterable[str]) -> str | None:
    """Give the date that stands at the head of a document with little else on its line.

    >>> dated(["Ferry leaves", "Skerra, 4 June 2024", "It was built in 1999."])
    '4 June 2024'
    """
    dates: list[tuple[str, bool]] = []
    for line in islice((one for one in lines if one.strip()), _LINES):
        found = _DATE.search(line[:_LONGEST])
        beside = len(line) - len(found[0]) if found else 0
        if found and beside <= _BESIDE and not _OTHER.search(line) and iso_date(found[0]):
            dates.append((found[0], _SAYS_SO.search(line) is not None))
    if len({iso_date(date) for date, _ in dates}) > 1:  # a table, a chronicle: only one that says what it is counts
        dates = [one for one in dates if one[1]][:1]
    return dates[0][0] if dates else None


def plausible_title(written: str) -> bool:
    """Whether a file's title may be one and not the name of a file or a template."""
    return _NO_TITLE.fullmatch(written.strip()) is None


def says(text: str, words: str) -> bool:
    """Whether a text holds these words in this order, whatever stands between them of spaces and marks."""
    wanted, held = (" ".join(_WORD.findall(one.casefold())) for one in (words, text))
    return bool(wanted) and f" {wanted} " in f" {held} "
