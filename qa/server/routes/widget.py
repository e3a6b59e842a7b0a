"""The chat for readers: the page at `/`, and the script that puts the chat into other sites' pages."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from qa.server.auth.permissions import ANYONE
from qa.server.http.headers import PAGE_POLICY, framed, takes_gzip

__all__ = ["Widget", "configure", "home", "load_widget", "widget_file", "widget_script"]

_SCRIPT = "sourceline-chat.js"
_SCRIPT_SECONDS = 300
"""How long a site may go on with an older script after an upgrade."""
_POLICY = f"{PAGE_POLICY}; trusted-types 'none'"
"""Not even a policy that turns text into markup can be made."""
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json"}


class WidgetFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the chat, plain and as it travels."""

    media_type: str
    content: bytes
    gzipped: bytes


class Widget(msgspec.Struct, frozen=True, kw_only=True):
    """The page and its files under names that change with their content."""

    html: WidgetFile
    configure: WidgetFile
    """The page on which the tag for other sites is put together."""
    policy: str
    """Content policy of the pages."""
    script: str
    """Where the current script is."""
    files: Mapping[str, WidgetFile]
    languages: Mapping[str, WidgetFile]
    """The words of each language; their names stay the same, and the script asks for them with `words`."""
    words: str
    """Hash of all of them, as the build of the script computed it (`qa/widget/vite.config.js`)."""


def load_widget(*, frame_ancestors: Iterable[str] = ()) -> Widget:
    """Read the built script and the page from the package; `frame_ancestors` may show the page in a frame."""
    folder = files("qa") / "widget"
    home = (folder / "page" / "index.html").read_text(encoding="utf-8")
    found: dict[str, WidgetFile] = {}
    names: dict[str, str] = {}
    configure = (folder / "page" / "configure.html").read_text(encoding="utf-8")
    for place, name in (("dist", _SCRIPT), ("page", "page.css"), ("page", "configure.css"), ("page", "configure.js")):
        content = (folder / place / name).read_bytes()
        stem, dot, suffix = name.rpartition(".")
        names[name] = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{suffix}"
        packed = folder / place / f"{name}.gz"
        found[names[name]] = _file(content, dot + suffix, packed.read_bytes() if packed.is_file() else None)
        home = home.replace(f"/widget/{name}", f"/widget/{names[name]}")
        configure = configure.replace(f"/widget/{name}", f"/widget/{names[name]}")
    written = {item.name: item.read_bytes() for item in (folder / "languages").iterdir() if item.name.endswith(".json")}
    words = hashlib.sha256(b"".join(written[name] for name in sorted(written)))
    policy = framed(_POLICY, by=frame_ancestors)
    return Widget(
        html=_file(home.encode(), ".html"),
        configure=_file(configure.encode(), ".html"),
        policy=policy,
        script=f"/widget/{names[_SCRIPT]}",
        files=found,
        languages={name: _file(msgspec.json.format(text, indent=-1), ".json") for name, text in written.items()},
        words=words.hexdigest()[:12],
    )


def _file(content: bytes, suffix: str, packed: bytes | None = None) -> WidgetFile:
    gzipped = packed or gzip.compress(content, 9, mtime=0)
    return WidgetFile(media_type=_TYPES[suffix], content=content, gzipped=gzipped)


def _sent(file: WidgetFile, request: Request[Any, Any, Any], **headers: str) -> Response[bytes]:
    """A file, gzipped for whoever takes that."""
    about = {"vary": "accept-encoding", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if not takes_gzip(request.headers.get("accept-encoding", "")):
        return Response(file.content, media_type=file.media_type, headers=about)
    return Response(file.gzipped, media_type=file.media_type, headers={**about, "content-encoding": "gzip"})


@get("/", include_in_schema=False, opt=ANYONE)
async def home(widget: NamedDependency[Widget], request: Request[Any, Any, Any]) -> Response[bytes]:
    """The chat as a whole page."""
    return _sent(widget.html, request, content_security_policy=widget.policy, cache_control="no-cache")


@get("/widget", include_in_schema=False, opt=ANYONE)
async def configure(widget: NamedDependency[Widget], request: Request[Any, Any, Any]) -> Response[bytes]:
    """How the chat can look in other sites' pages, and the tag that puts it there."""
    return _sent(widget.configure, request, content_security_policy=widget.policy, cache_control="no-cache")


@get("/widget.js", include_in_schema=False, opt=ANYONE)
async def widget_script(widget: NamedDependency[Widget]) -> Response[None]:
    """The address for other sites: leads to the script of this version."""
    headers = {
        "location": widget.script,
        "cache-control": f"public, max-age={_SCRIPT_SECONDS}",
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
    }
    return Response(None, status_code=302, headers=headers)


@get("/widget/{name:str}", include_in_schema=False, opt=ANYONE)
async def widget_file(
    name: FromPath[str], widget: NamedDependency[Widget], request: Request[Any, Any, Any]
) -> Response[bytes]:
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
