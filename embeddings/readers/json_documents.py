"""JSON documents: takes a `.json`, tells by what is in it which kind it is, gives its articles.

| it holds | known by |
|---|---|
| a JSON Feed | `version` names jsonfeed.org |
| linked data of schema.org | `@type`, `@graph` |
| ninjs, one item or a list | `uri` or `standard`, with a headline or a body |
| records like those of JSON Lines, one, a list, or a list under `articles` | anything else |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from embeddings.errors import UnreadableFile
from embeddings.readers import decoding, linked_articles, ninjs, page_facts
from embeddings.readers.fragments import text_of
from embeddings.readers.jsonl import parse_record
from embeddings.types import RawArticle, Rejected

__all__ = ["read"]

_MAX_ITEMS: Final = 100_000
_UNKNOWN: Final = (
    "it is no JSON Feed, no ninjs, no linked data of an article, and no record with a `text`; "
    "name the field that holds the text `text`"
)
_BYTE_ORDER_MARK: Final = "\ufeff"


def read(path: Path, folder: Path) -> Iterator[RawArticle | Rejected]:  # noqa: ARG001 - what every reader is given
    """Give the articles of the document. Raises UnreadableFile for what is no JSON, or holds none."""
    data = _decoded(decoding.load(path))
    if isinstance(data, dict) and isinstance(data.get("articles"), list):
        data = data["articles"]
    elif isinstance(data, dict) and "jsonfeed.org" in str(data.get("version")):
        yield from _feed(data, origin=str(path))
        return
    items = data if isinstance(data, list) else [data]
    if not any(isinstance(item, dict) for item in items):
        raise UnreadableFile("there is no article in it: an object, or a list of objects, is needed")
    for number, item in enumerate(items[:_MAX_ITEMS], start=1):
        yield from _articles(item, origin=f"{path}:{number}")


def _decoded(data: bytes) -> Any:
    try:
        return msgspec.json.decode(decoding.decode(data).removeprefix(_BYTE_ORDER_MARK))
    except msgspec.DecodeError as error:
        raise UnreadableFile(f"it is no valid JSON ({error}); one article a line belongs into .jsonl") from None
    except RecursionError:
        raise UnreadableFile("it is nested too deeply") from None


def _articles(item: object, *, origin: str) -> Iterator[RawArticle | Rejected]:
    if not isinstance(item, dict):
        yield Rejected(origin=origin, reason="it is no object and so no article")
    elif "@type" in item or "@graph" in item:
        nodes = page_facts.articles_among(item)
        if not nodes:
            yield Rejected(origin=origin, reason="its linked data describe no article")
        for node in nodes:
            yield _linked(node, origin=origin)
    elif ninjs.is_item(item):
        yield ninjs.article(item, origin=origin)
    else:
        record = parse_record(msgspec.json.encode(item), origin=origin)
        yield Rejected(origin=origin, reason=_UNKNOWN) if record == _without_text(origin) else record


def _without_text(origin: str) -> RawArticle | Rejected:
    return parse_record(b"{}", origin=origin)


def _linked(node: Mapping[str, Any], *, origin: str) -> RawArticle | Rejected:
    text, url = linked_articles.body(node), linked_articles.link(node)
    title = linked_articles.headline(node)
    if not text.strip():
        return Rejected(origin=origin, reason=f"the linked data of {title[:80]!r} have no articleBody")
    language = node.get("inLanguage")
    return RawArticle(
        text=text,
        title=title,
        url=url,
        source=None if url else linked_articles.named(node.get("publisher")) or None,
        published_at=linked_articles.published(node),
        language=language if isinstance(language, str) else None,
        authors=linked_articles.authors(node),
        origin=origin,
    )


def _feed(feed: Mapping[str, Any], *, origin: str) -> Iterator[RawArticle | Rejected]:
    """The items of a JSON Feed, versions 1 and 1.1."""
    items = feed.get("items")
    if not isinstance(items, list) or not items:
        raise UnreadableFile("the feed is empty")
    for number, item in enumerate(items[:_MAX_ITEMS], start=1):
        place = f"{origin}:{number}"
        if not isinstance(item, dict):
            yield Rejected(origin=place, reason="it is no object and so no article")
            continue
        marked_up = linked_articles.first(item, "content_html")
        text = text_of(f"<div>{marked_up}</div>") if marked_up else ""
        text = text.strip() or linked_articles.first(item, "content_text")
        teaser = "" if text else linked_articles.first(item, "summary")
        url = linked_articles.first(item, "url", "external_url") or None
        if not text and not teaser:
            yield Rejected(origin=place, reason="the item has no text", link=url or "")
            continue
        people = item.get("authors") or item.get("author") or feed.get("authors") or feed.get("author")
        yield RawArticle(
            text=text or teaser,
            summary_only=bool(teaser),
            title=linked_articles.first(item, "title"),
            url=url,
            source=None if url else linked_articles.first(feed, "title") or None,
            published_at=linked_articles.first(item, "date_published", "date_modified") or None,
            language=linked_articles.first(item, "language") or linked_articles.first(feed, "language") or None,
            authors=linked_articles.authors({"author": people}),
            origin=place,
        )
