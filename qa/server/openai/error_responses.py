"""The error responses of the routes under `/v1`, for the API's description."""

from __future__ import annotations

from litestar.openapi.datastructures import ResponseSpec

from qa.server.http.problems import KINDS
from qa.server.openai.envelope import ErrorEnvelope

__all__ = ["errors"]


def errors(*slugs: str) -> dict[int, ResponseSpec]:
    """By status, from the table of problems; what goes wrong on any route is added."""
    by_status: dict[int, list[str]] = {}
    for slug in (*slugs, "internal-error"):
        by_status.setdefault(KINDS[slug].status, []).append(slug)
    return {
        status: ResponseSpec(
            ErrorEnvelope,
            generate_examples=False,
            description="; ".join(f"{KINDS[slug].title} (`{slug.replace('-', '_')}`)" for slug in found),
            media_type="application/json",
        )
        for status, found in sorted(by_status.items())
    }
