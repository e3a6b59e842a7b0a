"""Which machine an address of the web leads to: takes a URL, gives the address to connect to, or refuses.

The name is looked up once and the connection goes to what was found, so that no second answer of a name server can
lead elsewhere. Every redirect comes here again.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

import msgspec

from qa.access.places import Network
from qa.sources.errors import FetchRefused

__all__ = ["Resolve", "Target", "look_up", "target"]

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, as text."""

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""What stands for an IPv4 address in networks without IPv4."""
_PORTS = {"http": 80, "https": 443}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request goes."""

    url: SplitResult
    host: str
    port: int
    address: str

    @property
    def path(self) -> str:
        """What stands in the request's first line."""
        query = f"?{self.url.query}" if self.url.query else ""
        return (self.url.path or "/") + query


def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the name servers. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def target(url: str, *, allowed: Sequence[Network], resolve: Resolve = look_up) -> Target:
    """Find where a URL leads. Raises FetchRefused unless that is http(s) at a public address, or one `allowed`."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
        host = (parts.hostname or "").encode("idna").decode() if parts.hostname else ""
    except (ValueError, UnicodeError) as error:
        raise FetchRefused(f"{url[:200]!r} is no address of the web: {error}") from None
    if parts.scheme not in _PORTS or not host or any(ord(sign) <= 32 for sign in url):
        raise FetchRefused(f"{url[:200]!r} is no http or https address")
    if parts.username is not None or parts.password is not None:
        raise FetchRefused(f"an address with a user's name in it is not asked: {host}")
    try:
        found = resolve(host, port)
    except OSError as error:
        raise FetchRefused(f"the name {host} cannot be looked up: {error}", lasting=False) from None
    for address in found:
        if not _is_public(address) and not any(ip_address(address.partition("%")[0]) in network for network in allowed):
            raise FetchRefused(
                f"{host} is at the private address {address}, which is not asked; name its network in QA_FEED_NETWORKS "
                "if that is meant"
            )
    if not found:
        raise FetchRefused(f"the name {host} has no address", lasting=False)
    return Target(url=parts, host=host, port=port, address=found[0])


def _is_public(written: str) -> bool:
    """Whether an address, or the one that it carries, belongs to the internet."""
    if "%" in written:
        return False
    address = ip_address(written)
    carried: IPv4Address | IPv6Address | None = None
    if isinstance(address, IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour
        if address in _TRANSLATED:
            carried = IPv4Address(int(address) & 0xFFFF_FFFF)
    inner = carried or address
    return inner.is_global and not inner.is_multicast and (carried is not None or address.is_global)
