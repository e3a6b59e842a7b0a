"""`POST /api/check`: any text in, each of its sentences judged out."""

from __future__ import annotations

from functools import partial

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from qa.checking.values import CheckReport, TextToCheck
from qa.server.auth.callers import Caller
from qa.server.auth.permissions import CHECKING
from qa.server.http.connection import WhileConnected
from qa.server.openapi import CHECK, problems
from qa.server.service import Service

__all__ = ["check"]


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
