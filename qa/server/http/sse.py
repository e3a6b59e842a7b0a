"""Streams messages as server-sent events, and stops when the client leaves.

So does other work that goes on only while the client is there: when it leaves, the work is cancelled and nothing is
sent.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import msgspec
from litestar.connection import Request
from litestar.response import Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

_HEARTBEAT_SECONDS = 10.0
"""Silence after which a comment is sent, so that no proxy takes the connection for dead."""
_SEND_SECONDS = 30.0
"""A client that takes nothing for so long counts as gone."""
_HEARTBEAT = b": keep-alive\n\n"
_HEADERS = {"content-type": "text/event-stream", "cache-control": "no-cache", "x-accel-buffering": "no"}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One server-sent event."""

    data: bytes
    """One line; JSON is."""
    event: str = ""
    id: str = ""


class EventStream(Response[Any]):
    """Streams messages. What is raised before the first one becomes an ordinary error response.

    `failure` makes the last message of what is raised later. When the client leaves, the generator gets
    CancelledError where it waits, within the same turn of the event loop.
    """

    def __init__(self, messages: AsyncGenerator[Message, None], *, failure: Callable[[Exception], Message]) -> None:
        super().__init__(content=None)
        self._messages = messages
        self._failure = failure

    def to_asgi_response(self, app: Any, request: Request[Any, Any, Any], **_: Any) -> ASGIResponse:  # noqa: ARG002
        """Give what is run in place of a finished response."""
        return _Streaming(self._messages, self._failure)


def encode(message: Message) -> bytes:
    r"""Write one event as it goes over the wire.

    >>> encode(Message(event="claim", id="1", data=b"{}"))
    b'event: claim\nid: 1\ndata: {}\n\n'
    """
    named = f"event: {message.event}\n" if message.event else ""
    numbered = f"id: {message.id}\n" if message.id else ""
    return f"{named}{numbered}data: ".encode() + message.data + b"\n\n"


class _Left(Exception):
    """The client has left."""


_Item = Message | Exception | None
"""A message, what was raised in place of one, or the end."""


class _Streaming(ASGIResponse):
    __slots__ = ("_failure", "_messages")

    def __init__(self, messages: AsyncGenerator[Message, None], failure: Callable[[Exception], Message]) -> None:
        super().__init__()
        self._messages = messages
        self._failure = failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        ready: asyncio.Queue[_Item] = asyncio.Queue(maxsize=1)
        pump = asyncio.create_task(self._pump(ready))
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await self._relay(ready, leaving, send)
        except _Left:
            pass
        finally:
            pump.cancel()
            leaving.cancel()
            await asyncio.gather(pump, leaving, return_exceptions=True)

    async def _pump(self, ready: asyncio.Queue[_Item]) -> None:
        """Run the generator in one task from its beginning to its end: timeouts inside it belong to one task."""
        try:
            async with aclosing(self._messages) as messages:
                async for message in messages:
                    await ready.put(message)
        except Exception as error:  # noqa: BLE001 - it is raised again, or told to the client
            await ready.put(error)
        else:
            await ready.put(None)

    async def _relay(self, ready: asyncio.Queue[_Item], leaving: asyncio.Future[None], send: Send) -> None:
        item = await _next(ready, leaving)
        if isinstance(item, Exception):
            raise item
        headers = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while isinstance(item, Message):
            await _send(send, encode(item))
            while (item := await _next(ready, leaving, seconds=_HEARTBEAT_SECONDS)) is _SILENCE:
                await _send(send, _HEARTBEAT)
        if isinstance(item, Exception):
            await _send(send, encode(self._failure(item)))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


_SILENCE = Message(data=b"")


async def _next(ready: asyncio.Queue[_Item], leaving: asyncio.Future[None], *, seconds: float | None = None) -> _Item:
    """The next item, or _SILENCE when none came in time. Raises _Left."""
    getting = asyncio.ensure_future(ready.get())
    either: set[asyncio.Future[Any]] = {getting, leaving}
    try:
        await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            raise _Left
        return getting.result() if getting.done() else _SILENCE
    finally:
        getting.cancel()


async def _send(send: Send, body: bytes) -> None:
    try:
        async with asyncio.timeout(_SEND_SECONDS):
            await send({"type": "http.response.body", "body": body, "more_body": True})
    except TimeoutError:
        raise _Left from None


async def _gone(receive: Receive) -> None:
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
        leaving = asyncio.ensure_future(_gone(receive))
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
