"""Conversations, single answers and the changes of their articles, and feedback.

An answer is for its owner and for whoever was given the link to it. Feedback is one verdict an answer, given by
readers, read by whoever runs the service.
"""

from typing import Annotated

from litestar import delete, get, post
from litestar.di import NamedDependency as Given
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from qa.access.tokens import answer_signature, is_signed_answer
from qa.conversations.changes import AnswerChanges
from qa.conversations.feedback import Feedback
from qa.errors import HistoryUnavailable
from qa.server.auth import READING, REVIEWING, Caller
from qa.server.auth.guard import Guard
from qa.server.openapi import BODY, LARGEST, RECORDS, Before, problems
from qa.server.service import Service
from qa.server.wire import AnswerLink, ConversationPage, ConversationTurns, FeedbackIn, FeedbackPage, KeptAnswer


@get(
    "/conversations",
    summary="List conversations",
    response_description="Conversations, the last used first, without their turns.",
    responses=problems(*RECORDS, "invalid-request"),
    opt=READING,
)
async def list_conversations(
    service: Given[Service],
    caller: Given[Caller],
    limit: Annotated[int, QueryParameter(ge=1, le=200, description="conversations per page")] = 50,
    before: Before = None,
) -> ConversationPage:
    """A conversation is kept where a question said `store: true`; only its owner sees it."""
    return await service.records.conversations(owner=caller.owner, before=before, limit=limit)


@get(
    "/conversations/{conversation_id:str}",
    summary="Read a conversation",
    response_description="Its turns in order, each with the whole answer.",
    responses=problems(*RECORDS, "invalid-request", "not-found"),
    opt=READING,
)
async def get_conversation(
    conversation_id: FromPath[str],
    service: Given[Service],
    caller: Given[Caller],
    limit: Annotated[int, QueryParameter(ge=1, le=200, description="turns per page")] = 50,
    after: Annotated[int, QueryParameter(ge=0, le=LARGEST, description="`next` of the page before")] = 0,
) -> ConversationTurns:
    """Each answer equals the one that was served, unless an article that it quotes was removed since.

    Such an answer comes as an abstention with the reason `source_withdrawn`, and `withheld` counts what was left out.
    """
    return await service.records.conversation(
        conversation_id, owner=caller.owner, within=caller.within, after=after, limit=limit
    )


@delete(
    "/conversations/{conversation_id:str}",
    summary="Erase a conversation",
    response_description="It is gone, with its turns and the feedback on them.",
    responses=problems(*RECORDS, "not-found"),
    opt=READING,
)
async def delete_conversation(conversation_id: FromPath[str], service: Given[Service], caller: Given[Caller]) -> None:
    """Nothing of it remains in the file."""
    await service.records.delete(conversation_id, owner=caller.owner)


@get(
    "/answers/{answer_id:str}",
    summary="Read a kept answer",
    response_description="The answer without its conversation.",
    responses=problems(*RECORDS, "not-found", "invalid-request"),
    opt=READING,
)
async def get_answer(
    answer_id: FromPath[str],
    service: Given[Service],
    caller: Given[Caller],
    guard: Given[Guard],
    sig: FromQuery[str] = "",
) -> KeptAnswer:
    """Opens to its owner, and to whoever shows the `sig` that the owner was given for it and may read every collection
    that the owner may."""
    owner = _owner(answer_id, sig, caller, guard)
    return await service.records.answer(answer_id, owner=owner, within=caller.within)


@post(
    "/answers/{answer_id:str}/link",
    status_code=200,
    summary="Let others read a kept answer",
    response_description="What opens the answer to whoever is given it.",
    responses=problems(*RECORDS, "not-found"),
    opt=READING,
)
async def link_answer(
    answer_id: FromPath[str], service: Given[Service], caller: Given[Caller], guard: Given[Guard]
) -> AnswerLink:
    """Only the owner gets it. It opens this one answer, until its conversation is deleted."""
    await service.records.answer(answer_id, owner=caller.owner, within=caller.within)
    return AnswerLink(answer_id=answer_id, sig=answer_signature(answer_id, within=caller.within, secret=_secret(guard)))


def _owner(answer_id: str, sig: str, caller: Caller, guard: Guard) -> str | None:
    """Whose the answer has to be; None: whoever's, as the signature opens it."""
    opened = bool(sig) and is_signed_answer(answer_id, given=sig, within=caller.within, secret=_secret(guard))
    return None if opened else caller.owner


def _secret(guard: Guard) -> bytes:
    try:
        return guard.secret.value()
    except OSError as error:
        raise HistoryUnavailable(f"what signs links can be neither read nor made: {error}") from error


@get(
    "/answers/{answer_id:str}/changes",
    summary="What changed since an answer",
    response_description="Each article that the answer quotes, as it was quoted and as it is now.",
    responses=problems(*RECORDS, "not-found", "invalid-request"),
    opt=READING,
)
async def answer_changes(
    answer_id: FromPath[str],
    service: Given[Service],
    caller: Given[Caller],
    guard: Given[Guard],
    sig: FromQuery[str] = "",
) -> AnswerChanges:
    """For answers kept in a conversation; opens to whom the answer itself does. Of an article that may not be shown any
    more, it says so and nothing else."""
    owner = _owner(answer_id, sig, caller, guard)
    return await service.records.changes(answer_id, owner=owner, within=caller.within)


@post(
    "/answers/{answer_id:str}/feedback",
    status_code=200,
    summary="Say whether an answer was good",
    response_description="The feedback as it was stored.",
    responses=problems(*BODY, *RECORDS, "invalid-request", "not-found"),
    opt=READING,
)
async def give_feedback(
    data: JSONBody[FeedbackIn], answer_id: FromPath[str], service: Given[Service], caller: Given[Caller]
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
    summary="List feedback",
    response_description="Feedback, the latest first.",
    responses=problems(*RECORDS, "invalid-request"),
    opt=REVIEWING,
)
async def list_feedback(
    service: Given[Service],
    caller: Given[Caller],
    limit: Annotated[int, QueryParameter(ge=1, le=200, description="entries per page")] = 50,
    before: Before = None,
) -> FeedbackPage:
    """With each verdict come the question it is about and the articles that the answer cited.

    A key for some collections is shown what was said by those who can read nothing else.
    """
    return await service.records.feedback(within=caller.within, before=before, limit=limit)
