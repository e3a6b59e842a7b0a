"""Small files of the kinds that programs write, made by hand: PDF, Word, EPUB, WARC."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

Placed = tuple[float, float, float, str]
"""A line of a page: from the left, from below, size, text; in points on a page of 600 by 800."""


def pdf(pages: Sequence[Sequence[Placed]], *, info: str = "", letters: str = "") -> bytes:
    """Write a PDF that draws lines of text where they are told to stand, in the order given.

    A, B, … stand for `letters`, which Latin-1 need not have.
    """
    meant = " ".join(f"<{65 + number:02x}> <{ord(letter):04x}>" for number, letter in enumerate(letters))
    told = f"/ToUnicode {4 + 2 * len(pages)} 0 R " if letters else ""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        f"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica {told}>>",
    ]
    for number, lines in enumerate(pages):
        drawn = " ".join(f"/F1 {size} Tf 1 0 0 1 {x} {y} Tm ({text}) Tj" for x, y, size, text in lines)
        content = f"BT {drawn} ET"
        resources = "/MediaBox [0 0 600 800] /Resources << /Font << /F1 3 0 R >> >>"
        objects.append(f"<< /Type /Page /Parent 2 0 R {resources} /Contents {5 + 2 * number} 0 R >>")
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    if letters:
        ranges = "1 begincodespacerange <00> <ff> endcodespacerange"
        content = f"begincmap {ranges} {len(letters)} beginbfchar {meant} endbfchar endcmap"
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    objects.append(f"<< {info} >>")
    written, places = "%PDF-1.4\n", []
    for number, one in enumerate(objects, start=1):
        places.append(len(written))
        written += f"{number} 0 obj\n{one}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>"
    end = f"trailer {trailer}\nstartxref\n{len(written)}\n%%EOF\n"
    return f"{written}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{end}".encode("latin-1")


def column(x: float, y: float, lines: Sequence[str]) -> list[Placed]:
    """Lines of ten points below one another."""
    return [(x, y - 12 * number, 10, line) for number, line in enumerate(lines)]


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """Pack files, named by their paths."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def docx(paragraphs: Sequence[tuple[str, str]], *, title: str = "", creator: str = "") -> bytes:
    """Write a Word document of paragraphs, each with its style."""
    body = "".join(
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>'
        for style, text in paragraphs
    )
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    return zipped(
        {
            "[Content_Types].xml": f'<Types xmlns="{types}"><Default Extension="rels" ContentType="application/xml"/>'
            f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{relations}"><Relationship Id="r1" Type="{office}/officeDocument" '
            'Target="word/document.xml"/></Relationships>',
            "word/document.xml": f"<w:document {_WORD}><w:body>{body}</w:body></w:document>",
            "word/styles.xml": f'<w:styles {_WORD}><w:style w:type="paragraph" w:styleId="Title">'
            '<w:name w:val="Title"/></w:style></w:styles>',
            "word/_rels/document.xml.rels": f'<Relationships xmlns="{relations}"><Relationship Id="r2" '
            f'Type="{office}/styles" Target="styles.xml"/></Relationships>',
            "docProps/core.xml": '<cp:coreProperties xmlns:cp="c" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<dc:title>{title}</dc:title><dc:creator>{creator}</dc:creator></cp:coreProperties>",
        }
    )


def epub(chapters: Mapping[str, str], *, title: str = "The Quarterly", encryption: str = "") -> bytes:
    """Write a book of chapters, named by their files, each marked-up text."""
    items = "".join(
        f'<item id="c{number}" href="text/{name}" media-type="application/xhtml+xml"/>'
        for number, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="c{number}"/>' for number in range(len(chapters)))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{title}</dc:title><dc:creator>Ann Lee</dc:creator><dc:date>2024-06-04</dc:date>"
        f"<dc:language>en</dc:language></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    container = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    files: dict[str, str | bytes] = {"META-INF/container.xml": container, "OEBPS/book.opf": package}
    if encryption:
        files["META-INF/encryption.xml"] = encryption
    pages = {f"OEBPS/text/{name}": f"<html><body>{text}</body></html>" for name, text in chapters.items()}
    return zipped({**files, **pages})


def warc(answers: Sequence[tuple[str, str, bytes]], *, status: str = "200 OK") -> bytes:
    """Write a web archive of answers: address, content type, body."""
    written = b""
    for url, kind, body in answers:
        http = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        head = (
            f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2024-06-04T10:00:00Z\r\n"
            f"WARC-Record-ID: <urn:uuid:1>\r\nContent-Type: application/http; msgtype=response\r\n"
            f"Content-Length: {len(http)}\r\n\r\n"
        )
        written += head.encode() + http + b"\r\n\r\n"
    return written
