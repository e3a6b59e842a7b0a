"""`qa ingest` with QA_SERVICE_URL: files are read here, and sent to the service that has the store open."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from qa.cli.terminal import ingest_shown, until_stopped

if TYPE_CHECKING:
    from embeddings.ingest import IngestProgress, IngestReport
    from embeddings.types import RawArticle, Rejected
    from qa.settings import Settings
    from qa.sources.delivery import ToService

__all__ = ["sent_to_service"]

_AT_ONCE = 64
"""Articles read ahead of one request: so many are under way where it breaks off."""


def sent_to_service(
    items: Iterable[RawArticle | Rejected], *, settings: Settings, collection: str, total: int, saying: str
) -> IngestReport:
    """Send what was read, a few articles at a time; give the report of an ingest. Raises SourceError, BrokenOff."""
    from qa.sources.delivery import ToService
    from qa.tracing import part, told_of_ingests, tracing

    with until_stopped((signal.SIGINT,), saying=saying) as interrupted:
        service = ToService(
            settings.service_url, key=settings.service_key, collection=collection, wait=interrupted.wait
        )
        with (
            ingest_shown(total=total) as progress,
            tracing(settings.otel_endpoint, texts=settings.otel_texts),
            part("ingest") as span,
        ):
            report = _sent(items, service, progress=progress, should_stop=interrupted.is_set)
            span.tell(told_of_ingests([report]))
    return report


def _sent(
    items: Iterable[RawArticle | Rejected],
    service: ToService,
    *,
    progress: Callable[[IngestProgress], None],
    should_stop: Callable[[], bool],
) -> IngestReport:
    """What became of all: those that could not be read, and those that the service was sent. Raises BrokenOff."""
    from embeddings.ingest import IngestProgress
    from embeddings.types import RawArticle, Rejected
    from qa.sources.delivery import BrokenOff, together

    report, left = together([]), iter(items)
    while batch := list(islice(left, _AT_ONCE)):
        unread = tuple(one for one in batch if isinstance(one, Rejected))
        report = msgspec.structs.replace(report, rejected=(*report.rejected, *unread))
        try:
            report = together([report, service.ingest([one for one in batch if isinstance(one, RawArticle)])])
        except BrokenOff as error:
            report = msgspec.structs.replace(together([report, error.report]), stopped=True)
            if should_stop():  # a wait that Ctrl-C ended
                return report
            kept = f". Stored before: {len(report.articles):,}; the same command does the rest"
            raise BrokenOff(f"{error}{kept if report.articles else ''}", report=report) from error
        done = len(report.articles) + len(report.rejected)
        progress(IngestProgress(items=done, passages=report.passages_encoded, read=done))
        if should_stop():
            return msgspec.structs.replace(report, stopped=True)
    return report
