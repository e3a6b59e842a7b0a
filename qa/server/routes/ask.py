"""`POST /api/ask`: one question in, one answer with its citations out."""

from __future__ import annotations

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from qa.server.errors import FieldError, NotSupported
from qa.server.openapi import BODY, WORK, problems
from qa.server.service import Service
from qa.types import Answer, Question

__all__ = ["ask"]


@post(
    "/ask",
    status_code=200,
    operation_id="ask",
    summary="Answer a question from the articles",
    response_description="The answer; `abstained` is an answer too.",
    tags=["questions"],
    responses=problems(*BODY, *WORK, "invalid-request", "invalid-question", "not-supported", "deadline-exceeded"),
)
async def ask(data: JSONBody[Question], service: NamedDependency[Service]) -> Answer:
    """Every citation quotes its article word for word; offsets are half-open, in Unicode code points."""
    if data.stream:
        fault = FieldError(field="stream", detail="only false is possible in this version")
        raise NotSupported("this version does not stream; leave `stream` out", errors=(fault,))
    return await service.ask(data)
