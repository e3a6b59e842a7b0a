"""What the service counts about itself, for Prometheus: requests, answers, claims, queues; nothing of what was asked.

Every label has a handful of values, whatever callers send: routes by their template, methods and statuses by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from time import perf_counter
from typing import Any

from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from embeddings.runtime.memory import Memory
from qa.checking.values import CheckReport
from qa.sources.ledger import Source
from qa.types import Answer

__all__ = ["Metrics"]

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
