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

from qa.server.headers import PAGE_POLICY, framed
from qa.server.levels import ANYONE

__all__ = ["Widget", "home", "load_widget", "widget_file", "widget_script"]

_SCRIPT = "sourceline-chat.js"
_SCRIPT_SECONDS = 300
"""How long a site may go on with an older script after an upgrade."""
_POLICY = f"{PAGE_POLICY}; trusted-types 'none'"
"""Not even a policy that turns text into markup can be made."""
_TYPES = {".js": "text/javascript", ".css": "text/css"}


class WidgetFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the chat, plain and as it travels."""

    media_type: str
    content: bytes
    gzipped: bytes


class Widget(msgspec.Struct, frozen=True, kw_only=True):
    """The page and its files under names that change with their content."""

    html: bytes
    policy: str
    """Content policy of the page."""
    script: str
    """Where the current script is."""
    files: Mapping[str, WidgetFile]


def load_widget(*, frame_ancestors: Iterable[str] = ()) -> Widget:
    """Read the built script and the page from the package; `frame_ancestors` may show the page in a frame."""
    folder = files("qa") / "widget"
    html = (folder / "page" / "index.html").read_text(encoding="utf-8")
    found: dict[str, WidgetFile] = {}
    names: dict[str, str] = {}
    for place, name in (("dist", _SCRIPT), ("page", "page.css")):
        content = (folder / place / name).read_bytes()
        stem, dot, suffix = name.rpartition(".")
        names[name] = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{suffix}"
        gzipped = gzip.compress(content, 9, mtime=0)
        found[names[name]] = WidgetFile(media_type=_TYPES[dot + suffix], content=content, gzipped=gzipped)
        html = html.replace(f"/widget/{name}", f"/widget/{names[name]}")
    policy = framed(_POLICY, by=frame_ancestors)
    return Widget(html=html.encode(), policy=policy, script=f"/widget/{names[_SCRIPT]}", files=found)


@get("/", include_in_schema=False, opt=ANYONE)
async def home(widget: NamedDependency[Widget]) -> Response[bytes]:
    """The chat as a whole page."""
    headers = {"content-security-policy": widget.policy, "cache-control": "no-cache"}
    return Response(widget.html, media_type="text/html", headers=headers)


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
    """A file of the chat; it may be kept for ever, and any site may load it, also with an integrity hash."""
    if name not in widget.files:
        raise NotFoundException
    file = widget.files[name]
    headers = {
        "cache-control": "public, max-age=31536000, immutable",
        "vary": "accept-encoding",
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
    }
    if not _takes_gzip(request.headers.get("accept-encoding", "")):
        return Response(file.content, media_type=file.media_type, headers=headers)
    return Response(file.gzipped, media_type=file.media_type, headers={**headers, "content-encoding": "gzip"})


def _takes_gzip(accepted: str) -> bool:
    """Whether an `Accept-Encoding` names gzip, and not to refuse it."""
    for one in accepted.lower().split(","):
        coding, _, weight = one.replace(" ", "").partition(";q=")
        if coding == "gzip":
            return not weight or weight.strip("0.") != ""
    return False
