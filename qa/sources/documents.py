"""What the web gave, read as files are: takes a feed or a page, gives raw articles under the addresses they came from.

A page may name an address for itself; it is believed on its own site only, or one site could replace the articles of
another.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

import msgspec

from embeddings import readers
from embeddings.types import RawArticle, Rejected
from qa.sources.errors import FetchRefused
from qa.sources.fetching import Fetched

__all__ = ["entries_of", "page_of"]

_PAGES: Final = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
}


def entries_of(fetched: Fetched) -> Sequence[RawArticle | Rejected]:
    """The entries of a feed: articles, summaries, and those without a text. Raises FetchRefused for what is no feed."""
    suffix = ".json" if fetched.body.lstrip()[:1] in {b"{", b"["} else ".xml"
    found = _read(fetched.body, suffix)
    if len(found) == 1 and isinstance(found[0], Rejected) and not found[0].link:
        raise FetchRefused(f"{fetched.url} holds no feed: {found[0].reason}", lasting=False)
    # Neither a link nor a file's name of somebody else's: an entry is known by its own link, or its title and date.
    named = (
        msgspec.structs.replace(one, origin=f"{fetched.url} entry/{number}") for number, one in enumerate(found, 1)
    )
    return [msgspec.structs.replace(one, id=None) if isinstance(one, RawArticle) else one for one in named]


def page_of(fetched: Fetched, *, entry: RawArticle | None) -> RawArticle:
    """The article of a page, with what the entry says where the page does not. Raises FetchRefused."""
    suffix = _PAGES.get(fetched.media_type)
    if suffix is None:
        raise FetchRefused(f"{fetched.url} is {fetched.media_type[:60]}, which is not read as an article")
    found = _read(fetched.body, suffix)
    page = next((one for one in found if isinstance(one, RawArticle)), None)
    if page is None:
        reason = "; ".join(one.reason for one in found if isinstance(one, Rejected)) or "nothing is in it"
        raise FetchRefused(f"{fetched.url} holds no article: {reason}")
    if entry and len(page.text.split()) < len(entry.text.split()):
        raise FetchRefused(f"{fetched.url} shows less than the feed: a notice, or a login", lasting=False)
    host = urlsplit(fetched.url).hostname
    own = page.url if page.url and urlsplit(page.url).hostname == host else fetched.url
    said = entry or page
    return msgspec.structs.replace(
        page,
        id=None,
        url=own,
        source=None,
        title=page.title or said.title,
        published_at=page.published_at or said.published_at,
        language=page.language or said.language,
        authors=page.authors or said.authors,
        origin=f"{fetched.url} page/1",
    )


def _read(body: bytes, suffix: str) -> Sequence[RawArticle | Rejected]:
    with TemporaryDirectory(prefix="qa-") as folder:
        path = Path(folder) / f"document{suffix}"
        path.write_bytes(body)
        return list(readers.read(path, from_afar=True))
