"""From a server's refusal to the reason why an answer was not generated: status and body in, GeneratorFailed out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from qa.errors import GeneratorFailed
from qa.generators.chat_stream import error_code
from qa.types import FallbackReason

__all__ = ["Refused", "failure_of", "seconds"]

_REASONS: Mapping[int, FallbackReason] = {
    401: "model_unauthorised",
    403: "model_unauthorised",
    404: "model_not_found",
    408: "model_timed_out",
    429: "model_rate_limited",
    502: "model_unreachable",
    503: "model_overloaded",
    504: "model_timed_out",
    529: "model_overloaded",
}
_HINTS: Mapping[int, str] = {
    401: "check QA_LLM_API_KEY",
    403: "check QA_LLM_API_KEY",
    404: "check QA_LLM_MODEL, and that QA_LLM_BASE_URL ends where the server's API begins, often in /v1",
    413: "check QA_LLM_CONTEXT_TOKENS",
    400: "check QA_LLM_CONTEXT_TOKENS",
}


class Refused(Exception):
    """The server answered, but not with success."""

    def __init__(self, status: int, *, body: bytes, retry_after: str | None) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.code = error_code(body)
        self.body = body.decode(errors="replace")
        """What the server says; may repeat what it was sent, so it stays out of logs."""
        self.retry_after = seconds(retry_after)


def failure_of(refusal: Refused, *, where: str) -> GeneratorFailed:
    """What a refusal means for the answer and, in the log, for the operator."""
    status = refusal.status
    said = f" ({refusal.code})" if refusal.code else ""
    hint = f"; {_HINTS[status]}" if status in _HINTS else ""
    if 300 <= status < 400:
        hint = "; it is elsewhere: set QA_LLM_BASE_URL to its own address"
    return GeneratorFailed(
        f"{where} answered {status}{said}{hint}",
        reason=_REASONS.get(status, "model_failed"),
        server_fault=status >= 500 or status in {408, 429},
        retry_after=refusal.retry_after,
    )


def seconds(retry_after: str | None) -> float | None:
    """How long a Retry-After header asks to wait; None where it says nothing that can be read.

    >>> seconds("7"), seconds("soon"), seconds(None)
    (7.0, None, None)
    """
    if not retry_after:
        return None
    if retry_after.strip().isascii() and retry_after.strip().isdigit():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
