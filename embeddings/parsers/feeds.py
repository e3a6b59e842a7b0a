"""Feed files: parses `.rss`, `.atom`, `.rdf` or `.xml`; each entry is an article. `.opml` has none.

Nothing is fetched: an entry whose feed gives only a summary is that summary, with a note where the article is.
"""

import html
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import feedparser

from embeddings.errors import UnreadableFile
from embeddings.parsers import decoding, fragments
from embeddings.types import RawArticle, Rejected

_ROOT = re.compile(rb"<(?![?!])(?:[\w.-]{1,40}:)?([\w.-]{1,60})")
_ASIDE = re.compile(rb"<!--.*?-->|<\?.*?\?>", re.DOTALL)
_OUTLINE = re.compile(rb"""<outline\b((?:[^<>"']|"[^"<]*"|'[^'<]*')*+)""", re.IGNORECASE)
_XML_URL = re.compile(rb"""\bxmlUrl\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_FEEDS: Final = frozenset({"rss", "feed", "rdf", "channel"})
_OTHERS: Final = {
    "nitf": "NITF is not read; ask your agency for ninjs, or convert it to .jsonl",
    "newsitem": "NewsML-G2 is not read; ask your agency for ninjs, or convert it to .jsonl",
    "newsmessage": "NewsML-G2 is not read; ask your agency for ninjs, or convert it to .jsonl",
    "newsml": "NewsML is not read; ask your agency for ninjs, or convert it to .jsonl",
    "urlset": "it is a sitemap: it lists pages and holds no article; save the pages as .html",
    "sitemapindex": "it is a sitemap: it lists pages and holds no article; save the pages as .html",
    "html": "it is a web page; name it .html",
}
_MAX_ENTRIES: Final = 20_000
_TEASER_WORDS: Final = 120
_CUT = re.compile(
    r"(?:\.\.\.|…|\[…\]|\[\.\.\.\]|(?:read|continue|keep) (?:more|on|reading))[\s\]).»›>→]*$", re.IGNORECASE
)
"""How a text ends that goes on elsewhere."""
_FIRST_ON = re.compile(
    r"""<p>[^<>]{0,60}<a\b[^<>]*?\bhref=["']([^"'<>]*)["'][^<>]*>[^<>]*</a>[^<>]{0,60}<a\b[^<>]*>[^<>]*</a>[^<>]{0,20}</p>\s*$""",
    re.IGNORECASE,
)
"""What WordPress puts below every entry, in whatever language: "The post … appeared first on …", with a link each."""


def read(path: Path, folder: Path) -> Iterator[RawArticle | Rejected]:  # noqa: ARG001 - what every parser is given
    """Give an article or a refusal for each entry. Raises UnreadableFile for what is no feed, or an empty one."""
    data = decoding.load(path)
    root = _root(data)
    if root == "opml":
        raise UnreadableFile(_no_articles(data))
    if root not in _FEEDS:
        raise UnreadableFile(_OTHERS.get(root, f"it is no feed but XML of the kind <{root}>; RSS and Atom are read"))
    # As a stream: a text that looked like an address or a path would be opened.
    parsed = feedparser.parse(io.BytesIO(data), sanitize_html=False)
    if not parsed.entries:
        broken = parsed.get("bozo_exception") if parsed.get("bozo") else None
        raise UnreadableFile(f"the feed cannot be parsed ({broken}); save it again" if broken else "the feed is empty")
    for number, entry in enumerate(parsed.entries[:_MAX_ENTRIES], start=1):
        yield _article(entry, feed=parsed.feed, origin=f"{path}:{number}")


def listed(path: Path) -> Sequence[str]:
    """The addresses of the feeds that an OPML file lists, each once. Raises UnreadableFile for any other file."""
    data = decoding.load(path)
    if _root(data) != "opml":
        raise UnreadableFile(f"{path} is no OPML file, which lists feeds; a feed in a file is read by `qa ingest`")
    return _outlines(data)


def _root(data: bytes) -> str:
    """The name of the outermost element, in small letters."""
    text = data[:65_536]
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = text.decode("utf-16", "ignore").encode()
    found = _ROOT.search(_ASIDE.sub(b"", text.replace(b"\0", b"")))
    if found is None:
        raise UnreadableFile("it is no XML; name the file for what it is")
    return found[1].decode("ascii", "replace").lower()


def _outlines(data: bytes) -> Sequence[str]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode()
    outlines = (_XML_URL.search(outline) for outline in _OUTLINE.findall(_ASIDE.sub(b"", data)))
    written = ((one[1] or one[2] or b"").decode("utf-8", "replace") for one in outlines if one)
    return tuple(dict.fromkeys(address for one in written if (address := html.unescape(one).strip())))


def _no_articles(data: bytes) -> str:
    sources = _outlines(data)
    named = f"{len(sources):,} feeds, the first {sources[0][:100]}" if sources else "no feed"
    return f"OPML lists sources and holds no articles: this names {named}; `qa feeds add` takes the file and adds them"


def _article(entry: Any, *, feed: Any, origin: str) -> RawArticle | Rejected:
    contents = [*entry.get("content", ()), entry.get("summary_detail") or {"value": entry.get("summary", "")}]
    link = entry.get("link") or next((one.get("href") for one in entry.get("links", ()) if one.get("href")), None)
    texts = [_text({**one, "value": _without_origin(str(one["value"]), link)}) for one in contents if one.get("value")]
    text = max(texts, key=len, default="")
    # What an author is ("Chief Editor") takes the place of the article's title in the detail alone.
    titled = {**(entry.get("title_detail") or {}), "value": entry.get("title", "")}
    title = " ".join(_text(titled).split())
    if not text.strip():
        at = f"; save the page {link[:200]} as .html" if link else ""
        return Rejected(origin=origin, reason=f"the entry {title[:80]!r} has no text{at}", link=link or "")
    words = text.split()
    teaser = (not entry.get("content") and len(words) < _TEASER_WORDS) or _CUT.search(" ".join(words[-8:])) is not None
    source = None if link else (entry.get("source") or {}).get("title") or feed.get("title")
    return RawArticle(
        text=text,
        title=title,
        url=link,
        source=source,
        published_at=entry.get("published") or entry.get("updated") or feed.get("published"),
        language=entry.get("language") or feed.get("language"),
        authors=_authors(entry),
        origin=origin,
        summary_only=teaser,
        notes=("the feed gives only a summary of it; the page it links to holds the article",) if teaser else (),
    )


def _without_origin(value: str, link: str | None) -> str:
    found = _FIRST_ON.search(value)
    named = html.unescape(found[1]) if found else ""
    same = link is not None and re.split("[?#]", named)[0].rstrip("/") == re.split("[?#]", link)[0].rstrip("/")
    return value[: found.start()] if found and same else value


def _text(content: Any) -> str:
    value = str(content.get("value") or "")
    marked_up = "html" in (content.get("type") or "") or fragments.looks_marked_up(value)
    if not marked_up or not ("<" in value or "&" in value):
        return value
    return fragments.text_of(f"<div>{value}</div>") if value.strip() else ""


def _authors(entry: Any) -> tuple[str, ...]:
    named = [one.get("name") for one in entry.get("authors", ()) if one.get("name")]
    return tuple(dict.fromkeys(named or ([entry["author"]] if entry.get("author") else [])))
