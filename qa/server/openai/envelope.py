"""Errors as OpenAI's clients read them: the same table of problems, in another envelope and in the description."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from litestar import Request, Response
from litestar.openapi.datastructures import ResponseSpec

from qa.server.http.problems import KINDS, Problem, problem_of, serve_problem

__all__ = ["ErrorBody", "ErrorEnvelope", "errors", "failure", "is_openai", "serve_error"]

ErrorType = Literal[
    "invalid_request_error", "authentication_error", "permission_error", "rate_limit_error", "server_error"
]
_TYPES: dict[int, ErrorType] = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong."""

    message: str
    type: ErrorType
    param: str | None
    """The field at fault, where one is."""
    code: str
    """The kind of problem, as in the last part of `/problems/{slug}`, with underscores."""


class ErrorEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """Every error under `/v1`."""

    error: ErrorBody


def is_openai(path: str) -> bool:
    """Whether this is an address that OpenAI's clients use."""
    return path == "/v1" or path.startswith("/v1/")


def _envelope(problem: Problem) -> ErrorEnvelope:
    """The same problem in OpenAI's words."""
    faults = () if isinstance(problem.errors, msgspec.UnsetType) else problem.errors
    details = "; ".join(f"{fault.field}: {fault.detail}" if fault.field else fault.detail for fault in faults)
    shown = details if details and not problem.detail.startswith(details) else ""
    incident = "" if isinstance(problem.incident_id, msgspec.UnsetType) else f" (incident {problem.incident_id})"
    return ErrorEnvelope(
        error=ErrorBody(
            message=problem.detail + (f" ({shown})" if shown else "") + incident,
            type=_TYPES.get(problem.status, "server_error" if problem.status >= 500 else "invalid_request_error"),
            param=faults[0].field if faults else None,
            code=problem.type.rpartition("/")[2].replace("-", "_"),
        )
    )


def serve_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Turn any error into the document that its address promises."""
    served = serve_problem(request, error)
    if not is_openai(request.scope["path"]):
        return served
    return Response(
        _envelope(served.content),
        status_code=served.status_code,
        media_type="application/json",
        headers=served.headers,
    )


def failure(request: Request[Any, Any, Any], error: Exception) -> ErrorEnvelope:
    """The same for what goes wrong in the middle of a stream."""
    return _envelope(problem_of(error, request=request))


def errors(*slugs: str) -> dict[int, ResponseSpec]:
    """By status, from the table of problems; what goes wrong on any route is added."""
    by_status: dict[int, list[str]] = {}
    for slug in (*slugs, "internal-error"):
        by_status.setdefault(KINDS[slug].status, []).append(slug)
    return {
        status: ResponseSpec(
            ErrorEnvelope,
            generate_examples=False,
            description="; ".join(f"{KINDS[slug].title} (`{slug.replace('-', '_')}`)" for slug in found),
            media_type="application/json",
        )
        for status, found in sorted(by_status.items())
    }
