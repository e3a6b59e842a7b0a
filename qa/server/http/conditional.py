"""Articles that a client has already: takes an article and what the client says it holds, gives all of it or a 304."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from litestar import Response

from embeddings.types import Article

__all__ = ["holds", "revised", "tag_of"]

_HEADERS = {"cache-control": "private, no-cache"}
"""It may be kept, and is asked for again each time: it may have been removed, or the caller's key have ended."""


def tag_of(article: Article) -> str:
    """The entity tag of an article: the version of its text, and a hash of all that is said about it.

    Weak, because the same article travels compressed and not.
    """
    said = hashlib.sha256(msgspec.json.encode(article)).hexdigest()[:16]
    return f'W/"{article.version}.{said}"'


def holds(known: str | None, tag: str) -> bool:
    """Whether the tags of an `If-None-Match` include this one.

    >>> holds('"a", W/"b"', 'W/"a"'), holds("*", 'W/"a"'), holds('"c"', 'W/"a"'), holds(None, 'W/"a"')
    (True, True, False, False)
    """
    given = [one.strip().removeprefix("W/") for one in (known or "").split(",")]
    return "*" in given or tag.removeprefix("W/") in given


def revised(article: Article, *, known: str | None) -> Response[Any]:
    """The article, or 304 where the client's `If-None-Match` (`known`) says that it holds it."""
    headers = {**_HEADERS, "etag": tag_of(article)}
    if holds(known, headers["etag"]):
        return Response(None, status_code=304, headers={**headers, "vary": "accept-encoding"})
    return Response(article, headers=headers)
