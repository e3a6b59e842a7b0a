"""JSON documents: recognises the kind of a `.json` file and parses its articles.

| it holds | known by |
|---|---|
| a JSON Feed | `version` names jsonfeed.org |
| linked data of schema.org | `@type`, `@graph` |
| ninjs, one item or a list | `uri` or `standard`, with a headline or a body |
| records like those of JSON Lines, one, a list, or a list under `articles` | anything else |

What an agency withholds, has taken back or put under embargo comes with that state, and is not shown. Such an item
needs no text: then it is a notice about the article it names.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from embeddings.cleaning import article
from embeddings.cleaning.identity import checked_id
from embeddings.errors import InvalidArticle, UnreadableFile
from embeddings.parsers import decoding, fragments, page_facts
from embeddings.parsers.fragments import text_of
from embeddings.parsers.jsonl import NO_TEXT, parse_record
from embeddings.types import RawArticle, Rejected

_MAX_ITEMS: Final = 100_000
_UNKNOWN: Final = (
    "it is no JSON Feed, no ninjs, no linked data of an article, and no record with a `text`; "
    "name the field that holds the text `text`"
)
_BYTE_ORDER_MARK: Final = "\ufeff"
_BODIES: Final = ("body_html", "body_xhtml", "body_text", "bodyHtml", "bodyText")
_HEADLINES: Final = ("headline", "headlines", "title", "name")
_MAIN_ROLES: Final = frozenset({"", "main", "headline", "title"})


def read(path: Path, folder: Path) -> Iterator[RawArticle | Rejected]:  # noqa: ARG001 - what every parser is given
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
    elif _is_item(item):
        yield _article(item, origin=origin)
    else:
        record = parse_record(msgspec.json.encode(item), origin=origin)
        textless = isinstance(record, Rejected) and record.reason.startswith(NO_TEXT)
        yield Rejected(origin=origin, reason=_UNKNOWN) if textless else record


def _linked(node: Mapping[str, Any], *, origin: str) -> RawArticle | Rejected:
    text, url = page_facts.linked_body(node), page_facts.linked_address(node)
    title = page_facts.linked_headline(node)
    if not text.strip():
        return Rejected(origin=origin, reason=f"the linked data of {title[:80]!r} have no articleBody")
    language = node.get("inLanguage")
    return RawArticle(
        text=text,
        title=title,
        url=url,
        source=None if url else page_facts.named(node.get("publisher")) or None,
        published_at=page_facts.linked_published(node),
        language=language if isinstance(language, str) else None,
        authors=page_facts.linked_authors(node),
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
        marked_up = page_facts.first(item, "content_html")
        text = text_of(f"<div>{marked_up}</div>") if marked_up else ""
        text = text.strip() or page_facts.first(item, "content_text")
        teaser = "" if text else page_facts.first(item, "summary")
        url = page_facts.first(item, "url", "external_url") or None
        if not text and not teaser:
            yield Rejected(origin=place, reason="the item has no text", link=url or "")
            continue
        people = item.get("authors") or item.get("author") or feed.get("authors") or feed.get("author")
        yield RawArticle(
            text=text or teaser,
            summary_only=bool(teaser),
            title=page_facts.first(item, "title"),
            url=url,
            source=None if url else page_facts.first(feed, "title") or None,
            published_at=page_facts.first(item, "date_published", "date_modified") or None,
            language=page_facts.first(item, "language") or page_facts.first(feed, "language") or None,
            authors=page_facts.linked_authors({"author": people}),
            origin=place,
        )


def _agency(item: Mapping[str, Any], known: Sequence[str]) -> list[str]:
    """The known names, then those that an agency made up: ninjs 1 lets `body_` and `headline_` end in anything.

    >>> _agency({"uri": "", "headline_seo": "", "headline": ""}, ("headline", "title"))
    ['headline', 'title', 'headline_seo']
    """
    beginning = f"{known[0].partition('_')[0]}_"
    return [*known, *(name for name in item if name.startswith(beginning) and name not in known)]


def _is_item(data: Mapping[str, Any]) -> bool:
    """Whether a JSON object is an item of ninjs."""
    standard = data.get("standard")
    if isinstance(standard, dict) and str(standard.get("name")).lower() == "ninjs":
        return True
    names = {
        "bodies",
        "headlines",
        "versioncreated",
        "versionCreated",
        "pubstatus",
        "pubStatus",
        *_agency(data, _BODIES),
    }
    return isinstance(data.get("uri"), str) and bool(names & data.keys())


def _article(item: Mapping[str, Any], *, origin: str) -> RawArticle | Rejected:
    """Give the article, or why there is none."""
    try:
        status = article.status_of(page_facts.first(item, "pubstatus", "pubStatus"))
    except InvalidArticle as error:
        return Rejected(origin=origin, reason=str(error))
    title, text = _headline(item), max(_bodies(item), default=(0, 0, ""))[2]
    if not text.strip() and status in {None, "usable"}:
        kind = page_facts.first(item, "type") or "item"
        return Rejected(origin=origin, reason=f"the {kind[:40]} {title[:80]!r} has no text")
    uri = page_facts.first(item, "uri")
    is_link = uri.startswith(("https://", "http://"))
    first = page_facts.first
    return RawArticle(
        text=text,
        title=title,
        id=None if is_link else _id(uri),
        url=uri if is_link else None,
        source=_source(item),
        published_at=first(item, "firstcreated", "firstCreated", "versioncreated", "versionCreated") or None,
        language=first(item, "language") or None,
        authors=_authors(item),
        section=_section(item),
        usage_terms=_usage_terms(item),
        embargoed_until=first(item, "embargoed", "embargoedUntil", "embargoeduntil") or None,
        status=status,
        origin=origin,
    )


def _section(item: Mapping[str, Any]) -> str | None:
    """What its publisher files it under: the first of its subjects that has a name."""
    subjects: list[Any] = next((item[name] for name in ("subject", "subjects") if isinstance(item.get(name), list)), [])
    return page_facts.first(item, "section") or next(filter(None, map(page_facts.named, subjects)), None)


def _usage_terms(item: Mapping[str, Any]) -> str | None:
    terms = page_facts.first(item, "usageterms", "usageTerms")
    info: Mapping[str, Any] = next(
        (item[name] for name in ("rightsinfo", "rightsInfo") if isinstance(item.get(name), dict)), {}
    )
    return terms or page_facts.first(info, "usageterms", "usageTerms") or None


def _id(uri: str) -> str | None:
    try:
        return checked_id(uri)
    except InvalidArticle:
        return None


def _headline(item: Mapping[str, Any]) -> str:
    for name in _agency(item, _HEADLINES):
        value = item.get(name)
        if isinstance(value, list):
            values = [one for one in value if isinstance(one, dict) and isinstance(one.get("value"), str)]
            value = next((one["value"] for one in sorted(values, key=_is_minor) if one["value"].strip()), "")
        if isinstance(value, str) and value.strip():
            return " ".join((fragments.text_of(value) if fragments.looks_marked_up(value) else value).split())
    return ""


def _is_minor(one: Mapping[str, Any]) -> bool:
    return str(one.get("role", "")).rpartition(":")[2].lower() not in _MAIN_ROLES


def _bodies(item: Mapping[str, Any]) -> Iterator[tuple[int, int, str]]:
    """The texts of the item, each behind how well its kind can be read and how long it is."""
    for name in _agency(item, _BODIES):
        if isinstance(value := item.get(name), str):
            yield _ranked(value, kind="text")
    bodies = item.get("bodies")
    for one in bodies if isinstance(bodies, list) else ():
        if (
            isinstance(one, dict)
            and isinstance(one.get("value"), str)
            and "caption" not in str(one.get("role")).lower()
        ):
            yield _ranked(one["value"], kind=str(one.get("contenttype") or one.get("contentType") or "text"))


def _ranked(value: str, *, kind: str) -> tuple[int, int, str]:
    text = fragments.text_of(value) if fragments.looks_marked_up(value) else value
    readable = ("html" in kind or "text" in kind) and "nitf" not in kind
    return (int(readable) if text.strip() else -1), len(text), text


def _source(item: Mapping[str, Any]) -> str | None:
    named = page_facts.named
    for name in (
        "infosource",
        "infosources",
        "infoSources",
        "copyrightholder",
        "copyrightHolder",
        "provider",
        "source",
    ):
        if found := named(item.get(name)):
            return found
    return None


def _authors(item: Mapping[str, Any]) -> tuple[str, ...]:
    return page_facts.people(page_facts.first(item, "byline", "by"))
