"""Drafts from any server that speaks OpenAI's chat completions: Ollama, vLLM, llama.cpp, LM Studio, OpenAI.

The SDK builds and sends the request. Its time-outs, its retries and its reading of the answer are not used: the
question has one deadline, which is ours, and what comes back is read with bounds by `ChatReader`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from qa.errors import GeneratorFailed, SettingsError
from qa.generators.chat_stream import ChatReader
from qa.generators.protocol import Delta, Finish, Message
from qa.generators.refusals import Refused, failure_of

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["OpenAICompatible"]

_CONNECT_SECONDS = 3.0
_IDLE_SECONDS, _IDLE_SHARE = 10.0, 0.1
"""A draft that stands still for so long, and for this share of its time, will not be finished."""
_FIRST_SHARE = 0.8
"""Of the time left, so much may pass before the first event: later there is no time to write."""
_USAGE_SECONDS = 1.0
"""After the last word, so long is waited for the count of tokens."""
_CLOSE_SECONDS = 0.5
_BYTES = 200_000
_BYTES_PER_TOKEN = 4_000
"""A streamed token takes some 300 bytes."""
_ERROR_BYTES = 16_000
_LIST_BYTES = 2_000_000
_SOCKETS: ContextVar[list[Any]] = ContextVar("sockets of the request being sent")


class _Listed(msgspec.Struct, frozen=True):
    id: str


class _Models(msgspec.Struct, frozen=True):
    data: list[_Listed]


class OpenAICompatible:
    """One model of one server; belongs to one event loop."""

    def __init__(self, *, base_url: str, api_key: str, model: str, context_tokens: int) -> None:
        """`model` may be empty: the first one the server lists is asked then.

        Imports the SDK, which takes a second: not on an event loop. Raises SettingsError for an unusable address.
        """
        self._configured = model
        self._found = ""
        self._context_tokens = context_tokens
        self._where = _place(base_url)
        self._client = _client(base_url, api_key)
        self._completions: Any = self._client.chat.completions.with_streaming_response
        self._models: Any = self._client.models.with_streaming_response
        self._options: dict[str, Any] = {"temperature": 0, "stream_options": {"include_usage": True}}
        self._limit_name = "max_tokens"

    @property
    def model(self) -> str:
        """Name of the model; empty until the server was asked for it, where none is configured."""
        return self._configured or self._found

    @property
    def context_tokens(self) -> int:
        """Size of the model's window."""
        return self._context_tokens

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int, deadline: float
    ) -> AsyncGenerator[Delta | Finish, None]:
        """Stream a draft. Raises GeneratorFailed for whatever keeps the server from writing one."""
        now = asyncio.get_running_loop().time()
        first = now + _FIRST_SHARE * (deadline - now)
        if not self.model:
            self._found = await self._first_model(first)
        reader = ChatReader(max_bytes=_BYTES + _BYTES_PER_TOKEN * max_tokens)
        pace = _Pace(first=first, deadline=deadline, idle=max(_IDLE_SECONDS, _IDLE_SHARE * (deadline - now)))
        try:
            async with self._answer(messages, max_tokens=max_tokens, deadline=first) as body:
                while (data := await pace.next(body, reader)) is not None:
                    for piece in reader.feed(data):
                        yield piece
            rest, finish = reader.finish()
        except GeneratorFailed as error:
            if error.reason == "model_not_found":
                self._found = ""  # it may list another one by now
            raise
        for piece in rest:
            yield piece
        yield finish

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()

    @asynccontextmanager
    async def _answer(
        self, messages: Sequence[Message], *, max_tokens: int, deadline: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Send the request; give the body of the answer once its head is there. Closing it closes the connection."""
        while True:
            request = self._completions.create(
                model=self.model,
                messages=msgspec.to_builtins(messages),
                stream=True,
                **self._options,
                **{self._limit_name: max_tokens},
            )
            try:
                async with self._opened(request, deadline=deadline) as body:
                    yield body
                    return
            except Refused as refusal:
                if not self._give_way(refusal):
                    raise failure_of(refusal, where=self._where) from None

    @asynccontextmanager
    async def _opened(self, request: Any, *, deadline: float) -> AsyncIterator[AsyncIterator[bytes]]:
        """The body of a response, every failure of the transport told as GeneratorFailed."""
        import httpx2
        import openai

        response: Any = None
        sockets: list[Any] = []
        try:
            async with asyncio.timeout_at(deadline):
                response = await _entered(request, sockets)
            async with aclosing(response.http_response.aiter_raw()) as body:
                yield body
        except (TimeoutError, openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            cause = error.__cause__ if isinstance(error, openai.APIConnectionError) and error.__cause__ else error
            detail = f"{self._where} failed ({type(cause).__name__})"
            if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout):
                raise GeneratorFailed(f"{detail}: it cannot be reached", reason="model_unreachable") from None
            if isinstance(cause, TimeoutError | httpx2.TimeoutException):
                raise GeneratorFailed(f"{detail}: no draft in time", reason="model_timed_out") from None
            raise GeneratorFailed(detail, reason="model_failed") from None
        finally:
            await _shut([*sockets, *([response.http_response] if response is not None else [])])

    async def _first_model(self, deadline: float) -> str:
        request = self._models.list()
        listing = bytearray()
        try:
            async with self._opened(request, deadline=deadline) as body, asyncio.timeout_at(deadline):
                async for data in body:
                    listing += data
                    if len(listing) > _LIST_BYTES:
                        break
            models = msgspec.json.decode(bytes(listing), type=_Models).data
        except Refused as refusal:
            raise failure_of(refusal, where=self._where) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise GeneratorFailed(f"{self._where} does not list its models", reason="model_failed") from None
        if not models:
            raise GeneratorFailed(f"{self._where} has no model; load one", reason="model_not_found", server_fault=False)
        return models[0].id

    def _give_way(self, refusal: Refused) -> bool:
        """Where the server refused an option that can be left out or called otherwise, do so from now on."""
        if refusal.status not in {400, 422}:
            return False
        if self._limit_name == "max_tokens" and "max_completion_tokens" in refusal.body:
            self._limit_name = "max_completion_tokens"
            return True
        refused = [name for name in self._options if name in refusal.body]
        for name in refused:
            del self._options[name]
        return bool(refused)


class _Pace:
    """How long is waited for what comes next, as long as the draft moves on."""

    def __init__(self, *, first: float, deadline: float, idle: float) -> None:
        self._until = first
        self._idle = idle
        self._deadline = deadline
        self._events = 0

    async def next(self, body: AsyncIterator[bytes], reader: ChatReader) -> bytes | None:
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


def _place(base_url: str) -> str:
    """The server's address as it may stand in a log."""
    parts = urlsplit(base_url)
    return f"the model's server at {parts.hostname}" + (f":{parts.port}" if parts.port else "")


def _client(base_url: str, api_key: str) -> AsyncOpenAI:
    import httpx2
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    try:
        httpx2.URL(base_url)
    except httpx2.InvalidURL as error:
        raise SettingsError(f"QA_LLM_BASE_URL is not the address of a server: {error}") from None
    transport = DefaultAsyncHttpxClient(
        follow_redirects=False,
        timeout=httpx2.Timeout(None, connect=_CONNECT_SECONDS),
        # A connection per draft: one that a server closed while it lay idle looks like a server that is down.
        limits=httpx2.Limits(max_keepalive_connections=0),
        event_hooks={"request": [_watch], "response": [_refuse]},
    )
    return AsyncOpenAI(
        base_url=base_url,
        # Servers at home want none, the SDK does.
        api_key=api_key or "none",
        max_retries=0,
        http_client=transport,
        # What bombs unpack to cannot be bounded where it is read.
        default_headers={"accept-encoding": "identity"},
    )


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
