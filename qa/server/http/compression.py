"""Whole replies travel gzipped to whoever takes that; streams, and what is compressed already, go as they are.

Own code, because the framework's middleware compresses by address, and one address here answers both whole and as a
stream. No secret stands beside a stranger's words in a reply (tokens come in short ones, there are no cookies), so the
length of a reply tells nothing.
"""

from __future__ import annotations

import asyncio
import gzip
from functools import partial

from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["squeezed", "takes_gzip"]

_LEAST_BYTES = 1_000
"""Less gets hardly shorter: it fits one packet as it is."""
_MUCH_BYTES = 65_536
"""More is compressed beside the event loop."""
_LEVEL = 5
_KINDS = ("application/json", "application/problem+json", "text/html")


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
