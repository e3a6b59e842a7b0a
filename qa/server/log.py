"""What the log and traces tell: a line and a span for each request, a line for each act of whoever runs the service.

Of a request nothing that was asked or sent: of its address only the route's template, neither ids nor parameters. Of an
act who did what to what, as JSON, without a word of it.
"""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Literal

import msgspec
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from qa.tracing.spans import within

__all__ = ["METHODS", "OFTEN", "Act", "logged", "note", "traced"]

_acts = logging.getLogger("qa.server.audit")
logger = logging.getLogger("qa.server.http.request_log")
"""Operators filter the log by these two names."""


class Act(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was done. Ids and numbers only: neither texts nor questions, neither keys nor tokens."""

    act: Literal[
        "keys_loaded",
        "token_made",
        "articles_added",
        "rights_changed",
        "article_deleted",
        "review_saved",
        "reviews_exported",
    ]
    by: str
    """Name of the key; `open` where the service has none, `origin` for a page that got a token for itself."""
    job_id: str = ""
    article_id: str = ""
    answer_id: str = ""
    origin: str = ""
    keys: tuple[str, ...] = ()
    """Names."""
    outcomes: dict[str, int] = {}
    status: str = ""
    embargoed_until: str = ""
    rows: int = 0


def note(act: Act) -> None:
    """Write the line."""
    _acts.info("audit %s", msgspec.json.encode(act).decode())


METHODS = {"GET", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"}
OFTEN = ("/health/", "/metrics")
"""Asked by machines, every few seconds: logged at level debug."""


def logged(app: ASGIApp) -> ASGIApp:
    """Write the line when the answer has ended, or the client has left, or no answer could be given.

    Goes inside `answer_head`: a HEAD is logged as the GET that it is answered by.
    """

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if "method" not in scope:  # the start and the end of the application
            await app(scope, receive, send)
            return
        began, status, ended = perf_counter(), 0, False

        async def noting(message: Message) -> None:
            nonlocal status, ended
            if message["type"] == "http.response.start":
                status = message["status"]
            ended = message["type"] == "http.response.body" and not message.get("more_body")
            await send(message)

        try:
            await app(scope, receive, noting)
        finally:
            _write(scope, status=status, ended=ended, seconds=perf_counter() - began)

    return run


def _write(scope: Scope, *, status: int, ended: bool, seconds: float) -> None:
    method = str(scope.get("method", ""))
    route = str(scope.get("path_template") or "(no such route)")
    level = logging.DEBUG if route.startswith(OFTEN) else logging.INFO
    said = str(status or "-") if ended else f"{status or '-'} (not to its end)"
    logger.log(level, "%s %s %s %.0f ms", method if method in METHODS else "(other)", route, said, seconds * 1000)


if TYPE_CHECKING:
    from qa.tracing.otlp import Tracing


_CONTEXT = (b"traceparent", b"tracestate")


def traced(app: ASGIApp, tracing: Tracing) -> ASGIApp:
    """Put a span around every request but those that machines make every few seconds.

    As in the log, the route stands for the address: neither ids nor parameters are told.
    """

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        asked = str(scope.get("method", ""))
        if not asked or scope["path"].startswith(OFTEN):  # the start and the end of the application have no method
            await app(scope, receive, send)
            return
        carried = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _CONTEXT}
        method = asked if asked in METHODS else "_OTHER"
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with within(tracing.begin(method, kind="server", headers=carried)) as span:
            try:
                await app(scope, receive, noting)
            finally:
                route = str(scope.get("path_template") or "")
                told = {"http.request.method": method, "url.scheme": scope["scheme"]}
                found = {"http.route": route} if route else {}
                span.tell(
                    {**told, **found, **({"http.response.status_code": status} if status else {})},
                    name=f"{method} {route}".strip(),
                )
                if status >= 500:
                    span.failed(str(status))

    return run
