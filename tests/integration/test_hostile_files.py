"""No file stops an ingest, takes it long or fills the memory: files made to, and hundreds of damaged ones.

`make hostile` runs the long form. Times are of the processor, so that a busy machine changes nothing.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

import seeds

pytestmark = pytest.mark.slow

MUTATED = int(os.environ.get("HOSTILE_FILES", "100"))
MOST_SECONDS, MOST_MEGABYTES = 30.0, 512.0
"""Far above what any takes (at most 6.5 on one machine, 10.4 on a slow one that was busy)."""

GOOD = "The ferry Almeric left the harbour at noon on Friday. It carried 214 people to Skerra, the harbour master said."
PAGE = (
    "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Ferry leaves</title>"
    "<link rel='canonical' href='https://news.example/ferry'></head><body><nav><a href='/'>Home</a></nav><article>"
    "<h1>Ferry leaves</h1>{}</article><footer>All rights reserved.</footer></body></html>"
)


def record(**fields: object) -> bytes:
    return json.dumps({"title": "Ferry leaves", "text": GOOD, **fields}).encode() + b"\n"


def packed(content: bytes) -> bytes:
    return gzip.compress(content, 9)


def packed_whole(beginning: bytes, *, zeros: int) -> bytes:
    """Packed in one piece, and made in pieces: the tests hold no more than what they test may."""
    packer = zlib.compressobj(1, wbits=31)
    pieces = [packer.compress(beginning), *(packer.compress(bytes(10_000_000)) for _ in range(zeros // 10_000_000))]
    return b"".join([*pieces, packer.flush()])


def zipped(files: Mapping[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def book(chapters: Mapping[str, bytes]) -> dict[str, bytes]:
    items = "".join(f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in chapters)
    spine = "".join(f'<itemref idref="{name}"/>' for name in chapters)
    package = f"<package><manifest>{items}</manifest><spine>{spine}</spine></package>"
    return {"META-INF/container.xml": b'<x><rootfile full-path="b.opf"/></x>', "b.opf": package.encode(), **chapters}


WORDS = (
    b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    b"<w:body>%s</w:body></w:document>"
)
ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><r>&j;</r>"
)
PDF = (
    b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
    b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << /F "
    b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>\nendobj\n4 0 obj\n<< /Length 9999999 >>\nstream\n"
    b"BT /F 12 Tf 50 700 Td (Ferry) Tj 0 -20 Td (The ferry left at noon, it was said.) Tj ET\nendstream\nendobj\n"
    b"trailer << /Root 1 0 R >>\n%%EOF\n"
)


MADE: dict[str, Callable[[], bytes]] = {
    "endless_line.jsonl.gz": lambda: packed(bytes(10_000_000)) * 60,
    "endless_text.jsonl.gz": lambda: packed(b'{"text": "') + packed(b"a" * 10_000_000) * 40,
    "blank_lines.jsonl.gz": lambda: packed(b"\n" * 10_000_000) * 20,
    "many_bad_lines.jsonl.gz": lambda: packed(b"{}\n" * 100_000),
    "bomb_in_bomb.jsonl.gz": lambda: packed(packed(bytes(10_000_000)) * 400),
    "not_gzip.jsonl.gz": lambda: b"these are no packed bytes" * 1000,
    "cut_off.jsonl.gz": lambda: packed(record() * 2_000)[:-200],
    "long_line.jsonl": lambda: b"x" * 60_000_000,
    "long_text.jsonl": lambda: record(text="word " * 1_200_000),
    "one_word.jsonl": lambda: record(text="w" * 4_900_000),
    "no_sentence_ends.jsonl": lambda: record(text="comma, " * 300_000),
    "only_ends.jsonl": lambda: record(text=". " * 500_000),
    "many_paragraphs.jsonl": lambda: record(text="\n\n".join(f"Line {n}." for n in range(100_000))),
    "same_paragraphs.jsonl": lambda: record(text="The same line again.\n\n" * 100_000),
    "accents.jsonl": lambda: record(text="a" + "\u0301" * 1_000_000 + GOOD),
    "invisible.jsonl": lambda: record(text="\u200b\u200d\u2060" * 500_000 + GOOD),
    "quotes.jsonl": lambda: record(text="“‘" * 300_000 + GOOD),
    "figures.jsonl": lambda: record(text="1,2 " * 500_000),
    "authors.jsonl": lambda: record(authors=["x"] * 1_000_000),
    "deep.jsonl": lambda: b'{"text": ' + b"[" * 2_000_000,
    "long_title.jsonl": lambda: record(title="Word | " * 500_000),
    "long_date.jsonl": lambda: record(published_at="4 June 2024 " * 200_000, language="e" * 1_000_000),
    "long_link.jsonl": lambda: record(url="https://news.example/" + "a/" * 500_000),
    "zeros.txt": lambda: bytes(40_000_000),
    "too_large.txt": lambda: b"a line of text\n" * 4_000_000,
    "blank.txt": lambda: b" \t\n" * 2_000_000,
    "one_line.txt": lambda: b"word " * 900_000,
    "short_lines.txt": lambda: b"ab\n" * 300_000,
    "same_headline.txt": lambda: b"Ferry leaves harbour at noon\n\n" * 50_000,
    "wrapped.txt": lambda: b"\n\n".join([b"A line of some forty characters, or more\nand the next"] * 20_000),
    "utf16.txt": lambda: GOOD.encode("utf-16"),
    "bytes.txt": lambda: random.Random(1).randbytes(3_000_000),
    "carriage_returns.txt": lambda: b"\r" * 1_000_000 + GOOD.encode(),
    "empty.html": lambda: b"",
    "too_large.html": lambda: b"<p>" * 5_000_000,
    "many_elements.html": lambda: PAGE.format("<p>A line.</p>" * 60_000).encode(),
    "front_matter.md": lambda: b"---\ntitle: x\n" + b"a: b\n" * 100_000,
    "bomb.zip": lambda: zipped({"big.txt": bytes(250_000_000)}),
    "bombs.zip": lambda: zipped({f"{number}.txt": bytes(20_000_000) for number in range(8)}),
    "endless_paragraphs.docx": lambda: zipped(
        {"[Content_Types].xml": b"<x/>", "word/document.xml": WORDS % (b"<w:p/>" * 200_000)}
    ),
    "deep.docx": lambda: zipped({"[Content_Types].xml": b"<x/>", "word/document.xml": WORDS % (b"<w:p>" * 300_000)}),
    "entities.docx": lambda: zipped({"[Content_Types].xml": ENTITIES, "word/document.xml": ENTITIES}),
    "chapter.epub": lambda: zipped(book({"1.xhtml": b"<p>word" * 3_000_000})),
    "entities.epub": lambda: zipped({"META-INF/container.xml": ENTITIES}),
    "entities.xml": lambda: ENTITIES.replace(b"r>", b"rss>"),
    "deep.xml": lambda: b"<rss>" + b"<channel>" * 50_000,
    "entries.xml": lambda: b"<rss><channel>" + b"<item><title>a</title></item>" * 8_000,
    "lists.json": lambda: b"[" + b"[]," * 9_000_000 + b"[]]",
    "objects.json": lambda: b"[" + b'{"a":1},' * 300_000 + b"{}]",
    "cells.csv": lambda: b"text\n" + b"," * 10_000_000,
    "rows.csv": lambda: b"text\n" + b"a,b\n" * 3_000_000,
    "deep.csv": lambda: b"text\n" + b"<div>" * 300_000 + GOOD.encode(),
    "quote.csv": lambda: b'text\n"' + b"word\n" * 6_000_000,
    "parts.eml": lambda: (
        b"From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\nword\n" * 20_000
    ),
    "headers.eml": lambda: b"From: a@b.example\n" + b"X: y\n" * 200_000 + b"\n" + GOOD.encode(),
    "records.warc": lambda: b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 0\r\n\r\n\r\n\r\n" * 30_000,
    "bomb.warc.gz": lambda: packed(bytes(10_000_000)) * 40,
    "whole.warc.gz": lambda: packed_whole(
        b"WARC/1.0\r\nWARC-Type: metadata\r\nContent-Length: 400000000\r\n\r\n", zeros=400_000_000
    ),
    "pages.pdf": lambda: PDF.replace(b"/Count 1", b"/Count 900000000"),
    "drawn.pdf": lambda: PDF.replace(b"(Ferry)", b"(Ferry) Tj " + b"(word) Tj " * 400_000),
    "aliases.md": lambda: b"---\na: &a [x,x]\n" + b"".join(b"b%d: [*a,*a]\n" % n for n in range(400)) + b"---\ntext",
}


class Reader:
    """The process that reads, and what it says of each file."""

    def __init__(self) -> None:
        self._begin()
        self._taken: dict[str, tuple[float, float]] = {}
        """Of each file, seconds and megabytes."""

    def _begin(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("hostile_reader.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])},
        )

    def read(self, path: Path) -> dict[str, object]:
        """What became of a file. Fails where the process did not outlive it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait(240)
            self.end()
            self._begin()
            raise AssertionError(f"{path.name} ended the reader (exit code {code})")
        told: dict[str, object] = json.loads(line)
        return told

    def check(self, path: Path) -> dict[str, object]:
        told = self.read(path)
        seconds, megabytes = float(str(told["seconds"])), float(str(told["megabytes"]))
        self._taken[path.name] = seconds, megabytes
        assert seconds <= MOST_SECONDS, f"{path.name} took {seconds} s"
        assert megabytes <= MOST_MEGABYTES, f"{path.name} took {megabytes} MB"
        return told

    def summary(self) -> str:
        """How many files were read, and which of them took most; then kind by kind."""
        kinds: dict[str, list[str]] = {}
        for name in self._taken:
            kinds.setdefault("".join(Path(name).suffixes), []).append(name)
        of_kinds = (self._most(kind, names) for kind, names in sorted(kinds.items()))
        return "\n".join([self._most("hostile", list(self._taken)), *of_kinds])

    def _most(self, kind: str, names: Sequence[str]) -> str:
        slowest = max(names, key=lambda name: self._taken[name][0])
        largest = max(names, key=lambda name: self._taken[name][1])
        seconds, megabytes = self._taken[slowest][0], self._taken[largest][1]
        return f"{len(names):,} {kind} files: {seconds:.1f} s ({slowest}), {megabytes:.0f} MB ({largest}) at most"

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(240)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture(scope="module")
def reader(request: pytest.FixtureRequest) -> Iterator[Reader]:
    made = Reader()
    yield made
    made.end()
    if "HOSTILE_FILES" in os.environ:
        with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
            sys.stdout.write(f"\n{made.summary()}\n")


@pytest.mark.parametrize("name", MADE)
def test_a_file_made_to_stop_an_ingest_does_not(name: str, reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(MADE[name]())
    told = reader.check(path)
    assert told["articles"] or told["reasons"], "it became an article, or somebody was told why not"
    path.unlink()


def repeat(content: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(content))
    piece = content[start : start + draw.randint(1, 40)]
    return content[:start] + piece * (draw.randint(10_000, 60_000) // len(piece)) + content[start:]


def nest(content: bytes, draw: random.Random) -> bytes:
    opening = draw.choice(
        [b"[", b"{", b"(", b"<b>", b"<ul><li>", b"> ", b"**", b"- ", b"&", b"<!--", b'"', b"\\", b"`", b"#"]
    )
    at = draw.randrange(len(content))
    return content[:at] + opening * draw.randint(100, 3000) + content[at:]


def flip(content: bytes, draw: random.Random) -> bytes:
    altered = bytearray(content)
    for _ in range(draw.randint(1, 60)):
        altered[draw.randrange(len(altered))] = draw.randrange(256)
    return bytes(altered)


def cut(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content))]


def shuffle(content: bytes, draw: random.Random) -> bytes:
    pieces = [content[at : at + 64] for at in range(0, len(content), 64)]
    draw.shuffle(pieces)
    return b"".join(pieces)


def strew(content: bytes, draw: random.Random) -> bytes:
    """Put something that is hard to read in many places."""
    hard = draw.choice(
        [
            b"\0",
            b"\xef\xbb\xbf",
            b"\xff\xfe",
            b"\xe2\x80\xae",
            b"\xcc\x81" * 50,
            b"\r",
            b"\xe2\x80\xa8",
            b"\xf0\x9f",
            b"&#x0;",
        ]
    )
    pieces = [content[at : at + 97] for at in range(0, len(content), 97)]
    return hard.join(pieces)


MUTATIONS = (repeat, nest, flip, cut, shuffle, strew)


def originals() -> list[tuple[str, bytes]]:
    """One file of each kind, made of the sample articles."""
    folder = seeds.articles_dir()
    text = next(iter(sorted(folder.glob("*.txt")))).read_bytes()
    lines = (folder / "wire.jsonl").read_bytes()
    page = PAGE.format("".join(f"<p>{line}</p>" for line in text.decode().split("\n\n"))).encode()
    markdown = b"---\ntitle: Ferry\ndate: 2024-06-04\nauthors: [A, B]\n---\n# Ferry\n\n- one\n- two\n\n> " + text
    feed = f"<rss><channel><item><title>Ferry</title><description>&lt;p&gt;{GOOD}</description></item></channel></rss>"
    table = "title,text,date\n" + "".join(f'"Ferry {number}","{GOOD}",2024-06-04\n' for number in range(20))
    mail = f"From: A <a@b.example>\nSubject: Ferry\nDate: Tue, 04 Jun 2024 10:00:00 +0000\n\n{GOOD}\n"
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page
    record = (
        b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://a.example/f\r\n"
        b"Content-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n" % len(http)
    )
    document = {"[Content_Types].xml": b"<x/>", "word/document.xml": WORDS % b"<w:p><w:r><w:t>Ferry</w:t></w:r></w:p>"}
    return [
        (".txt", text),
        (".md", markdown),
        (".html", page),
        (".jsonl", lines),
        (".jsonl.gz", packed(lines)),
        (".pdf", PDF),
        (".docx", zipped(document)),
        (".epub", zipped(book({"1.xhtml": page}))),
        (".xml", feed.encode()),
        (".json", json.dumps({"uri": "urn:x", "headline": "Ferry", "body_html": f"<p>{GOOD}"}).encode()),
        (".csv", table.encode()),
        (".eml", mail.encode()),
        (".warc", record + http + b"\r\n\r\n"),
        (".zip", zipped({"a.txt": text, "b.xml": feed.encode()})),
    ]


def test_no_damaged_file_stops_the_others(reader: Reader, tmp_path: Path) -> None:
    draw = random.Random(7)
    kinds = originals()
    for number in range(MUTATED):
        suffix, content = kinds[number % len(kinds)]
        mutate = MUTATIONS[number // len(kinds) % len(MUTATIONS)]
        inner = suffix == ".jsonl.gz" and draw.random() < 0.5
        altered = packed(mutate(gzip.decompress(content), draw)) if inner else mutate(content, draw)
        path = tmp_path / f"{number}_{mutate.__name__}{suffix}"
        path.write_bytes(altered)
        reader.check(path)
        path.unlink()
    good = tmp_path / "good.txt"
    good.write_text(f"Ferry leaves\n\n{GOOD}\n", encoding="utf-8")
    assert reader.check(good)["reasons"] == []
