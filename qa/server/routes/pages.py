"""The pages for developers: the API's description, and what each problem means."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from importlib.resources import files

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from qa.server.auth.permissions import ANYONE
from qa.server.http.headers import PAGE_POLICY
from qa.server.http.problems import KINDS

__all__ = ["Page", "ProblemKind", "docs", "docs_file", "load_page", "openapi_json", "problem"]

_TYPES = {".js": "text/javascript", ".css": "text/css"}


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The page at `/docs`, its files under names that change with their content, and the document it shows."""

    html: bytes
    files: Mapping[str, tuple[str, bytes]]
    """Media type and content by file name."""
    document: Callable[[], bytes]


class ProblemKind(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table of problems."""

    type: str
    title: str
    status: int
    meaning: str


def load_page(document: Callable[[], bytes]) -> Page:
    """Read the page from the package; `document` is called, beside the event loop, whenever it is asked for."""
    folder = files("qa.server") / "page"
    html = (folder / "index.html").read_text(encoding="utf-8")
    found: dict[str, tuple[str, bytes]] = {}
    for name in ("docs.js", "docs.css"):
        content = (folder / name).read_bytes()
        stem, dot, suffix = name.partition(".")
        hashed = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{suffix}"
        found[hashed] = (_TYPES[dot + suffix], content)
        html = html.replace(name, hashed)
    return Page(html=html.encode(), files=found, document=document)


@get("/docs", include_in_schema=False, opt=ANYONE)
async def docs(page: NamedDependency[Page]) -> Response[bytes]:
    """The API, described for people, with forms to try it."""
    headers = {"content-security-policy": PAGE_POLICY, "cache-control": "no-cache"}
    return Response(page.html, media_type="text/html", headers=headers)


@get("/docs/{name:str}", include_in_schema=False, opt=ANYONE)
async def docs_file(name: FromPath[str], page: NamedDependency[Page]) -> Response[bytes]:
    """A file of the page; its name changes with its content, so it may be kept for ever."""
    if name not in page.files:
        raise NotFoundException
    media_type, content = page.files[name]
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
