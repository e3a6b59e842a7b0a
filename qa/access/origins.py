"""Where a request comes from: its network address, and the origin of the page that sent it.

An address is the peer's, or that of whom a trusted proxy names; one answer per household. Origins are matched
exactly, as `scheme://host[:port]` that browsers send.
"""

import re
from collections.abc import Collection, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from qa.access import keys
from qa.errors import SettingsError

Network = IPv4Network | IPv6Network
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\]")


def parse_networks(text: str, *, setting: str) -> tuple[Network, ...]:
    """Read addresses and networks parted by commas. Raises SettingsError."""
    found: list[Network] = []
    for one in (one.strip() for one in text.split(",")):
        try:
            found += [ip_network(one)] if one else []
        except ValueError as error:
            raise SettingsError(
                f"{setting} holds {one!r}: {error}; write addresses such as 10.0.0.7 or 10.0.0.0/8"
            ) from None
    return tuple(found)


def client_of(peer: str, *, forwarded_for: str, trusted: tuple[Network, ...]) -> str:
    """The nearest address that is not one of our proxies; anything left of it, the client may have made up."""
    client = _address(peer)
    for hop in reversed(forwarded_for.split(",")):
        if client is None or not any(client in network for network in trusted):
            break
        client = _address(hop)
    if client is None:
        return "unknown"  # a trusted proxy that names no address: all its clients share one budget
    if isinstance(client, IPv6Address):
        return str(IPv6Network((client, 64), strict=False))  # one household may choose among 2^64 addresses
    return str(client)


def is_trusted(peer: str, trusted: tuple[Network, ...]) -> bool:
    """Whether a peer is one of our proxies."""
    address = _address(peer)
    return address is not None and any(address in network for network in trusted)


def is_loopback(host: str) -> bool:
    """Whether a numeric address can be reached from this machine only."""
    return ip_address(host.partition("%")[0]).is_loopback


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip())
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def parse_origins(text: str, *, setting: str) -> tuple[str, ...]:
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
        found[_parse_one(origin, setting)] = None if name == "*" else keys.name_of(name, at=setting)
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
