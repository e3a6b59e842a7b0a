"""What an article is called inside the store: takes what the source says of it, gives an id that stays the same.

An id must survive an edit of the text, so that the new version takes the place of the old one; it therefore
rests on where the article is from, not on what it says. What an article is known by beside its id (`known_by`) lets a
later version be recognised that comes under another address of the same page, another title or another file name;
`embeddings.arrivals` decides whether it is one.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePath
from typing import Final

import msgspec

from embeddings.cleaning.urls import address_key
from embeddings.errors import InvalidArticle
from embeddings.types import Article

__all__ = ["MAX_ID", "KnownBy", "article_id", "checked_collection", "checked_id", "known_by"]

MAX_ID: Final = 200
"""Longest id a caller may give, in characters."""

# Characters that stand for themselves in a path of an address, in a file name and in a shell.
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~:@=+,-]*")
_LINE_NUMBER = re.compile(r":\d+$")
_HOLDS_MANY = re.compile(r"\.(?:jsonl|json|jsonld|csv|tsv|rss|atom|xml|epub)\b", re.IGNORECASE)
"""Files with an article in each line, row, entry or chapter, which keep their places."""


def article_id(
    *, collection: str, url: str | None, title: str, origin: str, version: str, published_at: str | None = None
) -> str:
    """Name an article whose caller gave no id: 20 hex digits.

    From the (normalised) link where there is one that opens more than a site's first page; else from the title, the
    date and the name of the file it came from; else, without a title, from the text (`version`). `embeddings.arrivals`
    tells those apart that still share a name and are not versions of one article.

    >>> article_id(collection="news", url="https://example.com/a", title="A", origin="x.txt:1", version="")
    'b02ea0692b817022d668'
    """
    name = _file_name(origin)
    url = url if address_key(url) else None
    titled = ("title", name, title, published_at) if published_at else ("title", name, title)
    parts = ("url", url) if url else titled if title else ("text", name, version)
    return hashlib.sha256("\0".join((collection, *parts)).encode()).hexdigest()[:20]


class KnownBy(msgspec.Struct, frozen=True, kw_only=True):
    """What an article is known by beside its id; each a hash that names its collection, too, or None."""

    address: str | None = None
    """The page its link opens, whichever of the site's addresses the link is."""
    place: str | None = None
    """The name of the file it was read from, and the line of one that holds an article in each line."""
    dated: str | None = None
    """Its title, date and source, where it has a title and a date."""

    def all(self) -> tuple[str, ...]:
        """Those it has."""
        return tuple(key for key in (self.address, self.place, self.dated) if key is not None)


def known_by(article: Article, *, origin: str) -> KnownBy:
    """Say what a cleaned article is known by; `origin` says where it was read (`path:line`, or no file at all)."""
    page, name = address_key(article.url), _file_name(origin)
    line = origin.rpartition(":")[2] if _HOLDS_MANY.search(name) else ""
    titled = bool(article.title and article.published_at)

    def key(*parts: str) -> str:
        return hashlib.sha256("\0".join((article.collection, *parts)).encode()).hexdigest()[:32]

    return KnownBy(
        address=key("address", page) if page else None,
        place=key("place", name, line) if PurePath(name).suffix else None,
        dated=key("dated", article.title.casefold(), article.published_at or "", article.source) if titled else None,
    )


def _file_name(origin: str) -> str:
    return PurePath(_LINE_NUMBER.sub("", origin)).name


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
