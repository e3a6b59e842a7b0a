"""`GET /api/starters`: questions to begin with, for a page that has none of its own."""

from __future__ import annotations

from litestar import get
from litestar.di import NamedDependency

from qa.server.levels import READING
from qa.server.openapi import WORK, problems
from qa.server.service import Service
from qa.server.wire import Starter, Starters

__all__ = ["list_starters"]


@get(
    "/starters",
    operation_id="list_starters",
    summary="Questions to begin with",
    response_description="A few questions, possibly none.",
    tags=["questions"],
    responses=problems(*WORK, "deadline-exceeded"),
    opt=READING,
)
async def list_starters(service: NamedDependency[Service]) -> Starters:
    """Made of the latest articles and tried: each is answered from the article it comes from. Often there are none."""
    return Starters(starters=tuple(Starter(question=question) for question in await service.starters()))
