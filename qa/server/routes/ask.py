"""`POST /api/ask`, `/api/search` and `/api/check`, `GET /api/starters`.

Answers come with their citations, at once or as they are made.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency as Given
from litestar.params import JSONBody, QueryParameter

from qa.checking import CheckReport, TextToCheck
from qa.server.auth import ASKING, CHECKING, READING, SEARCHING, Caller
from qa.server.http.problems import problem_of
from qa.server.http.sse import EventStream, Message, WhileConnected
from qa.server.openapi import CHECK, QUESTION, WORK, problems
from qa.server.routes.articles import Authors, Languages, Moment, Sections, Sources
from qa.server.service import Service
from qa.server.starters import Glance, Reach
from qa.server.wire import Archive, Headline, Starter, Starters
from qa.sources.ledger import late_sources
from qa.types import Answer, AnswerEvent, Event, Filters, Question, SearchAnswer, SearchQuestion


@post(
    "/ask",
    status_code=200,
    summary="Answer a question from the articles",
    response_description="The answer; `abstained` is an answer too. With `stream`, a `text/event-stream` of it.",
    responses=problems(*QUESTION),
    opt=ASKING,
)
async def ask(
    data: JSONBody[Question], service: Given[Service], caller: Given[Caller], request: Request[Any, Any, Any]
) -> Response[Answer]:
    """Every citation quotes its article word for word; offsets are half-open, in Unicode code points.

    With `stream`, server-sent events: `search_results`, then a `claim` with its citations for each sentence that has
    been verified, at last `answer` with all of it, or `error` with a problem document.
    """
    if not data.stream:
        return WhileConnected(partial(service.ask, data, owner=caller.owner, within=caller.within))
    return EventStream(
        _messages(service.events(data, owner=caller.owner, within=caller.within)), failure=partial(_failure, request)
    )


async def _messages(events: AsyncGenerator[Event, None]) -> AsyncGenerator[Message, None]:
    async with aclosing(events):
        number = 0
        async for event in events:
            number += 1
            payload = event.answer if isinstance(event, AnswerEvent) else event
            name = event.__struct_config__.tag
            yield Message(event=str(name), id=str(number), data=msgspec.json.encode(payload))


def _failure(request: Request[Any, Any, Any], error: Exception) -> Message:
    return Message(event="error", id="error", data=msgspec.json.encode(problem_of(error, request=request)))


@post(
    "/search",
    status_code=200,
    summary="Find passages",
    response_description="Passages, best first.",
    responses=problems(*QUESTION),
    opt=SEARCHING,
)
async def search(data: JSONBody[SearchQuestion], service: Given[Service], caller: Given[Caller]) -> SearchAnswer:
    """Passages that match by meaning or by words, best first; one per story.

    With a `conversation_id`, a follow-up is looked up as `resolved_query` says; the conversation stays as it is.
    """
    return await service.search(data, owner=caller.owner, within=caller.within)


@post(
    "/check",
    status_code=200,
    summary="Check a text, sentence by sentence",
    response_description="Every sentence, with its verdict, the exact words that support it, and what differs.",
    responses=problems(*CHECK),
    opt=CHECKING,
)
async def check(data: JSONBody[TextToCheck], service: Given[Service], caller: Given[Caller]) -> Response[CheckReport]:
    """Holds a text, whoever wrote it, against texts sent along (`against`) or against the stored articles.

    The sentences of generated answers are judged by the same code, and no language model is asked. Nothing of the text
    is kept. A text of more than 500 sentences is refused; one that cannot be finished within the deadline comes back
    with its last sentences `out_of_time`, and `complete` is false.
    """
    return WhileConnected(partial(service.check, data, within=caller.within))


_HEADLINES = 5
_LATE = 3
_NAMED = 20
Only = Annotated[list[str] | None, QueryParameter(description="only these articles; may be repeated", max_items=_NAMED)]
About = Annotated[
    list[str] | None,
    QueryParameter(
        description="ids of the articles that the questions are to be about, the most important first; may be repeated",
        max_items=_NAMED,
    ),
]
Like = Annotated[
    str | None,
    QueryParameter(
        description="with `about`: a question that they did not answer, near which the questions are to stand",
        max_length=2000,
    ),
]


@get(
    "/starters",
    summary="Questions to begin or to go on with, and what articles there are",
    response_description="A few questions, the size of the archive, its newest articles.",
    responses=problems(*WORK, "invalid-request", "invalid-question", "deadline-exceeded"),
    opt=READING,
)
async def list_starters(
    service: Given[Service],
    caller: Given[Caller],
    collection: Annotated[str | None, QueryParameter(description="only this collection", max_length=100)] = None,
    source: Sources = None,
    section: Sections = None,
    language: Languages = None,
    author: Authors = None,
    published_after: Moment = None,
    published_before: Moment = None,
    article_ids: Only = None,
    about: About = None,
    like: Like = None,
) -> Starters:
    """Made of the latest articles that pass the filters, and tried under them: each is answered from the article it
    comes from, as it will be when it is asked with the same filters.

    With `about`, they follow on to an answer: they are about the articles named, such as those that it cites. With
    `like` besides, up to three stand near a question that these articles, the nearest first, did not answer.
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
    reach = Reach(
        within=caller.within, collection=collection, filters=filters, about=tuple(about or ()), like=_like(about, like)
    )
    found = await service.beginning(reach)
    return Starters(
        starters=tuple(
            Starter(question=one.tried.question, article_id=one.tried.article_id, quote=one.quote)
            for one in found.questions
        ),
        archive=_archive(found.glance, reach),
        complete=found.complete,
    )


def _like(about: list[str] | None, like: str | None) -> str:
    """Nothing stands near a question that no article came near."""
    return " ".join((like or "").split()) if about else ""


def _archive(glance: Glance, reach: Reach) -> Archive:
    chosen = reach.is_named or reach.filters.published_before is not None  # silent because nobody asked for more
    late = () if chosen else late_sources(glance.tallies, today=datetime.now(UTC).date())
    overview = glance.overview
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
        late=tuple(late[:_LATE]),
    )
