"""Drafts from any server that speaks OpenAI's chat completions: Ollama, vLLM, llama.cpp, LM Studio, OpenAI.

The SDK builds and sends the request over our own `transport`; what comes back is read with bounds by `ChatReader`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from qa.errors import GeneratorFailed
from qa.generators.chat_stream import ChatReader
from qa.generators.generator import Delta, Finish, Message
from qa.generators.provider_errors import Refused
from qa.generators.transport import Pace, answered, place, transport

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["OpenAICompatible"]

_BYTES = 200_000
_BYTES_PER_TOKEN = 4_000
"""A streamed token takes some 300 bytes."""
_LIST_BYTES = 2_000_000


class _Listed(msgspec.Struct, frozen=True):
    id: str


class _Models(msgspec.Struct, frozen=True):
    data: list[_Listed]


class OpenAICompatible:
    """One model of one server; belongs to one event loop."""

    reads_documents = False

    def __init__(self, *, base_url: str, api_key: str, model: str, context_tokens: int) -> None:
        """`model` may be empty: the first one the server lists is asked then.

        Imports the SDK, which takes a second: not on an event loop. Raises SettingsError for an unusable address.
        """
        self._configured = model
        self._found = ""
        self._context_tokens = context_tokens
        self._where = place(base_url)
        self._client = _client(base_url, api_key)
        self._answered = partial(answered, where=self._where, sdk_error=_sdk_error())
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
        pace = Pace(deadline=deadline)
        if not self.model:
            self._found = await self._first_model(pace.first)
        reader = ChatReader(max_bytes=_BYTES + _BYTES_PER_TOKEN * max_tokens)
        try:
            async with self._answer(messages, max_tokens=max_tokens, deadline=pace.first) as body:
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

    def _answer(
        self, messages: Sequence[Message], *, max_tokens: int, deadline: float
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Send the request; give the body of the answer once its head is there. Closing it closes the connection."""

        def request() -> Any:
            return self._completions.create(
                model=self.model,
                messages=[{"role": message.role, "content": message.content} for message in messages],
                stream=True,
                **self._options,
                **{self._limit_name: max_tokens},
            )

        return self._answered(request, give_way=self._give_way, deadline=deadline)

    async def _first_model(self, deadline: float) -> str:
        listing = bytearray()
        listed = self._answered(self._models.list, give_way=lambda _: False, deadline=deadline)
        try:
            async with listed as body, asyncio.timeout_at(deadline):
                async for data in body:
                    listing += data
                    if len(listing) > _LIST_BYTES:
                        break
            models = msgspec.json.decode(bytes(listing), type=_Models).data
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


def _sdk_error() -> type[Exception]:
    from openai import OpenAIError

    return OpenAIError


def _client(base_url: str, api_key: str) -> AsyncOpenAI:
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    return AsyncOpenAI(
        base_url=base_url,
        # Servers at home want none, the SDK does.
        api_key=api_key or "none",
        max_retries=0,
        http_client=transport(base_url, kind=DefaultAsyncHttpxClient),
        # What bombs unpack to cannot be bounded where it is read.
        default_headers={"accept-encoding": "identity"},
    )
