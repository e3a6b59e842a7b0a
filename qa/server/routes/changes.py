"""What became of the articles that an answer quotes: corrected, removed or withdrawn since."""

from __future__ import annotations

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from qa.conversations.changes import AnswerChanges
from qa.server.auth.callers import Caller
from qa.server.auth.permissions import READING
from qa.server.openapi import WORK, problems
from qa.server.service import Service

__all__ = ["answer_changes"]


@get(
    "/answers/{answer_id:str}/changes",
    operation_id="answer_changes",
    summary="What changed since an answer",
    response_description="Each article that the answer quotes, as it was quoted and as it is now.",
    tags=["conversations"],
    responses=problems(*WORK, "history-unavailable", "deadline-exceeded", "not-found"),
    opt=READING,
)
async def answer_changes(
    answer_id: FromPath[str], service: NamedDependency[Service], caller: NamedDependency[Caller]
) -> AnswerChanges:
    """For answers kept in a conversation. Of an article that may not be shown any more, it says so and nothing else."""
    return await service.records.changes(answer_id, owner=caller.owner, within=caller.within)
