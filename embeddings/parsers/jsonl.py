"""JSON Lines: parses `.jsonl` or `.jsonl.gz` line by line; each line is an article.

A record is an object with `text` and, as far as known, `title`, `url`, `source`, `published_at`, `authors` (a list of
names, or one), `id`, `language`, `section`, `usage_terms`, `embargoed_until`, `status`, `copies`, `summary_only`,
`collection` and `pages` (where each begins in `text`); `null` means unknown. One that only says whether, when or on
what terms an article may be shown needs no text. What others call these fields is read, too, and all in any case, with
`_` or without (`is_read`); further fields are not, and a file's articles say so in their notes.
A line is read on its own: whatever is wrong with it, the next one goes on.
"""

import gzip
import html
import math
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import msgspec

from embeddings.cleaning.article import is_notice, status_of
from embeddings.errors import InvalidArticle
from embeddings.runtime import compiled_late
from embeddings.types import RawArticle, Rejected

MAX_LINE: Final = 20_000_000
"""Longest line read, in bytes; four times the longest text accepted."""

_INFLATED_FREE: Final = 100_000_000
_INFLATED_RATIO: Final = 200
"""An archive may inflate to `_INFLATED_FREE` bytes plus this many times its size. News text inflates about 3 times,
zeros about 1,000 times."""
_MAX_PAGES: Final = 20_000
_PER_LINE: Final = 64
"""A line of an archive counts for so many bytes more: a hundred million empty ones take a minute, too."""

_CUT_OFF = re.compile(r"\[\+\d{1,7} char(?:acter)?s\]\s*$")
"""How services that list news (NewsAPI, for one) end a text that they give only the beginning of."""
_CUT_NOTE: Final = "its text is cut off; it counts as a summary until the page it links to is read"
_BY = re.compile(r"^by:?\s+(?=\w)", re.IGNORECASE)
_PERSON = r"[^\W\d_a-z][\w.'’-]*(?: [^\W\d_a-z][\w.'’-]*){1,3}"
_TWO = compiled_late(f"{_PERSON} and {_PERSON}")
_NOTHING: Final = (b"null", b'""', b"[]", b"{}")
NO_TEXT: Final = "Object missing required field `text`"
_ONLY_STATE: Final = (
    "; without it, `id` or `url` with nothing but `status`, `embargoed_until` or `usage_terms` says that of a held "
    "article (a past time lifts an embargo)"
)
_MOST_FIELDS: Final = 6
"""Of a record without a text, so many fields are named."""
_BAD_PAGES: Final = "its `pages` are no places in its text, in order, and were left out"


class _Named(msgspec.Struct, frozen=True):
    """A person or an organisation as schema.org and NewsAPI write it."""

    name: str


class _Record(msgspec.Struct, frozen=True):
    """The fields of one record that are read; their types are checked while decoding."""

    text: str | msgspec.UnsetType = msgspec.UNSET
    title: str | None = None
    url: str | None = None
    source: str | _Named | None = None
    published_at: str | int | float | None = None
    authors: list[str | _Named] | str | _Named | None = None
    id: str | None = None
    language: str | None = None
    collection: str | None = None
    section: str | None = None
    usage_terms: str | None = None
    embargoed_until: str | None = None
    summary_only: bool | None = None
    status: Any = None
    copies: Any = None
    pages: Any = None
    """Whatever others keep under these names is no reason to refuse a record."""


_DECODER = msgspec.json.Decoder(_Record)
_ANY_DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw])


_NAMES: Final = {
    "text": ("content", "body", "articleBody", "maintext"),
    "title": ("headline",),
    "url": ("link", "permalink", "canonical_url", "canonical_link", "web_url"),
    "source": ("publisher", "site_name", "source_name", "publication", "outlet", "newspaper"),
    "published_at": (
        "date",
        "published",
        "datePublished",
        "date_published",
        "pubDate",
        "publishedAt",
        "date_publish",
        "publish_date",
        "publication_date",
        "published_date",
    ),
    "authors": ("author", "byline"),
    "language": ("lang",),
    "section": ("articleSection",),
    "usage_terms": ("usageTerms", "usageterms"),
    "embargoed_until": ("embargoedUntil", "embargoed"),
    "status": ("pubStatus", "pubstatus"),
}
"""What other programs call a field, in the order of trust; the field's own name comes first."""

_TYPES: Final = {field.name: field.type for field in msgspec.structs.fields(_Record)}
_SPELT_BY_FIELD: Final = {field: (field, *_NAMES.get(field, ())) for field in _Record.__struct_fields__}
_STATE: Final = ("status", "embargoed_until", "usage_terms")


def folded(name: str) -> str:
    """The name of a field as it is compared: letters and digits alone, in any case.

    >>> folded("Publication_Date") == folded("publicationDate")
    True
    """
    return "".join(filter(str.isalnum, name.casefold()))


_FOLDED: Final = {field: tuple(dict.fromkeys(map(folded, names))) for field, names in _SPELT_BY_FIELD.items()}
_KNOWN: Final = frozenset(name for names in _FOLDED.values() for name in names)


def is_read(name: str) -> bool:
    """Whether a field of this name is read as one of ours."""
    return folded(name) in _KNOWN


class _TooLarge(Exception):
    """An archive inflates to more than any news archive does."""


def read(path: Path, *, inflated_free: int = _INFLATED_FREE) -> Iterator[RawArticle | Rejected]:
    """Give one article or refusal per filled line, holding one line in memory at a time."""
    number = 0
    try:
        packed = path.name.lower().endswith(".gz")
        limit = inflated_free + _INFLATED_RATIO * path.stat().st_size if packed else math.inf
        with cast(BinaryIO, gzip.open(path)) if packed else path.open("rb") as file:
            for number, line in _numbered(file, limit=limit):
                yield from _one(line, origin=f"{path}:{number}")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        reason = f"the gzip archive is damaged from here on ({error}); copy or pack it again"
        yield Rejected(origin=f"{path}:{number + 1}", reason=reason)
    except _TooLarge as error:
        yield Rejected(origin=f"{path}:{number + 1}", reason=str(error))
    except OSError as error:
        reason = f"the file cannot be read: {error.strerror or error}"
        yield Rejected(origin=f"{path}:{number + 1}", reason=reason)


def parse_record(data: bytes, *, origin: str) -> RawArticle | Rejected:
    r"""Read one JSON object; `origin` says where it stood, for messages.

    >>> parse_record(b'{"text": "It rained.", "title": null}', origin="request item 1").text
    'It rained.'
    >>> parse_record(b'{"text": 7}', origin="a.jsonl:3").reason
    'Expected `str`, got `int` - at `$.text`'
    """
    if len(data) > MAX_LINE:
        return Rejected(origin=origin, reason=f"the record is longer than {MAX_LINE:,} bytes; split the article up")
    try:
        record, unread = _decoded(data)
    except UnicodeDecodeError as error:
        return Rejected(origin=origin, reason=f"the record is not valid UTF-8 ({error.reason}); convert it")
    except msgspec.ValidationError as error:
        return Rejected(origin=origin, reason=str(error))
    except msgspec.DecodeError as error:
        return Rejected(origin=origin, reason=_unparsed(data, error))
    except RecursionError:
        return Rejected(origin=origin, reason="the record is nested too deeply; send one flat object")
    try:
        raw = _raw(record, origin=origin, unread=unread)
    except InvalidArticle as error:
        return Rejected(origin=origin, reason=str(error))
    if record.text is msgspec.UNSET and isinstance(raw, RawArticle) and not is_notice(raw):
        return Rejected(origin=origin, reason=_without_text(_ANY_DECODER.decode(data)))
    return raw


def _without_text(fields: Iterable[str]) -> str:
    """What is wrong with a record of these fields, and what they are called: a text under another name is seen."""
    said = {folded(name) for name in fields}
    if any(name in said for field in _STATE for name in _FOLDED[field]):
        return NO_TEXT + _ONLY_STATE
    named = ", ".join(f"`{name[:30]}`" for name in islice(fields, _MOST_FIELDS))
    others = ", ".join(f"`{name}`" for name in _NAMES["text"])
    return f"{NO_TEXT} (or {others})" + (f"; it has {named}" if named else "")


def _decoded(data: bytes) -> tuple[_Record, Sequence[str]]:
    """Decode a record, fields under other programs' names taken for ours where ours are missing or null; name those
    that hold what the field cannot take."""
    record = _DECODER.decode(data)
    missing = [field for field in _FOLDED if getattr(record, field) in (None, msgspec.UNSET)]
    fields = _ANY_DECODER.decode(data) if missing else {}
    given = _given(fields, missing)
    found = {field: _first_of_type(field, [bytes(fields[name]) for name in names]) for field, names in given.items()}
    taken = {field: value for field, value in found.items() if value}
    unread = [name for field in given.keys() - taken for name in given[field] if bytes(fields[name]) not in _NOTHING]
    return msgspec.structs.replace(record, **taken), sorted(unread)


def _given(fields: Iterable[str], missing: Sequence[str]) -> dict[str, list[str]]:
    """Under which names a record has each of the fields that it lacks under ours, in the order of trust."""
    spelt: dict[str, list[str]] = {}
    for name in fields:
        spelt.setdefault(folded(name), []).append(name)
    return {
        field: [name for one in _FOLDED[field] for name in sorted(spelt.get(one, ())) if name != field]
        for field in missing
    }


def _first_of_type(field: str, values: Sequence[bytes]) -> object:
    """Give the first value that the field can take."""
    for value in values:
        for shape in (_TYPES[field], _Named):
            try:
                found = msgspec.json.decode(value, type=shape)
            except msgspec.ValidationError:
                continue
            return found.name if isinstance(found, _Named) else found
    return None


def _persons(byline: str) -> tuple[str, ...]:
    """The persons of a byline in one text: each is one that articles are filtered by.

    >>> _persons("By Jane O'Neil and Tom Reed"), _persons("Smith and Sons"), _persons("Ann Lee; Bo Roe")
    (("Jane O'Neil", 'Tom Reed'), ('Smith and Sons',), ('Ann Lee', 'Bo Roe'))
    >>> _persons("Art &amp; Design Staff")
    ('Art & Design Staff',)
    """
    names = [_BY.sub("", name.strip()) for name in html.unescape(byline).split(";")]
    apart = (name.split(" and ") if _TWO.fullmatch(name) else [name] for name in names)
    return tuple(name for one in apart for name in one if name)


def _name_in(given: str | _Named) -> str:
    return given.name if isinstance(given, _Named) else given


def _raw(record: _Record, *, origin: str, unread: Sequence[str]) -> RawArticle | Rejected:
    said = record.authors or []
    authors = (
        _persons(said) if isinstance(said, str) else tuple(map(_name_in, said if isinstance(said, list) else [said]))
    )
    source = None if record.source is None else _name_in(record.source)
    published_at = None if record.published_at is None else str(record.published_at)
    url = record.url
    if source and url is None and source.startswith(("https://", "http://")):
        url, source = source, None  # trafilatura's JSON gives the address so
    texts = (record.title, url, source, published_at, record.id, record.section, record.usage_terms)
    for field in (record.text, *texts, *authors):
        if field and "\0" in field:
            return Rejected(origin=origin, reason="a field holds the character NUL; remove it")
    pages, cut = _pages(record), record.summary_only is not True and _CUT_OFF.search(record.text or "") is not None
    return RawArticle(
        text=record.text or "",  # where it is unset, its status alone counts
        title=record.title or "",
        id=record.id,
        url=url,
        source=source,
        published_at=published_at,
        language=record.language,
        authors=authors,
        section=record.section,
        usage_terms=record.usage_terms,
        embargoed_until=record.embargoed_until,
        status=status_of(record.status) if isinstance(record.status, str) else None,
        copies=record.copies is True,
        summary_only=record.summary_only is True or cut,
        collection=record.collection,
        origin=origin,
        pages=pages or (),
        notes=(
            *(f"its {name[:40]!r} is no text and was left out" for name in unread),
            *((_BAD_PAGES,) if pages is None else ()),
            *((_CUT_NOTE,) if cut else ()),
        ),
    )


def _pages(record: _Record) -> tuple[int, ...] | None:
    """Where the pages of the text begin; None where something else is called so."""
    given = record.pages or []
    if not isinstance(given, list) or len(given) > _MAX_PAGES or not all(type(place) is int for place in given):
        return None
    in_order = all(one <= other for one, other in pairwise([0, *given, len(record.text or "")]))
    return tuple(given) if in_order else None


def _unparsed(data: bytes, error: msgspec.DecodeError) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:200]:
        return "the line is UTF-16 or binary; convert the file to UTF-8"
    if b"\\ud" in data.lower():
        return f"the record is not valid JSON, perhaps for half of a surrogate pair in it: {error}"
    return f"the record is not valid JSON: {error}"


def _one(line: bytes | None, *, origin: str) -> Iterator[RawArticle | Rejected]:
    if line is None:
        yield Rejected(origin=origin, reason=f"the line is longer than {MAX_LINE:,} bytes; split the article up")
    elif line.strip():
        found = parse_record(line, origin=origin)
        yield _noting_unread(found, line) if isinstance(found, RawArticle) else found


def _noting_unread(article: RawArticle, line: bytes) -> RawArticle:
    """Say which fields of a line were not read."""
    unread = sorted(name for name in _ANY_DECODER.decode(line) if not is_read(name))
    if not unread:
        return article
    more = f" and {len(unread) - 10:,} more" if len(unread) > 10 else ""
    note = f"fields that are not read: {', '.join(name[:40] for name in unread[:10])}{more}"
    return msgspec.structs.replace(article, notes=(*article.notes, note))


def _numbered(file: BinaryIO, *, limit: float) -> Iterator[tuple[int, bytes | None]]:
    """Give each line with its number; None stands for one that is too long, whose rest is passed over unread."""
    number = size = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        size = _within(size + len(line) + _PER_LINE, limit)
        line = line.removeprefix(BOM_UTF8)  # files joined by `cat` have one in the middle, too
        if len(line) <= MAX_LINE or line.endswith(b"\n"):
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(1 << 20)
            size = _within(size + len(line), limit)
        yield number, None


def _within(size: int, limit: float) -> int:
    if size > limit:
        raise _TooLarge(f"the archive inflates to more than {limit:,.0f} bytes; unpack it, look at it, split it up")
    return size
