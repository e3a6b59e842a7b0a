"""An answer as a chat completion, whole or as the chunks of a stream."""

import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Literal

import msgspec

from qa.server.http.sse import Message
from qa.server.openai import About, Link, Piece, Tokens, about, joined


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


class _NumberedAnnotation(Annotation, frozen=True, kw_only=True):
    """In a chunk each has its place in the whole list: OpenAI's own client puts the lists of chunks together by it."""

    index: int


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
    """Tokens of the language model behind the answer; where none was asked, of the messages and the answer."""

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
    annotations: tuple[_NumberedAnnotation, ...] = ()


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


def completion(piece: Piece, tokens: Tokens, *, model: str, note: str | None) -> ChatCompletion:
    """The whole answer at once."""
    message = ChatMessage(content=piece.text, annotations=_annotations(piece.links))
    return ChatCompletion(
        id=_new_id(),
        created=int(time.time()),
        model=model,
        choices=(ChatChoice(message=message),),
        usage=_usage(tokens),
        sourceline=about(piece.answer, note=note),
    )


async def chunks(
    found: AsyncGenerator[Piece, None],
    *,
    model: str,
    note: str | None,
    count: Callable[[Piece], Awaitable[Tokens]] | None,
) -> AsyncGenerator[Message, None]:
    """The answer as it is made: a chunk that opens it, one per sentence, one that ends it; with `count`, the usage."""
    name, created = _new_id(), int(time.time())
    usage: msgspec.UnsetType | None = None if count else msgspec.UNSET
    every: list[Piece] = []

    def chunk(delta: _Delta, finish: Literal["stop"] | None = None) -> Message:
        said = about(every[-1].answer, note=note) if finish and every else None
        choices = (_ChunkChoice(delta=delta, finish_reason=finish),)
        return _message(
            _Chunk(
                id=name, created=created, model=model, choices=choices, usage=usage, sourceline=said or msgspec.UNSET
            )
        )

    async with aclosing(found):
        async for piece in found:
            if not every:
                yield chunk(_Delta(role="assistant", content=""))
            if piece.text or piece.links:
                before = sum(len(one.links) for one in every)
                yield chunk(_Delta(content=piece.text, annotations=_numbered(piece.links, start=before)))
            every.append(piece)
    yield chunk(_Delta(), finish="stop")
    if count:
        tokens = _usage(await count(joined(every)))
        yield _message(_Chunk(id=name, created=created, model=model, choices=(), usage=tokens))
    yield Message(data=b"[DONE]")


def _message(value: _Chunk) -> Message:
    return Message(data=msgspec.json.encode(value))


def _annotations(links: tuple[Link, ...]) -> tuple[Annotation, ...]:
    return tuple(Annotation(url_citation=_cited(one)) for one in links)


def _numbered(links: tuple[Link, ...], *, start: int) -> tuple[_NumberedAnnotation, ...]:
    return tuple(_NumberedAnnotation(url_citation=_cited(one), index=place) for place, one in enumerate(links, start))


def _cited(link: Link) -> UrlCitation:
    return UrlCitation(url=link.url, title=link.title, start_index=link.start, end_index=link.end)


def _usage(tokens: Tokens) -> ChatUsage:
    total = tokens.read + tokens.written
    return ChatUsage(prompt_tokens=tokens.read, completion_tokens=tokens.written, total_tokens=total)


def _new_id() -> str:
    return f"chatcmpl-{uuid.uuid4().hex}"
