"""What a page says of itself: takes its tree, gives headline, date, address, site and authors.

Only what says *published* counts, in the order of trust: the page's `<meta>`, its linked data, microdata, a `<time>` or
a dateline at the head of the article, the date in its address. A date of change is none, nor one of another article,
nor one that could be two days.

Where a page's one headline (`<h1>`, og:title) stands inside its title, set off by a mark, the rest of the title is the
site's name or its sections, whatever they are called.
"""

from __future__ import annotations

import html
import json
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import msgspec
from lxml import etree  # type: ignore[import-untyped]  # lxml-stubs ends at lxml 4  # type: ignore[import-untyped]  # lxml-stubs ends at lxml 4  # type: ignore[import-untyped]  # lxml-stubs ends at lxml 4

from embeddings.cleaning.dates import MONTHS, iso_date
from embeddings.cleaning.identity import host_of, normalised_url
from embeddings.cleaning.titles import clean_title
from embeddings.readers import fragments

__all__ = [
    "Address",
    "address",
    "articles_among",
    "first",
    "headline",
    "linked_address",
    "linked_authors",
    "linked_body",
    "linked_data",
    "linked_headline",
    "linked_published",
    "meta",
    "named",
    "people",
    "published",
]

_ARTICLE_TYPES = re.compile(r"(?:Article|Posting|Report|Review|Liveblog|LiveBlogPosting)$")
_MAX_NODES: Final = 2_000
_OPENS = re.compile(r"(?://|/\*)?\s*(?:<!\[CDATA\[|<!--)(?:\s*\*/)?")
_CLOSES = re.compile(r"(?://|/\*)?\s*(?:\]\]>|-->)(?:\s*\*/)?\s*$")
_ROOT = re.compile(r"/?(?:index\.(?:html?|php|aspx?)|home|[a-z]{2}(?:-[a-z]{2})?/?)?", re.IGNORECASE)
"""The path of a site's home page."""
_NO_PERSON = re.compile(
    r"\d|@|https?:|\b(?:updated?|published|modified|posted|last|edited|aktualisiert|veröffentlicht|publié|mis à jour|"
    r"actualizado|publicado|today|yesterday|(?:mon|tues|wednes|thurs|fri|satur|sun)day|a\.?m|p\.?m|gmt|utc)\b",
    re.IGNORECASE,
)
_BY = re.compile(r"^(?:by|von|par|por|di|door|av|af|text|words by|written by)[: ]\s*", re.IGNORECASE)
_META: Final = (
    "article:published_time article:published og:published_time og:article:published_time og:pubdate datepublished "
    "article.published publication_date publication-date pubdate publish_date publish-date publishdate publisheddate "
    "published_date published date_published published_time published_at publishtime parsely-pub-date sailthru.date "
    "cxenseparse:recs:publishtime cxenseparse:publishtime dc.date.issued dcterms.issued dcterms.created "
    "dc.date.created dcterms.date dc.date dc.created dcsext.articlefirstpublished rbpubdate citation_publication_date "
    "citation_date article_date_original originalpublicationdate displaydate pdate ptime article:post_date "
    "bt:pubdate vr:published_time shareaholic:article_published_time datecreated date creation_date"
).split()
_CHANGED: Final = ("article:modified_time", "og:updated_time", "datemodified", "last-modified", "dcterms.modified")
_UPDATE = re.compile(
    r"updat|modif|edited|chang|aktuali|geändert|stand:|mise? à jour|actualiz|aggiornat|atualiz|bijgewerkt"
    r"|оновлен|обновл",
    re.IGNORECASE,
)
_DATELINE = re.compile(
    r"date|publi|posted|byline|time(?!line)|meta|dateline|datum|fecha|author|entry-header|article-info|article-head",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"relat|recommend|sidebar|widget|comment|teaser|promo|popular|most-|latest|more-|listing|footer|nav|menu|carousel"
    r"|next-",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"[/-](20\d\d)[/-]?(0[1-9]|1[0-2])[/-]?(0[1-9]|[12]\d|3[01])(?=[/._-]|$)")
_NO_TIME = re.compile(r"(?<=\d{4}-\d\d-\d\d)[T ]00:00(?::00(?:\.0+)?)?\s*(?:Z|UTC|[+-]\d\d:?\d\d)?$")
_LONGEST: Final = 160
_MANY: Final = 400
"""So many elements are looked at for a dateline."""
_APART = re.compile(r"^\s*(?:[|·»«›‹:：/•—–_-]|--|::|\()|(?:[|·»«›‹:：/•—–_-]|--|::)\s*$")
_SHORTEST = 10


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page lives, as far as it says so."""

    url: str | None = None
    site: str = ""
    """Host or name of the site, known even where the address is not."""
    notes: tuple[str, ...] = ()


def meta(tree: etree._Element) -> dict[str, str]:
    """What the page's `<meta>` elements say, by name in small letters; the first of a name counts."""
    found: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = element.get("property") or element.get("name") or element.get("itemprop") or ""
        content = (element.get("content") or "").strip()
        if name and content:
            found.setdefault(name.strip().lower(), content)
    return found


def linked_data(tree: etree._Element) -> list[dict[str, Any]]:
    """Give the schema.org objects (JSON-LD) that describe an article, or else a page."""
    nodes: list[dict[str, Any]] = []
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or "").lower() and script.text:
            try:
                nodes += _objects(json.loads(_unwrapped(script.text), strict=False))
            except (ValueError, RecursionError):
                continue  # half of the web's is broken; the page has other ways to say it
    articles = _articles(nodes)
    return articles or [node for node in nodes if any(kind.endswith("Page") for kind in _kinds(node))]


def _unwrapped(script: str) -> str:
    """What a script holds, without a wrapping as CDATA or as a comment, as XHTML and old templates have it.

    >>> _unwrapped(' /*<![CDATA[*/ {"@type": "Article"} /*]]>*/ '), _unwrapped('{"a": "<!-- b -->"}')
    ('{"@type": "Article"}', '{"a": "<!-- b -->"}')
    """
    text = script.strip()
    if opening := _OPENS.match(text):
        text = _CLOSES.sub("", text[opening.end() :])
    return text.strip()


def articles_among(data: object) -> list[dict[str, Any]]:
    """Give the objects of a document of linked data that describe an article."""
    return _articles(_objects(data))


def _articles(nodes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [node for node in nodes if any(_ARTICLE_TYPES.search(kind) for kind in _kinds(node))]


def _objects(data: object) -> list[dict[str, Any]]:
    """Give the objects of a document that have a type, outermost first, not those that lists of links hold."""
    found: list[dict[str, Any]] = []
    waiting: deque[object] = deque([data])
    for _ in range(_MAX_NODES):
        if not waiting:
            break
        value = waiting.popleft()
        if isinstance(value, list):
            waiting += value[:_MAX_NODES]
        elif isinstance(value, dict):
            if "@type" in value:
                found.append(value)
            waiting += [value[key] for key in ("@graph", "mainEntity", "mainEntityOfPage") if key in value]
    return found


def _kinds(node: dict[str, Any]) -> list[str]:
    kind = node.get("@type")
    return [one for one in (kind if isinstance(kind, list) else [kind]) if isinstance(one, str)]


def address(tree: etree._Element, *, described: dict[str, str], data: Sequence[dict[str, Any]]) -> Address:
    """Give the page's own address: what it calls canonical, else og:url, else what its linked data say.

    The address of a site's home page is none of an article: templates print it on every page.
    """
    base = next((element.get("href") for element in tree.iter("base") if element.get("href")), None)
    base = normalised_url(base) or normalised_url(described.get("og:url")) or ""
    home: str | None = None
    for written in _addresses(tree, described, data):
        url = normalised_url(urljoin(base, written.strip()) if base else written)
        if url is None:
            continue
        parts = urlsplit(url)
        if not parts.query and _ROOT.fullmatch(parts.path):
            home = home or url
            continue
        return Address(url=url, site=host_of(url))
    name = described.get("og:site_name", "")
    if home is None:
        return Address(site=name or host_of(base or None))
    note = f"the page gives its site's home page, {home}, as its address; the article is stored without a link"
    return Address(site=host_of(home), notes=(note,))


def _addresses(tree: etree._Element, described: dict[str, str], data: Sequence[dict[str, Any]]) -> Iterator[str]:
    for link in tree.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split() and link.get("href"):
            yield link.get("href")
    yield from (described[name] for name in ("og:url", "twitter:url", "parsely-link") if name in described)
    for node in data:
        page = node.get("mainEntityOfPage")
        for value in (page.get("@id") if isinstance(page, dict) else page, node.get("url"), node.get("@id")):
            if isinstance(value, str):
                yield value


def people(names: str) -> tuple[str, ...]:
    """Tell persons from what else stands in a byline: `names` are parted by semicolons.

    >>> people("Ann Lee; Last updated November; By Bo Roe; Tuesday")
    ('Ann Lee', 'Bo Roe')
    """
    found = (_BY.sub("", name.strip()) for name in names.split(";"))
    return tuple(dict.fromkeys(name for name in found if name and not _NO_PERSON.search(name) and not _is_month(name)))


def _is_month(name: str) -> bool:
    return name.casefold() in MONTHS


def published(
    tree: etree._Element, *, described: dict[str, str], data: Sequence[dict[str, Any]], url: str | None
) -> tuple[str | None, tuple[str, ...]]:
    """Give the date of publication as written, if the page tells one, and what the reader has to say of it."""
    unread: list[str] = []
    for written in _candidates(tree, described, data, url):
        day = _NO_TIME.sub("", written.strip())
        if iso_date(day):
            return day, ()
        unread.append(day)
    if unread:
        return unread[0], ()
    changed = next((described[name] for name in _CHANGED if name in described), None)
    if changed is None:
        changed = next((one for node in data if isinstance(one := node.get("dateModified"), str)), None)
    if changed:
        return None, (f"the page says only when it was changed ({changed[:40]}), not when it was published",)
    return None, ()


def _candidates(
    tree: etree._Element, described: dict[str, str], data: Sequence[dict[str, Any]], url: str | None
) -> Iterator[str]:
    yield from (described[name] for name in _META if name in described)
    for node in data:
        for name in ("datePublished", "dateCreated", "uploadDate"):
            if isinstance(node.get(name), str):
                yield node[name]
    yield from _microdata(tree)
    if found := _IN_ADDRESS.search(url or ""):
        yield "-".join(found.groups())
    yield from _at_the_head(tree)


def _microdata(tree: etree._Element) -> Iterator[str]:
    for element in tree.iter("*"):
        name = element.get("itemprop") or element.get("property") or ""
        if "datePublished" in name.split() and not _is_elsewhere(element):
            yield element.get("content") or element.get("datetime") or _text(element)


def _at_the_head(tree: etree._Element) -> Iterator[str]:
    """Dates of `<time>` and datelines of the article: those of its own, outside of lists of other articles."""
    scope = _scope(tree)
    times = [one for one in scope.iter("time") if not _is_elsewhere(one) and not _is_update(one)]
    for one in times:
        if one.get("pubdate") is not None or _DATELINE.search(_names(one)):
            yield one.get("datetime") or _text(one)
    for one in times[:3]:
        yield from filter(None, (one.get("datetime"), _text(one)))
    elements = scope.iter("p", "div", "span", "li", "small", "abbr", "em", "h5", "h6", "header", "dd", "td", "font")
    for element in islice(elements, _MANY):
        if _DATELINE.search(_names(element)) and not _is_elsewhere(element) and not _is_update(element):
            text = _text(element)
            if 6 <= len(text) <= _LONGEST and any(sign.isdigit() for sign in text) and not _UPDATE.search(text):
                yield text


def _scope(tree: etree._Element) -> etree._Element:
    """The article around the first headline; else the page."""
    for headline in tree.iter("h1"):
        above = next(headline.iterancestors("article", "main"), None)
        if above is not None:
            return above
    articles = list(tree.iter("article"))
    return articles[0] if len(articles) == 1 else tree


def _is_elsewhere(element: etree._Element) -> bool:
    """Whether an element belongs to something beside the article."""
    return any(
        one.tag in {"aside", "nav", "footer", "figure"} or _ELSEWHERE.search(_names(one))
        for one in (element, *element.iterancestors())
        if one.tag not in {"html", "body", "main", "article"}
    )


def _is_update(element: etree._Element) -> bool:
    """Whether an element, or the word before it, says that it tells of a change."""
    parent, before = element.getparent(), element.getprevious()
    label = before.tail if before is not None else None if parent is None else parent.text
    return any(_UPDATE.search(words) for words in (_names(element), (label or "")[-40:], _text(element)))


def _names(element: etree._Element) -> str:
    return f"{element.get('class') or ''} {element.get('id') or ''}"


def _text(element: etree._Element) -> str:
    """The first words of an element; no more is read of a long one."""
    parts: list[str] = []
    length = 0
    for part in element.itertext():
        parts.append(part[: 4 * _LONGEST])
        length += len(part)
        if length > 4 * _LONGEST:
            break
    return " ".join("".join(parts).split())


def headline(tree: etree._Element, *, found: str, described: dict[str, str], sites: Sequence[str]) -> str:
    """Give the headline without the site's name."""
    title = clean_title(found, sites=sites)
    shown = [" ".join("".join(one.itertext()).split()) for one in tree.iter("h1")]
    said = [described[name] for name in ("og:title", "twitter:title") if name in described]
    for part in (*shown[:3], *(clean_title(one, sites=sites) for one in said)):
        if _SHORTEST <= len(part) < len(title) and _is_part(part, title):
            return part
    return title


def _is_part(part: str, title: str) -> bool:
    """Whether a title is this part and something set off from it."""
    folded, whole = part.casefold(), title.casefold()
    if whole.startswith(folded):
        return _APART.match(title[len(part) :]) is not None
    return whole.endswith(folded) and _APART.search(title[: -len(part)]) is not None


def linked_body(node: Mapping[str, Any]) -> str:
    """The article's words, as text also where they are marked up."""
    written = first(node, "articleBody", "text")
    if fragments.looks_marked_up(written) or "&lt;p" in written:
        marked_up = written if fragments.looks_marked_up(written) else html.unescape(written)
        return fragments.text_of(f"<div>{marked_up}</div>")
    return html.unescape(written) if "&" in written else written


def linked_headline(node: Mapping[str, Any]) -> str:
    """What it is called, on one line."""
    return " ".join(html.unescape(first(node, "headline", "name")).split())


def linked_published(node: Mapping[str, Any]) -> str | None:
    """When it was published, as written."""
    return first(node, "datePublished", "dateCreated") or None


def linked_address(node: Mapping[str, Any]) -> str | None:
    """Where it can be read."""
    page = node.get("mainEntityOfPage")
    within = page.get("@id") if isinstance(page, dict) else page
    return next(
        (one for one in (node.get("url"), within, node.get("@id")) if isinstance(one, str) and "://" in one), None
    )


def linked_authors(node: Mapping[str, Any]) -> tuple[str, ...]:
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
