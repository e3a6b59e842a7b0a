"""The identity of an article in the store: a stable id, a normalised link, and where it came from.

An id must survive an edit of the text, so that the new version takes the place of the old one; it therefore rests on
where the article is from, not on what it says. It belongs to one collection: no two ever come to the same id, so that
none can learn from an id what another one holds. What an article is known by beside its id (`known_by`) lets a later
version be recognised that comes under another address of the same page, another title or another file name;
`embeddings.arrivals` decides whether it is one.

Only http and https pass: a `javascript:` or `data:` link must never reach a citation. The normal form is what readers
open; `page_keys` say more roughly which page it is, whichever of its site's addresses it was taken from.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import PurePath
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from embeddings.cleaning.page_forms import plain_form
from embeddings.errors import InvalidArticle
from embeddings.runtime import compiled_late
from embeddings.types import Article

MAX_GIVEN_ID: Final = 200
"""Longest id a publisher may give, in characters."""
MAX_COLLECTION: Final = 100
"""Longest name of a collection."""
MAX_ID: Final = MAX_COLLECTION + 1 + MAX_GIVEN_ID
"""Longest id of an article: with its collection before what was given."""
_PLAIN: Final = "default"
"""The collection whose given ids stand as they are."""
_MARK: Final = "!"
"""Between a collection and what is given there. Neither can hold it; addresses can, unescaped."""
_DERIVED = re.compile(r"[0-9a-f]{20}")
"""What `article_id` gives."""
# Characters that stand for themselves in a path of an address, in a file name and in a shell.
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~:@=+,-]*")
_LINE_NUMBER = re.compile(r":\d+$")
_HOLDS_MANY = re.compile(r"\.(?:jsonl|ndjson|json|jsonld|csv|tsv|rss|atom|xml|epub)\b", re.IGNORECASE)
"""Files with an article in each line, row, entry or chapter, which keep their places."""
_MAX_URL = 2000
"""Longer links are dropped: browsers cut them too."""
# What a link may hold: no spaces, quotes, angle brackets or backslashes, and nothing that cannot be seen.
_SAFE_IN_LINKS = (
    r"!#-;=?-Z\[\]_a-z~\u00a1-\u00ac\u00ae-\u061b\u061d-\u180d\u180f-\u1fff\u2070-\u3163\u3165-\ud7ff"
    r"\uf900-\ufdcf\ufdf0-\ufdff\ufe10-\ufefe\uff01-\uff9f\uffa1-\uffef\U00010000-\U0003ffff"
)
_UNSAFE = compiled_late(f"[^{_SAFE_IN_LINKS}]")
_HOST = re.compile(r"(?:[\w-]+\.)*[\w-]+|\[[0-9a-f:.]+\]")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Names of campaign parameters: they say who clicked, not which page it is.
_TRACKER = compiled_late(
    r"(?:utm_\w+|(?:fb|g|d|tt|tw|y|ir)clid|msclkid|li_fat_id|gbraid|wbraid|gad_source|srsltid|igsh(?:id)?|mc_[ce]id|"
    r"_ga|_gl|_hsenc|_hsmi|mkt_tok|at_(?:medium|campaign|custom\d|format|link\w*|ptr_\w+|bbc_team)|icid|cmp(?:id)?|ocid|xtor|"
    r"wt\.?_?mc(?:_id)?|ns_(?:campaign|mchannel|source|linkname|fee)|smid|smtyp|soc_(?:src|trk)|ftag|taid|spm|"
    r"guc(?:counter|e_referrer(?:_\w+)?)|__twitter_impression|ref_(?:src|url)|dicbo|ito|s_cid|"
    r"ncid|mbid|(?:pk|mtm|piwik|matomo|hsa|vero)_\w+)(?:=|$)",
    re.IGNORECASE,
)
# Names that say who linked on one site and which page it is on another: the former where their value has no digit.
_MENTION = compiled_late(
    r"(?:ref(?:errer|erer)?|source|src|from|via|share(?:d|s)?|campaign|medium|rss|feed|platform|partner)(?:=[^\d&]*)?",
    re.IGNORECASE,
)
_OTHER_FORM = re.compile(
    r"(?:amp|_amp|amp_\w+|usqp|mobile|outputtype=amp|output=amp|view=amp|type=amp|amp=\w*|mobile=\w*|print(?:=\w*)?)(?:=.*)?",
    re.IGNORECASE,
)
_OTHER_HOST = re.compile(r"(?:www\d?|m|mobile|amp)\.(?=[^.]+\.)")
_OTHER_PATH = re.compile(r"^/amp(?=/.)|(?<=.)/amp$|\.amp(?=\.html?$|$)", re.IGNORECASE)
_INDEX = re.compile(r"/(?:index|default)\.(?:[sx]?html?|php\d?|aspx?|jspx?|cfm|do)$", re.IGNORECASE)
_HOME = compiled_late(r"(?:/(?:home|amp)|/[a-z]{2}(?:[-_][a-z]{2})?)?", re.IGNORECASE)
_CACHED = compiled_late(
    r"^https?://(?:www\.google\.[a-z.]+/amp/(?:s/)?|[\w-]+\.cdn\.ampproject\.org/[a-z](?:/s)?/)(?=[\w-]+\.)",
    re.IGNORECASE,
)
_PASSED_ON = compiled_late(
    r"^https?://(?:(?:www\.)?google\.[a-z.]+/url|lm?\.(?:facebook|instagram)\.com/(?:l\.php)?|www\.youtube\.com/redirect|"
    r"t\.umblr\.com/redirect|[\w-]+\.safelinks\.protection\.outlook\.com/)\?(?:.*&)?(?:u|url|q|z)=(https?(?::|%3A)[^&]+)",
    re.IGNORECASE,
)
"""A link that only leads on to a page, which it names."""


def article_id(
    *, collection: str, url: str | None, title: str, origin: str, version: str, published_at: str | None = None
) -> str:
    """Name an article whose caller gave no id: 20 hex digits.

    From the (normalised) link where there is one that opens more than a site's first page; else from the title, the
    date and the name of the file it came from; else, without a title, from the text (`version`). `embeddings.arrivals`
    tells those apart that still share a name and are not versions of one article.

    >>> article_id(collection="news", url="https://example.com/a", title="A", origin="x.txt:1", version="")
    'b02ea0692b817022d668'
    """
    name = _file_name(origin)
    url = url if _address_key(url) else None
    titled = ("title", name, title, published_at) if published_at else ("title", name, title)
    parts = ("url", url) if url else titled if title else ("text", name, version)
    return hashlib.sha256("\0".join((collection, *parts)).encode()).hexdigest()[:20]


def is_derived(name: str) -> bool:
    """Whether an id looks as though `article_id` had made it, for whichever collection."""
    return bool(_DERIVED.fullmatch(name))


def named_id(given: str, *, collection: str) -> str:
    """Name an article by the id that its publisher gave it, which others may give in other collections.

    In the default collection that is the given id itself; so it is anywhere for an id that was derived. Whether it was,
    `embeddings.arrivals` looks.

    >>> named_id("match-7", collection="default"), named_id("match-7", collection="sport")
    ('match-7', 'sport!match-7')
    """
    plain = collection == _PLAIN or is_derived(given)
    return given if plain else qualified(given, collection=collection)


def qualified(given: str, *, collection: str) -> str:
    """Name an article by its collection and what is unique there."""
    return f"{collection}{_MARK}{given}"


def parted(name: str) -> tuple[str, str]:
    """Give the collection that an id names, empty where it names none, and what was given there.

    >>> parted("sport!match-7"), parted("match-7")
    (('sport', 'match-7'), ('', 'match-7'))
    """
    collection, _, given = name.rpartition(_MARK)
    return collection, given


def given_key(given: str) -> str:
    """What articles are known by to which publishers gave this id, in whichever collection."""
    return hashlib.sha256(f"given\0{given}".encode(errors="surrogatepass")).hexdigest()[:32]


def page_keys(url: str | None) -> tuple[str, ...]:
    """What articles are known by whose normalised links open one page, in whichever collection; none for no page."""
    return tuple(hashlib.sha256(f"page\0{page}".encode()).hexdigest()[:32] for page in _pages(url))


class KnownBy(msgspec.Struct, frozen=True, kw_only=True):
    """What an article is known by beside its id; each a hash that names its collection, too (but for `given` and
    `pages`), or None."""

    addresses: tuple[str, ...] = ()
    """The page its link opens, whichever of the site's addresses the link is."""
    place: str | None = None
    """The name of the file it was read from, and the line of one that holds an article in each line."""
    dated: str | None = None
    """Its title, date and source, where it has a title and a date."""
    given: str | None = None
    """The id that its publisher gave it: see `given_key`."""
    pages: tuple[str, ...] = ()
    """The page its link opens, whatever its collection and whoever gave it an id: see `page_keys`."""

    def all(self) -> tuple[str, ...]:
        """Those it has."""
        return (*self.addresses, *filter(None, (self.place, self.dated, self.given)), *self.pages)


def known_by(article: Article, *, origin: str) -> KnownBy:
    """Say what a cleaned article is known by; `origin` says where it was read (`path:line`, or no file at all)."""
    name = _file_name(origin)
    line = origin.rpartition(":")[2] if holds_many(origin) else ""
    titled = bool(article.title and article.published_at)

    def key(*parts: str) -> str:
        return hashlib.sha256("\0".join((article.collection, *parts)).encode()).hexdigest()[:32]

    return KnownBy(
        addresses=tuple(key("address", page) for page in _pages(article.url)),
        place=key("place", name, line) if PurePath(name).suffix else None,
        dated=key("dated", article.title.casefold(), article.published_at or "", article.source) if titled else None,
        pages=page_keys(article.url),
    )


def holds_many(origin: str) -> bool:
    """Whether a file has an article in each of its lines, entries or chapters, so that its name alone ties none of them
    to an earlier one.

    >>> holds_many("wire.jsonl:3"), holds_many("roof.txt")
    (True, False)
    """
    return bool(_HOLDS_MANY.search(_file_name(origin)))


def _file_name(origin: str) -> str:
    return PurePath(_LINE_NUMBER.sub("", origin)).name


def checked_id(given: str) -> str:
    """Let a caller's own id pass if it can stand in an address as it is.

    Raises InvalidArticle saying what an id may look like.
    """
    return _checked(given, "id", most=MAX_GIVEN_ID, otherwise=", or give none and one is derived")


def checked_collection(given: str) -> str:
    """Let the name of a collection pass under the same rule, up to 100 characters.

    Raises InvalidArticle saying what a name may look like.
    """
    return _checked(given, "collection", most=MAX_COLLECTION)


def _checked(given: str, what: str, *, most: int, otherwise: str = "") -> str:
    if len(given) <= most and _SAFE.fullmatch(given):
        return given
    raise InvalidArticle(
        f"the {what} {given[:60]!r} cannot be used: give 1 to {most} characters out of "
        f"A-Z a-z 0-9 . _ ~ : @ = + , - beginning with a letter, a digit or _{otherwise}"
    )


def normalised_url(written: str | None) -> str | None:
    """Lower-case scheme and host, drop the fragment, the default port and campaign parameters; keep all else.

    >>> normalised_url(" HTTPS://Example.COM:443/News?utm_source=x&id=7#top ")
    'https://example.com/News?id=7'
    >>> normalised_url("javascript:alert(1)"), normalised_url("/news/7"), normalised_url("https://me:pw@example.com/")
    (None, None, None)
    """
    written = (written or "").strip()
    if not written or len(written) > _MAX_URL or _UNSAFE.search(written):
        return None
    try:
        parts = urlsplit(written)
        scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower().removesuffix("."), parts.port
    except ValueError:  # a port that is no number, half an IPv6 address
        return None
    # "user:password@host" shows one address and opens another.
    if scheme not in _DEFAULT_PORTS or "@" in parts.netloc or not (parts.netloc and _plain_host(parts.netloc, host)):
        return None
    place = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS[scheme]:
        place += f":{port}"
    query = "&".join(item for item in parts.query.split("&") if not _TRACKER.match(item))
    whole = f"{scheme}://{place}{parts.path or '/'}{'?' + query if query else ''}"
    # What a search engine keeps of a page is that page: its publisher is the source.
    if cached := _CACHED.match(whole):
        return normalised_url(f"https://{whole[cached.end() :]}")
    return normalised_url(unquote(passed.group(1))) if (passed := _PASSED_ON.match(whole)) else whole


def host_of(url: str | None) -> str:
    """Name the site of a normalised link, without `www.`, `m.` or `amp.`.

    >>> host_of("https://www.example.com/a"), host_of("https://amp.example.com/a"), host_of("https://m.de/a")
    ('example.com', 'example.com', 'm.de')
    """
    host = (urlsplit(url).hostname or "") if url else ""
    while shorter := _OTHER_HOST.match(host):
        host = host[shorter.end() :]
    return host


def of_one_publisher(one: tuple[str, str | None], other: tuple[str, str | None]) -> bool:
    """Whether two articles, each given by its source and its normalised link, come from one publisher.

    >>> of_one_publisher(("Daily", "https://news.daily.example/a"), ("DAILY", "https://sport.daily.example/b"))
    True
    >>> of_one_publisher(("", None), ("", None))
    False
    """
    (source, url), (other_source, other_url) = one, other
    if url and other_url and host_of(url) == host_of(other_url):
        return True
    return source != "" and source.casefold() == other_source.casefold()


def _address_key(url: str | None) -> str | None:
    """Say which page a normalised link opens, the same for all addresses that its site gives that page.

    Those differ in scheme, in `www.`, `m.` or `amp.` before the host, in a trailing slash or `/amp` of the path, and in
    parameters that say who linked. None for the address of a site itself: it says nothing of an article.

    >>> _address_key("http://m.example.com/a/?ref=rss"), _address_key("https://example.com/a?id=7")
    ('example.com/a', 'example.com/a?id=7')
    >>> _address_key("https://example.com/"), _address_key(None)
    (None, None)
    """
    if not url:
        return None
    parts = urlsplit(url)
    path = _INDEX.sub("", re.sub(r"//+", "/", parts.path)).rstrip("/")
    path = _OTHER_PATH.sub("", path).rstrip("/")
    said = (item for item in parts.query.split("&") if item and not _TRACKER.match(item))
    query = "&".join(sorted(item for item in said if not (_MENTION.fullmatch(item) or _OTHER_FORM.fullmatch(item))))
    if not query and _HOME.fullmatch(path):
        return None
    port = f":{parts.port}" if parts.port else ""
    return f"{host_of(url)}{port}{unquote(path)}{'?' + query if query else ''}"


def _pages(url: str | None) -> tuple[str, ...]:
    """The page that a normalised link opens, and the page that it is a copy, a visit or a printed form of, if any.

    What stores hold is found by the first, whatever is learnt of the second; ids rest on neither.
    """
    page = _address_key(url)
    if not (url and page):
        return ()
    form = normalised_url(plain_form(url))
    return tuple(dict.fromkeys((page, *(_pages(form)[-1:] if form != url else ()))))


def is_site_root(url: str | None) -> bool:
    """Whether a normalised link opens a site and none of its articles.

    >>> is_site_root("https://example.com/index.html"), is_site_root("https://example.com/?p=7"), is_site_root(None)
    (True, False, False)
    """
    return bool(url) and _address_key(url) is None


def _plain_host(netloc: str, host: str) -> bool:
    return bool(_HOST.fullmatch(f"[{host}]" if netloc.startswith("[") else host))


# --- An arriving article, and the ids it may get
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
        return KnownBy(given=given_key(parted(one.article.id)[1]), pages=page_keys(one.article.url))
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
