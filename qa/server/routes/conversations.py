"""`/api/conversations`: what was asked and answered before, read again or erased."""

from __future__ import annotations

from typing import Annotated

from litestar import delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from qa.server.auth.callers import Caller
from qa.server.auth.permissions import READING
from qa.server.openapi import WORK, problems
from qa.server.service import Service
from qa.server.wire import ConversationPage, ConversationTurns

__all__ = ["delete_conversation", "get_conversation", "list_conversations"]

_RECORDS = (*WORK, "history-unavailable", "deadline-exceeded")
_LARGEST = 2**63 - 1


@get(
    "/conversations",
    operation_id="list_conversations",
    summary="List conversations",
    response_description="Conversations, the last used first, without their turns.",
    tags=["conversations"],
    responses=problems(*_RECORDS, "invalid-request"),
    opt=READING,
)
async def list_conversations(
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
    limit: Annotated[int, QueryParameter(ge=1, le=200, description="conversations per page")] = 50,
    before: Annotated[int | None, QueryParameter(ge=1, le=_LARGEST, description="`next` of the page before")] = None,
) -> ConversationPage:
    """A conversation is kept where a question said `store: true`; only its owner sees it."""
    return await service.records.conversations(owner=caller.owner, before=before, limit=limit)


@get(
    "/conversations/{conversation_id:str}",
    operation_id="get_conversation",
    summary="Read a conversation",
    response_description="Its turns in order, each with the whole answer.",
    tags=["conversations"],
    responses=problems(*_RECORDS, "invalid-request", "not-found"),
    opt=READING,
)
async def get_conversation(
    conversation_id: FromPath[str],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
    limit: Annotated[int, QueryParameter(ge=1, le=200, description="turns per page")] = 50,
    after: Annotated[int, QueryParameter(ge=0, le=_LARGEST, description="`next` of the page before")] = 0,
) -> ConversationTurns:
    """Each answer equals the one that was served, unless an article that it quotes was removed since.

    Such an answer comes as an abstention with the reason `source_withdrawn`, and `withheld` counts what was left out.
    """
    return await service.records.conversation(
        conversation_id, owner=caller.owner, within=caller.within, after=after, limit=limit
    )


@delete(
    "/conversations/{conversation_id:str}",
    operation_id="delete_conversation",
    summary="Erase a conversation",
    response_description="It is gone, with its turns and the feedback on them.",
    tags=["conversations"],
    responses=problems(*_RECORDS, "not-found"),
    opt=READING,
)
async def delete_conversation(
    conversation_id: FromPath[str], service: NamedDependency[Service], caller: NamedDependency[Caller]
) -> None:
    """Nothing of it remains in the file."""
    await service.records.delete(conversation_id, owner=caller.owner)
