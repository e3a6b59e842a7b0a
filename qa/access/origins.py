"""Web origins, exactly: text of a setting in, `scheme://host[:port]` as browsers send it out."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from qa.errors import SettingsError

__all__ = ["host_of", "parse", "same_host"]

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\]")


def parse(text: str, *, setting: str) -> tuple[str, ...]:
    """Read origins parted by commas; `setting` is named where one cannot be used. Raises SettingsError."""
    return tuple(dict.fromkeys(_parse_one(one.strip(), setting) for one in text.split(",") if one.strip()))


def host_of(origin: str) -> str:
    """Host and port of an origin, as a Host header names them."""
    return origin.partition("://")[2].lower()


def same_host(origin: str, host: str) -> bool:
    """Whether an origin is on the host that a request was sent to: a page of the service itself."""
    scheme, _, found = origin.lower().partition("://")
    return scheme in _PORTS and found == host.lower().removesuffix(f":{_PORTS[scheme]}")


def _parse_one(text: str, setting: str) -> str:
    wrong = SettingsError(
        f"{setting} holds {text!r}, which is not an origin; write https://HOST or https://HOST:PORT, without a path, "
        "each one in full (no *), international names in their xn-- form"
    )
    try:
        parts = urlsplit(text.lower())
        port = parts.port
    except ValueError:
        raise wrong from None
    name = parts.netloc.removesuffix(f":{port}") if port is not None else parts.netloc
    whole = parts.path in {"", "/"} and not parts.query and not parts.fragment
    if parts.scheme not in _PORTS or not _HOST.fullmatch(name) or not whole:
        raise wrong
    return f"{parts.scheme}://{name}" + (f":{port}" if port not in {None, _PORTS[parts.scheme]} else "")
