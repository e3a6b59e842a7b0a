"""An arriving article, and what it may be called: the ids it may get, and what it is known by beside them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from embeddings.cleaning.identity import KnownBy, article_id, given_key, known_by, page_key, parted, qualified
from embeddings.types import Article

__all__ = ["Arrival", "derived_id", "known_by_of", "possible_ids", "under_its_text", "without_link"]


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A cleaned article, its id derived where the source gave none."""

    article: Article
    origin: str
    has_id: bool
    """The caller named it."""
    says_status: bool = False
    """Whether it says itself that it is usable, withheld or canceled."""
    copies: bool = False
    """Whether what it says of when it may be shown holds for copies, too."""
    notes: tuple[str, ...] = ()
    """What cleaning has to say of it."""


def known_by_of(one: Arrival) -> KnownBy:
    """What tells it again: its id if it has one, else its address, file, title and date."""
    if one.has_id:
        return KnownBy(given=given_key(parted(one.article.id)[1]), page=page_key(one.article.url))
    return known_by(one.article, origin=one.origin)


def possible_ids(one: Arrival) -> Iterable[str]:
    """Ids that an arrival may get, whatever is held."""
    for article in (one.article, under_its_text(one), *([without_link(one).article] if one.article.url else [])):
        yield article.id
        given = parted(article.id)[1]
        yield from (given, qualified(given, collection=article.collection))


def under_its_text(one: Arrival) -> Article:
    """The article under the id of one that only its text tells from others."""
    article, origin = one.article, one.origin
    name = article_id(collection=article.collection, url=None, title="", origin=origin, version=article.version)
    return msgspec.structs.replace(article, id=name)


def without_link(one: Arrival) -> Arrival:
    """The same as if it had come without id and link."""
    article = msgspec.structs.replace(one.article, id=derived_id(one, url=None), url=None)
    return msgspec.structs.replace(one, article=article, has_id=False)


def derived_id(one: Arrival, *, url: str | None) -> str:
    """The id that follows from what it says of itself, under this link."""
    article = one.article
    return article_id(
        collection=article.collection,
        url=url,
        title=article.title,
        origin=one.origin,
        version=article.version,
        published_at=article.published_at,
    )
