"""The OpenAPI document: the framework describes the routes, msgspec the values.

Both know the handlers' own types, so nothing is written twice. The framework's schemas of structs are not used: they
turn a bounded string in a list into `oneOf: [string, anything]`, which no string satisfies, and do not say which
structs refuse unknown fields.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Litestar
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    Example,
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Reference,
    RequestBody,
    Schema,
)
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler, Dependencies

from embeddings.types import Article
from qa.checking import CheckReport, TextToCheck
from qa.conversations.changes import AnswerChanges
from qa.conversations.feedback import DatasetRow, Feedback
from qa.server.administration import (
    AdminAnswer,
    AdminArticle,
    CorpusBySource,
    KeyList,
    QuestionDays,
    QuestionPage,
    ReviewIn,
    ReviewPage,
    SourceStates,
)
from qa.server.auth import Level, handlers, level_of
from qa.server.http.bodies import JSON, NDJSON
from qa.server.http.problems import MEDIA_TYPE, Problem, by_status
from qa.server.jobs import Job, JobPage
from qa.server.openai import ErrorEnvelope, is_openai
from qa.server.openai.chat import ChatCompletion
from qa.server.openai.requests import ChatRequest, ModelList, ResponsesRequest
from qa.server.openai.responses import Response
from qa.server.wire import (
    AddReport,
    Alive,
    AnswerLink,
    ArticleIn,
    ArticlePage,
    ConversationPage,
    ConversationTurns,
    FeedbackIn,
    FeedbackPage,
    KeptAnswer,
    Ready,
    Starters,
    Token,
    TokenRequest,
)
from qa.types import Answer, ArticleNow, ClaimEvent, Question, SearchAnswer, SearchQuestion, SearchResultsEvent

BODY = ("malformed-body", "slow-body", "body-too-large", "unsupported-media-type")
"""What can be wrong wherever a body is read."""
WORK = ("internal-error", "not-ready", "overloaded", "store-unavailable", "shutting-down")
"""What can go wrong wherever the store or the encoder is used."""
QUESTION = (
    *BODY,
    *WORK,
    "invalid-request",
    "invalid-question",
    "deadline-exceeded",
    "not-found",
    "history-unavailable",
)
"""What can be wrong with a question, or go wrong with it, that may belong to a conversation."""
RECORDS = (*WORK, "history-unavailable", "deadline-exceeded")
"""What can go wrong wherever kept conversations, feedback, reviews or jobs are used."""
CHECK = (*BODY, *WORK, "invalid-request", "invalid-question", "invalid-text", "deadline-exceeded")
"""What can be wrong with a text to be checked, or go wrong with it."""
MOMENT = [Schema(type=OpenAPIType.STRING, format=form) for form in (OpenAPIFormat.DATE, OpenAPIFormat.DATE_TIME)]
"""The two forms of a moment."""
LARGEST = 2**63 - 1
"""The last number that a database gives to a row."""
Before = Annotated[int | None, QueryParameter(ge=1, le=LARGEST, description="`next` of the page before")]

_EVENTS = (SearchResultsEvent, ClaimEvent)
_TYPES = (
    Question,
    Answer,
    *_EVENTS,
    SearchQuestion,
    SearchAnswer,
    TextToCheck,
    CheckReport,
    ArticleIn,
    AddReport,
    ArticlePage,
    Article,
    ArticleNow,
    Alive,
    Ready,
    Starters,
    ConversationPage,
    ConversationTurns,
    AnswerChanges,
    KeptAnswer,
    AnswerLink,
    Feedback,
    FeedbackIn,
    FeedbackPage,
    Job,
    JobPage,
    CorpusBySource,
    AdminArticle,
    SourceStates,
    QuestionDays,
    QuestionPage,
    AdminAnswer,
    ReviewIn,
    ReviewPage,
    DatasetRow,
    KeyList,
    TokenRequest,
    Token,
    ChatRequest,
    ChatCompletion,
    ResponsesRequest,
    Response,
    ModelList,
    ErrorEnvelope,
)
_SCHEMA = "#/components/schemas/{name}"

_DESCRIBED = {MEDIA_TYPE: {"schema": {"$ref": _SCHEMA.format(name="Problem")}}}
_ENVELOPED = {JSON: {"schema": {"$ref": _SCHEMA.format(name="ErrorEnvelope")}}}
"""The two shapes of errors; under `/v1` the second one."""

_BOUNDS = ("published_after", "published_before")

_QUESTION = {"question": "How many people live in Derna?", "filters": {"published_after": "2024-01-01"}}
_ARTICLE = {
    "title": "Harbour reopens",
    "text": "The harbour reopened on Monday. It had been closed for nine days.",
    "source": "The Example Gazette",
    "url": "https://example.org/harbour",
    "published_at": "2024-06-04",
}
_CREDENTIALS = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key, where the service has any."},
    "key_header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
    "token": {"type": "http", "scheme": "bearer", "description": "A page's token, from POST /api/tokens."},
}
_OPENED_BY: dict[str, list[dict[str, list[str]]]] = {
    "anyone": [],
    "origin": [{"key": []}, {"key_header": []}, {}],
    "reader": [{"key": []}, {"key_header": []}, {"token": []}],
    "operator": [{"key": []}, {"key_header": []}],
}
_REFUSALS = ("unauthenticated", "token-expired", "not-allowed", "foreign-origin", "unknown-host", "rate-limited")
_CHECK = {"text": "The harbour was closed for ten days.", "against": [{"text": _ARTICLE["text"]}]}
_EXAMPLES = {
    "Question": _QUESTION,
    "SearchQuestion": {**_QUESTION, "limit": 5},
    "TextToCheck": _CHECK,
    "ArticleIn": _ARTICLE,
}


@dataclass
class ArticlesOperation(Operation):
    """`POST /api/articles` reads its body itself, so the framework cannot know what it may hold."""

    def __post_init__(self) -> None:
        """Say that the body is one article, a list, or one per line."""
        article = Reference(ref=_SCHEMA.format(name="ArticleIn"))
        one_or_many = Schema(
            any_of=[article, Schema(type=OpenAPIType.ARRAY, items=article, min_items=1, max_items=10_000)]
        )
        lines = Example(summary="one article per line", value=msgspec.json.encode(_ARTICLE).decode() + "\n")
        self.request_body = RequestBody(
            required=True,
            content={
                JSON: OpenAPIMediaType(schema=one_or_many, example=_ARTICLE),
                NDJSON: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING), examples={"lines": lines}),
            },
        )


def problems(*slugs: str) -> dict[int, ResponseSpec]:
    """The error responses of a route, by status, from the table of problems."""
    return {
        status: ResponseSpec(
            Problem,
            generate_examples=False,
            description="; ".join(f"{kind.title} (`/problems/{kind.slug}`)" for kind in kinds),
            media_type=MEDIA_TYPE,
        )
        for status, kinds in by_status(slugs).items()
    }


def describe(routes: Sequence[ControllerRouterHandler], *, dependencies: Dependencies, version: str) -> bytes:
    """The OpenAPI 3.1 document of these routes, as JSON; `dependencies` are what the handlers get injected."""
    config = OpenAPIConfig(
        title="Sourceline",
        version=version,
        description="Answers over news articles in which every sentence can be checked against its source.",
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, *_: handler.handler_name,
    )
    app = Litestar(routes, dependencies=dependencies, openapi_config=config, logging_config=None)
    document: dict[str, Any] = msgspec.to_builtins(app.openapi_schema.to_schema(), enc_hook=_plain)
    document["components"]["schemas"] = _schemas()
    document["components"]["securitySchemes"] = _CREDENTIALS
    levels = {(path, method.lower()): level_of(handler.opt) for method, path, handler in handlers(app.routes)}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _mend(operation, level=levels[path, method], error=_ENVELOPED if is_openai(path) else _DESCRIBED)
            if operation["operationId"] == "ask":
                operation["responses"]["200"]["content"]["text/event-stream"] = _stream()
            if operation["operationId"] == "export_reviews":
                line = {"$ref": _SCHEMA.format(name="DatasetRow")}
                operation["responses"]["200"]["content"] = {NDJSON: {"schema": line}}
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def _schemas() -> dict[str, Any]:
    """JSON schemas of every value on the wire."""
    _, schemas = msgspec.json.schema_components((*_TYPES, Problem), ref_template=_SCHEMA)
    for name, example in _EXAMPLES.items():
        schemas[name]["examples"] = [example]
    moments = [(name, "as_of") for name in ("Question", "SearchQuestion", "TextToCheck")]
    moments += [("SentText", "published_at"), *(("Filters", one) for one in _BOUNDS)]
    for name, field in moments:
        schemas[name]["properties"][field]["anyOf"][:1] = [one.to_schema() for one in MOMENT]
    return schemas


def _stream() -> dict[str, Any]:
    """What the data of each server-sent event of a question is, by the event's name."""
    of_event = {"search_results": SearchResultsEvent, "claim": ClaimEvent, "answer": Answer, "error": Problem}
    schemas = [{"$ref": _SCHEMA.format(name=type_.__name__)} for type_ in of_event.values()]
    told = ", ".join(f"`{event}`: {type_.__name__}" for event, type_ in of_event.items())
    return {"schema": {"anyOf": schemas, "description": f"The data of one event, as JSON. {told}."}}


def _mend(operation: dict[str, Any], *, level: Level | None, error: dict[str, Any]) -> None:
    """Take out what the framework adds on its own: the description of an error that we never send; add the guard's."""
    operation["responses"] = {
        status: response
        for status, response in operation["responses"].items()
        if int(status) < 400 or response.get("content") == error
    }
    if level is None or level.who == "anyone":
        operation["security"] = []
        return
    operation["security"] = _OPENED_BY[level.who]
    for status, spec in problems(*_REFUSALS).items():
        operation["responses"][str(status)] = {"description": spec.description, "content": error}


def _plain(value: object) -> object:
    """Defaults that are structs."""
    return msgspec.to_builtins(value)
