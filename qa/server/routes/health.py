"""`/health/live`, `/health/ready` and `/metrics`: is the process alive, can it answer, and how is it doing?"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from prometheus_client import CONTENT_TYPE_LATEST

from embeddings.errors import EmbeddingsError
from qa.language.timestamps import stamp
from qa.server.auth.permissions import ADMINISTERING, ANYONE, Caller
from qa.server.errors import ServerError
from qa.server.openapi import WORK, problems
from qa.server.service import Service
from qa.server.wire import Alive, FreshSource, Ready

__all__ = ["live", "metrics", "ready"]


@get(
    "/live",
    operation_id="live",
    summary="Is the process alive?",
    response_description="The event loop answers.",
    tags=["health"],
    responses=problems("internal-error"),
    opt=ANYONE,
)
async def live() -> Alive:
    """Answers as long as the event loop does, also while the encoder is being loaded."""
    return Alive()


@get(
    "/ready",
    operation_id="ready",
    summary="Can questions be answered?",
    response_description="They can.",
    tags=["health"],
    responses=problems(*WORK, "deadline-exceeded", "disk-full", "read-only", "invalid-request"),
    opt=ANYONE,
)
async def ready(
    caller: NamedDependency[Caller], service: NamedDependency[Service], writes: FromQuery[bool] = False
) -> Ready:
    """The store answers, its index was verified when it was opened, and the encoder is warm.

    With `writes`, also whether articles can be added: a full disk or a read-only folder is an error then and only then.
    """
    if writes:
        service.storage.require_writes()
    if not caller.operates:
        await service.probe()
        return Ready()
    counts = await service.counts(within=caller.within)
    known = (await service.sources()).heard if caller.within is None else ()
    fresh = tuple(
        FreshSource(name=one.name, kind=one.kind, asked_at=_stamp(one.asked), brought_at=_stamp(one.brought))
        for one in known
    )
    return Ready(
        articles=counts.articles,
        passages=counts.passages,
        writes=service.storage.writes,
        sources=fresh or msgspec.UNSET,
    )


def _stamp(seconds: float | None) -> str | None:
    return None if seconds is None else stamp(datetime.fromtimestamp(seconds, UTC))


@get("/metrics", include_in_schema=False, opt=ADMINISTERING)
async def metrics(service: NamedDependency[Service]) -> Response[bytes]:
    """Counters, gauges and histograms; also while the service is loading or the store is in trouble."""
    try:
        counts = await service.counts(within=None)
        writable = float(service.storage.writes == "open")
        more = {
            "ready": 1.0,
            "writable": writable,
            "articles": float(counts.articles),
            "passages": float(counts.passages),
        }
    except (EmbeddingsError, ServerError):
        more = {"ready": 0.0}
    headers = {"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"}
    return Response(service.metrics.text(more, sources=(await service.sources()).heard), headers=headers)
