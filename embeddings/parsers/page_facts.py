"""Finds headline, address, site and authors in a page's tree; `page_dates` finds the date.

Where a page's one headline (`<h1>`, og:title) stands inside its title, set off by a mark, the rest of the title is the
site's name or its sections, whatever they are called.
"""

import html
import json
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import msgspec
from lxml import etree  # type: ignore[import-untyped]  # lxml-stubs ends at lxml 4

from embeddings.cleaning.identity import host_of, normalised_url
from embeddings.cleaning.titles import clean_title, without_sections
from embeddings.month_names import MONTHS
from embeddings.parsers import fragments

_ARTICLE_TYPES = re.compile(r"(?:Article|Posting|Report|Review|Liveblog|LiveBlogPosting)$")
_MAX_NODES: Final = 2_000
_OPENS = re.compile(r"(?://|/\*)?\s*(?:<!\[CDATA\[|<!--)(?:\s*\*/)?")
_CLOSES = re.compile(r"(?://|/\*)?\s*(?:\]\]>|-->)(?:\s*\*/)?\s*$")
_COMMA_TOO_MANY = re.compile(r",(?=\s{0,200}[}\]])")
_ROOT = re.compile(r"/?(?:index\.(?:html?|php|aspx?)|home|[a-z]{2}(?:-[a-z]{2})?/?)?", re.IGNORECASE)
"""The path of a site's home page."""
_NO_PERSON = re.compile(
    r"\d|@|https?:|\b(?:updated?|published|modified|posted|last|edited|aktualisiert|veröffentlicht|publié|mis à jour|"
    r"actualizado|publicado|share|subscribe|newsletter|comments?|"
    r"(?:photos?|fotos?|picture|image|illustration|video)(?= )|"
    r"today|yesterday|(?:mon|tues|wednes|thurs|fri|satur|sun)day|a\.?m|p\.?m|gmt|utc)\b",
    re.IGNORECASE,
)
_NO_NAME = re.compile(r"stand|foto|photo|follow|teilen|print", re.IGNORECASE)
_BUTTON = re.compile(r"\s+(?:follow|folgen|suivre|seguir)(?: (?:us|me|him|her|on))?$", re.IGNORECASE)
"""What stands behind a name to be pressed."""
_JOB = re.compile(
    r"(?:(?:staff|senior|chief|deputy|assistant|associate|managing|executive|special|contributing|guest|freelance|foreign|"
    r"news|features?|digital|online|data|web|local|national|world|international|politics|political|business|economics?|"
    r"finance|financial|sports?|crime|courts?|science|health|medical|technology|tech|education|environment|climate|"
    r"culture|arts|travel|transport|legal|home|diplomatic|security|defence|defense|investigations?|investigative|"
    r"royal|parliamentary|industry|city|consumer|social|affairs|and|&|the|of|our|own|"
    r"multimedia|video)[ -]+)*"
    r"(?:writer|editor|editors|reporter|reporters|correspondent|correspondents|journalist|columnist|critic|contributor|"
    r"photographer|producer|desk|bureau|staff)(?:[ -](?:at[ -]large|in[ -]chief))?",
    re.IGNORECASE,
)
"""What somebody is, alone: no name."""
_POST = re.compile(r"(?:[\w.'’-]+ ){0,3}(?:correspondent|bureau chief)", re.IGNORECASE)
"""The same behind a name, whatever it is of."""
_BY = re.compile(r"^(?:by|von|par|por|di|door|av|af|text|words by|written by)[: ]\s*", re.IGNORECASE)
_APART = re.compile(r"^\s*(?:[|·»«›‹:：/•—–_-]|--|::|\()|(?:[|·»«›‹:：/•—–_-]|--|::)\s*$")
_SHORTEST = 10
_WORD = re.compile(r"\w+")
_FEWEST_WORDS, _SHARED = 3, 0.3
"""Of 845 saved pages so .83 of the titles are right, with the title alone .78; shares of .2 to .5 differ by .01."""


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
            nodes += _objects(_loaded(_unwrapped(script.text)))
    articles = _articles(nodes)
    return articles or [node for node in nodes if any(kind.endswith("Page") for kind in _kinds(node))]


def _loaded(script: str) -> object:
    """What a script holds; None where nothing can be made of it, for the page has other ways to say it.

    Half of the web's is broken, most of that by a comma too many or by quotation marks written as `&quot;`.
    """
    for written in (script, _COMMA_TOO_MANY.sub("", html.unescape(script))):
        try:
            return json.loads(written, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


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
    for element in tree.iter("link", "meta", "a"):
        if "mainEntityOfPage" in (element.get("itemprop") or "").split():
            yield element.get("href") or element.get("content") or element.get("itemid") or ""
    for node in data:
        page = node.get("mainEntityOfPage")
        for value in (page.get("@id") if isinstance(page, dict) else page, node.get("url"), node.get("@id")):
            if isinstance(value, str):
                yield value


def people(names: str) -> tuple[str, ...]:
    """Tell persons from what else stands in a byline: `names` are parted by semicolons.

    >>> people("Ann Lee; Last updated November; By Bo Roe; Tuesday")
    ('Ann Lee', 'Bo Roe')
    >>> people("Ann Lee, Staff Writer; Political Editor; Max Writer")
    ('Ann Lee', 'Max Writer')
    """
    said = [_BUTTON.sub("", _BY.sub("", name.strip())) for name in names.split(";")]
    listed = [_without_job(name, behind=at > 0) for at, name in enumerate(said)]
    return tuple(dict.fromkeys(name for name in listed if name and not _is_none(name)))


def _without_job(name: str, *, behind: bool) -> str:
    """A name without what its bearer is; empty for a job alone. `behind`: another name stands before it."""
    parts = [part.strip() for part in name.split(",")]
    jobs = [bool(_JOB.fullmatch(part) or ((behind or at) and _POST.fullmatch(part))) for at, part in enumerate(parts)]
    return ", ".join(part for part, job in zip(parts, jobs, strict=True) if not job)


def _is_none(name: str) -> bool:
    """Whether what stands in a byline is no person: a day, a button, who took the picture."""
    return bool(_NO_PERSON.search(name) or _NO_NAME.fullmatch(name)) or name.casefold() in MONTHS


def headline(tree: etree._Element, *, found: str, described: dict[str, str], sites: Sequence[str]) -> str:
    """Give the headline without the site's name: as the page shows it, where it shows one that says the same.

    For links and search engines it is often said in other words.
    """
    title = clean_title(_before_name(found, tree), sites=sites)
    headings = (one for one in tree.iter("h1") if one.find(".//a[@href='/']") is None)  # which holds the site's name
    shown = [text for one in headings if (text := " ".join("".join(one.itertext()).split()))]
    if len(shown) == 1 and _say_the_same(shown[0], title):
        return clean_title(shown[0], sites=sites)
    said = [described[name] for name in ("og:title", "twitter:title") if name in described]
    for part in (*shown[:3], *(clean_title(one, sites=sites) for one in said)):
        if _SHORTEST <= len(part) < len(title) and _is_part(part, title):
            return part
    return title


def _before_name(found: str, tree: etree._Element) -> str:
    """A title without its sections, where trafilatura took a site's name from behind it: they stand before that."""
    written = next((" ".join("".join(one.itertext()).split()) for one in tree.iter("title")), "")
    behind = written.removeprefix(found)
    return without_sections(found) if behind != written and _APART.match(behind) else found


def _say_the_same(shown: str, title: str) -> bool:
    """Whether a headline has words enough of the title, and is not the title with a kicker before it."""
    words, titles = ({*_WORD.findall(text.casefold())} for text in (shown, title))
    if len(words) < _FEWEST_WORDS or title.casefold() in shown.casefold():
        return False
    return len(words & titles) >= _SHARED * min(len(words), len(titles))


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
