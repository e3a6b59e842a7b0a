"""`POST /mcp`: the tools of the Model Context Protocol, carried out by the running service.

Each request stands on its own (stateless "streamable HTTP"), and its reply is JSON.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.response.base import ASGIResponse

from embeddings.types import Article
from qa.checking import CheckReport, TextToCheck
from qa.mcp import SDK
from qa.server.auth import ASKING, CHECKING, READING, SEARCHING, USING_TOOLS, Caller, level_of
from qa.server.auth.guard import Guard
from qa.server.errors import NotInstalled, Overloaded
from qa.server.http.bodies import JSON, decode, media_type
from qa.server.http.problems import problem_of
from qa.server.http.sse import WhileConnected
from qa.server.service import Service
from qa.types import Answer, Question, SearchAnswer, SearchQuestion

_AS = {"ask": ASKING, "search": SEARCHING, "check_claims": CHECKING}
"""Tools that cost as much as their routes; whatever else a client says costs as much as reading."""


@post("/mcp", status_code=200, opt=USING_TOOLS)
async def speak_mcp(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
    guard: NamedDependency[Guard],
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
