"""`POST /v1/chat/completions` and `POST /v1/responses`: the service's answers for OpenAI's clients."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from qa.server.callers import Caller
from qa.server.connection import WhileConnected
from qa.server.levels import ASKING_WITH_A_KEY
from qa.server.openai_wire import chat, responses
from qa.server.openai_wire.addresses import address_of
from qa.server.openai_wire.cited_text import CitedText, Piece, fold, pieces
from qa.server.openai_wire.described import errors
from qa.server.openai_wire.envelope import failure
from qa.server.openai_wire.requests import Asked, ChatRequest, ResponsesRequest, asked_in_chat, asked_in_responses
from qa.server.openai_wire.tasks import task_pieces
from qa.server.openapi import BODY, WORK
from qa.server.service import Service
from qa.server.sse import EventStream, Message

__all__ = ["create_chat_completion", "create_response"]

_WRONG = (*BODY, *WORK, "invalid-request", "invalid-question", "not-found", "deadline-exceeded")


_answering = partial(post, status_code=200, tags=["openai"], responses=errors(*_WRONG), opt=ASKING_WITH_A_KEY)


@_answering(
    "/chat/completions",
    operation_id="create_chat_completion",
    summary="Answer the last message of a chat",
    response_description="The answer, its citations as annotations. With `stream`, a `text/event-stream` of chunks.",
)
async def create_chat_completion(
    data: JSONBody[ChatRequest],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
) -> Response[chat.ChatCompletion]:
    """The last message of the user is the question, those before it are the conversation; the rest is let pass.

    An annotation's `url` opens the article at the cited words. Offsets are in Unicode code points.
    """
    usage = bool(data.stream_options and data.stream_options.include_usage)
    chunks = partial(chat.chunks, model=data.model, include_usage=usage) if data.stream else None
    found = _pieces(asked_in_chat(data), service, caller=caller, request=request)
    return _sent(found, whole=partial(chat.completion, model=data.model), streamed=chunks, request=request)


@_answering(
    "/responses",
    operation_id="create_response",
    summary="Answer the last message of the input",
    response_description="The answer, its citations as annotations. With `stream`, a `text/event-stream` of events.",
)
async def create_response(
    data: JSONBody[ResponsesRequest],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
) -> Response[responses.Response]:
    """As `POST /v1/chat/completions`, in OpenAI's newer format. Responses are not kept."""
    failed = partial(failure, request)
    events = partial(responses.events, model=data.model, failure=lambda error: failed(error).error)
    found = _pieces(asked_in_responses(data), service, caller=caller, request=request)
    whole = partial(responses.response, model=data.model)
    return _sent(found, whole=whole, streamed=events if data.stream else None, request=request)


def _pieces(
    asked: Asked, service: Service, *, caller: Caller, request: Request[Any, Any, Any]
) -> AsyncGenerator[Piece, None]:
    """The answer's text as it is made; nothing is done before the first piece is asked for."""
    if asked.task is not None:
        return task_pieces(asked.task)
    address = partial(address_of, base_url=str(request.base_url))
    events = service.events(asked.question, owner=caller.owner, turns=asked.turns)
    return pieces(events, CitedText(address=address, in_text=asked.way.links))


def _sent(
    found: AsyncGenerator[Piece, None],
    *,
    whole: Callable[[Piece], Any],
    streamed: Callable[[AsyncGenerator[Piece, None]], AsyncGenerator[Message, None]] | None,
    request: Request[Any, Any, Any],
) -> Response[Any]:
    """The answer at once, or as it is made; left, in either case, as soon as the client leaves."""
    if streamed is None:
        return WhileConnected(partial(_folded, found, whole))
    return EventStream(streamed(found), failure=partial(_failure, request))


async def _folded(found: AsyncGenerator[Piece, None], whole: Callable[[Piece], Any]) -> Any:
    return whole(await fold(found))


def _failure(request: Request[Any, Any, Any], error: Exception) -> Message:
    return Message(data=msgspec.json.encode(failure(request, error)))
