"""Whose request it is, by network address: the peer, or whom a trusted proxy names; one answer per household."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from qa.errors import SettingsError

__all__ = ["Network", "client_of", "is_loopback", "is_trusted", "parse"]

Network = IPv4Network | IPv6Network


def parse(text: str, *, setting: str) -> tuple[Network, ...]:
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
