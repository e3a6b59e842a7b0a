"""Drafts from Anthropic's Messages API, which reads sources as documents and says which one it cites.

The SDK builds and sends the request over our own `transport`; what comes back is read with bounds by
`MessagesReader`. A block of text brings its citations at any time before it ends; each becomes a marker behind the
block's last word, `[S2]` for the second document. That is a hint like any other marker: each sentence is checked, and
cited anew, by ourselves, and the words that the service says it cited are not read. The format:
https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from qa.errors import FallbackReason, GeneratorFailed, SettingsError
from qa.generators import Delta, Document, Finish, Message
from qa.generators.transport import EventStream, Pace, Refused, answered, error_code, garbage, place, transport

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

_ADDRESS = "https://api.anthropic.com"
_SDK = "anthropic>=2.14,<3"
"""As the extra `anthropic` of this package asks for it."""
_BYTES = 200_000
_BYTES_PER_TOKEN = 4_000
"""A streamed token takes some 200 bytes; each citation repeats the words that it cites."""
_THINKING_TOKENS = 1_024
"""For a model that cannot be kept from thinking, on top of what it may write."""
_LONGEST_TITLE = 200
_MOST_DOCUMENTS = 999
"""A marker's number has three digits at most."""
_ENDS: Mapping[str, Literal["stop", "length", "content_filter"]] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
_REASONS: Mapping[str, FallbackReason] = {
    "authentication_error": "model_unauthorised",
    "permission_error": "model_unauthorised",
    "not_found_error": "model_not_found",
    "rate_limit_error": "model_rate_limited",
    "overloaded_error": "model_overloaded",
    "timeout_error": "model_timed_out",
}


class AnthropicMessages:
    """One of Anthropic's models; belongs to one event loop."""

    reads_documents = True

    def __init__(self, *, base_url: str, api_key: str, model: str, context_tokens: int) -> None:
        """`base_url` may be empty: Anthropic's own.

        Imports the SDK, which takes a second: not on an event loop. Raises SettingsError where it is not installed, or
        for an unusable address.
        """
        self.model = model
        self.context_tokens = context_tokens
        self._where = place(base_url or _ADDRESS)
        self._client = _client(base_url or _ADDRESS, api_key)  # says so where the SDK is not installed
        from anthropic import AnthropicError

        self._answered = partial(answered, where=self._where, sdk_error=AnthropicError)
        self._messages: Any = self._client.messages.with_streaming_response
        # A draft is a few sentences close to the sources, and somebody waits for it.
        self._options: dict[str, Any] = {"thinking": {"type": "disabled"}}

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int, deadline: float
    ) -> AsyncGenerator[Delta | Finish, None]:
        """Stream a draft. Raises GeneratorFailed for whatever keeps the service from writing one."""
        pace = Pace(deadline=deadline)
        label = next((message.label for message in messages if message.documents), "")
        reader = MessagesReader(label=label, max_bytes=_BYTES + _BYTES_PER_TOKEN * max_tokens)
        async with self._answer(messages, max_tokens=max_tokens, deadline=pace.first) as body:
            while (data := await pace.next(body, reader)) is not None:
                for piece in reader.feed(data):
                    yield piece
        rest, finish = reader.finish()
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
            return self._messages.create(
                model=self.model,
                system="\n\n".join(message.content for message in messages if message.role == "system"),
                messages=[_sent(message) for message in messages if message.role != "system"],
                max_tokens=max_tokens + (0 if self._options else _THINKING_TOKENS),
                stream=True,
                **self._options,
            )

        return self._answered(request, give_way=self._give_way, deadline=deadline)

    def _give_way(self, refusal: Refused) -> bool:
        """Where the model refused an option that can be left out, leave it out from now on."""
        refused = [name for name in self._options if refusal.status == 400 and name in refusal.body]
        for name in refused:
            del self._options[name]
        return bool(refused)


def _sent(message: Message) -> dict[str, Any]:
    if not message.documents:
        return {"role": message.role, "content": message.content}
    documents = [_document(document) for document in message.documents]
    return {"role": message.role, "content": [*documents, {"type": "text", "text": message.content}]}


def _document(document: Document) -> dict[str, Any]:
    return {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": document.text},
        "title": document.title[:_LONGEST_TITLE],
        "context": document.about,
        "citations": {"enabled": True},
    }


def _client(base_url: str, api_key: str) -> AsyncAnthropic:
    try:
        from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient
    except ModuleNotFoundError as error:
        if error.name != "anthropic":
            raise
        raise SettingsError(
            f"QA_LLM_PROVIDER=anthropic needs Anthropic's SDK: {sys.executable} -m pip install '{_SDK}'"
        ) from None
    # On the level below it writes whole requests: the question and the articles.
    logging.getLogger("anthropic").setLevel(logging.INFO)
    return AsyncAnthropic(
        base_url=base_url,
        # A gateway may want none; without one the SDK would look for others in the environment.
        api_key=api_key or "none",
        max_retries=0,
        http_client=transport(base_url, kind=DefaultAsyncHttpxClient),
        open_telemetry=False,
        # What bombs unpack to cannot be bounded where it is read.
        default_headers={"accept-encoding": "identity"},
    )


class _Usage(msgspec.Struct, frozen=True):
    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def read(self) -> int:
        return sum(
            count or 0 for count in (self.input_tokens, self.cache_creation_input_tokens, self.cache_read_input_tokens)
        )


class _Cited(msgspec.Struct, frozen=True):
    document_index: int | None = None


class _Message(msgspec.Struct, frozen=True):
    usage: _Usage = _Usage()


class _Block(msgspec.Struct, frozen=True):
    type: str
    text: str = ""
    citations: list[_Cited] | None = None


class _Change(msgspec.Struct, frozen=True):
    """The `delta` of a block, or of the whole message."""

    type: str = ""
    text: str = ""
    citation: _Cited | None = None
    stop_reason: str | None = None


class _Event(msgspec.Struct, frozen=True):
    type: str
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Change | None = None
    usage: _Usage | None = None


class MessagesReader:
    """Reads the body of one message as it arrives."""

    def __init__(self, *, label: str, max_bytes: int) -> None:
        """`label` begins every marker; empty where no documents were sent. `max_bytes` bounds the whole body."""
        self._label = label
        self._left = max_bytes
        self._stream = EventStream()
        self._cited: dict[int, None] = {}
        self._space = ""
        """White space at the end of what the block wrote so far; a marker comes before it."""
        self._stop = ""
        self._read = self._written = 0
        self._begun = self._wrote = self._called = False
        self.complete = False
        """The end was announced; nothing after it is read."""
        self.events = 0
        """How many came that are not there to keep the line open."""

    @property
    def stopped(self) -> bool:
        """The model has finished."""
        return bool(self._stop)

    def feed(self, data: bytes) -> list[Delta]:
        """Take bytes in. Raises GeneratorFailed for anything that is no stream of a message."""
        self._left -= len(data)
        if self._left < 0:
            raise garbage("it sends far more than the draft it was asked for")
        return self._pieces(self._stream.feed(data))

    def finish(self) -> tuple[list[Delta], Finish]:
        """The body has ended. Raises GeneratorFailed where it was cut, or nothing was written."""
        pieces = self._pieces(self._stream.finish())
        if not self.stopped:
            raise garbage("the answer was cut before its end" if self._begun else "the answer is empty")
        reason = _ENDS.get(self._stop, "stop")
        if not self._wrote and reason != "content_filter":
            raise garbage("it called a tool instead of writing" if self._called else "it wrote nothing")
        return pieces, Finish(reason=reason, prompt_tokens=self._read, completion_tokens=self._written)

    def _pieces(self, events: Iterable[bytes]) -> list[Delta]:
        texts = [self._event(data) for data in events if not self.complete]
        return [Delta(text) for text in texts if text]

    def _event(self, data: bytes) -> str:
        """What an event adds to the draft."""
        try:
            event = msgspec.json.decode(data, type=_Event)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise garbage("an event is not the JSON of a message") from None
        if event.type == "error":
            raise _reported(error_code(data))
        if event.type == "ping":
            return ""
        self.events += 1
        self._begun = True
        self._count((event.message and event.message.usage) or event.usage)
        match event.type:
            case "content_block_start" if event.content_block:
                return self._block(event.content_block)
            case "content_block_delta" if event.delta:
                return self._change(event.delta)
            case "content_block_stop":
                return self._markers()
            case "message_delta" if event.delta:
                self._stop = event.delta.stop_reason or self._stop
            case "message_stop":
                self.complete = True
        return ""

    def _block(self, block: _Block) -> str:
        before = self._markers()
        self._called = self._called or block.type.endswith("tool_use")
        self._cite(block.citations or [])
        return before + (self._text(block.text) if block.type == "text" else "")

    def _change(self, change: _Change) -> str:
        if change.type == "citations_delta" and change.citation:
            self._cite([change.citation])
        return self._text(change.text) if change.type == "text_delta" else ""

    def _text(self, text: str) -> str:
        whole = self._space + text
        written = whole.rstrip()
        self._space = whole[len(written) :]
        self._wrote = self._wrote or bool(written)
        return written

    def _cite(self, citations: Iterable[_Cited]) -> None:
        for citation in citations:
            index = citation.document_index
            # One that names no document that was sent is handed on, so that it is reported.
            if index is not None and 0 <= index < _MOST_DOCUMENTS:
                self._cited[index] = None

    def _markers(self) -> str:
        """The markers of the block that ends here, and the white space that it ended with."""
        marks = "".join(f" [{self._label}{index + 1}]" for index in self._cited) if self._label and self._wrote else ""
        space, self._space = self._space, ""
        self._cited.clear()
        return marks + space

    def _count(self, usage: _Usage | None) -> None:
        if usage is not None:
            self._read = max(usage.read, self._read)
            self._written = max(usage.output_tokens or 0, self._written)


def _reported(code: str) -> GeneratorFailed:
    said = f" ({code})" if code else ""
    reason = _REASONS.get(code, "model_failed")
    return GeneratorFailed(
        f"the model's server reports an error{said}",
        reason=reason,
        server_fault=reason not in {"model_unauthorised", "model_not_found"},
    )
