"""Who calls, and what they may do: permissions, declared at each route (`opt=READING`); `guard` looks before it runs.

An application with an undeclared route does not start.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import HTTPRouteHandler
from litestar.routes import BaseRoute, HTTPRoute

from qa.access.keys import NOTHING, Collections, Permission, Scope


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """Who may use a route, and what one request costs of the caller's budget."""

    who: Literal["anyone", "origin", "reader", "operator"]
    """`anyone`; `origin`: an allowed origin or a key; `reader`: a token or a key; `operator`: a key."""
    cost: int = 0
    needs: tuple[Permission, ...] = ()
    """A key or token must allow one of these."""
    everywhere: bool = False
    """Whether it must allow that in all collections: what the route gives is of the whole service. Other routes give
    what is of the caller's collections (`Caller.scope`) and nothing else."""


ANYONE: Mapping[str, Any] = {"level": Level(who="anyone")}
"""Nothing on it belongs to anybody: health, the pages' own files, the description of the API."""
GETTING_A_TOKEN: Mapping[str, Any] = {"level": Level(who="origin", cost=5, needs=("ask",))}
READING: Mapping[str, Any] = {"level": Level(who="reader", cost=1, needs=("ask",))}
READING_ARTICLES: Mapping[str, Any] = {"level": Level(who="reader", cost=1, needs=("ask", "ingest", "admin"))}
"""Readers follow citations, programs see what became of what they sent, editors look at the evidence."""
SEARCHING: Mapping[str, Any] = {"level": Level(who="reader", cost=3, needs=("ask",))}
ASKING: Mapping[str, Any] = {"level": Level(who="reader", cost=10, needs=("ask",))}
ASKING_WITH_A_KEY: Mapping[str, Any] = {"level": Level(who="operator", cost=10, needs=("ask",))}
"""For programs: pages have no use for it, so their tokens do not open it."""
READING_WITH_A_KEY: Mapping[str, Any] = {"level": Level(who="operator", cost=1, needs=("ask",))}
CHECKING: Mapping[str, Any] = ASKING_WITH_A_KEY
"""A long text takes the encoder as long as fifty questions: for editors and scripts, not for whoever reads a page."""
USING_TOOLS: Mapping[str, Any] = {"level": Level(who="operator", needs=("ask",))}
"""Which tool, and so what it costs, stands in the body: the route takes the cost."""
INGESTING: Mapping[str, Any] = {"level": Level(who="operator", cost=1, needs=("ingest",))}
LISTING_ARTICLES: Mapping[str, Any] = {"level": Level(who="operator", cost=1, needs=("ingest", "admin"))}
REVIEWING: Mapping[str, Any] = {"level": Level(who="operator", cost=1, needs=("admin",))}
"""What readers of the caller's collections said of answers."""
ADMINISTERING: Mapping[str, Any] = {"level": Level(who="operator", cost=1, needs=("admin",), everywhere=True)}
"""What is known of the whole service, and runs it."""
FOLLOWING_JOBS: Mapping[str, Any] = LISTING_ARTICLES
"""Whoever may not administer sees the jobs of the same key."""


class Undeclared(TypeError):
    """A route says of nobody that they may use it; a mistake in the program."""


def level_of(opt: Mapping[str, Any]) -> Level | None:
    """The level that a handler declares."""
    found = opt.get("level")
    return found if isinstance(found, Level) else None


def handlers(routes: Iterable[BaseRoute]) -> list[tuple[str, str, HTTPRouteHandler]]:
    """Every method and path of an application, with what serves it; OPTIONS, which the framework answers, left out."""
    return [
        (method, route.path_format, handler)
        for route in routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in sorted(handler.http_methods)
        if method != "OPTIONS"
    ]


def refuse_undeclared(routes: Iterable[BaseRoute]) -> None:
    """Raise Undeclared where a route has no level, or is of a kind that the guard does not see."""
    routes = list(routes)
    missing = [f"{method} {path}" for method, path, handler in handlers(routes) if level_of(handler.opt) is None]
    missing += [route.path for route in routes if not isinstance(route, HTTPRoute)]
    if missing:
        raise Undeclared(f"no level of access declared (opt=…, see qa/server/auth/__init__.py): {', '.join(missing)}")


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends a request."""

    kind: Literal["nobody", "open", "key", "token", "origin"]
    """`nobody` showed nothing; `open`: the service has no keys; `origin`: an allowed origin that has no token yet."""
    owner: str = ""
    """Whose conversations and feedback these are. Empty where whoever reaches the service shares them."""
    key: str = ""
    """Name of the API key, where one was shown."""
    scope: Scope = NOTHING
    """What the caller may do, and in which collections."""

    @property
    def within(self) -> Collections:
        """The collections that the caller may read or write; None: all."""
        return self.scope.collections

    @property
    def name(self) -> str:
        """Who it is, for jobs and the audit: the key's name, else what kind of caller."""
        return self.key or self.kind

    @property
    def operates(self) -> bool:
        """Whether the caller is a program that was given a key, or needs none; what it may do, its scope says."""
        return self.kind in {"open", "key"}


def remember(connection: ASGIConnection[Any, Any, Any, Any], caller: Caller) -> None:
    """Keep with the request who sent it."""
    connection.scope.setdefault("state", {})["caller"] = caller


def caller_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    """Who sent a request that passed the guard."""
    found: Caller = connection.scope["state"]["caller"]
    return found


async def provide_caller(request: Request[Any, Any, Any]) -> Caller:
    """The same, as what routes get injected."""
    return caller_of(request)
