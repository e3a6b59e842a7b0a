"""`/api/admin`: articles, sources, questions, answers, reviews and keys, for the operator."""

import asyncio
from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from prometheus_client import CONTENT_TYPE_LATEST

from embeddings.errors import EmbeddingsError
from qa.conversations.feedback import Review
from qa.conversations.question_log import Outcome
from qa.language.dates import stamp
from qa.server import monitoring
from qa.server.administration import (
    AdminAnswer,
    AdminArticle,
    CorpusBySource,
    KeyInfo,
    KeyList,
    QuestionDays,
    QuestionPage,
    ReviewIn,
    ReviewPage,
    SourceState,
    SourceStates,
)
from qa.server.auth import ADMINISTERING, ANYONE, Caller
from qa.server.auth.guard import Guard
from qa.server.errors import FieldError, InvalidRequest, ServerError
from qa.server.http.bodies import NDJSON
from qa.server.monitoring import Act
from qa.server.openapi import BODY, RECORDS, WORK, Before, problems
from qa.server.service import Service
from qa.server.wire import Alive, ArticlePage, FreshSource, Ready
from qa.sources.ledger import Feed, Source

Days = Annotated[int, QueryParameter(ge=1, le=366, description="so many days, today included")]
Limit = Annotated[int, QueryParameter(ge=1, le=200, description="entries per page")]
Day = Annotated[str | None, QueryParameter(max_length=10, description="only this ISO 8601 day, in UTC")]

_get = partial(get, opt=ADMINISTERING)


@_get(
    "/corpus",
    summary="Count articles by source and day",
    response_description="The source with the most articles first.",
    responses=problems(*WORK, "deadline-exceeded", "invalid-request"),
)
async def corpus_by_source(service: Given[Service], days: Days = 14) -> CorpusBySource:
    """All current articles, and how many of them readers are not shown; days are those of publication, in UTC."""
    return await service.administration.corpus(days=days)


@_get(
    "/articles",
    summary="Find articles, also what is kept back",
    response_description="The likeliest first.",
    responses=problems(*WORK, "deadline-exceeded", "invalid-request"),
)
async def find_articles(
    service: Given[Service],
    find: Annotated[str, QueryParameter(min_length=1, max_length=2000, description="an id, a link, or some words")],
    limit: Annotated[int, QueryParameter(ge=1, le=50, description="articles at most")] = 20,
) -> ArticlePage:
    """Those that have this id or link; where none has, those of like words. In all collections; `next` is null."""
    return await service.administration.find(find, limit=limit)


@_get(
    "/articles/{article_id:str}",
    summary="Read an article with the names of its copies",
    response_description="The article as it is held, whoever may see it.",
    responses=problems(*WORK, "not-found", "ambiguous-id", "deadline-exceeded"),
)
async def read_article(article_id: FromPath[str], service: Given[Service]) -> AdminArticle:
    """What `copies` of `POST /api/articles` would take back with it, if the same key sent that."""
    return await service.administration.article(article_id)


@_get(
    "/sources",
    summary="List feeds and watched folders",
    response_description="How fresh each is, and what is wrong with it.",
    responses=problems("internal-error"),
)
async def list_sources(service: Given[Service]) -> SourceStates:
    """Of this machine, as `qa feeds` and `qa watch` noted them; none where their file cannot be read."""
    known = await service.sources()
    heard = {one.name: one for one in known.heard}
    feeds = {one.url: one for one in known.feeds}
    states = [_state(name, heard.get(name), feeds.get(name)) for name in sorted(heard.keys() | feeds.keys())]
    return SourceStates(sources=tuple(states), writes=service.storage.writes)


@_get(
    "/days",
    summary="Count questions by day",
    response_description="Answered, declined, thumbed up and down, for each day.",
    responses=problems(*RECORDS, "invalid-request"),
)
async def question_days(service: Given[Service], days: Days = 30) -> QuestionDays:
    """Of questions that were kept (`store`), as they were answered then; the metrics count all of them."""
    return await service.administration.days(days=days)


@_get(
    "/questions",
    summary="List questions",
    response_description="Questions, the latest first.",
    responses=problems(*RECORDS, "invalid-request"),
)
async def list_questions(
    service: Given[Service],
    limit: Limit = 50,
    before: Before = None,
    outcome: Annotated[Outcome | None, QueryParameter(description="only these")] = None,
    day: Day = None,
) -> QuestionPage:
    """With `outcome` `up` or `down`, those with such feedback, by when it was given, also of answers not kept."""
    if day is not None:
        _require_day(day)
    return await service.administration.questions(outcome=outcome, day=day, before=before, limit=limit)


@_get(
    "/answers/{answer_id:str}",
    summary="Read an answer with its evidence",
    response_description="The answer as it may be shown now, what its reader thought of it, and its review.",
    responses=problems(*RECORDS, "not-found"),
)
async def read_answer(answer_id: FromPath[str], service: Given[Service]) -> AdminAnswer:
    """Whoever asked: but neither who that was, nor the conversation."""
    return await service.administration.answer(answer_id)


@post(
    "/answers/{answer_id:str}/review",
    status_code=200,
    summary="Review an answer",
    response_description="The review as it was stored.",
    responses=problems(*BODY, *RECORDS, "not-found", "invalid-request"),
    opt=ADMINISTERING,
)
async def save_review(
    data: JSONBody[ReviewIn], answer_id: FromPath[str], service: Given[Service], caller: Given[Caller]
) -> Review:
    """Takes the place of an earlier review of the same answer. Only a kept answer can be reviewed."""
    saved = await service.administration.review(answer_id, data, reviewer=caller.key)
    monitoring.note(Act(act="review_saved", by=caller.name, answer_id=answer_id))
    return saved


@_get(
    "/reviews",
    summary="List reviews",
    response_description="Reviews, those begun last first.",
    responses=problems(*RECORDS, "invalid-request"),
)
async def list_reviews(service: Given[Service], limit: Limit = 50, before: Before = None) -> ReviewPage:
    """They name quoted words by their place; `GET /api/admin/dataset` has the words."""
    return await service.administration.reviews(before=before, limit=limit)


@_get(
    "/dataset",
    summary="Export reviews as a dataset",
    response_description="A line for each review, as `qa evaluate run` reads them.",
    responses=problems(*RECORDS),
)
async def export_reviews(service: Given[Service], caller: Given[Caller]) -> Response[bytes]:
    """Reviews whose quoted words may not be shown now, or stand there no longer, are left out.

    The header `Sourceline-Left-Out` says how many.
    """
    rows, left_out = await service.administration.dataset()
    content = await asyncio.to_thread(lambda: b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    monitoring.note(Act(act="reviews_exported", by=caller.name, rows=len(rows)))
    headers = {"content-disposition": 'attachment; filename="reviews.jsonl"', "sourceline-left-out": str(left_out)}
    return Response(content, media_type=NDJSON, headers=headers)


@_get(
    "/keys",
    summary="List API keys",
    response_description="Names of the keys and what they open.",
    responses=problems("internal-error"),
)
async def list_keys(guard: Given[Guard]) -> KeyList:
    """Of the keys themselves the service knows no more than a hash, and tells not even that."""
    keys = tuple(KeyInfo(name=name, may=scope.may, collections=scope.collections) for name, scope in guard.key_scopes)
    return KeyList(open=guard.open, keys=keys)


def _require_day(text: str) -> None:
    """Raise InvalidRequest for what is no day such as 2024-06-04, or the last one there is."""
    try:
        if date.fromisoformat(text).isoformat() == text < "9999-12-31":
            return
    except ValueError:
        pass
    fault = FieldError(field="day", detail=f"{text!r} is no day such as 2024-06-04")
    raise InvalidRequest("a parameter cannot be used; see errors", errors=(fault,))


def _state(name: str, heard: Source | None, feed: Feed | None) -> SourceState:
    return SourceState(
        name=name,
        kind="feed" if feed or heard is None else heard.kind,
        state=feed.state if feed else "active",
        asked_at=_moment(heard.asked if heard else None),
        brought_at=_moment(heard.brought if heard else None),
        due_at=_moment(feed.due) if feed and feed.state == "active" else None,
        failures=feed.failures if feed else 0,
        trouble=feed.trouble if feed else "",
    )


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else stamp(datetime.fromtimestamp(seconds, UTC))


# --- `/health/live`, `/health/ready` and `/metrics`: is the process alive, can it answer, and how is it doing?
@get(
    "/live",
    summary="Is the process alive?",
    response_description="The event loop answers.",
    responses=problems("internal-error"),
    opt=ANYONE,
)
async def live() -> Alive:
    """Answers as long as the event loop does, also while the encoder is being loaded."""
    return Alive()


@get(
    "/ready",
    summary="Can questions be answered?",
    response_description="They can.",
    responses=problems(*WORK, "deadline-exceeded", "disk-full", "read-only", "store-busy", "invalid-request"),
    opt=ANYONE,
)
async def ready(caller: Given[Caller], service: Given[Service], writes: FromQuery[bool] = False) -> Ready:
    """The store answers, its index was verified when it was opened, and the encoder is warm.

    With `writes`, also whether articles can be added: a full disk, a read-only folder or another process that writes is
    an error then and only then.
    """
    if writes:
        service.storage.require_writes()
    if not caller.operates:
        await service.probe()
        return Ready()
    counts = await service.counts(within=caller.within)
    known = (await service.sources()).heard if caller.within is None else ()
    fresh = tuple(
        FreshSource(name=one.name, kind=one.kind, asked_at=_moment(one.asked), brought_at=_moment(one.brought))
        for one in known
    )
    return Ready(
        articles=counts.articles,
        passages=counts.passages,
        writes=service.storage.writes,
        sources=fresh or msgspec.UNSET,
    )


@get("/metrics", include_in_schema=False, opt=ADMINISTERING)
async def metrics(service: Given[Service]) -> Response[bytes]:
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
