"""Takes the bytes of a chat completion, whole or streamed, gives the pieces of the draft; whatever is wrong is said so.

Servers differ in what they leave out, so little is demanded; but what is there must have the right type, and a stream
must have an end. The format: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from qa.generators.events import EventStream, garbage
from qa.generators.generator import Delta, Finish

__all__ = ["ChatReader", "error_code"]

_CODE = re.compile(r"[\w.:-]{1,60}")
_LENGTH = frozenset({"length", "max_tokens"})
_TOOLS = frozenset({"tool_calls", "function_call"})


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


class _Error(msgspec.Struct, frozen=True):
    code: str | int | None = None
    type: str | None = None


class _Enveloped(msgspec.Struct, frozen=True):
    error: _Error


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
            self._buffer = self._buffer.removeprefix(b"\xef\xbb\xbf").lstrip()
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
            reason=reason,
            prompt_tokens=max(usage.prompt_tokens, 0),
            completion_tokens=max(usage.completion_tokens, 0),
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


def _said(code: str) -> str:
    return f" ({code})" if code else ""
