"""The pages for developers and for whoever runs the service: the API's description, problems, the administration."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from qa.server.auth.permissions import ANYONE
from qa.server.http.headers import PAGE_POLICY
from qa.server.http.problems import KINDS

__all__ = [
    "Page",
    "ProblemKind",
    "admin",
    "admin_file",
    "docs",
    "docs_file",
    "load_page",
    "openapi_json",
    "problem",
]

_TYPES = {".js": "text/javascript", ".css": "text/css"}

_DOCS = ("docs.js", "docs.css")
_ADMIN = ("admin.css", "api.js", "dom.js", "views.js", "answer.js", "admin.js")
"""Each after those that it imports: its own name depends on theirs."""
_ADMIN_POLICY = f"{PAGE_POLICY}; trusted-types 'none'"
"""Not even a policy that turns text into markup can be made."""

Files = Mapping[str, tuple[str, bytes]]
"""Media type and content by file name."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The pages at `/docs` and `/admin`, their files under names that change with their content."""

    html: bytes
    files: Files
    document: Callable[[], bytes]
    """Gives the description that `/docs` shows."""
    admin_html: bytes
    admin_files: Files


class ProblemKind(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table of problems."""

    type: str
    title: str
    status: int
    meaning: str


def load_page(document: Callable[[], bytes]) -> Page:
    """Read the pages from the package; `document` is called, beside the event loop, whenever it is asked for."""
    folder = files("qa.server") / "page"
    html, found = _load(folder, names=_DOCS, place="/docs")
    admin_html, admin_files = _load(folder / "admin", names=_ADMIN, place="/admin")
    return Page(html=html, files=found, document=document, admin_html=admin_html, admin_files=admin_files)


def _load(folder: Traversable, *, names: Iterable[str], place: str) -> tuple[bytes, Files]:
    """Read a page and its files, and put the names that change with their content wherever they are named."""
    found: dict[str, tuple[str, bytes]] = {}
    renamed: dict[str, str] = {}

    def read(name: str) -> bytes:
        text = (folder / name).read_text(encoding="utf-8")
        for plain, hashed in renamed.items():
            text = text.replace(plain, hashed)
        return text.encode()

    for name in names:
        content = read(name)
        stem, dot, suffix = name.partition(".")
        hashed = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{suffix}"
        found[hashed] = (_TYPES[dot + suffix], content)
        renamed[f"{place}/{name}"] = f"{place}/{hashed}"
    return read("index.html"), found


@get("/docs", include_in_schema=False, opt=ANYONE)
async def docs(page: NamedDependency[Page]) -> Response[bytes]:
    """The API, described for people, with forms to try it."""
    headers = {"content-security-policy": PAGE_POLICY, "cache-control": "no-cache"}
    return Response(page.html, media_type="text/html", headers=headers)


@get("/docs/{name:str}", include_in_schema=False, opt=ANYONE)
async def docs_file(name: FromPath[str], page: NamedDependency[Page]) -> Response[bytes]:
    """A file of the page; its name changes with its content, so it may be kept for ever."""
    return _file(page.files, name)


@get("/admin", include_in_schema=False, opt=ANYONE)
async def admin(page: NamedDependency[Page]) -> Response[bytes]:
    """The page for whoever runs the service; what it shows, it asks for with the key that is typed into it."""
    headers = {"content-security-policy": _ADMIN_POLICY, "cache-control": "no-cache"}
    return Response(page.admin_html, media_type="text/html", headers=headers)


@get("/admin/{name:str}", include_in_schema=False, opt=ANYONE)
async def admin_file(name: FromPath[str], page: NamedDependency[Page]) -> Response[bytes]:
    """A file of that page; its name changes with its content, so it may be kept for ever."""
    return _file(page.admin_files, name)


def _file(found: Files, name: str) -> Response[bytes]:
    if name not in found:
        raise NotFoundException
    media_type, content = found[name]
    return Response(content, media_type=media_type, headers={"cache-control": "public, max-age=31536000, immutable"})


@get("/openapi.json", include_in_schema=False, opt=ANYONE)
async def openapi_json(page: NamedDependency[Page]) -> Response[bytes]:
    """The API, described for programs (OpenAPI 3.1)."""
    return Response(
        await asyncio.to_thread(page.document), media_type="application/json", headers={"cache-control": "no-cache"}
    )


@get("/problems/{slug:str}", include_in_schema=False, opt=ANYONE)
async def problem(slug: FromPath[str]) -> ProblemKind:
    """What a problem's `type` means."""
    if slug not in KINDS:
        raise NotFoundException
    kind = KINDS[slug]
    return ProblemKind(type=f"/problems/{slug}", title=kind.title, status=kind.status, meaning=kind.meaning)
