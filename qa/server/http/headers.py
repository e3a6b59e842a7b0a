"""Headers of replies: security, CORS, compression, and entity tags.

A page may bring its own, looser content policy. Allowed origins, exactly, get the headers that let their pages read
what the service answers: own code, because the framework's leaves `Vary: Origin` out where an origin is not allowed,
and answers a preflight that it refuses with a text of its own.

Whole replies travel gzipped to whoever takes that; streams, and what is compressed already, go as they are: own code,
because the framework's middleware compresses by address, and one address here answers both whole and as a stream. No
secret stands beside a stranger's words in a reply (tokens come in short ones, there are no cookies), so the length of
a reply tells nothing.
"""

import asyncio
import gzip
import hashlib
from collections.abc import Awaitable, Callable, Collection, Iterable
from functools import partial
from typing import Any

import msgspec
from litestar import Response
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from embeddings.types import Article
from qa.access.rate_limits import Spending

_CLOSED_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
"""For our own pages: their own files and nothing else, no inline script or style."""
SCRIPTED_POLICY = f"{PAGE_POLICY}; trusted-types 'none'"
"""For those with scripts: not even a policy that turns text into markup can be made."""
ALWAYS = {
    "content-security-policy": _CLOSED_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # the guard knows by it who reads, where a browser tells it no other way
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_EXPOSED = "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After"
_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST, DELETE",
    "access-control-allow-headers": "Authorization, Content-Type, X-API-Key, Last-Event-ID",
    "access-control-max-age": "600",
}
_LEAST_BYTES = 1_000
"""Less gets hardly shorter: it fits one packet as it is."""
_MUCH_BYTES = 65_536
"""More is compressed beside the event loop."""
_LEVEL = 5
_KINDS = ("application/json", "application/problem+json", "text/html")
_HEADERS = {"cache-control": "private, no-cache"}
"""It may be kept, and is asked for again each time: it may have been removed, or the caller's key have ended."""


def framed(policy: str, *, by: Iterable[str]) -> str:
    """The same content policy, with these origins allowed to show the page in a frame; without any, nobody may."""
    return policy.replace("frame-ancestors 'none'", "frame-ancestors " + (" ".join(by) or "'none'"))


async def secure(message: Message, scope: Scope) -> None:  # noqa: ARG001 - the framework passes both by position
    """Add what a response does not set itself."""
    if message["type"] == "http.response.start":
        headers = MutableScopeHeaders.from_message(message)
        for name, value in ALWAYS.items():
            headers.setdefault(name, value)


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


def squeezed(app: ASGIApp) -> ASGIApp:
    """Compress what can be."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if "method" not in scope:  # the start and the end of the application
            await app(scope, receive, send)
            return
        wanted = takes_gzip(Headers.from_scope(scope).get("accept-encoding", ""))
        head: Message | None = None

        async def pack(message: Message) -> None:
            nonlocal head
            if message["type"] == "http.response.start" and _can_be(message):
                MutableScopeHeaders.from_message(message).add("vary", "Accept-Encoding")
                if wanted:
                    head = message
                    return
            if head is not None and message["type"] == "http.response.body":
                start, head = head, None
                if not message.get("more_body") and len(message["body"]) >= _LEAST_BYTES:
                    message["body"] = await _compressed(message["body"])
                    headers = MutableScopeHeaders.from_message(start)
                    headers["content-encoding"] = "gzip"
                    headers["content-length"] = str(len(message["body"]))
                await send(start)
            await send(message)

        await app(scope, receive, pack)

    return run


def takes_gzip(accepted: str) -> bool:
    """Whether an `Accept-Encoding` names gzip, and not to refuse it.

    >>> takes_gzip("br, gzip"), takes_gzip("gzip;q=0"), takes_gzip("")
    (True, False, False)
    """
    for one in accepted.lower().split(","):
        coding, _, weight = one.replace(" ", "").partition(";q=")
        if coding == "gzip":
            return not weight or weight.strip("0.") != ""
    return False


def _can_be(start: Message) -> bool:
    headers = MutableScopeHeaders.from_message(start)
    return headers.get("content-type", "").startswith(_KINDS) and "content-encoding" not in headers


async def _compressed(body: bytes) -> bytes:
    compress = partial(gzip.compress, body, _LEVEL, mtime=0)
    return await asyncio.to_thread(compress) if len(body) > _MUCH_BYTES else compress()


def _tag_of(article: Article) -> str:
    """The entity tag of an article: the version of its text, and a hash of all that is said about it.

    Weak, because the same article travels compressed and not.
    """
    said = hashlib.sha256(msgspec.json.encode(article)).hexdigest()[:16]
    return f'W/"{article.version}.{said}"'


def _holds(known: str | None, tag: str) -> bool:
    """Whether the tags of an `If-None-Match` include this one.

    >>> _holds('"a", W/"b"', 'W/"a"'), _holds("*", 'W/"a"'), _holds('"c"', 'W/"a"'), _holds(None, 'W/"a"')
    (True, True, False, False)
    """
    given = [one.strip().removeprefix("W/") for one in (known or "").split(",")]
    return "*" in given or tag.removeprefix("W/") in given


def revised(article: Article, *, known: str | None) -> Response[Any]:
    """The article, or 304 where the client's `If-None-Match` (`known`) says that it holds it."""
    headers = {**_HEADERS, "etag": _tag_of(article)}
    if _holds(known, headers["etag"]):
        return Response(None, status_code=304, headers={**headers, "vary": "accept-encoding"})
    return Response(article, headers=headers)
