"""Web origins, exactly: text of a setting in, `scheme://host[:port]` as browsers send it out; what each may read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from qa.access import scopes
from qa.errors import SettingsError

__all__ = ["collections_of", "host_of", "parse", "same_host"]

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\]")


def parse(text: str, *, setting: str) -> tuple[str, ...]:
    """Read origins parted by commas; `setting` is named where one cannot be used. Raises SettingsError."""
    return tuple(dict.fromkeys(_parse_one(one.strip(), setting) for one in text.split(",") if one.strip()))


def collections_of(text: str, *, allowed: Collection[str]) -> Mapping[str, str | None]:
    """Read which collection the pages of each origin read: `ORIGIN=COLLECTION` parted by commas, `*` for all of them.

    None stands for all. Where one origin is named, each of the `allowed` ones has to be, lest one that was forgotten
    reads everything. Raises SettingsError.
    """
    setting, found = "QA_ORIGIN_COLLECTIONS", dict[str, str | None]()
    for entry in (entry.strip() for entry in text.split(",") if entry.strip()):
        origin, sign, name = entry.rpartition("=")
        if not sign:
            raise SettingsError(f"{setting} holds {entry!r}; write ORIGIN=COLLECTION, or ORIGIN=* for all")
        found[_parse_one(origin, setting)] = None if name == "*" else scopes.name_of(name, at=setting)
    if found and (other := sorted(found.keys() ^ set(allowed))):
        raise SettingsError(
            f"{setting} and QA_ALLOWED_ORIGINS name different origins ({', '.join(other)}); name each in both, "
            f"with {other[0]}=* where its pages may read all collections"
        )
    return found


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
