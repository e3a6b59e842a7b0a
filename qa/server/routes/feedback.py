"""Feedback on answers: one verdict an answer, given by readers, read by whoever runs the service."""

from __future__ import annotations

from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from qa.conversations.feedback import Feedback
from qa.server.auth.callers import Caller
from qa.server.auth.permissions import READING, REVIEWING
from qa.server.openapi import BODY, WORK, problems
from qa.server.service import Service
from qa.server.wire import FeedbackIn, FeedbackPage

__all__ = ["give_feedback", "list_feedback"]

_RECORDS = (*WORK, "history-unavailable", "deadline-exceeded", "invalid-request")


@post(
    "/answers/{answer_id:str}/feedback",
    status_code=200,
    operation_id="give_feedback",
    summary="Say whether an answer was good",
    response_description="The feedback as it was stored.",
    tags=["feedback"],
    responses=problems(*BODY, *_RECORDS, "not-found"),
    opt=READING,
)
async def give_feedback(
    data: JSONBody[FeedbackIn],
    answer_id: FromPath[str],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
) -> Feedback:
    """Takes the place of an earlier verdict on the same answer. The question is stored with it."""
    return await service.records.give_feedback(
        answer_id,
        owner=caller.owner,
        within=caller.within,
        verdict=data.verdict,
        reasons=data.reasons,
        comment=data.comment,
    )


@get(
    "/feedback",
    operation_id="list_feedback",
    summary="List feedback",
    response_description="Feedback, the latest first.",
    tags=["feedback"],
    responses=problems(*_RECORDS),
    opt=REVIEWING,
)
async def list_feedback(
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
    limit: Annotated[int, QueryParameter(ge=1, le=200, description="entries per page")] = 50,
    before: Annotated[int | None, QueryParameter(ge=1, le=2**63 - 1, description="`next` of the page before")] = None,
) -> FeedbackPage:
    """With each verdict come the question it is about and the articles that the answer cited.

    A key for some collections is shown what was said by those who can read nothing else.
    """
    return await service.records.feedback(owner=None, within=caller.within, before=before, limit=limit)
