"""Web archives: unpacks the pages of a `.warc` or `.warc.gz`, one after the other.

Pages, plain texts, PDFs and Word documents that a server answered with 200 are given on with their address; pictures,
scripts, redirects and errors hold no article and are passed over.
"""

import gzip
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, cast
from urllib.parse import unquote, urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from embeddings.errors import UnreadableFile
from embeddings.parsers.sandbox import Member
from embeddings.types import Rejected

_SUFFIXES: Final = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}
_MAX_PAGE: Final = 20_000_000


def read(path: Path, folder: Path) -> Iterator[Member | Rejected]:
    """Give each page, unpacked into `folder`. Raises UnreadableFile where there is none."""
    number, pages = 0, 0
    try:
        with _opened(path) as file:
            for number, record in enumerate(ArchiveIterator(file), start=1):
                kind = _kind(record)
                if kind is None:
                    continue
                pages += 1
                yield _page(record, kind, into=folder / f"{number}{_SUFFIXES[kind]}", origin=f"{path}:{number}")
    except (ArchiveLoadFailed, zlib.error, EOFError, OSError, ValueError) as error:
        why = " ".join(str(error).split())[:150]
        reason = f"the archive is damaged from here on ({why}); copy or crawl it again"
        yield Rejected(origin=f"{path}:{number + 1}", reason=reason)
        return
    if not pages:
        raise UnreadableFile(
            "it holds no page, text, PDF or Word file that a server answered with; crawl it again"
            if number
            else "it is empty"
        )


def _opened(path: Path) -> IO[bytes]:
    """Open an archive; a packed one unpacked as it is read, whether its records are packed one by one or together."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")


def _kind(record: Any) -> str | None:
    """The media type of a record that may be an article."""
    if record.rec_type not in {"response", "resource"}:
        return None
    headers = record.http_headers
    url = (record.rec_headers.get_header("WARC-Target-URI") or "").strip("<> ")
    if not url.startswith(("http://", "https://")) or url.endswith("/robots.txt"):
        return None
    if record.rec_type == "response" and (headers is None or headers.get_statuscode() != "200"):
        return None
    declared = (headers.get_header("content-type") if headers else record.rec_headers.get_header("content-type")) or ""
    kind = declared.split(";")[0].strip().lower()
    return kind if kind in _SUFFIXES else None


def _page(record: Any, kind: str, *, into: Path, origin: str) -> Member | Rejected:
    url = record.rec_headers.get_header("WARC-Target-URI") or ""
    try:
        data = record.content_stream().read(_MAX_PAGE + 1)
    except (zlib.error, EOFError, OSError, ValueError) as error:
        return Rejected(origin=origin, reason=f"the page {url[:150]} is damaged ({str(error)[:100]})")
    if len(data) > _MAX_PAGE:
        return Rejected(origin=origin, reason=f"the page {url[:150]} is larger than {_MAX_PAGE:,} bytes")
    into.write_bytes(_marked(data, record) if kind.startswith("text/") or "html" in kind else data)
    name = unquote(urlsplit(url).path).strip("/").rpartition("/")[2] or "index"
    url = url.strip("<> ")
    return Member(name=f"{origin.rpartition(':')[2]}/{name[:100]}", path=str(into), url=url or None)


def _marked(data: bytes, record: Any) -> bytes:
    """Put what the server said of the encoding where the parsers look for it: a mark, before UTF-8."""
    headers = record.http_headers
    declared = (headers.get_header("content-type") if headers else None) or ""
    _, found, charset = declared.lower().partition("charset=")
    try:
        return BOM_UTF8 + data.decode(charset.strip(" \"';")).encode() if found else data
    except (LookupError, UnicodeError):
        return data
