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
_TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}


class WidgetFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the chat, plain and as it travels."""

    media_type: str
    content: bytes
    gzipped: bytes


class Widget(msgspec.Struct, frozen=True, kw_only=True):
    """The page and its files under names that change with their content."""

    html: bytes
    configure: bytes
    """The page on which the tag for other sites is put together."""
    policy: str
    """Content policy of the pages."""
    script: str
    """Where the current script is."""
    files: Mapping[str, WidgetFile]
    languages: Mapping[str, WidgetFile]
    """The words of the languages that are no part of the script; their names stay the same."""


def load_widget(*, frame_ancestors: Iterable[str] = ()) -> Widget:
    """Read the built script and the page from the package; `frame_ancestors` may show the page in a frame."""
    folder = files("qa") / "widget"
    html = (folder / "page" / "index.html").read_text(encoding="utf-8")
    found: dict[str, WidgetFile] = {}
    names: dict[str, str] = {}
    configure = (folder / "page" / "configure.html").read_text(encoding="utf-8")
    for place, name in (("dist", _SCRIPT), ("page", "page.css"), ("page", "configure.css"), ("page", "configure.js")):
        content = (folder / place / name).read_bytes()
        stem, dot, suffix = name.rpartition(".")
        names[name] = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{suffix}"
        found[names[name]] = _file(content, dot + suffix)
        html = html.replace(f"/widget/{name}", f"/widget/{names[name]}")
        configure = configure.replace(f"/widget/{name}", f"/widget/{names[name]}")
    languages = {
        item.name: _file(item.read_bytes(), ".json")
        for item in (folder / "languages").iterdir()
        if item.name.endswith(".json")
    }
    policy = framed(_POLICY, by=frame_ancestors)
    return Widget(
        html=html.encode(),
        configure=configure.encode(),
        policy=policy,
        script=f"/widget/{names[_SCRIPT]}",
        files=found,
        languages=languages,
    )


def _file(content: bytes, suffix: str) -> WidgetFile:
    return WidgetFile(media_type=_TYPES[suffix], content=content, gzipped=gzip.compress(content, 9, mtime=0))


@get("/", include_in_schema=False, opt=ANYONE)
async def home(widget: NamedDependency[Widget]) -> Response[bytes]:
    """The chat as a whole page."""
    headers = {"content-security-policy": widget.policy, "cache-control": "no-cache"}
    return Response(widget.html, media_type="text/html", headers=headers)


@get("/widget", include_in_schema=False, opt=ANYONE)
async def configure(widget: NamedDependency[Widget]) -> Response[bytes]:
    """How the chat can look in other sites' pages, and the tag that puts it there."""
    headers = {"content-security-policy": widget.policy, "cache-control": "no-cache"}
    return Response(widget.configure, media_type="text/html", headers=headers)


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
    """A file of the chat; any site may load it. What is named by a hash may be kept for ever."""
    file = widget.files.get(name) or widget.languages.get(name)
    if file is None:
        raise NotFoundException
    lasting = "public, max-age=31536000, immutable" if name in widget.files else f"public, max-age={_SCRIPT_SECONDS}"
    headers = {
        "cache-control": lasting,
        "vary": "accept-encoding",
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
    }
    if not takes_gzip(request.headers.get("accept-encoding", "")):
        return Response(file.content, media_type=file.media_type, headers=headers)
    return Response(file.gzipped, media_type=file.media_type, headers={**headers, "content-encoding": "gzip"})
