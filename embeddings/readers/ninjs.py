"""ninjs, the IPTC's JSON for news, versions 1 to 3: takes an item, gives its article.

What an agency withholds, has taken back or put under embargo comes with that state, and is not shown. Such an item
needs no text: then it is a notice about the article it names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from embeddings.cleaning import rights
from embeddings.cleaning.identity import checked_id
from embeddings.errors import InvalidArticle
from embeddings.readers import fragments, linked_articles, page_facts
from embeddings.types import RawArticle, Rejected

__all__ = ["article", "is_item"]

_BODIES: Final = ("body_html", "body_xhtml", "body_text", "bodyHtml", "bodyText")
_HEADLINES: Final = ("headline", "headlines", "title", "name")
_MAIN_ROLES: Final = frozenset({"", "main", "headline", "title"})


def is_item(data: Mapping[str, Any]) -> bool:
    """Whether a JSON object is an item of ninjs."""
    standard = data.get("standard")
    if isinstance(standard, dict) and str(standard.get("name")).lower() == "ninjs":
        return True
    names = {*_BODIES, "bodies", "headlines", "versioncreated", "versionCreated", "pubstatus", "pubStatus"}
    return isinstance(data.get("uri"), str) and bool(names & data.keys())


def article(item: Mapping[str, Any], *, origin: str) -> RawArticle | Rejected:
    """Give the article, or why there is none."""
    try:
        status = rights.status_of(linked_articles.first(item, "pubstatus", "pubStatus"))
    except InvalidArticle as error:
        return Rejected(origin=origin, reason=str(error))
    title, text = _headline(item), max(_bodies(item), default=(0, 0, ""))[2]
    if not text.strip() and status in {None, "usable"}:
        kind = linked_articles.first(item, "type") or "item"
        return Rejected(origin=origin, reason=f"the {kind[:40]} {title[:80]!r} has no text")
    uri = linked_articles.first(item, "uri")
    is_link = uri.startswith(("https://", "http://"))
    first = linked_articles.first
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
    return linked_articles.first(item, "section") or next(filter(None, map(linked_articles.named, subjects)), None)


def _usage_terms(item: Mapping[str, Any]) -> str | None:
    terms = linked_articles.first(item, "usageterms", "usageTerms")
    info: Mapping[str, Any] = next(
        (item[name] for name in ("rightsinfo", "rightsInfo") if isinstance(item.get(name), dict)), {}
    )
    return terms or linked_articles.first(info, "usageterms", "usageTerms") or None


def _id(uri: str) -> str | None:
    try:
        return checked_id(uri)
    except InvalidArticle:
        return None


def _headline(item: Mapping[str, Any]) -> str:
    for name in _HEADLINES:
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
    for name in _BODIES:
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
    named = linked_articles.named
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
    return page_facts.people(linked_articles.first(item, "byline", "by"))
