"""CORS by hand: allowed origins, exactly, get the headers that let their pages read what the service answers.

Own code, because the framework's leaves `Vary: Origin` out where an origin is not allowed, and answers a preflight that
it refuses with a text of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.types import Message, Scope

from qa.access.rate_limits import Spending

__all__ = ["share"]

_EXPOSED = "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After"
_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST, DELETE",
    "access-control-allow-headers": "Authorization, Content-Type, X-API-Key, Last-Event-ID",
    "access-control-max-age": "600",
}


def share(origins: Collection[str]) -> Callable[[Message, Scope], Awaitable[None]]:
    """Make the hook that completes the head of every response; without origins no page elsewhere may read anything."""

    async def complete(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers = MutableScopeHeaders.from_message(message)
        spending = scope.get("state", {}).get("spending")
        if isinstance(spending, Spending):
            headers["ratelimit-limit"] = str(spending.limit)
            headers["ratelimit-remaining"] = str(spending.remaining)
            headers["ratelimit-reset"] = str(spending.full_in_seconds)
        if origins and "access-control-allow-origin" not in headers:  # else the file is for everybody
            headers.add("vary", "Origin")
            asked = Headers.from_scope(scope)
            if (origin := asked.get("origin", "")) in origins:
                headers["access-control-allow-origin"] = origin
                headers["access-control-expose-headers"] = _EXPOSED
                if scope.get("method") == "OPTIONS" and "access-control-request-method" in asked:
                    headers.update(_PREFLIGHT)

    return complete
