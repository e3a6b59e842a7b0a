"""`GET /articles/{article_id}`: an article as a page, for readers whom a citation leads here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from embeddings.types import Article
from qa.access.tokens import is_signed
from qa.errors import NotFound
from qa.server.auth.callers import Caller
from qa.server.auth.guard import Guard
from qa.server.auth.permissions import ANYONE
from qa.server.http.headers import PAGE_POLICY
from qa.server.routes.pages import Page
from qa.server.service import Service

__all__ = ["article_page", "render"]

_PARAGRAPH = re.compile(r"[^\n]+")
_GONE = "There is no such article here (any more), or this link does not open it: follow it from the citation."

Place = Annotated[int, QueryParameter(ge=0, description="of the cited words, as in the citation")]


@get("/articles/{article_id:str}", include_in_schema=False, opt=ANYONE)
async def article_page(
    article_id: FromPath[str],
    caller: NamedDependency[Caller],
    guard: NamedDependency[Guard],
    service: NamedDependency[Service],
    page: NamedDependency[Page],
    version: FromQuery[str] = "",
    sig: FromQuery[str] = "",
    start: Place = 0,
    end: Place = 0,
) -> Response[bytes]:
    """The article's text, the cited words marked.

    Opens with a key, with the signature of a link that the service gave out, or where it has no keys; whom it does not
    open to learns no more than that.
    """
    style = next((f"/docs/{name}" for name in page.files if name.endswith(".css")), "")
    try:
        opened = _opened(article_id, version, sig, guard)
        if not caller.operates and not opened:
            raise NotFound(_GONE)
        # Whoever signed the link could read the article; who follows it need not.
        article = await service.article(article_id, version=version or None, within=None if opened else caller.within)
    except NotFound:
        return _sent(_document("Article", f"<p>{_GONE}</p>", style=style), status=404)
    return _sent(render(article, start=start, end=end, style=style), status=200)


def render(article: Article, *, start: int, end: int, style: str) -> bytes:
    """An article as HTML, the words `text[start:end]` marked; everything of it is text, nothing markup."""
    date = (article.published_at or "")[:10]
    about = escape(" · ".join(part for part in (article.source, ", ".join(article.authors), date) if part))
    body = "\n".join(_paragraphs(article.text, start=start, end=end))
    return _document(article.title, f"<p>{about}</p>\n{body}", style=style, language=article.language)


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
