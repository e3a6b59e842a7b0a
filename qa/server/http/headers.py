"""Security headers on every response, errors included; a page may bring its own, looser content policy."""

from __future__ import annotations

from collections.abc import Iterable

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

__all__ = ["ALWAYS", "PAGE_POLICY", "framed", "secure"]

_CLOSED_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
"""For our own pages: their own files and nothing else, no inline script or style."""

ALWAYS = {
    "content-security-policy": _CLOSED_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # the guard knows by it who reads, where a browser tells it no other way
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


def framed(policy: str, *, by: Iterable[str]) -> str:
    """The same content policy, with these origins allowed to show the page in a frame; without any, nobody may."""
    return policy.replace("frame-ancestors 'none'", "frame-ancestors " + (" ".join(by) or "'none'"))


async def secure(message: Message, scope: Scope) -> None:  # noqa: ARG001 - the framework passes both by position
    """Add what a response does not set itself."""
    if message["type"] == "http.response.start":
        headers = MutableScopeHeaders.from_message(message)
        for name, value in ALWAYS.items():
            headers.setdefault(name, value)
