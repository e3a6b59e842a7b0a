"""Drafts from any server with OpenAI's chat completions: Ollama, vLLM, llama.cpp, LM Studio, OpenAI.

The SDK builds and sends the request over our own `transport`; what comes back, whole or streamed, is read with bounds
by `ChatReader`. Servers differ in what they leave out, so little is demanded; but what is there must have the right
type, and a stream must have an end. The format: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

import asyncio
from codecs import BOM_UTF8
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from qa.errors import GeneratorFailed
from qa.generators import Delta, Finish, Message
from qa.generators.transport import EventStream, Pace, Refused, answered, error_code, garbage, place, transport

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_BYTES = 200_000
_BYTES_PER_TOKEN = 4_000
"""A streamed token takes some 300 bytes."""
_LIST_BYTES = 2_000_000
_LENGTH = frozenset({"length", "max_tokens"})
_TOOLS = frozenset({"tool_calls", "function_call"})


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
        from openai import OpenAIError

        self._configured = model
        self._found = ""
        self.context_tokens = context_tokens
        self._where = place(base_url)
        self._client = _client(base_url, api_key)
        self._answered = partial(answered, where=self._where, sdk_error=OpenAIError)
        self._completions: Any = self._client.chat.completions.with_streaming_response
        self._models: Any = self._client.models.with_streaming_response
        self._options: dict[str, Any] = {"temperature": 0, "stream_options": {"include_usage": True}}
        self._limit_name = "max_tokens"

    @property
    def model(self) -> str:
        """Name of the model; empty until the server was asked for it, where none is configured."""
        return self._configured or self._found

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


class _Part(msgspec.Struct, frozen=True):
    text: str = ""


class _Said(msgspec.Struct, frozen=True):
    """`delta` of a stream, `message` of a whole answer; calls of tools are not read."""

    content: str | list[_Part] | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Chunk(msgspec.Struct, frozen=True):
    choices: list[_Choice] | msgspec.UnsetType | None = msgspec.UNSET
    usage: _Usage | None = None
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class ChatReader:
    """Reads the body of one completion as it arrives."""

    def __init__(self, *, max_bytes: int) -> None:
        """`max_bytes` bounds the whole body, and with it what is kept in memory."""
        self._left = max_bytes
        self._buffer = bytearray()
        """What came, until its form is known; of a whole answer, all of it."""
        self._form: Literal["unknown", "events", "whole"] = "unknown"
        self._stream = EventStream(done=b"[DONE]")
        self._finish = ""
        self._usage = _Usage()
        self._wrote = self._called = self._refused = False
        self._whole = False
        self.events = 0
        """How many came, whole; grows as the draft does."""

    @property
    def complete(self) -> bool:
        """The end of the stream was announced; nothing after it is read."""
        return self._whole or self._stream.done

    @property
    def stopped(self) -> bool:
        """The model has finished; at most the count of tokens is still to come."""
        return bool(self._finish)

    def feed(self, data: bytes) -> list[Delta]:
        """Take bytes in. Raises GeneratorFailed for anything that is no chat completion."""
        self._left -= len(data)
        if self._left < 0:
            raise garbage("it sends far more than the draft it was asked for")
        if self._form == "events":
            return self._pieces(self._stream.feed(data))
        self._buffer += data
        if self._form == "unknown":
            self._buffer = self._buffer.removeprefix(BOM_UTF8).lstrip()
            if self._buffer and not self._buffer.startswith(b"{"):
                self._form = "events"
                return self._pieces(self._stream.feed(bytes(self._buffer)))
            self._form = "whole" if self._buffer else "unknown"
        return []

    def finish(self) -> tuple[list[Delta], Finish]:
        """The body has ended: what was still held back, and the end. Raises GeneratorFailed where it was cut."""
        pieces: list[Delta] = []
        if self._form == "whole":
            pieces = self._chunk(bytes(self._buffer))
            self._whole = True
        else:
            pieces = self._pieces(self._stream.finish())
        if not (self.complete or self.stopped):
            raise garbage("the answer was cut before its end" if self._form != "unknown" else "the answer is empty")
        if self._refused or self._finish == "content_filter":
            reason: Literal["stop", "length", "content_filter"] = "content_filter"
        elif not self._wrote:
            raise garbage("it called a tool instead of writing" if self._called else "it wrote nothing")
        else:
            reason = "length" if self._finish in _LENGTH else "stop"
        usage = self._usage
        return pieces, Finish(
            reason=reason, prompt_tokens=max(usage.prompt_tokens, 0), completion_tokens=max(usage.completion_tokens, 0)
        )

    def _pieces(self, events: Iterable[bytes]) -> list[Delta]:
        pieces = []
        for data in events:
            self.events += 1
            pieces += self._chunk(data)
        return pieces

    def _chunk(self, data: bytes) -> list[Delta]:
        try:
            chunk = msgspec.json.decode(data, type=_Chunk)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise garbage("an event is not the JSON of a chat completion") from None
        if not isinstance(chunk.error, msgspec.UnsetType) and bytes(chunk.error) != b"null":
            raise garbage(f"it reports an error{_said(error_code(data))}")
        if isinstance(chunk.choices, msgspec.UnsetType) and chunk.usage is None:
            raise garbage("an event has neither choices nor usage")
        self._usage = chunk.usage or self._usage
        choices = chunk.choices if isinstance(chunk.choices, list) else []
        return self._choice(choices[0]) if choices and not self.stopped else []

    def _choice(self, choice: _Choice) -> list[Delta]:
        said = choice.delta or choice.message or _Said()
        if choice.finish_reason == "error":
            raise garbage("it gave up in the middle")
        self._finish = choice.finish_reason or ""
        self._called = self._called or self._finish in _TOOLS
        self._refused = self._refused or bool(said.refusal)
        content = said.content or ""
        text = content if isinstance(content, str) else "".join(part.text for part in content)
        self._wrote = self._wrote or bool(text.strip())
        return [Delta(text)] if text else []


def _said(code: str) -> str:
    return f" ({code})" if code else ""
