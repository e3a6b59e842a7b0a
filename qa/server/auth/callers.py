"""Who sends a request, as the guard found it and the routes may ask: what they own, what they may see."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection

from qa.access.keys import NOTHING, Collections, Scope

__all__ = ["Caller", "caller_of", "provide_caller", "remember"]


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends a request."""

    kind: Literal["nobody", "open", "key", "token", "origin"]
    """`nobody` showed nothing; `open`: the service has no keys; `origin`: an allowed origin that has no token yet."""
    owner: str = ""
    """Whose conversations and feedback these are. Empty where whoever reaches the service shares them."""
    key: str = ""
    """Name of the API key, where one was shown."""
    scope: Scope = NOTHING
    """What the caller may do, and in which collections."""

    @property
    def within(self) -> Collections:
        """The collections that the caller may read or write; None: all."""
        return self.scope.collections

    @property
    def name(self) -> str:
        """Who it is, for jobs and the audit: the key's name, else what kind of caller."""
        return self.key or self.kind

    @property
    def operates(self) -> bool:
        """Whether the caller is a program that was given a key, or needs none; what it may do, its scope says."""
        return self.kind in {"open", "key"}


def remember(connection: ASGIConnection[Any, Any, Any, Any], caller: Caller) -> None:
    """Keep with the request who sent it."""
    connection.scope.setdefault("state", {})["caller"] = caller


def caller_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    """Who sent a request that passed the guard."""
    found: Caller = connection.scope["state"]["caller"]
    return found


async def provide_caller(request: Request[Any, Any, Any]) -> Caller:
    """The same, as what routes get injected."""
    return caller_of(request)
