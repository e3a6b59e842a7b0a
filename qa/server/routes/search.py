"""`POST /api/search`: the passages an answer would be made of, without the answer."""

from __future__ import annotations

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from qa.server.auth.callers import Caller
from qa.server.auth.permissions import SEARCHING
from qa.server.openapi import QUESTION, problems
from qa.server.service import Service
from qa.types import SearchAnswer, SearchQuestion

__all__ = ["search"]


@post(
    "/search",
    status_code=200,
    operation_id="search",
    summary="Find passages",
    response_description="Passages, best first.",
    tags=["questions"],
    responses=problems(*QUESTION),
    opt=SEARCHING,
)
async def search(
    data: JSONBody[SearchQuestion], service: NamedDependency[Service], caller: NamedDependency[Caller]
) -> SearchAnswer:
    """Passages that match by meaning or by words, best first; one per story.

    With a `conversation_id`, a follow-up is looked up as `resolved_query` says; the conversation stays as it is.
    """
    return await service.search(data, owner=caller.owner, within=caller.within)
