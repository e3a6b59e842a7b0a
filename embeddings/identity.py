"""What an article is called inside the store: takes what the source says of it, gives an id that stays the same.

An id must survive an edit of the text, so that the new version takes the place of the old one; it therefore
rests on where the article is from, not on what it says.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePath
from typing import Final

from embeddings.errors import InvalidArticle

__all__ = ["MAX_ID", "article_id", "checked_collection", "checked_id"]

MAX_ID: Final = 200
"""Longest id a caller may give, in characters."""

# Characters that stand for themselves in a path of an address, in a file name and in a shell.
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~:@=+,-]*")
_LINE_NUMBER = re.compile(r":\d+$")


def article_id(
    *, collection: str, url: str | None, title: str, origin: str, version: str, published_at: str | None = None
) -> str:
    """Name an article whose caller gave no id: 20 hex digits.

    From the (normalised) link where there is one; else from the title, the date and the name of the file it came
    from, so that a corrected file supersedes itself wherever it lies and "Morning briefing" of today leaves that of
    yesterday alone; else, without a title, from the text (`version`). `embeddings.ingest` tells those apart that
    still share a name within one ingest.

    >>> article_id(collection="news", url="https://example.com/a", title="A", origin="x.txt:1", version="")
    'b02ea0692b817022d668'
    """
    name = PurePath(_LINE_NUMBER.sub("", origin)).name
    titled = ("title", name, title, published_at) if published_at else ("title", name, title)
    parts = ("url", url) if url else titled if title else ("text", name, version)
    return hashlib.sha256("\0".join((collection, *parts)).encode()).hexdigest()[:20]


def checked_id(given: str) -> str:
    """Let a caller's own id pass if it can stand in an address as it is.

    Raises InvalidArticle saying what an id may look like.
    """
    if len(given) <= MAX_ID and _SAFE.fullmatch(given):
        return given
    raise InvalidArticle(
        f"the id {given[:60]!r} cannot be used: give 1 to {MAX_ID} characters out of A-Z a-z 0-9 . _ ~ : @ = + , - "
        "beginning with a letter, a digit or _, or give none and one is derived"
    )


def checked_collection(given: str) -> str:
    """Let the name of a collection pass under the same rule, up to 100 characters.

    Raises InvalidArticle saying what a name may look like.
    """
    if len(given) <= MAX_ID // 2 and _SAFE.fullmatch(given):
        return given
    raise InvalidArticle(
        f"the collection {given[:60]!r} cannot be used: give 1 to {MAX_ID // 2} characters out of "
        "A-Z a-z 0-9 . _ ~ : @ = + , - beginning with a letter, a digit or _"
    )
