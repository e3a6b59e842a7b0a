"""The connection to a model's server: sends an SDK's request, returns the bytes of the answer or the reason of failure.

The SDKs build and send requests. Their time-outs, their retries and their reading of answers are not used: the
question has one deadline, which is ours, and whoever leaves closes the connection at once. Server-sent events are
read however they are cut: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from qa.errors import FallbackReason, GeneratorFailed, SettingsError
from qa.tracing import current

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
_REASONS: Mapping[int, FallbackReason] = {
    401: "model_unauthorised",
    403: "model_unauthorised",
    404: "model_not_found",
    408: "model_timed_out",
    429: "model_rate_limited",
    502: "model_unreachable",
    503: "model_overloaded",
    504: "model_timed_out",
    529: "model_overloaded",
}
_HINTS: Mapping[int, str] = {
    401: "check QA_LLM_API_KEY",
    403: "check QA_LLM_API_KEY",
    404: "check QA_LLM_MODEL, and that QA_LLM_BASE_URL ends where the server's API begins, often in /v1",
    413: "check QA_LLM_CONTEXT_TOKENS",
    400: "check QA_LLM_CONTEXT_TOKENS",
}
_FIELDS = frozenset({b"data", b"event", b"id", b"retry", b""})
_DOUBLED_PAIRS = 4


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
    """Note the sockets of a request: the transport forgets, and leaves open, one whose TLS handshake is interrupted.

    And tell the server which trace it is part of, where there is one.
    """
    sockets = _SOCKETS.get()

    async def note(event: str, info: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            sockets.append(info["return_value"])

    request.extensions["trace"] = note
    request.headers.update(current().headers)


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


class Refused(Exception):
    """The server answered, but not with success."""

    def __init__(self, status: int, *, body: bytes, retry_after: str | None) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.code = error_code(body)
        self.body = body.decode(errors="replace")
        """What the server says; may repeat what it was sent, so it stays out of logs."""
        self.retry_after = seconds(retry_after)


def failure_of(refusal: Refused, *, where: str) -> GeneratorFailed:
    """What a refusal means for the answer and, in the log, for the operator."""
    status = refusal.status
    said = f" ({refusal.code})" if refusal.code else ""
    hint = f"; {_HINTS[status]}" if status in _HINTS else ""
    if 300 <= status < 400:
        hint = "; it is elsewhere: set QA_LLM_BASE_URL to its own address"
    return GeneratorFailed(
        f"{where} answered {status}{said}{hint}",
        reason=_REASONS.get(status, "model_failed"),
        server_fault=status >= 500 or status in {408, 429},
        retry_after=refusal.retry_after,
    )


def seconds(retry_after: str | None) -> float | None:
    """How long a Retry-After header asks to wait; None where it says nothing that can be read.

    >>> seconds("7"), seconds("soon"), seconds(None)
    (7.0, None, None)
    """
    if not retry_after:
        return None
    if retry_after.strip().isascii() and retry_after.strip().isdigit():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


_CODE = re.compile(r"[\w.:-]{1,60}")


class _Error(msgspec.Struct, frozen=True):
    code: str | int | None = None
    type: str | None = None


class _Enveloped(msgspec.Struct, frozen=True):
    error: _Error


def error_code(body: bytes) -> str:
    """What an error document calls its error, in one word; empty where it says nothing of the kind.

    Only the code: messages may repeat the question, the articles or the key, and this goes into a log.
    """
    try:
        error = msgspec.json.decode(body, type=_Enveloped).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    codes = [str(code) for code in (error.code, error.type) if code is not None]
    return next((code for code in codes if _CODE.fullmatch(code)), "")


class EventStream:
    """One stream, read as it arrives."""

    def __init__(self, *, done: bytes = b"") -> None:
        """`done` is the data by which a server says that nothing more comes, where it has such a word."""
        self._word = done
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._doubled = _Doubled()
        self.done = False
        """That word came; nothing after it is read."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The events that are whole now. Raises GeneratorFailed for what is no event stream."""
        self._rest += data
        if b"\n" not in data:
            return
        complete, _, rest = bytes(self._rest).rpartition(b"\n")
        self._rest = bytearray(rest)
        for line in complete.split(b"\n"):
            yield from self._line(line.removesuffix(b"\r"))

    def finish(self) -> Iterator[bytes]:
        """The stream has ended: an event without the empty line behind it. Raises GeneratorFailed as `feed` does."""
        for line in (bytes(self._rest), b""):
            yield from self._line(line)
        if self._doubled.certain(at_end=True):
            raise garbage("every event comes twice")

    def _line(self, line: bytes) -> Iterator[bytes]:
        """One line; an empty one ends an event."""
        if self.done:
            return
        if not line:
            data, self._data = b"\n".join(self._data), []
            if data:
                yield from self._event(data)
            return
        name, _, value = line.partition(b":")
        if name == b"error":
            yield from self._event(b'{"error":' + value + b"}")  # llama.cpp's way of failing in mid-stream
        elif name not in _FIELDS:
            raise garbage("it is no event stream")
        elif name == b"data":
            self._data.append(value.removeprefix(b" "))

    def _event(self, data: bytes) -> Iterator[bytes]:
        if self._word and data.strip() == self._word:
            self.done = True
            return
        self._doubled.see(data)
        if self._doubled.certain():
            raise garbage("every event comes twice")
        yield data


class _Doubled:
    """Notices that each event is sent twice; the same word twice in a row is no proof."""

    def __init__(self) -> None:
        self._count = 0
        self._first = b""
        self._kinds: set[bytes] = set()
        self._possible = True

    def see(self, event: bytes) -> None:
        """Look at one more event."""
        self._count += 1
        if not self._possible:
            return
        if self._count % 2:
            self._first = event
        elif event != self._first:
            self._possible = False
            self._kinds.clear()
        else:
            self._kinds.add(event)

    def certain(self, *, at_end: bool = False) -> bool:
        """Whether all came twice, several different ones among them."""
        wanted = 2 if at_end else _DOUBLED_PAIRS
        return self._possible and self._count % 2 == 0 and len(self._kinds) >= wanted


def garbage(what: str) -> GeneratorFailed:
    """The failure of a server that sends what nobody can use."""
    return GeneratorFailed(f"the model's server sent something unusable: {what}", reason="model_failed")
