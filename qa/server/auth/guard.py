"""The guard: before any route runs or reads its body, it checks who calls, what they may do, and how often.

With `QA_API_KEYS` set, a key allows what its scope says, and a token allows asking and reading. Without keys, every
caller may do everything, so the service answers only to host names that no foreign page can take over (DNS rebinding).
In both cases it refuses pages of origins that are not allowed: browsers report the origin truthfully.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from qa.access import keys, origins, tokens
from qa.access.keys import EVERYTHING
from qa.access.rate_limits import Budgets, ConcurrencyLimit, RateLimits, TokenBucket
from qa.server.auth import Caller, Level, level_of, remember
from qa.server.errors import ForeignOrigin, NotAllowed, RateLimited, TokenExpired, Unauthenticated, UnknownHost
from qa.settings import Settings

if TYPE_CHECKING:
    from qa.access.shared import SharedAccess

_log = logging.getLogger(__name__)

Connection = ASGIConnection[Any, Any, Any, Any]

_OPEN = Caller(kind="open", scope=EVERYTHING)
_WORK = 3
"""A request of this cost or more occupies the encoder or the model."""
_ADDRESS_FACTOR = 10
"""How many visitors of one address (a school, an office) may use up their budgets at once."""


class Guard:
    """Enforces what the settings say about who may do what."""

    def __init__(self, settings: Settings) -> None:
        """Reads settings only; the secret of tokens is read or made when it is first needed. Raises SettingsError."""
        self.origins = origins.parse_origins(settings.allowed_origins, setting="QA_ALLOWED_ORIGINS")
        self.collections = origins.collections_of(settings.origin_collections, allowed=self.origins)
        """The collections that pages of an origin read, if configured."""
        self._shared = _shared(settings)
        self.secret: tokens.Signing = self._shared or tokens.Secret(settings.data_dir / "token.key")
        self._keys = keys.parse_keys(settings.api_keys)
        self._proxies = origins.parse_networks(settings.trusted_proxies, setting="QA_TRUSTED_PROXIES")
        self._settings = settings
        self._budgets: Budgets = self._shared or RateLimits()
        self._seats = ConcurrencyLimit()

    @asynccontextmanager
    async def running(self, app: Litestar) -> AsyncIterator[None]:  # noqa: ARG002 - the framework passes it
        """Load the data shared with other services, so that no request waits for it; close it at the end."""
        if unsaid := [origin for origin in self.origins if self.reads_unsaid(origin)]:
            _log.warning(
                "keys are kept to collections, and nothing says which one the pages of %s read: they get no token "
                "until QA_ORIGIN_COLLECTIONS does (%s=* for all)",
                ", ".join(unsaid),
                unsaid[0],
            )
        if self._shared is None:
            yield
            return
        try:
            await asyncio.to_thread(self._shared.value)
        except OSError as error:
            _log.warning("%s", error)
        try:
            yield
        finally:
            await asyncio.to_thread(self._shared.close)

    def reads_unsaid(self, origin: str) -> bool:
        """Whether an origin has no configured collections although some key is limited to collections: its pages would
        read everything by accident."""
        return origin not in self.collections and any(key.scope.collections is not None for key in self._keys)

    @property
    def open(self) -> bool:
        """Whether every caller may do everything."""
        return not self._keys

    @property
    def key_scopes(self) -> Sequence[tuple[str, keys.Scope]]:
        """The names of the keys, each once, with what they open."""
        return tuple({key.name: key.scope for key in self._keys}.items())

    def link_secret(self) -> bytes | None:
        """What signs links to articles for readers without a key; None where none is needed, or none can be made."""
        if self.open:
            return None
        try:
            return self.secret.value()
        except OSError:
            return None

    async def check(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Let a request through, with its caller, or raise RequestError."""
        if connection.scope.get("method") == "OPTIONS":
            return  # says which methods there are
        level = level_of(handler.opt)
        if level is None:
            raise NotAllowed("nobody may use this route")
        if level.who == "anyone":
            remember(connection, self._known(connection))
            return
        self._check_place(connection)
        self._believe_proxy(connection)
        caller = self._caller(connection, level)
        _require(caller, level)
        remember(connection, caller)
        await self.spend(connection, caller, cost=level.cost)

    def _known(self, connection: Connection) -> Caller:
        """Who it is on a route for anyone, where a wrong key is no reason to refuse."""
        try:
            self._check_place(connection)
        except (ForeignOrigin, UnknownHost):
            return Caller(kind="nobody")
        if self.open:
            return _OPEN
        key = keys.find(_credential(connection), self._keys)
        return Caller(kind="nobody") if key is None else _holder(key)

    def _check_place(self, connection: Connection) -> None:
        """Refuse pages of origins that are not allowed, and names that a foreign page could have given the service."""
        origin, host = connection.headers.get("origin", ""), connection.headers.get("host", "")
        if self.open and not (_cannot_be_rebound(host) or any(origins.host_of(one) == host for one in self.origins)):
            raise UnknownHost(
                f"this service has no API keys, so it does not answer to the name {host[:200]!r}; use its address, set "
                "QA_API_KEYS, or list the name's origin in QA_ALLOWED_ORIGINS"
            )
        if _from_elsewhere(connection) and origin not in self.origins:
            raise ForeignOrigin(f"pages of {origin[:200]!r} may not use this service; QA_ALLOWED_ORIGINS lists who may")

    def _believe_proxy(self, connection: Connection) -> None:
        """Take the scheme from a trusted proxy, so that links to this service are those that readers use."""
        scheme, client = connection.headers.get("x-forwarded-proto"), connection.scope.get("client")
        if scheme in {"http", "https"} and client and origins.is_trusted(client[0], self._proxies):
            connection.scope["scheme"] = scheme

    def _caller(self, connection: Connection, level: Level) -> Caller:
        credential = _credential(connection)
        if credential.startswith(tokens.PREFIX):
            return self._visitor(connection, credential, level)
        if self.open:
            if level.who == "operator" and _from_elsewhere(connection):
                raise NotAllowed("without API keys, pages elsewhere may ask and read only")
            return _OPEN  # clients that cannot do without a key may send any
        if (key := keys.find(credential, self._keys)) is not None:
            return _holder(key)
        if credential:
            raise Unauthenticated("this is not a key of this service")
        if level.who == "origin" and self._settings.origin_tokens and connection.headers.get("origin") in self.origins:
            return Caller(kind="origin")
        raise Unauthenticated("this route needs a key: send it as Authorization: Bearer KEY or as X-API-Key")

    def _visitor(self, connection: Connection, token: str, level: Level) -> Caller:
        """The owner of a token. The token ends with the key or the origin it came from."""
        claims = tokens.read(token, secret=self.secret.value())
        scope = None if claims is None else self._scope_of(claims)
        if claims is None or scope is None:
            raise Unauthenticated("this token is not, or no longer, one of this service; get a new one")
        if claims.expires_at <= time.time():
            raise TokenExpired("this token has expired; get a new one")
        if not _comes_from(connection, claims.origin):
            raise ForeignOrigin(f"this token is for pages of {claims.origin} only")
        if level.who != "reader":
            raise NotAllowed("a token is for asking and reading only; this route needs a key")
        return Caller(kind="token", owner=claims.owner, scope=scope)

    def _scope_of(self, claims: tokens.TokenClaims) -> keys.Scope | None:
        """What a token opens as the settings are now; None where its origin or its key is gone, or may no longer read
        what the token is for."""
        if not (self.open or claims.origin in self.origins):
            return None
        maker = next((key.scope for key in self._keys if key.name == claims.issuer), None)
        if not claims.issuer:
            # A page reads what is set for its origin now, whatever was set when it got its token.
            named = self.collections.get(claims.origin)
            maker = EVERYTHING if self.open or claims.collection == named else None
        if maker is None or not maker.allows(["ask"]):
            return None
        if claims.collection is None:
            if self.reads_unsaid(claims.origin):
                return None
            return keys.Scope(may=("ask",), collections=maker.collections)
        only = keys.Scope(may=("ask",), collections=(claims.collection,))
        return only if maker.reaches(claims.collection) else None

    async def spend(self, connection: Connection, caller: Caller, *, cost: int) -> None:
        """Take the cost of a request out of the caller's budget. Raises RateLimited."""
        buckets = self._buckets(connection, caller)
        if not buckets or not cost:
            return
        if cost >= _WORK and len(buckets) > 1:
            self._seat(connection, buckets)
        spending = await self._budgets.take(buckets, cost=cost)
        connection.scope["state"]["spending"] = spending
        if not spending.allowed:
            raise RateLimited("too many requests; wait before the next", retry_after=spending.retry_after)

    def _seat(self, connection: Connection, buckets: Sequence[TokenBucket]) -> None:
        """Keep one visitor, or the visitors of one address, from filling the queue. Raises RateLimited."""
        queue = self._settings.max_queue
        visitor, address = buckets
        limits = {visitor.owner: max(2, queue // 8), address.owner: max(4, queue // 2)}
        if not self._seats.take(limits):
            raise RateLimited("too many questions at once; wait for the answers to some of them")
        connection.scope["state"]["seats"] = tuple(limits)

    def seated(self, app: ASGIApp) -> ASGIApp:
        """Middleware that gives the seats of a request back when it has been answered, or its client has left."""

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await app(scope, receive, send)
            finally:
                self._seats.free(scope.get("state", {}).pop("seats", ()))

        return run

    def _buckets(self, connection: Connection, caller: Caller) -> list[TokenBucket]:
        if caller.kind == "key":
            limit = self._settings.key_rate
            return [TokenBucket(owner=caller.owner, per_minute=limit)] if limit else []
        limit = self._settings.visitor_rate
        if not limit or caller.kind == "open":
            return []
        client = connection.scope.get("client")
        address = origins.client_of(
            client[0] if client else "",
            forwarded_for=",".join(connection.headers.getall("x-forwarded-for", [])),
            trusted=self._proxies,
        )
        # Whoever collects tokens gains nothing: getting them and using them draws on one larger budget of the address.
        together = TokenBucket(owner=f"visitors of {address}", per_minute=limit * _ADDRESS_FACTOR)
        return [TokenBucket(owner=caller.owner, per_minute=limit), together] if caller.kind == "token" else [together]


def _shared(settings: Settings) -> SharedAccess | None:
    if not settings.store:
        return None
    from qa.access.shared import SharedAccess  # the driver is there only where it is needed

    return SharedAccess(settings.place)


def _from_elsewhere(connection: Connection) -> bool:
    """Whether a page that is not the service's own sent the request."""
    origin = connection.headers.get("origin")
    return origin is not None and not origins.same_host(origin, connection.headers.get("host", ""))


def _comes_from(connection: Connection, origin: str) -> bool:
    """Whether a page of this origin sent the request.

    Browsers leave `Origin` out where a page reads from its own host. Then `Sec-Fetch-Site` tells or, without TLS, where
    that is left out too, `Referer`; no script can set them.
    """
    headers = connection.headers
    if (found := headers.get("origin")) is not None:
        return bool(found == origin)
    if (site := headers.get("sec-fetch-site")) is not None:
        return bool(site == "same-origin") and origins.same_host(origin, headers.get("host", ""))
    return bool(headers.get("referer", "").startswith(f"{origin}/"))


def _holder(key: keys.Key) -> Caller:
    return Caller(kind="key", owner=f"key:{key.name}", key=key.name, scope=key.scope)


def _require(caller: Caller, level: Level) -> None:
    """Refuse what the scope of a key does not hold. Raises NotAllowed."""
    if caller.kind == "origin":
        return  # may get a token and nothing else
    enough = caller.scope.allows(level.needs) and (caller.scope.collections is None or not level.everywhere)
    if level.needs and not enough:
        where = " in all collections" if level.everywhere else ""
        raise NotAllowed(
            f"the key {caller.key} may {caller.scope}; this needs a key that may {' or '.join(level.needs)}{where}"
        )


def _credential(connection: Connection) -> str:
    """The key or token that was sent; empty where none was."""
    scheme, _, value = connection.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return str(value).strip()
    return str(connection.headers.get("x-api-key", "")).strip()


def _cannot_be_rebound(host: str) -> bool:
    """Whether no stranger's DNS can make this name point here: an address, or a name that is not in the public DNS."""
    name = host.lower().rpartition(":")[0] if ":" in host.rpartition("]")[2] else host.lower()
    if "." not in name.strip("[]") or name.endswith(".localhost"):
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
