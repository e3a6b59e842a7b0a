"""What the service reports about itself: logs, traces, metrics, and whether articles can be written.

The log has a line and the traces a span for each request; the log has a line for each act of the operator.

Of a request nothing that was asked or sent: of its address only the route's template, neither ids nor parameters. Of an
act who did what to what, as JSON, without a word of it.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from embeddings.errors import StoreBusy, StoreFull, StoreReadOnly
from embeddings.runtime import Memory
from qa.checking import CheckReport
from qa.sources.ledger import Source
from qa.tracing import within
from qa.types import Answer

if TYPE_CHECKING:
    from qa.tracing.otlp import Tracing

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


# --- What the service counts about itself, for Prometheus: requests, answers, claims, queues; nothing of what was
# asked
# Every label has a handful of values, whatever callers send: routes by their template, methods and statuses by name.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_METHODS = {"GET", "HEAD", "POST", "DELETE", "OPTIONS"}
_ELSEWHERE = "none"
"""The route of requests that no route takes."""


class Metrics:
    """The counters of one service, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "sourceline_http_requests",
            "Requests answered, counted when the answer begins.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._request_seconds = Histogram(
            "sourceline_http_request_seconds",
            "From a request's arrival to the end of its answer; those whose client left are not in it.",
            ["method", "route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._answers = Counter(
            "sourceline_answers",
            "Answers, by what made them and why it was not the model.",
            ["mode", "fallback_reason"],
            registry=registry,
        )
        self._abstentions = Counter("sourceline_abstentions", "Abstentions, by reason.", ["reason"], registry=registry)
        self._answer_seconds = Histogram(
            "sourceline_answer_seconds", "Time an answer took.", ["mode"], buckets=_SECONDS, registry=registry
        )
        self._claims = Counter("sourceline_claims", "Sentences of answers, by verdict.", ["verdict"], registry=registry)
        self._citations = Counter("sourceline_citations", "Citations served.", registry=registry)
        self._withheld = Counter(
            "sourceline_withheld",
            "What was taken out of answers: citations that were not exact, sentences without support, unknown markers.",
            ["what"],
            registry=registry,
        )

        self._checked = Counter(
            "sourceline_checked_sentences", "Sentences of checked texts, by outcome.", ["outcome"], registry=registry
        )

    def watch(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Have a gauge read whenever somebody looks."""
        Gauge(f"sourceline_{name}", meaning, registry=self._registry).set_function(read)

    def remembered(self, name: str, memory: Memory[Any]) -> None:
        """Have the size of a memory read whenever somebody looks, and how often it had what was asked for."""
        self.watch(f"remembered_{name}", f"{name.capitalize()} remembered.", partial(len, memory))
        self.watch(f"remembered_{name}_hits", f"{name.capitalize()} that were remembered.", lambda: memory.hits)
        self.watch(f"remembered_{name}_misses", f"{name.capitalize()} that had to be made.", lambda: memory.misses)

    def answered(self, answer: Answer) -> None:
        """Count an answer."""
        self._answers.labels(answer.answer_mode, answer.fallback_reason or "").inc()
        if answer.abstain_reason is not None:
            self._abstentions.labels(answer.abstain_reason).inc()
        self._answer_seconds.labels(answer.answer_mode).observe(answer.timings_ms.get("total", 0.0) / 1000)
        for claim in answer.claims:
            self._claims.labels(claim.verdict).inc()
        self._citations.inc(len(answer.citations))
        for what, number in (
            ("citation", answer.usage.citations_dropped),
            ("sentence", answer.usage.sentences_dropped),
            ("marker", answer.usage.markers_unresolved),
        ):
            self._withheld.labels(what).inc(number)

    def checked(self, report: CheckReport) -> None:
        """Count the sentences of a checked text, each by its verdict or by why it was not judged."""
        for sentence in report.sentences:
            self._checked.labels(sentence.verdict or sentence.not_judged or "").inc()

    def timed(self, app: ASGIApp) -> ASGIApp:
        """Middleware that notes when a request came to its route."""

        async def begin(scope: Scope, receive: Receive, send: Send) -> None:
            _state(scope)["began"] = perf_counter()
            await app(scope, receive, send)

        return begin

    async def counted(self, message: Message, scope: Scope) -> None:
        """Hook on everything sent: counts the request when its answer begins, times it when that ends."""
        method = scope.get("method", "")
        labels = (str(method) if method in _METHODS else "other", str(scope.get("path_template", _ELSEWHERE)))
        if message["type"] == "http.response.start":
            self._requests.labels(*labels, str(message["status"])).inc()
            return
        began = _state(scope).get("began")
        if began is not None and message["type"] == "http.response.body" and not message.get("more_body"):
            self._request_seconds.labels(*labels).observe(perf_counter() - began)

    def text(self, more: Mapping[str, float], *, sources: Iterable[Source] = ()) -> bytes:
        """Everything in Prometheus' text format; `more` are gauges that had to be asked for.

        `sources` are those that the operator set up: as many as they are, so many values has their label.
        """
        extra = CollectorRegistry()
        for name, value in more.items():
            Gauge(f"sourceline_{name}", f"{name.replace('_', ' ').capitalize()}.", registry=extra).set(value)
        brought = Gauge(
            "sourceline_source_brought_timestamp_seconds",
            "When a source last brought an article that was new or changed.",
            ["source"],
            registry=extra,
        )
        asked = Gauge(
            "sourceline_source_asked_timestamp_seconds",
            "When a source was last asked with success.",
            ["source"],
            registry=extra,
        )
        for source in sources:
            asked.labels(source.name).set(source.asked)
            if source.brought is not None:
                brought.labels(source.name).set(source.brought)
        return generate_latest(self._registry) + generate_latest(extra)


def _state(scope: Scope) -> dict[str, Any]:
    found: dict[str, Any] = scope.setdefault("state", {})
    return found


# --- Whether articles can be written: what the last write met, and what the disk says now
Writes = Literal["open", "disk_full", "read_only", "busy"]

_LEAST_FREE_BYTES = 16_000_000
"""With less, the next article may not fit: its text and vectors are written twice, into the log and the database."""


class Storage:
    """Remembers a full disk until a write succeeds; a quota shows in no other way. Used from the event loop only."""

    def __init__(self, folder: Path | None) -> None:
        """`folder`: None where the store is on a server, whose disk nobody here can look at."""
        self._folder = folder
        self._full = False
        self._is_written_elsewhere: Callable[[], bool] = lambda: False

    def watch(self, is_written_elsewhere: Callable[[], bool]) -> None:
        """Ask this from now on, whether another process writes."""
        self._is_written_elsewhere = is_written_elsewhere

    @property
    def writes(self) -> Writes:
        """Whether the next write is likely to succeed."""
        if self._folder is None:
            return "disk_full" if self._full else "open"
        if is_read_only(self._folder):
            return "read_only"
        if self._full or _free(self._folder) < _LEAST_FREE_BYTES:
            return "disk_full"
        return "busy" if self._is_written_elsewhere() else "open"

    def require_writes(self) -> None:
        """Raise StoreFull, StoreReadOnly or StoreBusy where the next write is likely to fail."""
        match self.writes:
            case "read_only":
                raise StoreReadOnly(f"the folder {self._folder} cannot be written")
            case "disk_full":
                raise StoreFull(f"the disk of {self._folder or 'the server'} is full")
            case "busy":
                raise StoreBusy(f"another process is writing to the store in {self._folder}")

    @contextmanager
    def written(self) -> Iterator[None]:
        """Put around a write: learn from how it ends."""
        try:
            yield
        except StoreFull:
            self._full = True
            raise
        self._full = False


def is_read_only(folder: Path) -> bool:
    """Whether a folder is there and this user may not write to it."""
    return folder.is_dir() and not os.access(folder, os.W_OK)


def _free(folder: Path) -> int:
    """Bytes that this user may still write; plenty where nobody can say."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return _LEAST_FREE_BYTES
