"""The connection to a model's server: takes a request of an SDK, gives the bytes of the answer, within our deadline.

The SDKs build and send requests. Their time-outs, their retries and their reading of answers are not used: the
question has one deadline, which is ours, and whoever leaves closes the connection at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from contextvars import ContextVar
from typing import Any, Protocol
from urllib.parse import urlsplit

from qa.errors import GeneratorFailed, SettingsError
from qa.generators.provider_errors import Refused, failure_of

__all__ = ["Pace", "Progress", "answered", "place", "transport"]

_CONNECT_SECONDS = 3.0
_IDLE_SECONDS, _IDLE_SHARE = 10.0, 0.1
"""A draft that stands still for so long, and for this share of its time, will not be finished."""
_FIRST_SHARE = 0.8
"""Of the time left, so much may pass before the first event: later there is no time to write."""
_USAGE_SECONDS = 1.0
"""After the last word, so long is waited for the count of tokens."""
_CLOSE_SECONDS = 0.5
_ERROR_BYTES = 16_000
_SOCKETS: ContextVar[list[Any]] = ContextVar("sockets of the request being sent")


class Progress(Protocol):
    """How far the reader of an answer has come."""

    @property
    def complete(self) -> bool:
        """The end was announced; nothing after it is read."""

    @property
    def stopped(self) -> bool:
        """The model has finished; at most the count of tokens is still to come."""

    @property
    def events(self) -> int:
        """Grows as the draft does."""


class Pace:
    """How long is waited for what comes next, as long as the draft moves on."""

    def __init__(self, *, deadline: float) -> None:
        """`deadline` is a moment of the event loop's clock; the draft begins now."""
        now = asyncio.get_running_loop().time()
        self.first = now + _FIRST_SHARE * (deadline - now)
        """Until when the first event must have come."""
        self._until = self.first
        self._idle = max(_IDLE_SECONDS, _IDLE_SHARE * (deadline - now))
        self._deadline = deadline
        self._events = 0

    async def next(self, body: AsyncIterator[bytes], reader: Progress) -> bytes | None:
        """More of the body; None at its end. Raises TimeoutError."""
        if reader.complete:
            return None
        if reader.events > self._events:  # single bytes, and comments that keep the line open, are not writing
            self._events = reader.events
            now = asyncio.get_running_loop().time()
            self._until = min(self._deadline, now + (_USAGE_SECONDS if reader.stopped else self._idle))
        try:
            async with asyncio.timeout_at(self._until):
                return await anext(body, None)
        except TimeoutError:
            if reader.stopped:
                return None  # all is said; only the count of tokens did not come
            raise


@asynccontextmanager
async def answered(
    request: Callable[[], Any],
    *,
    give_way: Callable[[Refused], bool],
    deadline: float,
    where: str,
    sdk_error: type[Exception],
) -> AsyncIterator[AsyncIterator[bytes]]:
    """The body of a response, once its head is there. Closing it closes the connection.

    `request` makes what an SDK's `with_streaming_response` gives; it is asked for another one where the server refuses
    the first and `give_way` says that another may do. `sdk_error` is the root of that SDK's errors. Raises
    GeneratorFailed for every failure of the transport, and for a refusal.
    """
    while True:
        try:
            async with _opened(request(), deadline=deadline, where=where, sdk_error=sdk_error) as body:
                yield body
                return
        except Refused as refusal:
            if not give_way(refusal):
                raise failure_of(refusal, where=where) from None


@asynccontextmanager
async def _opened(
    request: Any, *, deadline: float, where: str, sdk_error: type[Exception]
) -> AsyncIterator[AsyncIterator[bytes]]:
    """The body of one response. Raises Refused, and every failure of the transport as GeneratorFailed."""
    import httpx2

    response: Any = None
    sockets: list[Any] = []
    try:
        async with asyncio.timeout_at(deadline):
            response = await _entered(request, sockets)
        async with aclosing(response.http_response.aiter_raw()) as body:
            yield body
    except (TimeoutError, sdk_error, httpx2.HTTPError, httpx2.StreamError, OSError) as error:
        cause = error.__cause__ if isinstance(error, sdk_error) and error.__cause__ else error
        if isinstance(cause, Refused):
            raise cause from None
        detail = f"{where} failed ({type(cause).__name__})"
        if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout):
            raise GeneratorFailed(f"{detail}: it cannot be reached", reason="model_unreachable") from None
        if isinstance(cause, TimeoutError | httpx2.TimeoutException):
            raise GeneratorFailed(f"{detail}: no draft in time", reason="model_timed_out") from None
        raise GeneratorFailed(detail, reason="model_failed") from None
    finally:
        await _shut([*sockets, *([response.http_response] if response is not None else [])])


def place(base_url: str) -> str:
    """The server's address as it may stand in a log."""
    parts = urlsplit(base_url)
    return f"the model's server at {parts.hostname}" + (f":{parts.port}" if parts.port else "")


def transport(base_url: str, *, kind: Any) -> Any:
    """A client of `kind`, the SDK's own, with our bounds. Raises SettingsError for an address that is none."""
    import httpx2

    try:
        httpx2.URL(base_url)
    except httpx2.InvalidURL as error:
        raise SettingsError(f"QA_LLM_BASE_URL is not the address of a server: {error}") from None
    return kind(
        follow_redirects=False,
        timeout=httpx2.Timeout(None, connect=_CONNECT_SECONDS),
        # A connection per draft: one that a server closed while it lay idle looks like a server that is down.
        limits=httpx2.Limits(max_keepalive_connections=0),
        event_hooks={"request": [_watch], "response": [_refuse]},
    )


async def _entered(request: Any, sockets: list[Any]) -> Any:
    """Send a request; note its sockets as they are opened. Give the response once its head is there."""
    token = _SOCKETS.set(sockets)
    try:
        return await request.__aenter__()
    finally:
        _SOCKETS.reset(token)


async def _watch(request: Any) -> None:
    """Note the sockets of a request: the transport forgets, and leaves open, one whose TLS handshake is interrupted."""
    sockets = _SOCKETS.get()

    async def note(event: str, info: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            sockets.append(info["return_value"])

    request.extensions["trace"] = note


async def _shut(open_things: Sequence[Any]) -> None:
    """Close a connection, whatever is still on it; a peer that does not answer is not waited for."""
    for thing in open_things:
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await thing.aclose()
        except TimeoutError:
            continue


async def _refuse(response: Any) -> None:
    """Raise Refused for every answer that is not a success, with as much of its body as may be of use."""
    if response.status_code < 300:
        return
    body = b""
    async with aclosing(response.aiter_raw()) as arriving:
        async for data in arriving:
            body += data
            if len(body) >= _ERROR_BYTES:
                break
    await response.aclose()
    raise Refused(response.status_code, body=body[:_ERROR_BYTES], retry_after=response.headers.get("retry-after"))
