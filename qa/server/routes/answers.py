"""`/api/answers/{answer_id}`: one kept answer, for its owner and for whoever was given the link to it."""

from __future__ import annotations

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from qa.access.tokens import answer_signature, is_signed_answer
from qa.errors import HistoryUnavailable
from qa.server.auth.callers import Caller
from qa.server.auth.guard import Guard
from qa.server.auth.permissions import READING
from qa.server.openapi import WORK, problems
from qa.server.service import Service
from qa.server.wire import AnswerLink, KeptAnswer

__all__ = ["get_answer", "link_answer"]

_RECORDS = (*WORK, "history-unavailable", "deadline-exceeded", "not-found")


@get(
    "/answers/{answer_id:str}",
    operation_id="get_answer",
    summary="Read a kept answer",
    response_description="The answer without its conversation.",
    tags=["conversations"],
    responses=problems(*_RECORDS, "invalid-request"),
    opt=READING,
)
async def get_answer(
    answer_id: FromPath[str],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
    guard: NamedDependency[Guard],
    sig: FromQuery[str] = "",
) -> KeptAnswer:
    """Opens to its owner, and to whoever shows the `sig` that the owner was given for it and may read every collection
    that the owner may."""
    opened = bool(sig) and is_signed_answer(answer_id, given=sig, within=caller.within, secret=_secret(guard))
    return await service.records.answer(answer_id, owner=None if opened else caller.owner, within=caller.within)


@post(
    "/answers/{answer_id:str}/link",
    status_code=200,
    operation_id="link_answer",
    summary="Let others read a kept answer",
    response_description="What opens the answer to whoever is given it.",
    tags=["conversations"],
    responses=problems(*_RECORDS),
    opt=READING,
)
async def link_answer(
    answer_id: FromPath[str],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
    guard: NamedDependency[Guard],
) -> AnswerLink:
    """Only the owner gets it. It opens this one answer, until its conversation is deleted."""
    await service.records.answer(answer_id, owner=caller.owner, within=caller.within)
    return AnswerLink(answer_id=answer_id, sig=answer_signature(answer_id, within=caller.within, secret=_secret(guard)))


def _secret(guard: Guard) -> bytes:
    try:
        return guard.secret.value()
    except OSError as error:
        raise HistoryUnavailable(f"what signs links can be neither read nor made: {error}") from error
