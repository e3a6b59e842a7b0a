"""`/api/articles` and `/api/jobs`: list, read, add and delete articles, and follow the ingests.

Jobs are followed request by request, also while articles are being stored.
"""

from typing import Annotated, Any

from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency as Given
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, QueryParameter

from embeddings.cleaning.identity import MAX_ID
from embeddings.types import Status, Where
from qa.server.auth import FOLLOWING_JOBS, INGESTING, LISTING_ARTICLES, READING_ARTICLES, Caller
from qa.server.http.bodies import JSON, NDJSON, media_type
from qa.server.http.headers import revised
from qa.server.jobs import Job, JobPage, JobState
from qa.server.openapi import BODY, MOMENT, RECORDS, WORK, ArticlesOperation, Before, problems
from qa.server.service import Service
from qa.server.wire import AddReport, ArticlePage, summary
from qa.types import ArticleNow

Sources = Annotated[list[str] | None, QueryParameter(description="only these sources; may be repeated")]
Sections = Annotated[list[str] | None, QueryParameter(description="only these sections; may be repeated")]
Languages = Annotated[
    list[str] | None, QueryParameter(description="only these languages, `en` with `en-gb`; may be repeated")
]
Authors = Annotated[list[str] | None, QueryParameter(description="only by one of these; may be repeated")]
States = Annotated[list[Status] | None, QueryParameter(description="only in these states; needs `kept_back`")]
OfCollection = Annotated[
    str | None,
    QueryParameter(description="the collection in which its publisher gave this id, where several did", max_length=100),
]
KeptBack = Annotated[
    bool, QueryParameter(description="also what readers are not shown: withheld, canceled, under embargo")
]
Moment = Annotated[
    str | None, QueryParameter(description="ISO 8601 date or time", max_length=40, schema_extra={"any_of": MOMENT})
]


@get(
    "/articles",
    summary="List articles",
    response_description="Articles in order of id, without their text.",
    responses=problems(*WORK, "invalid-request", "invalid-input", "deadline-exceeded"),
    opt=LISTING_ARTICLES,
)
async def list_articles(
    service: Given[Service],
    caller: Given[Caller],
    limit: Annotated[int, QueryParameter(ge=1, le=200, description="articles per page")] = 50,
    after: Annotated[str | None, QueryParameter(description="`next` of the page before", max_length=MAX_ID)] = None,
    collection: Annotated[str | None, QueryParameter(description="only this collection", max_length=100)] = None,
    source: Sources = None,
    published_after: Moment = None,
    published_before: Moment = None,
    section: Sections = None,
    language: Languages = None,
    author: Authors = None,
    status: States = None,
    kept_back: KeptBack = False,
) -> ArticlePage:
    """Pages through the current versions; `published_after` includes that moment, `published_before` does not."""
    where = Where(
        collection=collection,
        sources=tuple(source or ()),
        sections=tuple(section or ()),
        languages=tuple(language or ()),
        authors=tuple(author or ()),
        statuses=tuple(status or ()),
        published_after=published_after,
        published_before=published_before,
    )
    found = await service.articles(where, after=after, limit=limit + 1, within=caller.within, kept_back=kept_back)
    page = tuple(summary(article) for article in found[:limit])
    return ArticlePage(articles=page, next=page[-1].id if len(found) > limit else None)


@get(
    "/articles/{article_id:str}",
    summary="Read an article",
    response_description="The article with its canonical text.",
    responses={
        **problems(*WORK, "not-found", "ambiguous-id", "damaged-article", "deadline-exceeded"),
        304: ResponseSpec(None, description="It is still the one whose `ETag` was sent as `If-None-Match`."),
    },
    opt=READING_ARTICLES,
)
async def get_article(
    request: Request[Any, Any, Any],
    article_id: FromPath[str],
    service: Given[Service],
    caller: Given[Caller],
    version: FromQuery[str | None] = None,
    collection: OfCollection = None,
    kept_back: KeptBack = False,
) -> Response[ArticleNow]:
    """The current version, or the one named: a citation's offsets count in the text of its `article_version`.
    `current_version` says whether another one has taken its place.

    The id that a publisher gave does, too, where no article has it in full and one within reach was given it.
    What is withheld, canceled or under embargo is not found; with a key that may `ingest` or `admin`, `kept_back` shows
    it.

    Comes with an `ETag`; sent back as `If-None-Match`, it spares the text where nothing has changed.
    """
    kept_back = kept_back and caller.scope.allows(["ingest", "admin"])
    article = await service.article_called(
        article_id, version=version, within=caller.within, collection=collection, kept_back=kept_back
    )
    now = article
    if version is not None:
        now = await service.article(article.id, version=None, within=caller.within, kept_back=kept_back)
    return revised(ArticleNow.of(article, now=now), known=request.headers.get("if-none-match"))


@post(
    "/articles",
    status_code=200,
    operation_class=ArticlesOperation,
    summary="Add or update articles",
    response_description="What became of each article; those listed under `articles` are on disk.",
    responses=problems(*BODY, *WORK, "nothing-usable", "invalid-request", "store-busy", "disk-full", "read-only"),
    opt=INGESTING,
)
async def add_articles(request: Request[Any, Any, Any], service: Given[Service], caller: Given[Caller]) -> AddReport:
    """Takes one article, a list, or one per line (NDJSON).

    A later version with `status` `withheld` or `canceled` takes an article back; `embargoed_until` holds it until then.
    An article with an `id` known in its collection replaces the older version; the same again changes nothing and costs
    nothing, so a request that was cut off may simply be sent again. Outside the default collection, the `id` in the
    report is the given one with the collection before it (`sport!match-7`). Without an `id`, the `url` names the
    article, then its `title`, then its text. Items that cannot be used are reported, the others go on.
    """
    lines = media_type(request, allowed=(JSON, NDJSON)) == NDJSON
    return await service.add(await request.body(), lines=lines, within=caller.within, by=caller.name)


@delete(
    "/articles/{article_id:str}",
    summary="Delete an article",
    response_description="It is gone, with all its versions.",
    responses=problems(*WORK, "not-found", "ambiguous-id", "store-busy", "disk-full", "read-only"),
    opt=INGESTING,
)
async def delete_article(
    article_id: FromPath[str], service: Given[Service], caller: Given[Caller], collection: OfCollection = None
) -> None:
    """Removes the article with all its versions; no answer cites it from then on.

    Where publishers gave this id in several collections within reach, `collection` has to say which is meant.
    """
    await service.delete(article_id, within=caller.within, collection=collection, by=caller.name)


@get(
    "/jobs",
    summary="List ingest jobs",
    response_description="Jobs, the latest first, without their results.",
    responses=problems(*RECORDS, "invalid-request"),
    opt=FOLLOWING_JOBS,
)
async def list_jobs(
    service: Given[Service],
    caller: Given[Caller],
    limit: Annotated[int, QueryParameter(ge=1, le=200, description="jobs per page")] = 50,
    before: Before = None,
    in_state: Annotated[JobState | None, QueryParameter(name="state", description="only those in this state")] = None,
) -> JobPage:
    """Every `POST /api/articles` is a job; the last 1,000 are kept. A key that may not administer sees its own."""
    return await service.jobs.page(state=in_state, of=_whose(caller), before=before, limit=limit)


@get(
    "/jobs/{job_id:str}",
    summary="Read an ingest job",
    response_description="The job with what became of each article, as far as it has come.",
    responses=problems(*RECORDS, "not-found"),
    opt=FOLLOWING_JOBS,
)
async def get_job(job_id: FromPath[str], service: Given[Service], caller: Given[Caller]) -> Job:
    """Up to 500 results are kept of one job, those of rejected articles before the others."""
    return await service.jobs.job(job_id, of=_whose(caller))


def _whose(caller: Caller) -> str | None:
    """Whose jobs a caller may see; None: everybody's."""
    everything = caller.scope.allows(["admin"]) and caller.scope.collections is None
    return None if everything else caller.name
