"""One span for each request, named by its method and route, inside the span that its `traceparent` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from qa.server.http.request_log import METHODS, OFTEN
from qa.tracing.spans import within

if TYPE_CHECKING:
    from qa.tracing.otlp import Tracing

__all__ = ["traced"]

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
