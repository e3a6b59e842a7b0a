"""`GET /metrics`: how the service is doing, for Prometheus."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from prometheus_client import CONTENT_TYPE_LATEST

from embeddings.errors import EmbeddingsError
from qa.server.auth.permissions import ADMINISTERING
from qa.server.errors import ServerError
from qa.server.service import Service

__all__ = ["metrics"]


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
