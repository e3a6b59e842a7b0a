"""Where a reader finds the cited words: takes a citation, gives a link that opens its article at these words."""

from __future__ import annotations

from urllib.parse import quote, urlencode, urlsplit

from qa.access.tokens import signature
from qa.types import Citation

__all__ = ["address_of", "text_fragment"]

_WHOLE_WORDS = 12
_EDGE_WORDS = 5


def address_of(citation: Citation, *, base_url: str, secret: bytes | None = None) -> str:
    """The article's own address, or where it has none the page under which this service (at `base_url`) shows it.

    With `secret` that link opens to whoever follows it: readers have no key.
    """
    url = citation.url or ""
    if urlsplit(url).scheme not in {"http", "https"}:
        named = {"version": citation.article_version}
        named |= {"start": str(citation.start_char_index), "end": str(citation.end_char_index)}
        if secret is not None:
            named["sig"] = signature(citation.article_id, version=citation.article_version, secret=secret)
        url = f"{base_url.rstrip('/')}/articles/{quote(citation.article_id)}?{urlencode(named)}"
    joint = "" if "#" in url else "#"
    return f"{url}{joint}{text_fragment(citation.cited_text)}"


def text_fragment(words: str) -> str:
    """The part of a link that makes a browser scroll to these words and mark them.

    A long quotation is named by its first and last words: pages break what we join. Format:
    https://wicg.github.io/scroll-to-text-fragment/

    >>> text_fragment("About 4,200 people work there.")
    ':~:text=About%204%2C200%20people%20work%20there.'
    >>> text_fragment("a b c d e f g h i j k l m")
    ':~:text=a%20b%20c%20d%20e,i%20j%20k%20l%20m'
    """
    found = words.split()
    if len(found) <= _WHOLE_WORDS and "\n" not in words:
        return f":~:text={_encoded(found)}"
    edge = min(_EDGE_WORDS, len(found) // 2)
    return f":~:text={_encoded(found[:edge])},{_encoded(found[-edge:])}" if edge else f":~:text={_encoded(found)}"


def _encoded(words: list[str]) -> str:
    return quote(" ".join(words), safe="").replace("-", "%2D")
