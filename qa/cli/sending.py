"""`qa ingest` with QA_SERVICE_URL: files are read here, and sent to the service that has the store open."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from qa.cli.terminal import ingest_shown, until_stopped

if TYPE_CHECKING:
    from embeddings.ingest import IngestReport
    from embeddings.types import RawArticle, Rejected
    from qa.settings import Settings
    from qa.sources.delivery import ToService

__all__ = ["sent_to_service"]

_AT_ONCE = 64
"""Articles read ahead of one request: so many are under way where it breaks off."""


def sent_to_service(
    items: Iterable[RawArticle | Rejected], *, settings: Settings, collection: str, total: int, saying: str
) -> IngestReport:
    """Send what was read, a few articles at a time; give the report of an ingest. Raises SourceError, NotDelivered."""
    from embeddings.ingest import IngestProgress
    from qa.sources.delivery import ToService, together
    from qa.sources.fetching import NotDelivered
    from qa.tracing import part, told_of_ingests, tracing

    service = ToService(settings.service_url, key=settings.service_key, collection=collection)
    report, left = together([]), iter(items)
    with (
        until_stopped((signal.SIGINT,), saying=saying) as interrupted,
        ingest_shown(total=total) as progress,
        tracing(settings.otel_endpoint, texts=settings.otel_texts),
        part("ingest") as span,
    ):
        while batch := list(islice(left, _AT_ONCE)):
            try:
                report = together([report, _sent(batch, service)])
            except NotDelivered as error:
                kept = f"{len(report.articles):,} articles were stored before; the same command does the rest"
                raise NotDelivered(f"{error}. {kept}" if report.articles else str(error)) from error
            done = len(report.articles) + len(report.rejected)
            progress(IngestProgress(items=done, passages=report.passages_encoded, read=done))
            if interrupted.is_set():
                report = msgspec.structs.replace(report, stopped=True)
                break
        span.tell(told_of_ingests([report]))
    return report


def _sent(batch: list[RawArticle | Rejected], service: ToService) -> IngestReport:
    """What became of a few: those that could not be read, and those that the service was sent."""
    from embeddings.types import RawArticle, Rejected

    report = service.ingest([one for one in batch if isinstance(one, RawArticle)])
    unread = tuple(one for one in batch if isinstance(one, Rejected))
    return msgspec.structs.replace(report, rejected=(*unread, *report.rejected))
