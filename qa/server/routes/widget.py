"""The chat: the page at `/`, the script that embeds it into other sites, and their tokens."""

import gzip
import hashlib
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency as Given
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody

from qa.access import origins, tokens
from qa.access.tokens import TokenClaims
from qa.errors import SettingsError
from qa.server import monitoring
from qa.server.auth import ANYONE, GETTING_A_TOKEN, Caller
from qa.server.auth.guard import Guard
from qa.server.errors import FieldError, InvalidRequest, require_reach
from qa.server.http.headers import SCRIPTED_POLICY, framed, takes_gzip
from qa.server.monitoring import Act
from qa.server.openapi import BODY, problems
from qa.server.wire import Token, TokenRequest

_SCRIPT = "sourceline-chat.js"
_SCRIPT_SECONDS = 300
"""How long a site may go on with an older script after an upgrade."""
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json"}


class WidgetFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the chat, plain and as it travels."""

    media_type: str
    content: bytes
    gzipped: bytes


class Widget(msgspec.Struct, frozen=True, kw_only=True):
    """The page and its files under names that change with their content."""

    html: WidgetFile
    keyed: WidgetFile
    """The same page where the service has keys: it gets a token before it asks."""
    configure: WidgetFile
    """The page on which the tag for other sites is put together."""
    policy: str
    """Content policy of the pages."""
    script: str
    """Where the current script is."""
    files: Mapping[str, WidgetFile]
    languages: Mapping[str, WidgetFile]
    """The words of each language by their keys (`de.json`), and without, as the script has them (`de.words.json`).
    Their names stay the same, and the script asks for them with `words`."""
    words: str
    """Hash of all of them, as the build of the script computed it (`qa/widget/vite.config.js`)."""


def load_widget(*, frame_ancestors: Iterable[str] = ()) -> Widget:
    """Read the built script and the page from the package; `frame_ancestors` may show the page in a frame."""
    folder = files("qa") / "widget"
    home = (folder / "page" / "index.html").read_text(encoding="utf-8")
    found: dict[str, WidgetFile] = {}
    names: dict[str, str] = {}
    configure = (folder / "page" / "configure.html").read_text(encoding="utf-8")
    for name in (_SCRIPT, "configure.css", "configure.js", "configure-words.js"):
        stem, dot, suffix = name.rpartition(".")
        kind = dot + suffix
        file = (
            _packed(folder / "dist" / f"{name}.gz", kind)
            if name == _SCRIPT
            else _file((folder / "page" / name).read_bytes(), kind)
        )
        names[name] = f"{stem}.{hashlib.sha256(file.content).hexdigest()[:12]}{kind}"
        found[names[name]] = file
        home = home.replace(f"/widget/{name}", f"/widget/{names[name]}")
        configure = configure.replace(f"/widget/{name}", f"/widget/{names[name]}")
    written = {item.name: item.read_bytes() for item in (folder / "languages").iterdir() if item.name.endswith(".json")}
    languages = {name: _file(content, ".json") for name, content in written.items()}
    for name in (f"{one.removesuffix('.json')}.words.json" for one in written):
        languages[name] = _packed(folder / "dist" / f"{name}.gz", ".json")
    words = hashlib.sha256(b"".join(written[name] for name in sorted(written)))
    policy = framed(SCRIPTED_POLICY, by=frame_ancestors)
    return Widget(
        html=_file(home.encode(), ".html"),
        keyed=_file(home.replace("<sourceline-chat ", "<sourceline-chat keyed ").encode(), ".html"),
        configure=_file(configure.encode(), ".html"),
        policy=policy,
        script=f"/widget/{names[_SCRIPT]}",
        files=found,
        languages=languages,
        words=words.hexdigest()[:12],
    )


def _file(content: bytes, suffix: str) -> WidgetFile:
    return WidgetFile(media_type=_TYPES[suffix], content=content, gzipped=gzip.compress(content, 9, mtime=0))


def _packed(path: Traversable, suffix: str) -> WidgetFile:
    """A file that the build has packed smaller than is done here."""
    gzipped = path.read_bytes()
    return WidgetFile(media_type=_TYPES[suffix], content=gzip.decompress(gzipped), gzipped=gzipped)


def _sent(file: WidgetFile, request: Request[Any, Any, Any], **headers: str) -> Response[bytes]:
    """A file, gzipped for whoever takes that."""
    about = {"vary": "accept-encoding", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if not takes_gzip(request.headers.get("accept-encoding", "")):
        return Response(file.content, media_type=file.media_type, headers=about)
    return Response(file.gzipped, media_type=file.media_type, headers={**about, "content-encoding": "gzip"})


@get("/", include_in_schema=False, opt=ANYONE)
async def home(widget: Given[Widget], guard: Given[Guard], request: Request[Any, Any, Any]) -> Response[bytes]:
    """The chat as a whole page."""
    page = widget.html if guard.open else widget.keyed
    return _sent(page, request, content_security_policy=widget.policy, cache_control="no-cache")


@get("/widget", include_in_schema=False, opt=ANYONE)
async def configure(widget: Given[Widget], request: Request[Any, Any, Any]) -> Response[bytes]:
    """How the chat can look in other sites' pages, and the tag that puts it there."""
    return _sent(widget.configure, request, content_security_policy=widget.policy, cache_control="no-cache")


@get("/widget.js", include_in_schema=False, opt=ANYONE)
async def widget_script(widget: Given[Widget]) -> Response[None]:
    """The address for other sites: leads to the script of this version."""
    headers = {
        "location": widget.script,
        "cache-control": f"public, max-age={_SCRIPT_SECONDS}",
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
    }
    return Response(None, status_code=302, headers=headers)


@get("/widget/{name:str}", include_in_schema=False, opt=ANYONE)
async def widget_file(name: FromPath[str], widget: Given[Widget], request: Request[Any, Any, Any]) -> Response[bytes]:
    """A file of the chat; any site may load it. What is asked for by a hash may be kept for ever."""
    file = widget.files.get(name) or widget.languages.get(name)
    if file is None:
        raise NotFoundException
    lasting = name in widget.files or request.scope["query_string"] == widget.words.encode()
    return _sent(
        file,
        request,
        cache_control="public, max-age=31536000, immutable" if lasting else f"public, max-age={_SCRIPT_SECONDS}",
        access_control_allow_origin="*",
        cross_origin_resource_policy="cross-origin",
    )


# --- `POST /api/tokens`: what a page shows instead of a key
_RENEWABLE_SECONDS = 30 * 24 * 3600
"""So long after its end a token still proves whose conversations were whose."""


@post(
    "/tokens",
    status_code=200,
    summary="Get a token for a page",
    response_description="The token, and until when it is good.",
    responses=problems(*BODY, "internal-error", "invalid-request"),
    opt=GETTING_A_TOKEN,
)
async def get_token(
    data: JSONBody[TokenRequest], request: Request[Any, Any, Any], guard: Given[Guard], caller: Given[Caller]
) -> Response[Token]:
    """A page's back end asks with a key, for the page's origin; a page of an allowed origin asks for itself.

    The token is good for asking and reading, on pages of that origin and in its `collection` only, until it expires.
    With `renews`, the token before it, also an expired one, the visitor keeps conversations.
    """
    secret = guard.secret.value()
    origin = _origin(data, caller, request, guard)
    expires_at = int(time.time()) + data.ttl_seconds
    collection = _collection(data, caller, origin, guard)
    claims = TokenClaims(
        origin=origin,
        expires_at=expires_at,
        subject=_subject(data, caller, origin, collection, secret=secret),
        issuer=caller.key,
        collection=collection,
    )
    token = Token(
        token=tokens.mint(claims, secret=secret),
        origin=origin,
        expires_at=datetime.fromtimestamp(expires_at, tz=UTC).isoformat().replace("+00:00", "Z"),
        expires_in_seconds=data.ttl_seconds,
        collection=collection,
    )
    monitoring.note(Act(act="token_made", by=caller.name, origin=origin))
    return Response(token, headers={"cache-control": "no-store"})


def _origin(data: TokenRequest, caller: Caller, request: Request[Any, Any, Any], guard: Guard) -> str:
    """Which origin the token is for: its own, unless a key vouches for another. Raises InvalidRequest."""
    sender = request.headers.get("origin")
    if data.origin is None:
        if sender is None:
            raise _fault("origin", "say for which origin; a page's own request names it by itself")
        return sender
    try:
        (origin,) = origins.parse_origins(data.origin, setting="origin")
    except (SettingsError, ValueError):
        raise _fault("origin", "not one origin such as https://news.example") from None
    if not caller.operates and origin != sender:
        raise _fault("origin", "without a key a page gets tokens for its own origin only")
    if not guard.open and origin not in guard.origins:
        raise _fault(
            "origin", "list it in QA_ALLOWED_ORIGINS first: browsers would keep its pages from using the token"
        )
    return origin


def _collection(data: TokenRequest, caller: Caller, origin: str, guard: Guard) -> str | None:
    """The only collection that the token opens; None: all. Raises InvalidRequest, and OutOfReach for another's."""
    of_origin = guard.collections.get(origin)
    if data.collection is not None:
        if not caller.operates and data.collection != of_origin:
            raise _fault("collection", "without a key a page gets tokens for the collection of its origin only")
        if caller.operates:
            require_reach(caller.within, data.collection)
        return data.collection
    if not caller.operates or caller.within is None:
        if guard.reads_unsaid(origin):
            raise _fault(
                "collection",
                "keys here are kept to collections: say which one it reads, or set it for the origin in "
                f"QA_ORIGIN_COLLECTIONS, {origin}=* for all",
            )
        return of_origin
    if of_origin in caller.within:
        return of_origin
    if len(caller.within) != 1:
        raise _fault("collection", f"say which of those that the key opens: {', '.join(caller.within)}")
    return caller.within[0]


def _subject(data: TokenRequest, caller: Caller, origin: str, collection: str | None, *, secret: bytes) -> str:
    """Whose conversations these will be. Raises InvalidRequest."""
    if data.subject is not None:
        if not caller.operates:
            raise _fault("subject", "only a key may name the visitor")
        return f"{caller.key}/{data.subject}"
    if data.renews is None:
        return tokens.new_subject()
    before = tokens.read(data.renews, secret=secret)
    same = before is not None and (before.origin, before.issuer, before.collection) == (origin, caller.key, collection)
    if before is None or not same:
        return tokens.new_subject()
    return before.subject if before.expires_at > time.time() - _RENEWABLE_SECONDS else tokens.new_subject()


def _fault(field: str, detail: str) -> InvalidRequest:
    return InvalidRequest("no token for this; see errors", errors=(FieldError(field=field, detail=detail),))
