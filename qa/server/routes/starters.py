"""`GET /api/starters`: questions to begin with or to go on with, for a page that has none of its own."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from embeddings.types import Overview
from qa.server.auth.permissions import READING, Caller
from qa.server.openapi import WORK, problems
from qa.server.routes.articles import Authors, Languages, Moment, Sections, Sources
from qa.server.service import Service
from qa.server.starters import Reach
from qa.server.wire import Archive, Headline, Starter, Starters
from qa.types import Filters

__all__ = ["list_starters"]

_HEADLINES = 5
_NAMED = 20
Only = Annotated[list[str] | None, QueryParameter(description="only these articles; may be repeated", max_items=_NAMED)]
About = Annotated[
    list[str] | None,
    QueryParameter(
        description="ids of the articles that the questions are to be about, the most important first; may be repeated",
        max_items=_NAMED,
    ),
]


@get(
    "/starters",
    operation_id="list_starters",
    summary="Questions to begin or to go on with, and what articles there are",
    response_description="A few questions, the size of the archive, its newest articles.",
    tags=["questions"],
    responses=problems(*WORK, "invalid-request", "invalid-question", "deadline-exceeded"),
    opt=READING,
)
async def list_starters(
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
    collection: Annotated[str | None, QueryParameter(description="only this collection", max_length=100)] = None,
    source: Sources = None,
    section: Sections = None,
    language: Languages = None,
    author: Authors = None,
    published_after: Moment = None,
    published_before: Moment = None,
    article_ids: Only = None,
    about: About = None,
) -> Starters:
    """Made of the latest articles that pass the filters, and tried under them: each is answered from the article it
    comes from, as it will be when it is asked with the same filters.

    With `about`, they follow on to an answer: they are about the articles named, such as those that it cites.
    """
    filters = Filters(
        source=tuple(source or ()),
        section=tuple(section or ()),
        language=tuple(language or ()),
        author=tuple(author or ()),
        published_after=published_after,
        published_before=published_before,
        article_ids=tuple(article_ids or ()),
    )
    reach = Reach(within=caller.within, collection=collection, filters=filters, about=tuple(about or ()))
    found = await service.beginning(reach)
    return Starters(
        starters=tuple(
            Starter(question=one.question, article_id=one.article_id, quote=one.quote) for one in found.questions
        ),
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
