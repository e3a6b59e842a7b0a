"""`POST /api/ask`, `/api/search` and `/api/check`: an answer, the passages it would be made of, any text judged.

Answers come with their citations, at once or as they are made.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from qa.checking.values import CheckReport, TextToCheck
from qa.server.auth.permissions import ASKING, CHECKING, SEARCHING, Caller
from qa.server.http.problems import problem_of
from qa.server.http.sse import EventStream, Message, WhileConnected
from qa.server.openapi import CHECK, QUESTION, problems
from qa.server.service import Service
from qa.types import Answer, AnswerEvent, Event, Question, SearchAnswer, SearchQuestion

__all__ = ["ask", "check", "search"]


@post(
    "/ask",
    status_code=200,
    operation_id="ask",
    summary="Answer a question from the articles",
    response_description="The answer; `abstained` is an answer too. With `stream`, a `text/event-stream` of it.",
    tags=["questions"],
    responses=problems(*QUESTION),
    opt=ASKING,
)
async def ask(
    data: JSONBody[Question],
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
) -> Response[Answer]:
    """Every citation quotes its article word for word; offsets are half-open, in Unicode code points.

    With `stream`, server-sent events: `search_results`, then a `claim` with its citations for each sentence that has
    been verified, at last `answer` with all of it, or `error` with a problem document.
    """
    if not data.stream:
        return WhileConnected(partial(service.ask, data, owner=caller.owner, within=caller.within))
    return EventStream(
        _messages(service.events(data, owner=caller.owner, within=caller.within)), failure=partial(_failure, request)
    )


async def _messages(events: AsyncGenerator[Event, None]) -> AsyncGenerator[Message, None]:
    async with aclosing(events):
        number = 0
        async for event in events:
            number += 1
            payload = event.answer if isinstance(event, AnswerEvent) else event
            name = event.__struct_config__.tag
            yield Message(event=str(name), id=str(number), data=msgspec.json.encode(payload))


def _failure(request: Request[Any, Any, Any], error: Exception) -> Message:
    return Message(event="error", id="error", data=msgspec.json.encode(problem_of(error, request=request)))


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


@post(
    "/check",
    status_code=200,
    operation_id="check",
    summary="Check a text, sentence by sentence",
    response_description="Every sentence, with its verdict, the exact words that support it, and what differs.",
    tags=["questions"],
    responses=problems(*CHECK),
    opt=CHECKING,
)
async def check(
    data: JSONBody[TextToCheck], service: NamedDependency[Service], caller: NamedDependency[Caller]
) -> Response[CheckReport]:
    """Holds a text, whoever wrote it, against texts sent along (`against`) or against the stored articles.

    The sentences of generated answers are judged by the same code, and no language model is asked. Nothing of the text
    is kept. A text of more than 500 sentences is refused; one that cannot be finished within the deadline comes back
    with its last sentences `out_of_time`, and `complete` is false.
    """
    return WhileConnected(partial(service.check, data, within=caller.within))
