"""OpenTelemetry spans and evaluation events, sent over OTLP/HTTP in batches, from threads of their own.

The SDK's own variables hold: `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`,
`OTEL_EXPORTER_OTLP_HEADERS`, `…_TIMEOUT`, `…_COMPRESSION`, `…_CERTIFICATE`. Nothing global is set: what other libraries
tell of themselves goes nowhere.
"""

import threading
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

from opentelemetry._logs import Logger, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span as Inner
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from qa.tracing import Evaluation, Kind, Span, Value

_SCOPE: Final = "sourceline"
_KINDS: Final[Mapping[Kind, SpanKind]] = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
}
_CONTEXT = TraceContextTextMapPropagator()
_CLOSE_SECONDS: Final = 5.0
"""What was not sent by then is lost: a receiver that is down keeps no service from stopping."""


class Tracing:
    """The way to one receiver."""

    def __init__(self, endpoint: str, *, texts: bool) -> None:
        """`endpoint` is the receiver's address, to which `/v1/traces` and `/v1/logs` are added."""
        address, release = endpoint.rstrip("/"), version("sourceline")
        ours = Resource.create({"service.name": "sourceline", "service.version": release})
        resource = ours.merge(OTELResourceDetector().detect())
        self._spans = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._exporters = (OTLPSpanExporter(f"{address}/v1/traces"), OTLPLogExporter(f"{address}/v1/logs"))
        self._spans.add_span_processor(BatchSpanProcessor(self._exporters[0]))
        self._events = LoggerProvider(resource=resource, shutdown_on_exit=False)
        self._events.add_log_record_processor(BatchLogRecordProcessor(self._exporters[1]))
        self._tracer = self._spans.get_tracer(_SCOPE, release)
        self._logger = self._events.get_logger(_SCOPE, release)
        self._texts = texts

    def begin(self, name: str, *, kind: Kind, headers: Mapping[str, str] | None = None) -> Span:
        """A span that belongs to none of ours; to somebody else's, where `headers` says so (`traceparent`)."""
        context = _CONTEXT.extract(dict(headers or {}), context=Context())
        inner = self._tracer.start_span(name, context=context, kind=_KINDS[kind])
        return _Traced(inner, tracer=self._tracer, logger=self._logger, texts=self._texts)

    def close(self) -> None:
        """Send what is left, for a few seconds at most. Blocking."""
        ending = [
            threading.Thread(target=provider.shutdown, daemon=True, name="tracing-end")
            for provider in (self._spans, self._events)
        ]
        for thread in ending:
            thread.start()
        until = time.monotonic() + _CLOSE_SECONDS
        for thread in ending:
            thread.join(max(0.0, until - time.monotonic()))
        if any(thread.is_alive() for thread in ending):
            for exporter in self._exporters:
                # Or it would try again, for as long as it waits for a receiver.
                exporter.shutdown()  # type: ignore[no-untyped-call]


class _Traced:
    """A span of the SDK."""

    def __init__(self, inner: Inner, *, tracer: Tracer, logger: Logger, texts: bool) -> None:
        self.texts = texts
        self._failed = False
        self._inner = inner
        self._tracer = tracer
        self._logger = logger
        self._within = set_span_in_context(inner, Context())

    @property
    def headers(self) -> Mapping[str, str]:
        """`traceparent`, and `tracestate` where there is one."""
        carried: dict[str, str] = {}
        _CONTEXT.inject(carried, context=self._within)
        return carried

    def part(self, name: str, *, kind: Kind, attributes: Mapping[str, Value]) -> Span:
        """Begin a span inside this one."""
        inner = self._tracer.start_span(name, context=self._within, kind=_KINDS[kind], attributes=dict(attributes))
        return _Traced(inner, tracer=self._tracer, logger=self._logger, texts=self.texts)

    def stage(self, name: str, began: float, ended: float) -> None:
        """Tell of a part that is over."""
        now = time.time() - time.perf_counter()
        start, end = (int((now + moment) * 1e9) for moment in (began, ended))
        self._tracer.start_span(name, context=self._within, start_time=start).end(end)

    def tell(self, attributes: Mapping[str, Value], *, name: str | None = None) -> None:
        """Add attributes, and a better name."""
        self._inner.set_attributes(dict(attributes))
        if name is not None:
            self._inner.update_name(name)

    def evaluated(self, evaluation: Evaluation) -> None:
        """An event of its own, as the conventions want it: a log record with a name, and this span as its parent."""
        found: dict[str, str | float] = {
            "gen_ai.evaluation.name": "support",
            "gen_ai.evaluation.score.value": evaluation.score,
            "gen_ai.evaluation.score.label": evaluation.label,
        }
        if self.texts:
            found["gen_ai.evaluation.explanation"] = evaluation.claim
        self._logger.emit(
            timestamp=time.time_ns(),
            context=self._within,
            severity_number=SeverityNumber.INFO,
            event_name="gen_ai.evaluation.result",
            attributes=found,
        )

    def failed(self, error: str) -> None:
        """Mark it as an error, of the first kind that is said: whoever knows best is nearest to it."""
        if self._failed:
            return
        self._failed = True
        self._inner.set_attribute("error.type", error)
        self._inner.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        """End it, once: the SDK complains of a second time."""
        if self._inner.is_recording():
            self._inner.end()
