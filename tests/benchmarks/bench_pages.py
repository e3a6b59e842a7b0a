"""Real web pages: title, date and text as they are read, beside trafilatura's own; prints JSON.

    python tests/benchmarks/bench_pages.py FOLDER… [--worst 10]

FOLDER is a checkout of one of three public collections of saved pages, told apart by what lies in it:

| collection | told by | what is known of each page |
|---|---|---|
| scrapinghub/article-extraction-benchmark | `ground-truth.json` | its whole text |
| adbar/trafilatura | `tests/evaldata.json` | title, day, pieces that belong to its text and pieces that do not |
| mozilla/readability | `test/test-pages/` | title, whole text, some days |

Text is scored by four words at a time (the mean F1 of pages, as the first collection does), pieces by F1 over all of
them. A title is right where it is the same but for case, white space and the kind of quotes; a date where it names
the same day. All pages are then put into one store: none may replace another.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import trafilatura
from lxml import html

from embeddings.cleaning.article import clean
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import HashingEncoder
from embeddings.errors import InputError
from embeddings.ingest import ingest
from embeddings.parsers import read
from embeddings.types import Article, RawArticle

_WORDS = 4
_QUOTES = str.maketrans("“”„‟’‘‛–—", '""""\'\'\'--')


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One saved page and what is known of it."""

    name: str
    source: bytes
    title: str | None = None
    day: str | None = None
    text: str | None = None
    held: tuple[str, ...] = ()
    """Pieces of its text."""
    alien: tuple[str, ...] = ()
    """Pieces of the page that are no text of it."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was read from one page."""

    title: str = ""
    day: str = ""
    text: str = ""


def pages_of(folder: Path) -> Iterator[Page]:
    if (folder / "ground-truth.json").exists():
        for name, row in json.loads((folder / "ground-truth.json").read_bytes()).items():
            yield Page(
                name=name,
                source=gzip.decompress((folder / f"html/{name}.html.gz").read_bytes()),
                text=row["articleBody"],
            )
    elif (folder / "tests/evaldata.json").exists():
        for row in json.loads((folder / "tests/evaldata.json").read_bytes()).values():
            places = [folder / "tests" / part / row["file"] for part in ("cache", "eval")]
            if place := next((place for place in places if place.exists()), None):
                yield Page(
                    name=row["file"],
                    source=place.read_bytes(),
                    title=row.get("title") or None,
                    day=row.get("date") or None,
                    held=tuple(row["with"]),
                    alien=tuple(row["without"]),
                )
    else:
        for place in sorted((folder / "test/test-pages").iterdir()):
            known = json.loads((place / "expected-metadata.json").read_bytes())
            yield Page(
                name=place.name,
                source=(place / "source.html").read_bytes(),
                title=known.get("title") or None,
                day=(known.get("publishedTime") or "")[:10] or None,
                text=html.fromstring((place / "expected.html").read_text(encoding="utf-8")).text_content(),
            )


def ours(page: Page, folder: Path) -> tuple[RawArticle | None, Found]:
    place = folder / f"{re.sub(r'[^A-Za-z0-9.-]', '_', page.name.removesuffix('.html'))}.html"
    place.write_bytes(page.source)
    for raw in read(place):
        if isinstance(raw, RawArticle):
            try:
                article: Article = clean(raw)
            except InputError:
                return None, Found()
            return raw, Found(title=article.title, day=(article.published_at or "")[:10], text=article.text)
    return None, Found()


def theirs(page: Page) -> Found:
    made = trafilatura.bare_extraction(page.source, include_comments=False, with_metadata=True)
    if made is None:
        return Found()
    return Found(title=made.title or "", day=made.date or "", text=made.text or "")


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text).translate(_QUOTES)).strip()


def shingles(text: str) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return Counter(tuple(words[at : at + _WORDS]) for at in range(max(len(words) - _WORDS + 1, min(len(words), 1))))


def f1_of_text(found: str, known: str) -> float:
    mine, right = shingles(found), shingles(known)
    both = sum((mine & right).values())
    return 2 * both / max(mine.total() + right.total(), 1)


def f1_of_pieces(pages: Sequence[Page], found: Sequence[Found]) -> float:
    texts = [plain(one.text) for one in found]
    hits = sum(plain(piece) in text for page, text in zip(pages, texts, strict=True) for piece in page.held)
    alien = sum(plain(piece) in text for page, text in zip(pages, texts, strict=True) for piece in page.alien)
    return 2 * hits / max(hits + alien + sum(len(page.held) for page in pages), 1)


def share(values: Sequence[bool | float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def figures(pages: Sequence[Page], found: Sequence[Found]) -> dict[str, Any]:
    both = list(zip(pages, found, strict=True))
    pieces = [(page, one) for page, one in both if page.held]
    return {
        "title_same": share(
            [plain(one.title).casefold() == plain(page.title).casefold() for page, one in both if page.title]
        ),
        "titles": sum(page.title is not None for page in pages),
        "day_right_where_known": share([one.day == page.day for page, one in both if page.day]),
        "day_right_where_given": share([one.day == page.day for page, one in both if page.day and one.day]),
        "days": sum(page.day is not None for page in pages),
        "text_f1": share([f1_of_text(one.text, page.text) for page, one in both if page.text]),
        "texts": sum(page.text is not None for page in pages),
        "pieces_f1": round(f1_of_pieces([p for p, _ in pieces], [o for _, o in pieces]), 4) if pieces else None,
        "empty": sum(not one.text for one in found),
    }


def replaced(raws: Sequence[RawArticle], folder: Path) -> dict[str, int]:
    """How many pages were stored, found to be copies, or put in the place of another."""
    encoder = HashingEncoder()
    with closing(EmbeddedCorpus.open(folder / "store", identity=encoder.identity)) as corpus:
        report = ingest(raws, corpus=corpus, encoder=encoder)
    return dict(Counter(one.outcome for one in report.articles))


def worst(pages: Sequence[Page], found: Sequence[Found], number: int) -> list[dict[str, Any]]:
    wrong = [
        {"page": page.name, "known": page.title, "title": one.title, "day": page.day, "found": one.day}
        for page, one in zip(pages, found, strict=True)
        if (page.title and plain(one.title).casefold() != plain(page.title).casefold())
        or (page.day and one.day != page.day)
    ]
    return wrong[:number]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--worst", type=int, default=0, help="show so many pages whose title or day is wrong")
    given = parser.parse_args()
    report: dict[str, Any] = {}
    raws: list[RawArticle] = []
    with tempfile.TemporaryDirectory() as made:
        for folder in given.folders:
            pages = list(pages_of(folder))
            read_here = [ours(page, Path(made)) for page in pages]
            raws += [raw for raw, _ in read_here if raw]
            mine = [found for _, found in read_here]
            report[folder.name] = {
                "pages": len(pages),
                "ours": figures(pages, mine),
                "trafilatura": figures(pages, [theirs(page) for page in pages]),
            }
            if given.worst:
                report[folder.name]["worst"] = worst(pages, mine, given.worst)
        report["in_one_store"] = replaced(raws, Path(made))
    sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
