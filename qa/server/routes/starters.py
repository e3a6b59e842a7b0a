"""`GET /api/starters`: questions to begin with, for a page that has none of its own."""

from __future__ import annotations

from litestar import get
from litestar.di import NamedDependency

from embeddings.types import Overview
from qa.server.auth.permissions import READING, Caller
from qa.server.openapi import WORK, problems
from qa.server.service import Service
from qa.server.wire import Archive, Headline, Starter, Starters

__all__ = ["list_starters"]

_HEADLINES = 5


@get(
    "/starters",
    operation_id="list_starters",
    summary="Questions to begin with, and what articles there are",
    response_description="A few questions, the size of the archive, its newest articles.",
    tags=["questions"],
    responses=problems(*WORK, "deadline-exceeded"),
    opt=READING,
)
async def list_starters(service: NamedDependency[Service], caller: NamedDependency[Caller]) -> Starters:
    """Made of the latest articles and tried: each is answered from the article it comes from."""
    found = await service.beginning(within=caller.within)
    return Starters(
        starters=tuple(Starter(question=question) for question in found.questions),
        archive=_archive(found.overview),
        complete=found.complete,
    )


def _archive(overview: Overview) -> Archive:
    newest = [article for article in overview.newest if article.title][:_HEADLINES]
    return Archive(
        articles=overview.articles,
        sources=overview.sources,
        earliest=overview.earliest,
        latest=overview.latest,
        newest=tuple(
            Headline(
                article_id=article.id,
                article_version=article.version,
                title=article.title,
                source=article.source,
                url=article.url,
                published_at=article.published_at,
            )
            for article in newest
        ),
    )
