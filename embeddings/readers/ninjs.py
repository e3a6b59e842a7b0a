"""ninjs, the IPTC's JSON for news, versions 1 to 3: takes an item, gives its article.

What an agency withholds or has taken back is refused, and so is what is under embargo.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

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
    if reason := _kept_back(item):
        return Rejected(origin=origin, reason=reason)
    title, text = _headline(item), max(_bodies(item), default=(0, 0, ""))[2]
    if not text.strip():
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
        origin=origin,
    )


def _kept_back(item: Mapping[str, Any]) -> str | None:
    status = linked_articles.first(item, "pubstatus", "pubStatus").lower()
    if status in {"withheld", "canceled", "cancelled"}:
        return f"its publisher says that it is {status}; delete the article where it is held (`qa articles delete`)"
    until = linked_articles.first(item, "embargoed", "embargoedUntil").strip()
    return f"it is under embargo until {until[:40]}; ingest it then" if until and _is_to_come(until) else None


def _is_to_come(written: str) -> bool:
    """Whether a moment lies ahead, or cannot be told: what an agency keeps back is not shown by mistake."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return True
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) > datetime.now(UTC)


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
