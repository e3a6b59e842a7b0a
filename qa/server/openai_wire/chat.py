"""An answer as a chat completion, whole or as the chunks of a stream."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal

import msgspec

from qa.server.openai_wire.about import About, about
from qa.server.openai_wire.cited_text import Link, Piece
from qa.server.sse import Message
from qa.types import Answer

__all__ = [
    "Annotation",
    "ChatChoice",
    "ChatCompletion",
    "ChatMessage",
    "ChatUsage",
    "UrlCitation",
    "chunks",
    "completion",
]


class UrlCitation(msgspec.Struct, frozen=True, kw_only=True):
    """A link for the words `content[start_index:end_index]`, in code points; `url` opens the article at the source."""

    url: str
    title: str
    start_index: int
    end_index: int


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """One citation."""

    url_citation: UrlCitation
    type: Literal["url_citation"] = "url_citation"


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The answer."""

    content: str
    annotations: tuple[Annotation, ...] = ()
    role: Literal["assistant"] = "assistant"
    refusal: None = None


class ChatChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The one choice there is."""

    message: ChatMessage
    index: int = 0
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class ChatUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of the language model behind the answer; none where no model was asked."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCompletion(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST /v1/chat/completions` gives."""

    id: str
    created: int
    model: str
    choices: tuple[ChatChoice, ...]
    usage: ChatUsage
    object: Literal["chat.completion"] = "chat.completion"
    sourceline: About | None = None
    """Our own addition."""


class _Delta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    role: str | None = None
    content: str | None = None
    annotations: tuple[Annotation, ...] = ()


class _ChunkChoice(msgspec.Struct, frozen=True, kw_only=True):
    delta: _Delta
    index: int = 0
    finish_reason: Literal["stop"] | None = None
    logprobs: None = None


class _Chunk(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    created: int
    model: str
    choices: tuple[_ChunkChoice, ...]
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    usage: ChatUsage | msgspec.UnsetType | None = msgspec.UNSET
    sourceline: About | msgspec.UnsetType = msgspec.UNSET


def completion(piece: Piece, *, model: str) -> ChatCompletion:
    """The whole answer at once."""
    message = ChatMessage(content=piece.text, annotations=_annotations(piece.links))
    return ChatCompletion(
        id=_new_id(),
        created=int(time.time()),
        model=model,
        choices=(ChatChoice(message=message),),
        usage=_usage(piece.answer),
        sourceline=about(piece.answer),
    )


async def chunks(
    found: AsyncGenerator[Piece, None], *, model: str, include_usage: bool
) -> AsyncGenerator[Message, None]:
    """The answer as it is made: a chunk that opens it, one per sentence, one that ends it, perhaps the usage."""
    name, created, answer = _new_id(), int(time.time()), None
    usage: msgspec.UnsetType | None = None if include_usage else msgspec.UNSET
    begun = False

    def chunk(delta: _Delta, finish: Literal["stop"] | None = None) -> Message:
        said = about(answer) if finish else None
        choices = (_ChunkChoice(delta=delta, finish_reason=finish),)
        return _message(
            _Chunk(
                id=name,
                created=created,
                model=model,
                choices=choices,
                usage=usage,
                sourceline=said or msgspec.UNSET,
            )
        )

    async with aclosing(found):
        async for piece in found:
            if not begun:
                begun = True
                yield chunk(_Delta(role="assistant", content=""))
            answer = piece.answer or answer
            if piece.text or piece.links:
                yield chunk(_Delta(content=piece.text, annotations=_annotations(piece.links)))
    yield chunk(_Delta(), finish="stop")
    if include_usage:
        yield _message(_Chunk(id=name, created=created, model=model, choices=(), usage=_usage(answer)))
    yield Message(data=b"[DONE]")


def _message(value: _Chunk) -> Message:
    return Message(data=msgspec.json.encode(value))


def _annotations(links: tuple[Link, ...]) -> tuple[Annotation, ...]:
    return tuple(
        Annotation(url_citation=UrlCitation(url=one.url, title=one.title, start_index=one.start, end_index=one.end))
        for one in links
    )


def _usage(answer: Answer | None) -> ChatUsage:
    prompt, written = (answer.usage.prompt_tokens, answer.usage.completion_tokens) if answer else (0, 0)
    return ChatUsage(prompt_tokens=prompt, completion_tokens=written, total_tokens=prompt + written)


def _new_id() -> str:
    return f"chatcmpl-{uuid.uuid4().hex}"
