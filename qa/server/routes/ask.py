"""`POST /api/ask`: one question in, one answer with its citations out, at once or as it is made."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from qa.server.auth.callers import Caller
from qa.server.auth.permissions import ASKING
from qa.server.http.connection import WhileConnected
from qa.server.http.problems import problem_of
from qa.server.http.sse import EventStream, Message
from qa.server.openapi import QUESTION, problems
from qa.server.service import Service
from qa.types import Answer, AnswerEvent, Event, Question

__all__ = ["ask"]


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
