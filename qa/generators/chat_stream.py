"""Takes the bytes of a chat completion, whole or streamed, gives the pieces of the draft; whatever is wrong is said so.

Servers differ in what they leave out, so little is demanded; but what is there must have the right type, and a stream
must have an end. The format: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from qa.errors import GeneratorFailed
from qa.generators.protocol import Delta, Finish

__all__ = ["ChatReader", "error_code"]

_DONE = b"[DONE]"
_FIELDS = frozenset({b"data", b"event", b"id", b"retry", b""})
_DOUBLED_PAIRS = 4
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
        self._data: list[bytes] = []
        self._form: Literal["unknown", "events", "whole"] = "unknown"
        self._doubled = _Doubled()
        self._finish = ""
        self._usage = _Usage()
        self._wrote = self._called = self._refused = False
        self.complete = False
        """The end of the stream was announced; nothing after it is read."""
        self.events = 0
        """How many came, whole; grows as the draft does."""

    @property
    def stopped(self) -> bool:
        """The model has finished; at most the count of tokens is still to come."""
        return bool(self._finish)

    def feed(self, data: bytes) -> list[Delta]:
        """Take bytes in. Raises GeneratorFailed for anything that is no chat completion."""
        self._left -= len(data)
        if self._left < 0:
            raise _garbage("it sends far more than the draft it was asked for")
        self._buffer += data
        if self._form == "unknown":
            self._buffer = self._buffer.removeprefix(b"\xef\xbb\xbf").lstrip()
            if not self._buffer:
                return []
            self._form = "whole" if self._buffer.startswith(b"{") else "events"
            data = bytes(self._buffer)
        return self._events() if self._form == "events" and b"\n" in data else []

    def finish(self) -> tuple[list[Delta], Finish]:
        """The body has ended: what was still held back, and the end. Raises GeneratorFailed where it was cut."""
        pieces: list[Delta] = []
        if self._form == "whole":
            pieces = self._chunk(bytes(self._buffer))
            self.complete = True
        elif not self.complete:
            pieces = self._line(bytes(self._buffer)) + self._line(b"")
        if not (self.complete or self.stopped):
            raise _garbage("the answer was cut before its end" if self._form != "unknown" else "the answer is empty")
        if self._doubled.certain(at_end=True):
            raise _garbage("every event comes twice")
        if self._refused or self._finish == "content_filter":
            reason: Literal["stop", "length", "content_filter"] = "content_filter"
        elif not self._wrote:
            raise _garbage("it called a tool instead of writing" if self._called else "it wrote nothing")
        else:
            reason = "length" if self._finish in _LENGTH else "stop"
        usage = self._usage
        return pieces, Finish(
            reason=reason,
            prompt_tokens=max(usage.prompt_tokens, 0),
            completion_tokens=max(usage.completion_tokens, 0),
        )

    def _events(self) -> list[Delta]:
        complete, _, rest = bytes(self._buffer).rpartition(b"\n")
        self._buffer = bytearray(rest)
        pieces = []
        for line in complete.split(b"\n"):
            if not self.complete:
                pieces += self._line(line.removesuffix(b"\r"))
        return pieces

    def _line(self, line: bytes) -> list[Delta]:
        """One line of the event stream; an empty one ends an event."""
        if not line:
            data, self._data = b"\n".join(self._data), []
            return self._event(data) if data else []
        name, _, value = line.partition(b":")
        if name == b"error":
            return self._event(b'{"error":' + value + b"}")  # llama.cpp's way of failing in mid-stream
        if name not in _FIELDS:
            raise _garbage("it is no event stream")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        return []

    def _event(self, data: bytes) -> list[Delta]:
        if data.strip() == _DONE:
            self.complete = True
            return []
        self._doubled.see(data)
        if self._doubled.certain():
            raise _garbage("every event comes twice")
        self.events += 1
        return self._chunk(data)

    def _chunk(self, data: bytes) -> list[Delta]:
        try:
            chunk = msgspec.json.decode(data, type=_Chunk)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise _garbage("an event is not the JSON of a chat completion") from None
        if not isinstance(chunk.error, msgspec.UnsetType) and bytes(chunk.error) != b"null":
            raise _garbage(f"it reports an error{_said(error_code(data))}")
        if isinstance(chunk.choices, msgspec.UnsetType) and chunk.usage is None:
            raise _garbage("an event has neither choices nor usage")
        self._usage = chunk.usage or self._usage
        choices = chunk.choices if isinstance(chunk.choices, list) else []
        return self._choice(choices[0]) if choices and not self.stopped else []

    def _choice(self, choice: _Choice) -> list[Delta]:
        said = choice.delta or choice.message or _Said()
        if choice.finish_reason == "error":
            raise _garbage("it gave up in the middle")
        self._finish = choice.finish_reason or ""
        self._called = self._called or self._finish in _TOOLS
        self._refused = self._refused or bool(said.refusal)
        content = said.content or ""
        text = content if isinstance(content, str) else "".join(part.text for part in content)
        self._wrote = self._wrote or bool(text.strip())
        return [Delta(text)] if text else []


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


def _garbage(what: str) -> GeneratorFailed:
    return GeneratorFailed(f"the model's server sent something unusable: {what}", reason="model_failed")
