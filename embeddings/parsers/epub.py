"""Books and magazines: parses an `.epub`; each chapter is an article.

A chapter, not the book: magazines put an article into each, readers are shown the text they are cited from, and a
citation that names the chapter can be found again in the book. What has only a few words is no chapter.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import msgspec

from embeddings.errors import UnreadableFile
from embeddings.parsers import decoding, fragments, zipped
from embeddings.types import RawArticle, Rejected

_MAX_CHAPTER: Final = 20_000_000
_MAX_PACKAGE: Final = 5_000_000
_FEWEST_WORDS, _FEWEST_CHARACTERS = 40, 250
"""Less is a cover, a title page, a dedication, in a book that has more."""
_NUMBER = re.compile(r"(?:[^\W\d_]{1,12}\W{0,2} )?(?:\d{1,4}|[ivxlcIVXLC]{1,8})?\W{0,2}|[^\W\d_]{1,12}")
"""A heading that only counts, as "Chapter 3", or is one word: the book's name goes before it."""
_TEXTS: Final = frozenset({"application/xhtml+xml", "text/html", "application/html+xml", "text/x-oeb1-document"})
_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_LOCKED: Final = "it is protected against copying (DRM); ask its publisher for a copy that is not"


class _Book(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    authors: tuple[str, ...]
    published_at: str | None
    language: str | None
    chapters: tuple[str, ...]
    """Their names in the archive, in order."""


def read(path: Path, folder: Path) -> Iterator[RawArticle | Rejected]:  # noqa: ARG001 - what every parser is given
    """Give an article or a refusal for each chapter. Raises UnreadableFile where it is no book, or a locked one."""
    with zipped.opened(path) as archive:
        names = archive.namelist()
        book = _book(archive)
        locked = zipped.content(archive, _ENCRYPTION, most=_MAX_PACKAGE) if _ENCRYPTION in names else b""
        if any(posixpath.basename(name).encode() in locked for name in book.chapters):
            raise UnreadableFile(_LOCKED)
        short: list[RawArticle] = []
        given = False
        for number, name in enumerate(book.chapters, start=1):
            try:
                found = _chapter(zipped.content(archive, name, most=_MAX_CHAPTER), book, origin=f"{path}:{number}")
            except UnreadableFile as error:
                yield Rejected(origin=f"{path}:{number}", reason=f"chapter {posixpath.basename(name)[:80]}: {error}")
                given = True
                continue
            if _is_short(found.text):
                short.append(found)
            else:
                yield found
                given = True
    short = [one for one in short if one.text] if not given else []
    yield from short
    if not given and not short:
        raise UnreadableFile("none of its chapters has text; where its pages are pictures, make a .pdf of it by OCR")


def _book(archive: zipped.ZipFile) -> _Book:
    container = fragments.xml_of(zipped.content(archive, _CONTAINER, most=_MAX_PACKAGE))
    place = next((one.get("full-path") for one in container.iter("{*}rootfile") if one.get("full-path")), None)
    if place is None:
        raise UnreadableFile("it is no book: META-INF/container.xml names none; save it again")
    package = fragments.xml_of(zipped.content(archive, place, most=_MAX_PACKAGE))
    items = {one.get("id"): one for one in package.iter("{*}item")}
    listed = [items.get(one.get("idref")) for one in package.iter("{*}itemref") if one.get("linear") != "no"]
    chapters = [
        posixpath.normpath(posixpath.join(posixpath.dirname(place), unquote(item.get("href", ""))))
        for item in listed
        if item is not None and item.get("media-type") in _TEXTS and "nav" not in (item.get("properties") or "").split()
    ]
    if not chapters:
        raise UnreadableFile("it lists no chapter with text")
    said = {name: _said(package, name) for name in ("title", "creator", "date", "language")}
    return _Book(
        title=next(iter(said["title"]), ""),
        authors=tuple(said["creator"]),
        published_at=next(iter(said["date"]), None),
        language=next(iter(said["language"]), None),
        chapters=tuple(dict.fromkeys(chapters)),
    )


def _said(package: fragments.Element, name: str) -> Sequence[str]:
    found = ("".join(one.itertext()) for one in package.iter(f"{{http://purl.org/dc/elements/1.1/}}{name}"))
    return [" ".join(text.split()) for text in found if text.strip()]


def _is_short(text: str) -> bool:
    return len(text.split()) < _FEWEST_WORDS and len(text) < _FEWEST_CHARACTERS


def _chapter(data: bytes, book: _Book, *, origin: str) -> RawArticle:
    tree = fragments.tree_of(decoding.decode(data))
    text = fragments.text_of(tree)
    heading = fragments.first_heading(tree) or fragments.first_heading(tree, tags=("title",))
    if book.title and heading.casefold() != book.title.casefold() and _NUMBER.fullmatch(heading):
        heading = f"{book.title}: {heading}" if heading else book.title
    return RawArticle(
        text=text,
        title=heading or book.title,
        source=book.title or None,
        published_at=book.published_at,
        language=book.language,
        authors=book.authors,
        origin=origin,
    )
