"""Files of every kind that others made: how many are read right, and why the others are refused; prints JSON.

    python tests/benchmarks/bench_documents.py FOLDER… [--wrong] [--halves]

Any folders of files will do; those of parsers' own tests are a hard choice: microsoft/markitdown,
Unstructured-IO/unstructured, jsvine/pdfplumber, py-pdf/sample-files, mwilliamson/python-mammoth,
python-openxml/python-docx, readium/readium-test-files, iptc/newsinjson, lemon24/reader; for feeds feed-rs/feed-rs,
feedjira/feedjira, rbren/rss-parser, Ranchero-Software/RSParser, kurtmckee/feedparser; for archives webrecorder/warcio,
webrecorder/warcio.js, webrecorder/pywb, iipc/jwarc, archivesunleashed/aut, N0taN3rd/node-warc. Tables of news lie in
many repositories as `articles.csv` or `news.csv`.

Each file is read a second time, plainly and by other means: the text layer of a PDF as PDFium gives it, the text
nodes of the XML in a `.docx`, `.epub` and feed, the strings of JSON, the parts of a mail, the cells of a table, the
answers in an archive. A file is right where

text    95 % of the words that are read stand in the file, and of a document's words 90 % are read: tables of contents
        and formulas are left out on purpose, heads and feet of a PDF's pages (what half of them say) do not count
title   every word of it stands in the file, and no more articles are without one than the file gives none for
date    it is a day that the file gives: the `Date` of a mail, of a feed's or a table's article, of a ninjs item

A file that holds no article is refused, and that is right: numbers, headlines alone, a list of addresses, a redirect.
Refused files count apart: each has a reason, and `reasons` says which. `--halves` counts two halves of the files apart,
told by a hash of what they hold: one to mend the parsers by, one that nobody looks at.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import html
import io
import json
import posixpath
import re
import sys
import tempfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import msgspec
import pypdfium2
from lxml import etree  # type: ignore[import-untyped]  # lxml-stubs ends at lxml 4
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from embeddings import parsers
from embeddings.cleaning.dates import iso_date
from embeddings.parsers import SANDBOXED, suffix_of
from embeddings.types import RawArticle, Rejected

_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|(?:(?![\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])[^\W_])+"
)
"""In Chinese and Japanese, which part no words, a letter."""
_UNSEEN = re.compile(
    r"<(head|script|style|svg|nav|math|object|iframe|audio|video|template|noscript)\b[^>]*(?<!/)>.*?</\1\s*>"
    r"|<!--.*?-->",
    re.DOTALL | re.IGNORECASE,
)
_INLINE = re.compile(
    r"</?(?:span|a|b|i|u|s|em|strong|small|big|sup|sub|font|code|tt|abbr|cite|q|mark|bdi|bdo|ruby|rb|rt|rp|wbr|dfn|kbd)"
    r"\b[^>]*>",
    re.IGNORECASE,
)
"""These part no words."""
_WORD_XML = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_NOT_SHOWN = (
    "ancestor::*[local-name()='del' or local-name()='moveFrom' or local-name()='Fallback' or local-name()='oMath']"
)
_PARTED = re.compile(r"(?<=\w)[-\u00ad\u2010\ufffe\x02]\s*[\r\n]+\s*(?=[^\W\d_])")
"""How a word is parted at the end of a line."""
_XHTML = "{http://www.w3.org/1999/xhtml}"
_OF_A_FEED = frozenset({"item", "entry"})
_PUBLISHED = frozenset({"pubdate", "published", "date", "issued", "created"})
_CHANGED = frozenset({"updated", "modified"})
_TITLES = re.compile(r"(?i)(?:^|[ _])(?:title|headline|head)$")
_DATES = re.compile(
    r"(?i)^(?!.*(?:crawl|scrap|fetch|collect|access|retriev|download|updat)).*(?:date|publi|time|posted)"
)
"""The day on which somebody fetched an article is none of its own."""
_READ, _FOUND = 0.95, 0.9
_WHOLE = {"pdf", "docx", "epub"}
"""Kinds of which all words are the article's."""
_KINDS = {"pdf", "docx", "epub", "eml", "xml", "json", "csv", "warc", "zip"}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file."""

    file: str
    kind: str
    half: str
    reason: str = ""
    text: bool = True
    title: bool = True
    date: bool = True

    @property
    def right(self) -> bool:
        return self.text and self.title and self.date


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says, in any order."""

    text: str
    needed: str | None = None
    """What of it has to be read; None: all."""
    titles: str = ""
    """Words that stand outside of the text and may be a title."""
    untitled: int | None = None
    """For so many articles it gives no title, where that is known."""
    dates: frozenset[str | None] = frozenset()


def words(text: str) -> Counter[str]:
    return Counter(word.casefold() for word in _WORD.findall(text))


def untagged(markup: str) -> str:
    return html.unescape(re.sub(r"<[/!?]?[A-Za-z][^>]*>", " ", _INLINE.sub("", _UNSEEN.sub(" ", markup))))


def plainly(path: Path, kind: str) -> Said:
    """All that a file says."""
    match kind:
        case "pdf":
            return of_pdf(path.read_bytes())
        case "docx":
            return Said(text=of_word(path))
        case "epub":
            return of_book(path)
        case "eml":
            return of_mail(path)
        case "xml":
            return of_feed(path)
        case "csv":
            return of_table(path)
        case "warc":
            return Said(text="\n".join(of_archive(path)))
        case "zip":
            return of_packed(path)
        case "json":
            return of_json(path)
        case _:
            return Said(text=path.read_text("utf-8", "replace"))


def of_pdf(data: bytes) -> Said:
    """Its text layer; heads and feet, the lines that half the pages say but for figures, need not be read."""
    document = pypdfium2.PdfDocument(data)
    texts = [_PARTED.sub("", document[index].get_textpage().get_text_range()) for index in range(len(document))]
    pages = [text.splitlines() for text in texts]
    said_on = Counter(one for page in pages for one in {masked(line) for line in page})
    often = max(2, (len(pages) + 1) // 2)
    needed = (line for page in pages for line in page if said_on[masked(line)] < often)
    return Said(text="\n".join(texts), needed="\n".join(needed))


def masked(line: str) -> str:
    return re.sub(r"\d+", "0", line.strip())


def of_word(path: Path) -> str:
    """The words of its runs, paragraph by paragraph; also those in text boxes, foot- and endnotes."""
    with zipfile.ZipFile(path) as archive:
        names = [
            name for name in archive.namelist() if re.fullmatch(r"word/(document|footnotes|endnotes)\d*\.xml", name)
        ]
        trees = [etree.fromstring(archive.read(name), parser=etree.XMLParser(recover=True)) for name in names]
    found: list[str] = []
    for element in (one for tree in trees for one in tree.iter(etree.Element)):
        name = str(element.tag).removeprefix(_WORD_XML)
        if name in {"p", "tab", "br", "cr"}:
            found.append("\n")
        elif name == "t" and not element.xpath(_NOT_SHOWN):
            found.append(element.text or "")
    return "".join(found)


def of_book(path: Path) -> Said:
    """The chapters that a book wants read one after the other, without its table of contents."""
    with zipfile.ZipFile(path) as archive:
        place = next(name for name in archive.namelist() if name.endswith(".opf"))
        package = archive.read(place).decode("utf-8", "replace")
        attributes = [
            dict(re.findall(r"([\w-]+)\s*=\s*[\"']([^\"']*)", one)) for one in re.findall(r"<[^>]+>", package)
        ]
        items = {one["id"]: one for one in attributes if "href" in one and "id" in one}
        spine = [items.get(one["idref"], {}) for one in attributes if "idref" in one and one.get("linear") != "no"]
        chapters = [
            posixpath.normpath(posixpath.join(posixpath.dirname(place), one["href"]))
            for one in spine
            if "html" in one.get("media-type", "") and "nav" not in one.get("properties", "")
        ]
        texts = [archive.read(name).decode("utf-8", "replace") for name in chapters if name in archive.namelist()]
    heads = (found for one in texts for found in re.findall(r"(?s)<title[^>]*>(.*?)</title>", one))
    return Said(text="\n".join(map(untagged, texts)), titles=untagged(package) + " ".join(heads))


def of_mail(path: Path) -> Said:
    message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    subject = str(message["subject"] or "")
    found = [subject]
    for part in message.walk():
        if part.get_content_maintype() == "text":
            payload = part.get_payload(decode=True)
            data = payload if isinstance(payload, bytes) else b""
            text = data.decode(part.get_content_charset() or "utf-8", "replace")
            found.append(untagged(text) if part.get_content_subtype() == "html" else text)
    dates = frozenset({iso_date(str(message["date"] or "").strip())})
    return Said(text="\n".join(found), untitled=int(not words(subject)), dates=dates)


def of_feed(path: Path) -> Said:
    """The text nodes of the XML; those that hold markup, as text. What stands in XHTML holds none."""
    data = path.read_bytes()
    if b"encoding" not in data[:200] and b"\xef\xbf\xbd" in data.decode("utf-8", "replace").encode():
        data = data.decode("cp1252", "replace").encode()  # undeclared, as its servers used to send it
    tree = etree.fromstring(data, parser=etree.XMLParser(recover=True, resolve_entities=False))
    found: list[str] = []
    for element in tree.iter(etree.Element):
        # The text of an element, and what follows each of its children.
        texts = [element.text or "", *(child.tail or "" for child in element)]
        in_html = str(element.tag).startswith(_XHTML)
        found += texts if in_html else [untagged(untagged(one)) if "<" in one or "&" in one else one for one in texts]
    entries = [one for one in tree.iter(etree.Element) if named(one) in _OF_A_FEED]
    untitled = sum(not any(named(one) == "title" and words(shown(one)) for one in entry) for entry in entries)
    dates: set[str | None] = set()
    for entry in entries:
        first = [shown(one).strip() for one in entry if named(one) in _PUBLISHED]
        dates |= {iso_date(one) for one in first or [shown(one).strip() for one in entry if named(one) in _CHANGED]}
    return Said(text=" ".join(found), untitled=untitled if entries else None, dates=frozenset(dates))


def named(element: Any) -> str:
    return re.split("[:}]", str(element.tag))[-1].lower()


def shown(element: Any) -> str:
    return untagged("".join(map(str, element.itertext())))


def of_json(path: Path) -> Said:
    data = json.loads(path.read_bytes().decode("utf-8-sig", "replace"))
    found = [(name, one) for name, one in strings(data)]
    dated = {"versioncreated", "date_published", "firstcreated", "datepublished"}
    return Said(
        text=untagged(html.unescape("\n".join(one for _, one in found))),
        dates=frozenset(iso_date(one) for name, one in found if name.lower() in dated),
    )


def strings(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from strings(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one, name)


def of_table(path: Path) -> Said:
    csv.field_size_limit(1 << 25)
    data = path.read_bytes()
    text = data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig", "replace")
    first = text.partition("\n")[0]
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t|", key=first.count)))
    header = rows[0] if rows else []
    titles = column(header, rows[1:], _TITLES)
    days = [cell for at, name in enumerate(header) if _DATES.search(name) for cell in column_at(rows[1:], at)]
    return Said(
        text="\n".join(untagged(cell) for row in rows for cell in row),
        untitled=None if titles is None else sum(not words(cell) for cell in titles),
        dates=frozenset(iso_date(cell.strip()) for cell in days),
    )


def column(header: Sequence[str], rows: Sequence[Sequence[str]], wanted: re.Pattern[str]) -> list[str] | None:
    at = next((number for number, name in enumerate(header) if wanted.search(name)), None)
    return None if at is None else column_at(rows, at)


def column_at(rows: Sequence[Sequence[str]], at: int) -> list[str]:
    return [row[at] if at < len(row) else "" for row in rows if any(row)]


def of_archive(path: Path) -> Iterator[str]:
    """All that the servers answered, heads of pages, too."""
    with path.open("rb") as file, suppress(ArchiveLoadFailed):  # of a damaged one, what comes before
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        for record in ArchiveIterator(gzip.GzipFile(fileobj=file) if packed else file):
            kind = (record.http_headers or record.rec_headers).get_header("content-type") or ""
            if record.rec_type not in {"response", "resource"}:
                continue
            data = record.content_stream().read()
            if "pdf" in kind:
                yield of_pdf(data).text
            elif "html" in kind or "text" in kind:
                encoding = kind.lower().partition("charset=")[2].strip(" \"';") or "utf-8"
                yield untagged(data.decode(encoding, "replace").replace("<head", "<div").replace("</head", "</div"))


def of_packed(path: Path) -> Said:
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        for one in archive.infolist():
            with suppress(zipfile.BadZipFile, RuntimeError, OSError):  # damaged, or locked
                archive.extract(one, folder)
        inside = [one for one in Path(folder).rglob("*") if one.is_file() and suffix_of(one.name)]
        found: list[Said] = []
        for one in inside:
            with suppress(zipfile.BadZipFile, pypdfium2.PdfiumError, ValueError, etree.LxmlError):  # as its kind says
                found.append(plainly(one, SANDBOXED.get(suffix_of(one.name) or "", "")))
    return Said(text="\n".join(untagged(one.text) + "\n" + one.text for one in found))


def judged(path: Path, kind: str) -> Verdict:
    found = list(parsers.read(path))
    articles = [one for one in found if isinstance(one, RawArticle)]
    half = "seen" if int(hashlib.sha256(path.read_bytes()).hexdigest(), 16) % 2 else "held back"
    verdict = Verdict(file=path.name, kind=kind, half=half)
    if not articles:
        reasons = [one.reason for one in found if isinstance(one, Rejected)]
        return msgspec.structs.replace(verdict, reason=reasons[0] if reasons else "nothing, without a word")
    said = plainly(path, kind)
    file, read = words(said.text), words("\n".join(one.text for one in articles))
    needed = words(said.text if said.needed is None else said.needed)
    titles = file.keys() | words(said.titles).keys()
    untitled = sum(not one.title.strip() for one in articles)
    dates = said.dates - {None}
    given = {iso_date(one.published_at) for one in articles if one.published_at} - {None}
    return msgspec.structs.replace(
        verdict,
        text=(file & read).total() >= _READ * read.total()
        and (kind not in _WHOLE or (needed & read).total() >= _FOUND * needed.total()),
        title=not (words("\n".join(one.title for one in articles)).keys() - titles)
        and (said.untitled is None or untitled <= said.untitled),
        date=not dates or (bool(given) and given <= dates),
    )


def files(folders: list[Path]) -> Iterator[tuple[Path, str]]:
    """Documents, each with its kind."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            kind = SANDBOXED.get(suffix_of(path.name) or "")
            if path.is_file() and kind in _KINDS:
                yield path, kind


def counted(verdicts: Sequence[Verdict], *, wrong: bool) -> dict[str, Any]:
    taken = [one for one in verdicts if not one.reason]
    right = [one for one in taken if one.right]
    report: dict[str, Any] = {
        "files": len(verdicts),
        "read": len(taken),
        "right": len(right),
        **{name: sum(getattr(one, name) for one in taken) for name in ("text", "title", "date")},
        "refused": len(verdicts) - len(taken),
        "reasons": Counter(one.reason[:60] for one in verdicts if one.reason).most_common(6),
    }
    return report | ({"wrong": [msgspec.to_builtins(one) for one in taken if not one.right]} if wrong else {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--wrong", action="store_true", help="name the files that are read wrong")
    parser.add_argument("--halves", action="store_true", help="count two halves of the files apart")
    given = parser.parse_args()
    kinds: defaultdict[str, list[Verdict]] = defaultdict(list)
    for path, kind in files(given.folders):
        verdict = judged(path, kind)
        kinds[f"{kind}, {verdict.half}" if given.halves else kind].append(verdict)
    report = {kind: counted(all_of, wrong=given.wrong) for kind, all_of in sorted(kinds.items())}
    sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
