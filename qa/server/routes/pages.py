"""Pages: the API's description, problems, administration, and an article opened from a citation."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated
from urllib.parse import quote, urlencode

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency as Given
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery, QueryParameter

from embeddings.types import Article
from qa.access.tokens import is_signed, signature
from qa.errors import NotFound
from qa.server.auth import ANYONE, Caller
from qa.server.auth.guard import Guard
from qa.server.http.headers import PAGE_POLICY, SCRIPTED_POLICY
from qa.server.http.problems import KINDS
from qa.server.service import Service

_TYPES = {".js": "text/javascript", ".css": "text/css"}
_DOCS = ("docs.js", "docs.css")
_ADMIN = ("admin.css", "api.js", "dom.js", "views.js", "answer.js", "article.js", "admin.js")
"""Each after those that it imports: its own name depends on theirs."""
Files = Mapping[str, tuple[str, bytes]]
"""Media type and content by file name."""
_PARAGRAPH = re.compile(r"[^\n]+")
_GONE = "There is no such article here (any more), or this link does not open it: follow it from the citation."
Place = Annotated[int, QueryParameter(ge=0, description="of the cited words, as in the citation")]


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
async def docs(page: Given[Page]) -> Response[bytes]:
    """The API, described for people, with forms to try it."""
    headers = {"content-security-policy": PAGE_POLICY, "cache-control": "no-cache"}
    return Response(page.html, media_type="text/html", headers=headers)


@get("/docs/{name:str}", include_in_schema=False, opt=ANYONE)
async def docs_file(name: FromPath[str], page: Given[Page]) -> Response[bytes]:
    """A file of the page; its name changes with its content, so it may be kept for ever."""
    return _file(page.files, name)


@get("/admin", include_in_schema=False, opt=ANYONE)
async def admin(page: Given[Page]) -> Response[bytes]:
    """The page for whoever runs the service; what it shows, it asks for with the key that is typed into it."""
    headers = {"content-security-policy": SCRIPTED_POLICY, "cache-control": "no-cache"}
    return Response(page.admin_html, media_type="text/html", headers=headers)


@get("/admin/{name:str}", include_in_schema=False, opt=ANYONE)
async def admin_file(name: FromPath[str], page: Given[Page]) -> Response[bytes]:
    """A file of that page; its name changes with its content, so it may be kept for ever."""
    return _file(page.admin_files, name)


def _file(found: Files, name: str) -> Response[bytes]:
    if name not in found:
        raise NotFoundException
    media_type, content = found[name]
    return Response(content, media_type=media_type, headers={"cache-control": "public, max-age=31536000, immutable"})


@get("/openapi.json", include_in_schema=False, opt=ANYONE)
async def openapi_json(page: Given[Page]) -> Response[bytes]:
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


@get("/articles/{article_id:str}", include_in_schema=False, opt=ANYONE)
async def article_page(
    article_id: FromPath[str],
    caller: Given[Caller],
    guard: Given[Guard],
    service: Given[Service],
    page: Given[Page],
    version: FromQuery[str] = "",
    sig: FromQuery[str] = "",
    start: Place = 0,
    end: Place = 0,
) -> Response[bytes]:
    """The article's text, the cited words marked; where it was corrected since, that is said, with a link.

    Opens with a key, with the signature of a link that the service gave out, or where it has no keys; whom it does not
    open to learns no more than that.
    """
    style = next((f"/docs/{name}" for name in page.files if name.endswith(".css")), "")
    try:
        opened = _opened(article_id, version, sig, guard)
        if not caller.operates and not opened:
            raise NotFound(_GONE)
        # Whoever signed the link could read the article; who follows it need not.
        within = None if opened else caller.within
        article = await service.article(article_id, version=version or None, within=within)
        now = await service.article(article_id, version=None, within=within) if version else article
    except NotFound:
        return _sent(_document("Article", f"<p>{_GONE}</p>", style=style), status=404)
    notice = "" if now.version == article.version else _corrected(now, secret=guard.link_secret() if opened else None)
    return _sent(_render(article, notice, start=start, end=end, style=style), status=200)


def _corrected(now: Article, *, secret: bytes | None) -> str:
    """Says above an older version that it is one. With `secret` the link opens the current one: whoever may read what
    was corrected may read the correction."""
    named = {"version": now.version}
    if secret is not None:
        named["sig"] = signature(now.id, version=now.version, secret=secret)
    address = escape(f"/articles/{quote(now.id)}?{urlencode(named)}")
    return (
        '<p class="corrected" role="note">Corrected since: this is an older version of the article. '
        f'<a href="{address}">Read the current version</a></p>\n'
    )


def _render(article: Article, notice: str, *, start: int, end: int, style: str) -> bytes:
    """An article as HTML, the words `text[start:end]` marked; everything of it is text, nothing markup."""
    date = (article.published_at or "")[:10]
    about = escape(" · ".join(part for part in (article.source, ", ".join(article.authors), date) if part))
    body = "\n".join(_paragraphs(article.text, start=start, end=end))
    return _document(article.title, f"<p>{about}</p>\n{notice}{body}", style=style, language=article.language)


def _opened(article_id: str, version: str, given: str, guard: Guard) -> bool:
    secret = guard.link_secret()
    return secret is not None and is_signed(article_id, version=version, given=given, secret=secret)


def _paragraphs(text: str, *, start: int, end: int) -> Iterator[str]:
    for found in _PARAGRAPH.finditer(text):
        first, last = (min(max(place, found.start()), found.end()) for place in (start, end))
        marked = f"<mark>{escape(text[first:last])}</mark>" if first < last else ""
        before, after = (text[found.start() : first], text[last : found.end()]) if marked else (found[0], "")
        yield f'<p dir="auto">{escape(before)}{marked}{escape(after)}</p>'


def _document(title: str, body: str, *, style: str, language: str | None = None) -> bytes:
    spoken = f' lang="{escape(language)}"' if language else ""
    return (
        f'<!doctype html>\n<html{spoken}>\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="robots" content="noindex">\n'
        f'<title>{escape(title)}</title>\n<link rel="stylesheet" href="{style}">\n</head>\n'
        f'<body>\n<main>\n<h1 dir="auto">{escape(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n'
    ).encode(errors="replace")


def _sent(html: bytes, *, status: int) -> Response[bytes]:
    headers = {"content-security-policy": PAGE_POLICY, "cache-control": "no-store"}
    return Response(html, status_code=status, media_type="text/html", headers=headers)
