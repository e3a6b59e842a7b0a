"""The application: its routes, their dependencies, and what applies to all of them. Wiring only."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache, partial
from importlib.metadata import version
from typing import cast

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, ControllerRouterHandler, Receive, Scope, Send

from qa.access import origins
from qa.server import openapi
from qa.server.auth import provide_caller, refuse_undeclared
from qa.server.auth.guard import Guard
from qa.server.http.bodies import StrictRequest
from qa.server.http.headers import secure, share
from qa.server.openai import serve_error
from qa.server.routes import admin, articles, ask, conversations, pages, protocols, widget
from qa.server.service import Service

_QUESTION_BYTES = 1_000_000
"""More than enough for a question with a thousand article ids."""

_CHECK_BYTES = 2_000_000
"""Enough for the longest texts to check, and to check against, however they are escaped."""
_FEEDBACK_BYTES = 20_000
_REVIEW_BYTES = 200_000

_CONVERSATIONS = (
    conversations.list_conversations,
    conversations.get_conversation,
    conversations.delete_conversation,
    conversations.answer_changes,
    conversations.get_answer,
    conversations.link_answer,
)
"""Routes for stored questions and answers."""

_CHATS = (
    protocols.list_models,
    protocols.retrieve_model,
    protocols.create_chat_completion,
    protocols.create_response,
    protocols.create_completion,
    protocols.create_embedding,
)
"""Routes for clients of OpenAI's API."""

_ADMIN = (
    admin.corpus_by_source,
    admin.find_articles,
    admin.read_article,
    admin.list_sources,
    admin.question_days,
    admin.list_questions,
    admin.read_answer,
    admin.save_review,
    admin.list_reviews,
    admin.export_reviews,
    admin.list_keys,
)
"""Routes for the operator."""

_UNDESCRIBED = (
    admin.metrics,
    widget.home,
    widget.configure,
    pages.article_page,
    widget.widget_script,
    widget.widget_file,
    pages.docs,
    pages.docs_file,
    pages.admin,
    pages.admin_file,
    pages.openapi_json,
    pages.problem,
)
"""Routes that are not part of the API."""

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def create_app(service: Service, *, lifespan: Lifespan | None = None) -> Litestar:
    """Build the application around a service; by default it starts the service, and closes it at the end.

    `lifespan` takes over that duty, for callers who want to watch the start. Raises SettingsError, and Undeclared where
    a route does not say who may use it.
    """
    settings = service.settings
    guard = Guard(settings)

    chat = widget.load_widget(
        frame_ancestors=origins.parse_origins(settings.frame_ancestors, setting="QA_FRAME_ANCESTORS")
    )
    dependencies = {"service": _given(service), "guard": _given(guard), "caller": Provide(provide_caller)}
    routes = _routes(max_body_bytes=settings.max_body_bytes)
    # The OpenAPI document is made on the first request for it: making it takes as long as all the rest.
    page = pages.load_page(
        cache(partial(openapi.describe, routes, dependencies=dependencies, version=version("sourceline")))
    )
    app = _Application(
        route_handlers=[*routes, *_UNDESCRIBED, _tools(max_body_bytes=settings.max_body_bytes)],
        dependencies={**dependencies, "page": _given(page), "widget": _given(chat)},
        request_class=StrictRequest,
        request_max_body_size=settings.max_body_bytes,
        exception_handlers={Exception: serve_error},
        guards=[guard.check],
        middleware=[service.metrics.timed, guard.seated],
        before_send=[secure, share(guard.origins), service.metrics.counted],
        lifespan=[guard.running, lifespan or _run(service)],
        openapi_config=None,
        logging_config=None,
    )
    refuse_undeclared(app.routes)
    return app


class _Application(Litestar):
    """The framework without its plugins for pydantic and attrs: nothing here uses them, and importing them took a tenth
    of the start-up time."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


def _given(value: object) -> Provide:
    async def provide() -> object:
        return value

    return Provide(provide)


def _routes(*, max_body_bytes: int) -> list[Router]:
    """The documented routes: one router per tag and body limit."""

    def router(path: str, *handlers: ControllerRouterHandler, tag: str, most: int = max_body_bytes) -> Router:
        return Router(path, route_handlers=handlers, tags=[tag], request_max_body_size=min(most, max_body_bytes))

    routers = [
        router("/api", ask.ask, ask.search, ask.list_starters, tag="questions", most=_QUESTION_BYTES),
        router("/api", widget.get_token, tag="access", most=_QUESTION_BYTES),
        router("/api", ask.check, tag="questions", most=_CHECK_BYTES),
        router(
            "/api",
            articles.list_articles,
            articles.get_article,
            articles.add_articles,
            articles.delete_article,
            tag="articles",
        ),
        router("/api", *_CONVERSATIONS, tag="conversations", most=_FEEDBACK_BYTES),
        router("/api", conversations.give_feedback, conversations.list_feedback, tag="feedback", most=_FEEDBACK_BYTES),
        router(
            "/api",
            articles.list_jobs,
            articles.get_job,
            Router("/admin", route_handlers=_ADMIN),
            tag="administration",
            most=_REVIEW_BYTES,
        ),
        router("/v1", *_CHATS, tag="openai", most=_QUESTION_BYTES),
        router("/health", admin.live, admin.ready, tag="health"),
    ]
    for route in (route for router in routers for route in router.routes if isinstance(route, HTTPRoute)):
        # The framework creates the OPTIONS handler of a path for its first method only. Without one, the application
        # creates it again, for all methods.
        route.route_handlers = [one for one in route.route_handlers if "OPTIONS" not in one.http_methods]
    return routers


def _tools(*, max_body_bytes: int) -> Router:
    """The route for MCP clients; the protocol describes itself."""
    return Router("/", route_handlers=[protocols.speak_mcp], request_max_body_size=min(_CHECK_BYTES, max_body_bytes))


def _run(service: Service) -> Lifespan:
    @asynccontextmanager
    async def running(app: Litestar) -> AsyncIterator[None]:  # noqa: ARG001 - the framework passes it
        await service.start()
        try:
            yield
        finally:
            await service.close()

    return running


def answer_head(app: ASGIApp) -> ASGIApp:
    """Answer HEAD wherever GET is answered: the server leaves the body out."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        head = scope.get("method") == "HEAD"
        await app(cast("Scope", {**scope, "method": "GET"}) if head else scope, receive, send)

    return answer
