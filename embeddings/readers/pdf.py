"""PDF: takes a `.pdf`, gives its article and the place where each of its pages begins.

The properties of the file are believed where its first page says the same; programs write templates' titles, their own
names and the date of the last conversion into them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Final

import pypdfium2
import pypdfium2.raw as pdfium

from embeddings.errors import UnreadableFile
from embeddings.readers import text
from embeddings.readers.pdf_layout import laid_out, without_running_lines
from embeddings.readers.pdf_lines import Line, Page, page_of
from embeddings.types import RawArticle

__all__ = ["MAX_PAGES", "read"]

MAX_PAGES: Final = 2_000
_LOCKED: Final = "it is locked with a password; save a copy without one"
_NO_TEXT: Final = "its pages are pictures or empty; make text of them by OCR first (ocrmypdf, for one)"
_UNTOLD: Final = (
    "its letters cannot be told (fonts without a character map); make text of it by OCR (ocrmypdf --force-ocr)"
)
_STRANGE = re.compile("[\ufffd\ue000-\uf8ff\x00-\x08\x0e-\x1f]|\\(cid:\\d+\\)")
_LETTER = re.compile(r"\w")
_STRANGE_SHARE: Final = 0.1
_FEWEST_LETTERS: Final = 20
_HEADLINE: Final = 1.15
"""A headline's letters are at least so many times as large as most of the text's."""
_LONGEST_HEADLINE: Final = 250


def read(path: Path, folder: Path) -> Iterator[RawArticle]:  # noqa: ARG001 - what every reader is given
    """Give the document. Raises UnreadableFile where it is none, locked, too long or without text."""
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD or "password" in str(error).lower()
        raise UnreadableFile(_LOCKED if locked else "it is no PDF, or damaged; save it again") from None
    with document:
        if len(document) > MAX_PAGES:
            raise UnreadableFile(f"it has more than {MAX_PAGES:,} pages; split it up")
        properties = document.get_metadata_dict()
        pages, notes = _pages(document)
    laid = laid_out(without_running_lines(pages))
    letters = len(_LETTER.findall(laid.text))
    if letters < _FEWEST_LETTERS:
        raise UnreadableFile(_NO_TEXT)
    if len(_STRANGE.findall(laid.text)) > _STRANGE_SHARE * letters:
        raise UnreadableFile(_UNTOLD)
    head = " ".join(line.plain for line in pages[0].lines) if pages else ""
    author = " ".join(properties.get("Author", "").split())
    yield RawArticle(
        text=laid.text,
        title=_title(pages, given=" ".join(properties.get("Title", "").split()), head=head),
        published_at=text.dated(line.plain for line in pages[0].lines) if pages else None,
        authors=(author,) if " " in author and text.says(head, author) else (),
        origin=f"{path}:1",
        notes=notes,
        pages=laid.pages,
    )


def _pages(document: pypdfium2.PdfDocument) -> tuple[list[Page], tuple[str, ...]]:
    """Read every page; one that is damaged is empty, and noted."""
    pages, damaged = list[Page](), list[str]()
    for index in range(len(document)):
        try:
            pages.append(page_of(document, index))
        except pypdfium2.PdfiumError:
            damaged.append(str(index + 1))
            pages.append(Page(number=index + 1, height=1.0, width=1.0, lines=()))
    return pages, (f"pages that are damaged and were not read: {', '.join(damaged)[:200]}",) if damaged else ()


def _title(pages: Sequence[Page], *, given: str, head: str) -> str:
    """The title in the properties where the first page says it, else the words in the largest letters there."""
    if text.plausible_title(given) and text.says(head, given):
        return given
    first = next((page for page in pages if page.lines), None)
    if first is None:
        return ""
    usual = median(line.size for page in pages[:5] for line in page.lines for _ in range(1 + len(line.text) // 10))
    found = sorted(_displayed(first, usual), key=lambda lines: -max(line.size for line in lines))
    titles = [" ".join(line.plain for line in lines) for lines in found]
    said = [one for one in titles if len(one) <= _LONGEST_HEADLINE and _LETTER.search(one)]
    return next((one for one in said if len(one.split()) > 2 or len(one) > 20), said[0] if said else "")


def _displayed(page: Page, usual: float) -> list[list[Line]]:
    """Lines in large letters, those that follow one another in the same size together."""
    found: list[list[Line]] = []
    before: Line | None = None
    for line in page.lines:
        if line.size >= _HEADLINE * usual and line.bottom > 0.3 * page.height:
            if before is not None and abs(line.size - before.size) < 0.08 * line.size:
                found[-1].append(line)
            else:
                found.append([line])
            before = line
        else:
            before = None
    return found
