"""`POST /api/tokens`: what a page shows instead of a key."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from qa.access import places, tokens
from qa.access.tokens import TokenClaims
from qa.errors import SettingsError
from qa.server import log
from qa.server.auth.guard import Guard
from qa.server.auth.permissions import GETTING_A_TOKEN, Caller
from qa.server.errors import FieldError, InvalidRequest, require_reach
from qa.server.log import Act
from qa.server.openapi import BODY, problems
from qa.server.wire import Token, TokenRequest

__all__ = ["get_token"]

_RENEWABLE_SECONDS = 30 * 24 * 3600
"""So long after its end a token still proves whose conversations were whose."""


@post(
    "/tokens",
    status_code=200,
    operation_id="get_token",
    summary="Get a token for a page",
    response_description="The token, and until when it is good.",
    tags=["access"],
    responses=problems(*BODY, "internal-error", "invalid-request"),
    opt=GETTING_A_TOKEN,
)
async def get_token(
    data: JSONBody[TokenRequest],
    request: Request[Any, Any, Any],
    guard: NamedDependency[Guard],
    caller: NamedDependency[Caller],
) -> Response[Token]:
    """A page's back end asks with a key, for the page's origin; a page of an allowed origin asks for itself.

    The token is good for asking and reading, on pages of that origin and in its `collection` only, until it expires.
    With `renews`, the token before it, also an expired one, the visitor keeps conversations.
    """
    secret = guard.secret.value()
    origin = _origin(data, caller, request, guard)
    expires_at = int(time.time()) + data.ttl_seconds
    collection = _collection(data, caller, origin, guard)
    claims = TokenClaims(
        origin=origin,
        expires_at=expires_at,
        subject=_subject(data, caller, origin, collection, secret=secret),
        issuer=caller.key,
        collection=collection,
    )
    token = Token(
        token=tokens.mint(claims, secret=secret),
        origin=origin,
        expires_at=datetime.fromtimestamp(expires_at, tz=UTC).isoformat().replace("+00:00", "Z"),
        expires_in_seconds=data.ttl_seconds,
        collection=collection,
    )
    log.note(Act(act="token_made", by=caller.name, origin=origin))
    return Response(token, headers={"cache-control": "no-store"})


def _origin(data: TokenRequest, caller: Caller, request: Request[Any, Any, Any], guard: Guard) -> str:
    """Which origin the token is for: its own, unless a key vouches for another. Raises InvalidRequest."""
    sender = request.headers.get("origin")
    if data.origin is None:
        if sender is None:
            raise _fault("origin", "say for which origin; a page's own request names it by itself")
        return sender
    try:
        (origin,) = places.parse_origins(data.origin, setting="origin")
    except (SettingsError, ValueError):
        raise _fault("origin", "not one origin such as https://news.example") from None
    if not caller.operates and origin != sender:
        raise _fault("origin", "without a key a page gets tokens for its own origin only")
    if not guard.open and origin not in guard.origins:
        raise _fault(
            "origin", "list it in QA_ALLOWED_ORIGINS first: browsers would keep its pages from using the token"
        )
    return origin


def _collection(data: TokenRequest, caller: Caller, origin: str, guard: Guard) -> str | None:
    """The only collection that the token opens; None: all. Raises InvalidRequest, and OutOfReach for another's."""
    of_origin = guard.collections.get(origin)
    if data.collection is not None:
        if not caller.operates and data.collection != of_origin:
            raise _fault("collection", "without a key a page gets tokens for the collection of its origin only")
        if caller.operates:
            require_reach(caller.within, data.collection)
        return data.collection
    if not caller.operates or caller.within is None:
        return of_origin
    if of_origin in caller.within:
        return of_origin
    if len(caller.within) != 1:
        raise _fault("collection", f"say which of those that the key opens: {', '.join(caller.within)}")
    return caller.within[0]


def _subject(data: TokenRequest, caller: Caller, origin: str, collection: str | None, *, secret: bytes) -> str:
    """Whose conversations these will be. Raises InvalidRequest."""
    if data.subject is not None:
        if not caller.operates:
            raise _fault("subject", "only a key may name the visitor")
        return f"{caller.key}/{data.subject}"
    if data.renews is None:
        return tokens.new_subject()
    before = tokens.read(data.renews, secret=secret)
    same = before is not None and (before.origin, before.issuer, before.collection) == (origin, caller.key, collection)
    if before is None or not same:
        return tokens.new_subject()
    return before.subject if before.expires_at > time.time() - _RENEWABLE_SECONDS else tokens.new_subject()


def _fault(field: str, detail: str) -> InvalidRequest:
    return InvalidRequest("no token for this; see errors", errors=(FieldError(field=field, detail=detail),))
