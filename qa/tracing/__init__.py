"""Traces what a piece of work consists of; off unless QA_OTEL_ENDPOINT is set."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Literal, Protocol

import msgspec

from qa.errors import SettingsError

if TYPE_CHECKING:
    from embeddings.ingest import IngestReport
    from qa.tracing.otlp import Tracing


# --- The seam between work and whoever traces it: spans, one inside the other, and what is told of them
# Span       a piece of work under way: what may be told of it
# Untraced   the span of work that nobody traces: costs nothing, says nothing
# current    the span that what runs here belongs to
# part       a piece of the current span, which is current until it ends
# tracing    for a command: each part in it begins a trace
# The one module that knows OpenTelemetry is `qa.tracing.otlp`. Nothing imports it unless tracing is on.
Kind = Literal["internal", "server", "client"]
Value = str | bool | int | float | Sequence[str]

_PACKAGES = "'opentelemetry-sdk>=1.45,<2' 'opentelemetry-exporter-otlp-proto-http>=1.45,<2'"
"""As the extra `otel` of this package asks for them."""


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found of one claim."""

    score: float
    label: str
    claim: str
    """Its words; told only where the span says that texts may be."""


class Span(Protocol):
    """A piece of work under way. May be told things from any thread; what is told after its end is lost."""

    @property
    def texts(self) -> bool:
        """Whether words of questions, answers and articles may be told."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What a request that is part of this work carries, so that its answerer's spans join in."""

    def part(self, name: str, *, kind: Kind, attributes: Mapping[str, Value]) -> Span:
        """Begin a span inside this one."""

    def stage(self, name: str, began: float, ended: float) -> None:
        """Tell of a part that is over; its moments are those of `time.perf_counter`."""

    def tell(self, attributes: Mapping[str, Value], *, name: str | None = None) -> None:
        """Add attributes; call the span `name`, now that it is known what it is."""

    def evaluated(self, evaluation: Evaluation) -> None:
        """Tell of a claim that was checked."""

    def failed(self, error: str) -> None:
        """Say that the work came to nothing; `error` is a kind of error, never words of a text."""

    def end(self) -> None:
        """End it, once."""


class Untraced:
    """Work that nobody traces."""

    texts: Final = False
    headers: Final[Mapping[str, str]] = {}

    def part(self, name: str, *, kind: Kind, attributes: Mapping[str, Value]) -> Span:  # noqa: ARG002
        """Nobody traces its parts either."""
        return self

    def stage(self, name: str, began: float, ended: float) -> None:
        """Nothing."""

    def tell(self, attributes: Mapping[str, Value], *, name: str | None = None) -> None:
        """Nothing."""

    def evaluated(self, evaluation: Evaluation) -> None:
        """Nothing."""

    def failed(self, error: str) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""


_UNTRACED: Final = Untraced()
_CURRENT: ContextVar[Span | None] = ContextVar("span", default=None)


def current() -> Span:
    """The span of what runs here; work handed to a thread takes it along by itself."""
    return _CURRENT.get() or _UNTRACED


@contextmanager
def within(span: Span) -> Iterator[Span]:
    """Make a span the current one until its end, which is that of the block.

    Inside an asynchronous generator it stays current for whoever iterates, who works for the same span then: so the
    former one is set again and no token is given back, which another task could not do.
    """
    before = _CURRENT.get()
    _CURRENT.set(span)
    try:
        yield span
    except Exception as error:
        span.failed(type(error).__name__)
        raise
    finally:
        _CURRENT.set(before)
        span.end()


@contextmanager
def part(name: str, *, kind: Kind = "internal", attributes: Mapping[str, Value] | None = None) -> Iterator[Span]:
    """A span inside the current one."""
    with within(current().part(name, kind=kind, attributes=attributes or {})) as span:
        yield span


@contextmanager
def tracing(endpoint: str, *, texts: bool) -> Iterator[None]:
    """Let each `part` begun here be a trace of its own, sent to `endpoint`; where there is none, nothing is traced.

    For a command, however long it goes on: spans are sent as they end, the last ones when the block does.
    Raises SettingsError.
    """
    if not endpoint:
        yield
        return
    opened = open_tracing(endpoint, texts=texts)
    try:
        with within(_Beginning(opened)):
            yield
    finally:
        opened.close()


class _Beginning(Untraced):
    """What no span is yet: what is begun in it begins a trace."""

    def __init__(self, opened: Tracing) -> None:
        self._opened = opened

    def part(self, name: str, *, kind: Kind, attributes: Mapping[str, Value]) -> Span:
        """Begin a span that belongs to none."""
        span = self._opened.begin(name, kind=kind)
        span.tell(attributes)
        return span


def told_of_ingests(reports: Sequence[IngestReport]) -> Mapping[str, Value]:
    """What a trace tells of an ingest: how many articles came to what."""
    outcomes = Counter(article.outcome for report in reports for article in report.articles)
    return {
        **{f"sourceline.{outcome}": number for outcome, number in outcomes.items()},
        "sourceline.rejected": sum(len(report.rejected) for report in reports),
        "sourceline.passages": sum(report.passages_encoded for report in reports),
    }


def open_tracing(endpoint: str, *, texts: bool) -> Tracing:
    """Begin to send spans to an OTLP/HTTP receiver. Raises SettingsError where the packages for it are not there."""
    try:
        from qa.tracing.otlp import Tracing
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        raise SettingsError(
            f"QA_OTEL_ENDPOINT needs OpenTelemetry's SDK: {sys.executable} -m pip install {_PACKAGES}"
        ) from None
    return Tracing(endpoint, texts=texts)
