"""What a source says of when an article may be shown: takes its words, gives states and moments, or refuses.

What cannot be told for sure is refused rather than passed over: an embargo that is not understood would be broken.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from embeddings.errors import InvalidArticle
from embeddings.types import Status

__all__ = ["embargo_end", "status_of"]

_STATES: Final[dict[str, Status]] = {
    "usable": "usable",
    "published": "usable",
    "publish": "usable",
    "withheld": "withheld",
    "canceled": "canceled",
    "cancelled": "canceled",
}


def status_of(written: str) -> Status | None:
    """Read a state; what says nothing is None.

    Raises InvalidArticle for any other word.

    >>> status_of("Cancelled"), status_of(" ")
    ('canceled', None)
    """
    word = written.strip().casefold()
    if not word:
        return None
    if word not in _STATES:
        raise InvalidArticle(
            f"the status {written.strip()[:40]!r} is none of usable, withheld and canceled, and whether the article "
            "may be shown is not known; give one of these, or leave it out"
        )
    return _STATES[word]


def embargo_end(written: str) -> str | None:
    """Read the moment an embargo ends, in UTC; None where there is no embargo.

    Raises InvalidArticle for what is no moment: a day or a time without its zone is one of many.

    >>> embargo_end("2024-06-04T10:30:00+02:00")
    '2024-06-04T08:30:00Z'
    """
    written = written.strip()
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
        if moment.tzinfo is None:
            raise ValueError(written)
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        raise InvalidArticle(
            f"when the embargo {written[:40]!r} ends cannot be told; write it with its time zone, "
            "2024-06-04T10:30:00+02:00"
        ) from None
