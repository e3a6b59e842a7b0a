"""The table from errors to RFC 9457 problem details, and the handler that serves them; also below HTTP.

What an error says is shown only where the table allows it: messages about the caller's request or our own state are;
those of the store, the encoder or a bug are not (they may name paths), they go to the log under an incident id.
"""

import asyncio
import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

import h11
import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from uvicorn.protocols.http.h11_impl import H11Protocol

from embeddings import errors as offline
from qa import errors as online
from qa.server import errors
from qa.server.errors import FieldError
from qa.server.http.headers import ALWAYS

MEDIA_TYPE = "application/problem+json"

_SERVER_ERROR = -32000
"""Of JSON-RPC's codes the first that is left to servers."""
_LONGEST_DETAIL = 2000
"""Callers' own words may stand in a message; not at any length."""

logger = logging.getLogger(__name__)


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Every error this service sends (RFC 9457)."""

    type: str
    """Path that names the kind of problem and describes it when fetched."""
    title: str
    status: int
    detail: str
    """What happened this time, and what to do."""
    errors: tuple[FieldError, ...] | msgspec.UnsetType = msgspec.UNSET
    """The fields or articles at fault, where some are."""
    incident_id: str | msgspec.UnsetType = msgspec.UNSET
    """Where the service is at fault: the id to look for in its log."""


class RefusedCall(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong, in the words of JSON-RPC."""

    code: int
    message: str


class RefusedMessage(Problem, frozen=True, kw_only=True):
    """The same as MCP's clients read it: of a response that is no success they show `error`, and nothing else."""

    error: RefusedCall
    jsonrpc: Literal["2.0"] = "2.0"
    id: None = None
    """The message may not have been read."""


class Kind(msgspec.Struct, frozen=True):
    """One row of the table."""

    slug: str
    status: int
    title: str
    meaning: str
    """For whoever fetches the problem's type; also the detail where the error's own words are not shown."""
    shown: bool = True
    """Whether the error's own message may leave the service."""
    retry_after: int | None = None
    """Seconds after which the same request may succeed; every 503 says so."""


_INTERNAL = Kind(
    "internal-error",
    500,
    "Internal error",
    "The service made a mistake. Its log says more under the incident id.",
    shown=False,
)
_STATUS: Mapping[int, Kind] = {
    kind.status: kind
    for kind in (
        Kind("bad-request", 400, "Bad request", "The request cannot be understood.", shown=False),
        Kind(
            "no-such-route", 404, "No such route", "Nothing is served here; /openapi.json lists what is.", shown=False
        ),
        Kind("method-not-allowed", 405, "Method not allowed", "The Allow header lists what is possible.", shown=False),
        Kind("body-too-large", 413, "Body too large", "The body is larger than this route reads.", shown=False),
    )
}
"""Errors of the web framework, by status."""

_ERRORS: Mapping[type[Exception], Kind] = {
    ValidationException: Kind("invalid-request", 422, "Invalid request", "A parameter cannot be used.", shown=False),
    errors.InvalidRequest: Kind("invalid-request", 422, "Invalid request", "A field or parameter cannot be used."),
    errors.Unsupported: Kind(
        "unsupported-parameter", 400, "Unsupported parameter", "A field asks for something that is not done here."
    ),
    errors.MalformedBody: Kind("malformed-body", 400, "Malformed body", "The body is not the JSON it should be."),
    errors.SlowBody: Kind("slow-body", 408, "Body took too long", "The body did not arrive in time."),
    errors.BodyTooLarge: Kind("body-too-large", 413, "Body too large", "The body is larger than this route reads."),
    errors.UnsupportedMedia: Kind(
        "unsupported-media-type", 415, "Unsupported media type", "The body's content type or encoding is not read here."
    ),
    errors.Unauthenticated: Kind(
        "unauthenticated", 401, "Who are you?", "The request needs an API key, or a token made for its page."
    ),
    errors.TokenExpired: Kind(
        "token-expired", 401, "Token expired", "The page's token has expired; it needs a new one."
    ),
    errors.NotAllowed: Kind(
        "not-allowed", 403, "Not allowed", "What was shown does not open this route or collection."
    ),
    errors.ForeignOrigin: Kind(
        "foreign-origin", 403, "Foreign origin", "Pages of this origin may not send this request."
    ),
    errors.UnknownHost: Kind(
        "unknown-host",
        421,
        "Unknown host",
        "Without API keys the service answers to its address only, not to any name.",
    ),
    errors.RateLimited: Kind(
        "rate-limited", 429, "Too many requests", "The caller's budget is spent; Retry-After says for how long."
    ),
    errors.NothingUsable: Kind("nothing-usable", 422, "No usable article", "None of the articles sent could be taken."),
    errors.NotInstalled: Kind(
        "not-installed", 501, "Not installed", "The service was installed without a package that this route needs."
    ),
    errors.NotReady: Kind("not-ready", 503, "Not ready", "The store or the encoder is being loaded.", retry_after=2),
    errors.Overloaded: Kind(
        "overloaded", 503, "Overloaded", "Too much work is waiting; send the request again later.", retry_after=1
    ),
    errors.ShuttingDown: Kind("shutting-down", 503, "Shutting down", "The service is stopping.", retry_after=5),
    errors.DeadlineExceeded: Kind("deadline-exceeded", 504, "Deadline exceeded", "The answer was not ready in time."),
    online.InvalidQuestion: Kind("invalid-question", 422, "Invalid question", "The question cannot be used."),
    online.InvalidText: Kind(
        "invalid-text",
        422,
        "Invalid text",
        "The text to check has no words or too many sentences, or the texts to check it against are too long together.",
    ),
    online.NotFound: Kind("not-found", 404, "Not found", "What was asked for does not exist, or no longer does."),
    offline.AmbiguousId: Kind(
        "ambiguous-id", 409, "Ambiguous id", "Articles in several collections have this id; `collection` says which."
    ),
    online.HistoryUnavailable: Kind(
        "history-unavailable",
        503,
        "History unavailable",
        "The file of conversations and feedback cannot be used now.",
        shown=False,
        retry_after=10,
    ),
    offline.InputError: Kind("invalid-input", 422, "Invalid input", "An article, a filter or an id cannot be used."),
    offline.StoreCorrupt: Kind(
        "damaged-article", 500, "Damaged article", "The stored text no longer matches its hash.", shown=False
    ),
    offline.StoreBusy: Kind(
        "store-busy",
        503,
        "Store busy",
        "Another process is writing to the store; send this again later.",
        shown=False,
        retry_after=1,
    ),
    offline.StoreReadOnly: Kind(
        "read-only",
        503,
        "Read only",
        "The articles can be read here and not changed: the service may not write to their folder.",
        shown=False,
        retry_after=60,
    ),
    offline.StoreFull: Kind(
        "disk-full",
        507,
        "Disk full",
        "The disk that holds the articles is full, and nothing of this was written. Whoever operates the service has "
        "to make room; questions are answered meanwhile.",
        shown=False,
    ),
    offline.EmbeddingsError: Kind(
        "store-unavailable",
        503,
        "Store unavailable",
        "The store or the encoder cannot be used now.",
        shown=False,
        retry_after=10,
    ),
    Exception: _INTERNAL,
}
"""Everything else, by the nearest class in the error's ancestry."""

KINDS: Mapping[str, Kind] = {kind.slug: kind for kind in (*_STATUS.values(), *_ERRORS.values())}


def by_status(slugs: Iterable[str]) -> Mapping[int, Sequence[Kind]]:
    """The rows of these kinds in order of status."""
    rows = sorted((KINDS[slug] for slug in slugs), key=lambda kind: kind.status)
    return {status: list(kinds) for status, kinds in groupby(rows, key=lambda kind: kind.status)}


PROTOCOL_PROBLEM = Problem(
    type="/problems/bad-request", title="Bad request", status=400, detail="What was sent is not a valid HTTP request."
)
"""What a connection gets that does not speak HTTP."""


def kind_of(error: Exception) -> Kind:
    """Find the row for an error."""
    if isinstance(error, HTTPException) and not isinstance(error, ValidationException):
        return _STATUS.get(error.status_code, _INTERNAL if error.status_code >= 500 else _STATUS[400])
    return next(_ERRORS[cls] for cls in type(error).__mro__ if cls in _ERRORS)


def problem_of(error: Exception, *, request: Request[Any, Any, Any]) -> Problem:
    """Describe any error; log the ones that are ours."""
    kind = kind_of(error)
    incident_id: str | msgspec.UnsetType = msgspec.UNSET
    if kind.status >= 500 and not kind.shown:
        incident_id = uuid.uuid4().hex
        logger.error("incident %s: %s %r", incident_id, request.method, request.scope["path"], exc_info=error)
    return Problem(
        type=f"/problems/{kind.slug}",
        title=kind.title,
        status=kind.status,
        detail=str(error)[:_LONGEST_DETAIL] if kind.shown else kind.meaning,
        errors=_faults(error) or msgspec.UNSET,
        incident_id=incident_id,
    )


def serve_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Turn any error into its problem document; at `/mcp` it is an error of JSON-RPC, too."""
    kind = kind_of(error)
    problem = problem_of(error, request=request)
    if is_mcp := request.scope["path"] == "/mcp":
        said = RefusedCall(code=_SERVER_ERROR, message=problem.detail)
        problem = RefusedMessage(**{name: getattr(problem, name) for name in Problem.__struct_fields__}, error=said)
    media_type = "application/json" if is_mcp else MEDIA_TYPE
    return Response(problem, status_code=kind.status, media_type=media_type, headers=_headers(error, kind))


def _faults(error: Exception) -> tuple[FieldError, ...]:
    """The fields at fault, from our own errors and from the framework's."""
    if isinstance(error, errors.RequestError):
        return error.errors
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        return tuple(FieldError(detail=entry["message"], field=entry.get("key")) for entry in error.extra)
    return ()


def _headers(error: Exception, kind: Kind) -> dict[str, str]:
    headers = {"cache-control": "no-store"}
    if isinstance(error, HTTPException) and error.headers and "allow" in error.headers:
        headers["allow"] = error.headers["allow"]
    if kind.retry_after is not None:
        headers["retry-after"] = str(kind.retry_after)
    if isinstance(error, errors.RateLimited | errors.Overloaded):
        headers["retry-after"] = str(error.retry_after)
    if kind.status == 401:
        headers["www-authenticate"] = 'Bearer realm="sourceline"'
    if kind.status == 408:
        headers["connection"] = "close"  # the rest of the body is not waited for
    return headers


# --- uvicorn's h11 protocol with gaps closed: what is not HTTP gets a problem document, what does not end is ended
_UNWANTED_BYTES = 50_000_000
"""So much of a body is thrown away after its request was refused, so that the sender gets to read the refusal."""
_HEAD_SECONDS = 20.0
"""A request whose head takes longer is not waited for: connections are few here, and cost nothing to open."""


class StrictProtocol(H11Protocol):
    """One connection."""

    _unwanted = 0
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; its first request has to come soon."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of a connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; hang up on a sender who goes on and on after the answer."""
        if self.cycle is not None and self.cycle.response_complete and self.conn.their_state is h11.SEND_BODY:
            self._unwanted += len(data)
            if self._unwanted > _UNWANTED_BYTES:
                self.transport.abort()
                return
        else:
            self._unwanted = 0
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._waiting is None:
            self._wait_for_head()  # of the next request on this connection

    def _wait_for_head(self) -> None:
        self._waiting = self.loop.call_later(_HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        if self.conn.their_state is h11.IDLE and (self.cycle is None or self.cycle.response_complete):
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP. `msg` is uvicorn's own; the problem says the same."""
        del msg
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.transport.close()
            return
        body = msgspec.json.encode(PROTOCOL_PROBLEM)
        headers = {**ALWAYS, "content-type": MEDIA_TYPE, "content-length": str(len(body)), "connection": "close"}
        response = h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request")
        for event in (response, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
