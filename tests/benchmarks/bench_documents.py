"""Files of every kind that others made: how many are read right, and why the others are refused; prints JSON.

    python tests/benchmarks/bench_documents.py FOLDER… [--wrong]

Any folders of files will do; those of parsers' own tests are a hard choice: microsoft/markitdown,
Unstructured-IO/unstructured, jsvine/pdfplumber, py-pdf/sample-files, mwilliamson/python-mammoth,
python-openxml/python-docx, readium/readium-test-files, webrecorder/warcio, lemon24/reader, iptc/newsinjson.

Each file is read a second time, plainly and by other means: the text layer of a PDF as PDFium gives it, the text
nodes of the XML in a `.docx` and `.epub`, the strings of JSON, the parts of a mail. A file is right where

text    95 % of the words that are read stand in the file, and of a document's words 90 % are read: heads, feet and
        tables of contents are left out on purpose
title   every word of it stands in the file
date    it is the day of the mail's `Date`, or of the only date that a feed's entry or a ninjs item gives

A refused file counts apart: each has a reason, and `reasons` says which.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import sys
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import msgspec
import pypdfium2

from embeddings import readers
from embeddings.cleaning.dates import iso_date
from embeddings.readers.finding import CONFINED, suffix_of
from embeddings.types import RawArticle, Rejected

_WORD = re.compile(r"[^\W_]+")
_UNSEEN = re.compile(
    r"<(head|script|style|svg|nav)\b.*?</\1>|<w:(del|instrText)\b.*?</w:\2>|<mc:Fallback>.*?</mc:Fallback>", re.DOTALL
)
_LIST = re.compile(r"(nav|toc)[^/]*$", re.IGNORECASE)
"""Names of a book's tables of contents."""
_READ, _FOUND = 0.95, 0.9
_WHOLE = {"pdf", "docx", "epub"}
"""Kinds of which all words are the article's."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file."""

    file: str
    kind: str
    reason: str = ""
    text: bool = True
    title: bool = True
    date: bool = True


def words(text: str) -> Counter[str]:
    return Counter(word.casefold() for word in _WORD.findall(text))


def untagged(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", _UNSEEN.sub(" ", markup)))


def plainly(path: Path, kind: str) -> str:
    """All that a file says, in any order."""
    if kind == "pdf":
        document = pypdfium2.PdfDocument(path)
        return "\n".join(document[index].get_textpage().get_text_range() for index in range(len(document)))
    if kind == "docx":
        with zipfile.ZipFile(path) as archive:
            names = [
                name for name in archive.namelist() if re.fullmatch(r"word/(document|footnotes|endnotes)\d*\.xml", name)
            ]
            found = (archive.read(name).decode("utf-8", "replace") for name in names)
            # Runs of one word follow each other; paragraphs, tabs and breaks part words.
            return "\n".join(
                untagged(re.sub(r"</?w:(?:r|t|rPr|proofErr|bookmark\w+|hyperlink)\b[^>]*>", "", one)) for one in found
            )
    if kind == "epub":
        return "\n".join(of_book(path, lambda name: name.endswith(("html", ".htm")) and not _LIST.search(name)))
    if kind == "eml":
        message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
        found = [str(message["subject"] or "")]
        for part in message.walk():
            if part.get_content_maintype() == "text":
                text = (part.get_payload(decode=True) or b"").decode(part.get_content_charset() or "utf-8", "replace")
                found.append(untagged(text) if part.get_content_subtype() == "html" else text)
        return "\n".join(found)
    data = path.read_bytes().decode("utf-8", "replace")
    return untagged(html.unescape("\n".join(strings(json.loads(data))) if kind == "json" else data))


def of_book(path: Path, wanted: Callable[[str], bool]) -> list[str]:
    """The text of some files of a book."""
    with zipfile.ZipFile(path) as archive:
        return [untagged(archive.read(name).decode("utf-8", "replace")) for name in archive.namelist() if wanted(name)]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(one)


def dates_of(path: Path, kind: str) -> set[str | None]:
    """The days that a file gives for its articles, where it says which they are."""
    data = path.read_bytes().decode("utf-8", "replace")
    pattern = {
        "eml": r"(?mi)^date:\s*(.+)$",
        "xml": r"<(?:pubDate|published|dc:date)>([^<]+)<",
        "json": r'"(?:versioncreated|versionCreated|date_published)"\s*:\s*"([^"]+)"',
    }.get(kind)
    found = re.findall(pattern, data) if pattern else []
    return {iso_date(one.strip()) for one in found}


def judged(path: Path, kind: str) -> Verdict:
    found = list(readers.read(path))
    articles = [one for one in found if isinstance(one, RawArticle)]
    verdict = Verdict(file=path.name, kind=kind)
    if not articles:
        reasons = [one.reason for one in found if isinstance(one, Rejected)]
        return msgspec.structs.replace(verdict, reason=reasons[0] if reasons else "nothing, without a word")
    said, read = words(plainly(path, kind)), words("\n".join(one.text for one in articles))
    both = (said & read).total()
    titles = said | words("\n".join(of_book(path, lambda name: name.endswith(".opf"))) if kind == "epub" else "")
    dates = dates_of(path, kind) - {None}
    given = {iso_date(one.published_at) for one in articles if one.published_at}
    return msgspec.structs.replace(
        verdict,
        text=both >= _READ * read.total() and (kind not in _WHOLE or both >= _FOUND * said.total()),
        title=not (words("\n".join(one.title for one in articles)).keys() - titles.keys()),
        date=not dates or (bool(given) and given <= dates),
    )


def files(folders: list[Path]) -> Iterator[tuple[Path, str]]:
    """Documents, each with its kind."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            kind = CONFINED.get(suffix_of(path.name) or "")
            if path.is_file() and kind in {"pdf", "docx", "epub", "eml", "xml", "json"}:
                yield path, kind


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--wrong", action="store_true", help="name the files that are read wrong")
    given = parser.parse_args()
    kinds: defaultdict[str, list[Verdict]] = defaultdict(list)
    for path, kind in files(given.folders):
        kinds[kind].append(judged(path, kind))
    report: dict[str, Any] = {}
    for kind, all_of in kinds.items():
        taken = [one for one in all_of if not one.reason]
        right = [one for one in taken if one.text and one.title and one.date]
        report[kind] = {
            "files": len(all_of),
            "read": len(taken),
            "right": len(right),
            **{name: sum(getattr(one, name) for one in taken) for name in ("text", "title", "date")},
            "refused": len(all_of) - len(taken),
            "reasons": Counter(one.reason[:60] for one in all_of if one.reason).most_common(6),
        }
        if given.wrong:
            report[kind]["wrong"] = [msgspec.to_builtins(one) for one in taken if one not in right]
    sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
