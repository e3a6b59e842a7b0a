"""Articles in schema.org's words: takes an object of linked data (JSON-LD), gives what it says of an article."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from embeddings.readers import fragments

__all__ = ["authors", "body", "first", "headline", "link", "named", "published"]


def body(node: Mapping[str, Any]) -> str:
    """The article's words, as text also where they are marked up."""
    written = first(node, "articleBody", "text")
    if fragments.looks_marked_up(written) or "&lt;p" in written:
        marked_up = written if fragments.looks_marked_up(written) else html.unescape(written)
        return fragments.text_of(f"<div>{marked_up}</div>")
    return html.unescape(written) if "&" in written else written


def headline(node: Mapping[str, Any]) -> str:
    """What it is called, on one line."""
    return " ".join(html.unescape(first(node, "headline", "name")).split())


def published(node: Mapping[str, Any]) -> str | None:
    """When it was published, as written."""
    return first(node, "datePublished", "dateCreated") or None


def link(node: Mapping[str, Any]) -> str | None:
    """Where it can be read."""
    page = node.get("mainEntityOfPage")
    within = page.get("@id") if isinstance(page, dict) else page
    return next(
        (one for one in (node.get("url"), within, node.get("@id")) if isinstance(one, str) and "://" in one), None
    )


def authors(node: Mapping[str, Any]) -> tuple[str, ...]:
    """Who wrote it."""
    given = node.get("author", node.get("creator"))
    listed = given if isinstance(given, list) else [given]
    return tuple(dict.fromkeys(name for one in listed[:50] if (name := named(one))))


def named(value: object) -> str:
    """The name of a person or an organisation, however it is given; an empty text for none."""
    if isinstance(value, list):
        return next((name for one in value[:5] if (name := named(one))), "")
    given = value.get("name") if isinstance(value, dict) else value
    return given.strip() if isinstance(given, str) and "://" not in given else ""


def first(node: Mapping[str, Any], *names: str) -> str:
    """The first of some fields that holds a text; an empty one where none does."""
    return next((value for name in names if isinstance(value := node.get(name), str) and value.strip()), "")
