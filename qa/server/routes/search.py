"""`POST /api/search`: the passages an answer would be made of, without the answer."""

from __future__ import annotations

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from qa.server.levels import SEARCHING
from qa.server.openapi import BODY, WORK, problems
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
    responses=problems(*BODY, *WORK, "invalid-request", "invalid-question", "deadline-exceeded"),
    opt=SEARCHING,
)
async def search(data: JSONBody[SearchQuestion], service: NamedDependency[Service]) -> SearchAnswer:
    """Passages that match by meaning or by words, best first; one per story."""
    return await service.search(data)
