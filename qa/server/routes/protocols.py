"""The protocols of others: `/v1` is that of OpenAI's clients, `POST /mcp` the Model Context Protocol.

`/v1` gives the service's answers as chat completions and as responses, and its models; clients of routes that have no
like here are told what to use. `/mcp` has the service carry out tools; each request stands on its own (stateless
"streamable HTTP"), and its reply is JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency as Given
from litestar.params import FromPath, JSONBody
from litestar.response.base import ASGIResponse

from embeddings.types import Article
from qa.checking import CheckReport, TextToCheck
from qa.errors import NotFound
from qa.mcp import SDK
from qa.server.auth import (
    ASKING,
    ASKING_WITH_A_KEY,
    CHECKING,
    READING,
    READING_WITH_A_KEY,
    SEARCHING,
    USING_TOOLS,
    Caller,
    level_of,
)
from qa.server.auth.guard import Guard
from qa.server.errors import NotInstalled, Overloaded
from qa.server.http.bodies import JSON, decode, media_type
from qa.server.http.problems import problem_of
from qa.server.http.sse import EventStream, Message, WhileConnected
from qa.server.openai import (
    CitedText,
    Piece,
    Tokens,
    address_of,
    chat,
    errors,
    failure,
    fold,
    pieces,
    responses,
    tokens_of,
)
from qa.server.openai.requests import (
    Asked,
    ChatRequest,
    Model,
    ModelList,
    ResponsesRequest,
    asked_in_chat,
    asked_in_responses,
    known,
    listed,
    task_pieces,
)
from qa.server.openapi import BODY, WORK
from qa.server.service import Service
from qa.types import Answer, Question, SearchAnswer, SearchQuestion

_WRONG = (
    *BODY,
    *WORK,
    "unsupported-parameter",
    "invalid-request",
    "invalid-question",
    "not-found",
    "deadline-exceeded",
)
_answering = partial(post, status_code=200, responses=errors(*_WRONG), opt=ASKING_WITH_A_KEY)
_elsewhere = partial(post, include_in_schema=False, status_code=200, opt=READING_WITH_A_KEY)


@_answering(
    "/chat/completions",
    summary="Answer the last message of a chat",
    response_description="The answer, its citations as annotations. With `stream`, a `text/event-stream` of chunks.",
)
async def create_chat_completion(
    data: JSONBody[ChatRequest],
    service: Given[Service],
    caller: Given[Caller],
    guard: Given[Guard],
    request: Request[Any, Any, Any],
) -> Response[chat.ChatCompletion]:
    """The last message of the user is the question, those before it are the conversation.

    What steers a model's writing (`temperature`, `max_tokens`) is let pass; what would change the kind of answer (`n`,
    `response_format`, `tools`) is refused. A `model` that is none of ours gets the usual answer, and `sourceline.note`.

    An annotation's `url` opens the article at the cited words. Offsets are in Unicode code points.
    """
    asked = asked_in_chat(data)
    model, note, count = data.model, asked.way.note, partial(_count, put=asked.put)
    usage = data.stream_options and data.stream_options.include_usage
    chunks = partial(chat.chunks, model=model, note=note, count=count if usage else None) if data.stream else None
    found = _pieces(asked, service, caller=caller, guard=guard, request=request)
    whole = partial(_folded, found, count=count, whole=partial(chat.completion, model=model, note=note))
    return _sent(found, whole=whole, streamed=chunks, request=request)


@_answering(
    "/responses",
    summary="Answer the last message of the input",
    response_description="The answer, its citations as annotations. With `stream`, a `text/event-stream` of events.",
)
async def create_response(
    data: JSONBody[ResponsesRequest],
    service: Given[Service],
    caller: Given[Caller],
    guard: Given[Guard],
    request: Request[Any, Any, Any],
) -> Response[responses.Response]:
    """As `POST /v1/chat/completions`, in OpenAI's newer format. Responses are not kept."""
    asked = asked_in_responses(data)
    model, note, count = data.model, asked.way.note, partial(_count, put=asked.put)
    failed = partial(failure, request)
    events = partial(responses.events, model=model, note=note, count=count, failure=lambda error: failed(error).error)
    found = _pieces(asked, service, caller=caller, guard=guard, request=request)
    whole = partial(_folded, found, count=count, whole=partial(responses.response, model=model, note=note))
    return _sent(found, whole=whole, streamed=events if data.stream else None, request=request)


def _pieces(
    asked: Asked, service: Service, *, caller: Caller, guard: Guard, request: Request[Any, Any, Any]
) -> AsyncGenerator[Piece, None]:
    """The answer's text as it is made; nothing is done before the first piece is asked for."""
    if asked.task is not None:
        return task_pieces(asked.task)
    address = partial(address_of, base_url=str(request.base_url), secret=guard.link_secret())
    events = service.events(asked.question, owner=caller.owner, within=caller.within, turns=asked.turns)
    return pieces(events, CitedText(address=address, in_text=asked.way.links))


def _sent(
    found: AsyncGenerator[Piece, None],
    *,
    whole: Callable[[], Awaitable[Any]],
    streamed: Callable[[AsyncGenerator[Piece, None]], AsyncGenerator[Message, None]] | None,
    request: Request[Any, Any, Any],
) -> Response[Any]:
    """The answer at once, or as it is made; left, in either case, as soon as the client leaves."""
    if streamed is None:
        return WhileConnected(whole)
    return EventStream(streamed(found), failure=partial(_failure, request))


async def _folded(
    found: AsyncGenerator[Piece, None],
    *,
    count: Callable[[Piece], Awaitable[Tokens]],
    whole: Callable[[Piece, Tokens], Any],
) -> Any:
    piece = await fold(found)
    return whole(piece, await count(piece))


async def _count(piece: Piece, *, put: str) -> Tokens:
    """Beside the event loop: a long message takes a while."""
    return await asyncio.to_thread(tokens_of, piece, put=put)


def _failure(request: Request[Any, Any, Any], error: Exception) -> Message:
    return Message(data=msgspec.json.encode(failure(request, error)))


@get(
    "/models",
    summary="List models",
    response_description="Names that can be asked for.",
    responses=errors(),
    opt=READING_WITH_A_KEY,
)
async def list_models() -> ModelList:
    """`sourceline` answers as `POST /api/ask` does; `-links` puts links into the text, `-extractive` asks no model."""
    return listed()


@get(
    "/models/{model:str}",
    summary="Look a model up",
    response_description="It exists.",
    responses=errors("not-found"),
    opt=READING_WITH_A_KEY,
)
async def retrieve_model(model: FromPath[str]) -> Model:
    """One name that can be asked for."""
    known(model)
    return Model(id=model)


@_elsewhere("/completions")
async def create_completion() -> None:
    """There is nothing to complete: questions are answered."""
    raise NotFound("text is not completed here; ask with POST /v1/chat/completions or POST /v1/responses")


@_elsewhere("/embeddings")
async def create_embedding() -> None:
    """Vectors of one encoder are of no use beside another's."""
    raise NotFound("vectors are not given out here; find passages with POST /api/search, which encodes for itself")


# --- The tools of MCP
_AS = {"ask": ASKING, "search": SEARCHING, "check_claims": CHECKING}
"""Tools that cost as much as their routes; whatever else a client says costs as much as reading."""


@post("/mcp", status_code=200, opt=USING_TOOLS)
async def speak_mcp(
    request: Request[Any, Any, Any], service: Given[Service], caller: Given[Caller], guard: Given[Guard]
) -> Response[Any]:
    """Answer one message of a client."""
    await _need_sdk()
    media_type(request, allowed=(JSON,))
    body = await request.body()
    await guard.spend(request, caller, cost=_cost(decode(body, Any)))
    return WhileConnected(partial(_exchange, body, archive=_Archive(service, caller), request=request))


async def _need_sdk() -> None:
    """Load the SDK where that has not been done. Raises NotInstalled."""
    try:
        await asyncio.to_thread(_load)  # takes a second, the first time
    except ModuleNotFoundError as error:
        if error.name != "mcp":
            raise
        raise NotInstalled(f"this needs the MCP SDK; whoever runs the service: pip install '{SDK}'") from None


def _load() -> None:
    import qa.mcp.protocol  # noqa: F401 - heavy, and not everybody has it


def _cost(message: object) -> int:
    match message:
        case {"method": "tools/call", "params": {"name": str(tool)}}:
            level = level_of(_AS.get(tool, READING))
        case _:
            level = level_of(READING)
    return 1 if level is None else level.cost


async def _exchange(body: bytes, *, archive: _Archive, request: Request[Any, Any, Any]) -> ASGIResponse:
    from qa.mcp.protocol import exchange

    headers, explain = request.scope["headers"], partial(_told, request)
    reply = await exchange(body, headers=headers, archive=archive, explain=explain)
    return ASGIResponse(body=reply.body, status_code=reply.status, media_type=reply.media_type)


class _Archive:
    """The service, as one caller may use it."""

    def __init__(self, service: Service, caller: Caller) -> None:
        self._service = service
        self._owner = caller.owner
        self._within = caller.within

    async def ask(self, asked: Question, /) -> Answer:
        return await self._service.ask(asked, owner=self._owner, within=self._within)

    async def search(self, asked: SearchQuestion, /) -> SearchAnswer:
        return await self._service.search(asked, owner=self._owner, within=self._within)

    async def article(self, article_id: str, *, version: str | None, collection: str | None) -> Article:
        return await self._service.article_called(
            article_id, version=version, within=self._within, collection=collection
        )

    async def check(self, asked: TextToCheck, /) -> CheckReport:
        return await self._service.check(asked, within=self._within)


def _told(request: Request[Any, Any, Any], error: Exception) -> str:
    """What the API would say of an error of a tool, on one line."""
    problem = problem_of(error, request=request)
    incident = f" (incident {problem.incident_id})" if problem.incident_id else ""
    wait = f"; again after {error.retry_after} s" if isinstance(error, Overloaded) else ""
    return problem.detail + incident + wait
