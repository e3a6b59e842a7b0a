"""An answer as a response of OpenAI's newer format, whole or as the events of a stream."""

import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any, Literal

import msgspec

from qa.server.http.sse import Message
from qa.server.openai import About, ErrorBody, Link, Piece, Tokens, about, joined

Status = Literal["in_progress", "completed"]


class UrlAnnotation(msgspec.Struct, frozen=True, kw_only=True):
    """A link for the words `text[start_index:end_index]`, in code points; `url` opens the article at the source."""

    url: str
    title: str
    start_index: int
    end_index: int
    type: Literal["url_citation"] = "url_citation"


class OutputText(msgspec.Struct, frozen=True, kw_only=True):
    """The text of the answer."""

    text: str
    annotations: tuple[UrlAnnotation, ...] = ()
    logprobs: tuple[str, ...] = ()
    type: Literal["output_text"] = "output_text"


class OutputMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The one message there is."""

    id: str
    status: Status
    content: tuple[OutputText, ...]
    role: Literal["assistant"] = "assistant"
    type: Literal["message"] = "message"


class CachedTokens(msgspec.Struct, frozen=True, kw_only=True):
    """Always none."""

    cached_tokens: int = 0


class ReasoningTokens(msgspec.Struct, frozen=True, kw_only=True):
    """Always none."""

    reasoning_tokens: int = 0


class ResponseUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of the language model behind the answer; where none was asked, of the messages and the answer."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_tokens_details: CachedTokens = CachedTokens()
    output_tokens_details: ReasoningTokens = ReasoningTokens()


class TextFormat(msgspec.Struct, frozen=True, kw_only=True):
    """Always plain text."""

    type: Literal["text"] = "text"


class TextOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the text is written."""

    format: TextFormat = TextFormat()


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST /v1/responses` gives."""

    id: str
    created_at: int
    status: Status
    model: str
    output: tuple[OutputMessage, ...] = ()
    usage: ResponseUsage | None = None
    object: Literal["response"] = "response"
    error: None = None
    incomplete_details: None = None
    instructions: None = None
    metadata: dict[str, str] = {}
    parallel_tool_calls: bool = False
    previous_response_id: None = None
    store: bool = False
    temperature: None = None
    text: TextOptions = TextOptions()
    tool_choice: Literal["none"] = "none"
    tools: tuple[str, ...] = ()
    top_p: None = None
    truncation: Literal["disabled"] = "disabled"
    sourceline: About | None = None
    """Our own addition."""


def response(piece: Piece, tokens: Tokens, *, model: str, note: str | None) -> Response:
    """The whole answer at once."""
    return _finished(_opened(model), _message_id(), piece, tokens=tokens, note=note)


async def events(
    found: AsyncGenerator[Piece, None],
    *,
    model: str,
    note: str | None,
    count: Callable[[Piece], Awaitable[Tokens]],
    failure: Callable[[Exception], ErrorBody],
) -> AsyncGenerator[Message, None]:
    """The answer as it is made: opened, its text and annotations as they come, and closed with all of it.

    What is raised before the first piece is left to the caller; later, `failure` says what it was in a last event.
    """
    stream = _Stream(_opened(model))
    every: list[Piece] = []
    try:
        async with aclosing(found):
            async for piece in found:
                if not every:
                    for message in stream.open():
                        yield message
                every.append(piece)
                for message in stream.piece(piece):
                    yield message
    except Exception as error:
        if not every:
            raise
        yield stream.fail(failure(error))
        return
    whole = joined(every)
    for message in stream.close(whole, tokens=await count(whole), note=note):
        yield message


class _Stream:
    """Numbers the events of one response."""

    def __init__(self, opened: Response) -> None:
        self._opened = opened
        self._item = _message_id()
        self._number = 0
        self._annotations = 0

    def open(self) -> Iterator[Message]:
        """The response, its message and the message's text begin."""
        begun = OutputMessage(id=self._item, status="in_progress", content=())
        yield self._event("response.created", response=self._opened)
        yield self._event("response.in_progress", response=self._opened)
        yield self._event("response.output_item.added", output_index=0, item=begun)
        yield self._of_text("response.content_part.added", part=OutputText(text=""))

    def piece(self, piece: Piece) -> Iterator[Message]:
        """More text, then the links that came with it."""
        if piece.text:
            yield self._of_text("response.output_text.delta", delta=piece.text, logprobs=())
        for one in _annotations(piece.links):
            kind = "response.output_text.annotation.added"
            yield self._of_text(kind, annotation=one, annotation_index=self._annotations)
            self._annotations += 1

    def close(self, whole: Piece, *, tokens: Tokens, note: str | None) -> Iterator[Message]:
        """Everything once more, complete."""
        finished = _finished(self._opened, self._item, whole, tokens=tokens, note=note)
        (item,) = finished.output
        yield self._of_text("response.output_text.done", text=whole.text, logprobs=())
        yield self._of_text("response.content_part.done", part=item.content[0])
        yield self._event("response.output_item.done", output_index=0, item=item)
        yield self._event("response.completed", response=finished)

    def fail(self, error: ErrorBody) -> Message:
        """What went wrong in the middle."""
        return self._event("error", code=error.code, message=error.message, param=error.param)

    def _of_text(self, kind: str, **more: object) -> Message:
        return self._event(kind, item_id=self._item, output_index=0, content_index=0, **more)

    def _event(self, kind: str, **fields: object) -> Message:
        body: dict[str, Any] = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return Message(event=kind, data=msgspec.json.encode(body))


def _opened(model: str) -> Response:
    return Response(id=f"resp_{uuid.uuid4().hex}", created_at=int(time.time()), status="in_progress", model=model)


def _finished(opened: Response, item: str, piece: Piece, *, tokens: Tokens, note: str | None) -> Response:
    text = OutputText(text=piece.text, annotations=_annotations(piece.links))
    message = OutputMessage(id=item, status="completed", content=(text,))
    return msgspec.structs.replace(
        opened, status="completed", output=(message,), usage=_usage(tokens), sourceline=about(piece.answer, note=note)
    )


def _annotations(links: tuple[Link, ...]) -> tuple[UrlAnnotation, ...]:
    return tuple(UrlAnnotation(url=one.url, title=one.title, start_index=one.start, end_index=one.end) for one in links)


def _usage(tokens: Tokens) -> ResponseUsage:
    total = tokens.read + tokens.written
    return ResponseUsage(input_tokens=tokens.read, output_tokens=tokens.written, total_tokens=total)


def _message_id() -> str:
    return f"msg_{uuid.uuid4().hex}"
