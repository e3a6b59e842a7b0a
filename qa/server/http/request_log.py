"""One line for each request, at the default level: what was called, what came of it, how long it took.

Nothing of what was asked or sent: of the address only the route's template, neither ids nor parameters.
"""

from __future__ import annotations

import logging
from time import perf_counter

from litestar.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["METHODS", "OFTEN", "logged"]

METHODS = {"GET", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"}
OFTEN = ("/health/", "/metrics")
"""Asked by machines, every few seconds: logged at level debug."""

logger = logging.getLogger(__name__)


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
