"""Work that goes on only while the client is there: when it leaves, the work is cancelled and nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar.connection import Request
from litestar.response import Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

__all__ = ["WhileConnected", "gone"]


async def gone(receive: Receive) -> None:
    """Wait until the client has left; only for requests whose body was read."""
    while (await receive())["type"] != "http.disconnect":
        pass


class WhileConnected(Response[Any]):
    """The result of some work as JSON, or as the response that it is. What the work raises becomes an ordinary error
    response."""

    def __init__(self, work: Callable[[], Awaitable[object]]) -> None:
        super().__init__(content=None)
        self._work = work

    def to_asgi_response(self, app: Any, request: Request[Any, Any, Any], **_: Any) -> ASGIResponse:  # noqa: ARG002
        """Give what is run in place of a finished response."""
        return _Working(self._work)


class _Working(ASGIResponse):
    __slots__ = ("_work",)

    def __init__(self, work: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        work = asyncio.ensure_future(self._work())
        leaving = asyncio.ensure_future(gone(receive))
        try:
            await asyncio.wait({work, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                result = work.result()
                response = (
                    result if isinstance(result, ASGIResponse) else ASGIResponse(body=msgspec.json.encode(result))
                )
                await response(scope, receive, send)
        finally:
            work.cancel()
            leaving.cancel()
            await asyncio.gather(work, leaving, return_exceptions=True)
