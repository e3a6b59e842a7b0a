"""Where an article came from: takes a link as written, gives a normal form of it, or None for what is no web link.

Only http and https pass: a `javascript:` or `data:` link must never reach a citation.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

__all__ = ["MAX_URL", "host_of", "normalised_url"]

MAX_URL = 2000
"""Longer links are dropped: browsers cut them too."""

# What a link may hold: no spaces, quotes, angle brackets or backslashes, and nothing that cannot be seen.
_SAFE = (
    r"!#-;=?-Z\[\]_a-z~\u00a1-\u00ac\u00ae-\u061b\u061d-\u180d\u180f-\u1fff\u2070-\u3163\u3165-\ud7ff"
    r"\uf900-\ufdcf\ufdf0-\ufdff\ufe10-\ufefe\uff01-\uff9f\uffa1-\uffef\U00010000-\U0003ffff"
)
_UNSAFE = re.compile(f"[^{_SAFE}]")
_HOST = re.compile(r"(?:[\w-]+\.)*[\w-]+|\[[0-9a-f:.]+\]")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Names of campaign parameters: they say who clicked, not which page it is.
_TRACKER = re.compile(r"(?:utm_\w+|fbclid|gclid|dclid|msclkid|mc_cid|mc_eid)(?:=|$)", re.IGNORECASE)


def normalised_url(written: str | None) -> str | None:
    """Lower-case scheme and host, drop the fragment, the default port and campaign parameters; keep all else.

    >>> normalised_url(" HTTPS://Example.COM:443/News?utm_source=x&id=7#top ")
    'https://example.com/News?id=7'
    >>> normalised_url("javascript:alert(1)"), normalised_url("/news/7"), normalised_url("https://me:pw@example.com/")
    (None, None, None)
    """
    written = (written or "").strip()
    if not written or len(written) > MAX_URL or _UNSAFE.search(written):
        return None
    try:
        parts = urlsplit(written)
        scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    except ValueError:  # a port that is no number, half an IPv6 address
        return None
    # "user:password@host" shows one address and opens another.
    if scheme not in _DEFAULT_PORTS or "@" in parts.netloc or not (parts.netloc and _plain_host(parts.netloc, host)):
        return None
    place = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS[scheme]:
        place += f":{port}"
    query = "&".join(item for item in parts.query.split("&") if not _TRACKER.match(item))
    return f"{scheme}://{place}{parts.path or '/'}{'?' + query if query else ''}"


def host_of(url: str | None) -> str:
    """Name the site of a normalised link, without `www.`.

    >>> host_of("https://www.example.com/a")
    'example.com'
    """
    return (urlsplit(url).hostname or "").removeprefix("www.") if url else ""


def _plain_host(netloc: str, host: str) -> bool:
    return bool(_HOST.fullmatch(f"[{host}]" if netloc.startswith("[") else host))
