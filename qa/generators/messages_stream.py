"""Takes the bytes of a streamed Anthropic message, gives the pieces of the draft, its native citations as our markers.

A block of text brings its citations at any time before it ends; each becomes a marker behind the block's last word,
`[S2]` for the second document. The words that the service says it cited are not read: our own checker finds them.
The format: https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from qa.errors import GeneratorFailed
from qa.generators.chat_stream import error_code
from qa.generators.events import EventStream, garbage
from qa.generators.generator import Delta, Finish
from qa.types import FallbackReason

__all__ = ["MessagesReader"]

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
