"""Turns a RawArticle into an Article with canonical text.

    unicode     NFC, paragraphs, nothing hidden        titles    one line, without the site's name
    boilerplate the page's own lines dropped,          dates     ISO 8601 or nothing
                headline and captions once             urls      http(s) in normal form or nothing
                                                       identity  the article's id

Wording and quotation marks inside prose are never changed, and cleaning a clean article changes nothing.

What cannot be told for sure is refused rather than passed over: an embargo that is not understood would be broken.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import Final

import msgspec

from embeddings.cleaning.boilerplate import Dropped, drop_boilerplate, drop_repeats
from embeddings.cleaning.dates import iso_date
from embeddings.cleaning.identity import (
    article_id,
    checked_collection,
    checked_id,
    host_of,
    is_site_root,
    named_id,
    normalised_url,
    parted,
)
from embeddings.cleaning.titles import clean_title
from embeddings.cleaning.unicode import canonical_line, canonical_text
from embeddings.errors import InvalidArticle
from embeddings.types import Article, RawArticle, Status, article_version

MAX_TEXT: Final = 5_000_000
"""Longest text accepted, in characters: about 800,000 words."""
_MAX_NAME: Final = 200
_MAX_AUTHORS: Final = 50
_MAX_TERMS: Final = 2_000
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,4}")
_TWO_WAYS = re.compile(r"(?P<one>\d{1,2})([/-])(?P<other>\d{1,2})\2(?P<year>\d{4})\b.*", re.DOTALL)
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d)")
_STATES: Final[dict[str, Status]] = {
    "usable": "usable",
    "published": "usable",
    "publish": "usable",
    "withheld": "withheld",
    "canceled": "canceled",
    "cancelled": "canceled",
}


class Cleaned(msgspec.Struct, frozen=True, kw_only=True):
    """An article with an account of what cleaning did to it."""

    article: Article
    dropped: tuple[Dropped, ...]
    """Every line taken out of the text, with the rule that did it."""
    notes: tuple[str, ...]
    """What the operator may want to know: a date or link that could not be read, a title cut."""


def clean(raw: RawArticle, *, collection: str = "default") -> Article:
    """Give the article a citation can point into; `collection` holds where neither raw article nor id names one.

    Raises InvalidArticle for a text that is empty, longer than `MAX_TEXT` or not valid Unicode, for an id or
    collection that cannot be used, and for an embargo whose end cannot be told.
    """
    return clean_with_notes(raw, collection=collection).article


def clean_with_notes(raw: RawArticle, *, collection: str = "default") -> Cleaned:
    """Do what `clean` does and say what was dropped and what could not be read."""
    written = normalised_url(raw.url)
    url = None if is_site_root(written) else written
    source = _name(raw.source or "") or host_of(written)
    title = clean_title(raw.title, sites=(source, host_of(written)))
    text, dropped = ("", []) if is_notice(raw) else _clean_text(raw.text, title=title)
    version = article_version(text)
    collection, given = _placed(raw, collection)
    published_at = iso_date(raw.published_at or "")
    derived = article_id(
        collection=collection, url=url, title=title, origin=raw.origin, version=version, published_at=published_at
    )
    article = Article(
        id=derived if given is None else named_id(given, collection=collection),
        version=version,
        title=title,
        text=text,
        source=source,
        url=url,
        published_at=published_at,
        language=_language(raw.language),
        authors=_names(raw.authors),
        collection=collection,
        pages=carried(raw.pages, written=raw.text, text=text),
        section=_name(raw.section or ""),
        usage_terms=canonical_line(raw.usage_terms or "")[:_MAX_TERMS],
        embargoed_until=_embargo_end(raw.embargoed_until or ""),
        status=raw.status or "usable",
        summary_only=raw.summary_only,
    )
    return Cleaned(article=article, dropped=tuple(dropped), notes=(*raw.notes, *_notes(raw, article)))


def _placed(raw: RawArticle, collection: str) -> tuple[str, str | None]:
    """The collection of an article and its given id there, which may name the collection, as ids of articles do."""
    if raw.id is None:
        return checked_collection(raw.collection or collection), None
    named, given = parted(raw.id)
    if named and raw.collection and named != raw.collection:
        raise InvalidArticle(
            f"the id {raw.id[:60]!r} names another collection than {raw.collection[:60]!r}, which the article is for: "
            f"give {given[:60]!r} as its id there"
        )
    return checked_collection(raw.collection or named or collection), checked_id(given)


def is_notice(raw: RawArticle) -> bool:
    """Whether it brings no text and only says whether, from when on, or on what terms an article may be shown.

    One that says who wrote it, or when, is an article whose text is missing, unless it takes the article back.
    """
    if raw.text.strip():
        return False
    is_bare = not (raw.title or raw.published_at or raw.source or raw.authors or raw.section)
    says = raw.status or raw.embargoed_until or raw.usage_terms
    return raw.status in {"withheld", "canceled"} or (is_bare and bool(says))


def _clean_text(written: str, *, title: str) -> tuple[str, list[Dropped]]:
    _check_length(written)
    text = canonical_text(written)
    if not text:
        raise InvalidArticle("the article has no text; send its words in `text`")
    lines, boilerplate = drop_boilerplate(text.split("\n"))
    lines, repeats = drop_repeats(lines, title=title)
    if boilerplate or repeats:
        text = canonical_text("\n".join(lines))
    if not text:
        raise InvalidArticle("the article has no text beside its title and labels of the page it was taken from")
    _check_length(text)
    return text, [*boilerplate, *repeats]


def _check_length(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise InvalidArticle(f"the text is {len(text):,} characters long, more than {MAX_TEXT:,}; split it up")


def _language(written: str | None) -> str | None:
    written = (written or "").strip()
    return written.replace("_", "-").lower() if _LANGUAGE.fullmatch(written) else None


def _names(written: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in map(_name, written[:_MAX_AUTHORS]) if name))


def _name(written: str) -> str:
    # Made canonical again after the cut, which may leave a joiner with nothing to join.
    return canonical_line(canonical_line(written)[:_MAX_NAME])


def _why_undated(written: str) -> str:
    """What is wrong with a date that was not read.

    >>> _why_undated("06/04/2024"), _why_undated("31/02/2026"), _why_undated("2026-02-31"), _why_undated("soon")
    ('may be two days', 'is no day of the calendar', 'is no day of the calendar', 'could not be read')
    """
    two, one = _TWO_WAYS.fullmatch(written), _YEAR_FIRST.match(written)
    if two is None and one is None:
        return "could not be read"
    if two and (_is_day(two["year"], two["one"], two["other"]) or _is_day(two["year"], two["other"], two["one"])):
        return "may be two days"
    if one and _is_day(one["year"], one["month"], one["day"]):
        return "could not be read"  # something else of it, such as its time
    return "is no day of the calendar"


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _notes(raw: RawArticle, article: Article) -> Iterable[str]:
    if is_site_root(normalised_url(raw.url)):
        yield f"the link {(raw.url or '')[:100]!r} opens a site, not an article of it, and was dropped"
    elif raw.url and article.url is None:
        yield f"the link {raw.url[:100]!r} is no usable http(s) address and was dropped; write it with https://"
    if raw.published_at and article.published_at is None:
        why = _why_undated(raw.published_at.strip())
        yield f"the date {raw.published_at[:60]!r} {why} and was dropped; write it as 2024-06-04"
    if raw.language and article.language is None:
        yield f"the language {raw.language[:30]!r} is no language tag and was dropped; write it as en or en-GB"
    if len(raw.usage_terms or "") > _MAX_TERMS:
        yield f"the usage terms were cut after {_MAX_TERMS:,} characters"
    if "\ufffd" in article.text:
        count = article.text.count("\ufffd")
        yield f"{count:,} characters of the text were damaged before they came here; they read as \ufffd"
    if len(raw.title) > len(article.title) + 200:
        yield "the title was cut; it may hold text of the article"


def status_of(written: str) -> Status | None:
    """Read a state; what says nothing is None.

    Raises InvalidArticle for any other word.

    >>> status_of("Cancelled"), status_of(" ")
    ('canceled', None)
    """
    word = written.strip().casefold()
    if not word:
        return None
    if word not in _STATES:
        raise InvalidArticle(
            f"the status {written.strip()[:40]!r} is none of usable, withheld and canceled, and whether the article "
            "may be shown is not known; give one of these, or leave it out"
        )
    return _STATES[word]


def _embargo_end(written: str) -> str | None:
    """Read the moment an embargo ends, in UTC; None where there is no embargo.

    Raises InvalidArticle for what is no moment: a day or a time without its zone is one of many.

    >>> _embargo_end("2024-06-04T10:30:00+02:00")
    '2024-06-04T08:30:00Z'
    """
    written = written.strip()
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
        if moment.tzinfo is None:
            raise ValueError(written)
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        raise InvalidArticle(
            f"when the embargo {written[:40]!r} ends cannot be told; write it with its time zone, "
            "2024-06-04T10:30:00+02:00"
        ) from None


# --- On which page of its source a word stands: takes offsets at which pages begin, gives the page of an offset
# `pages[n]` is the offset at which page n + 1 begins; a page without text begins where the next one does.
_AHEAD = 50
"""So many lines are looked at for one that cleaning moved up."""


def page_at(pages: Sequence[int], offset: int) -> int | None:
    """The page, counted from 1, on which the character at an offset stands; None for a text without pages.

    >>> page_at((0, 10, 10, 25), 10), page_at((), 3)
    (3, None)
    """
    return max(1, bisect_right(pages, offset)) if pages else None


def carried(pages: Sequence[int], *, written: str, text: str) -> tuple[int, ...]:
    """Say where pages begin in the canonical text that cleaning made of what a parser wrote; they are in order.

    Cleaning drops lines and characters and moves none: each line is found again, in order, and a page that begins in
    the middle of one begins there behind as many characters as are left of what stood before it.
    """
    if not pages:
        return ()
    places = _line_places(written, text)
    lines = list(places)
    begins: list[int] = []
    line = done = length = 0  # where the line begins, how far it was looked at, how long that is in the text
    spaced = False
    for start in pages:
        if (end := written.rfind("\n", done, start)) >= 0:
            line = done = end + 1
            length, spaced = 0, False
        piece = written[done:start]
        done = max(done, start)
        if shown := canonical_line(piece):
            length += len(shown) + int(length > 0 and (spaced or piece[0].isspace()))
        spaced = piece[-1].isspace() if piece else spaced
        if line in places:
            place = places[line] + length
            begins.append(place + int(length > 0 and text[place : place + 1] == " "))
        else:  # the line was dropped: the page begins with the next one that was not
            after = bisect_right(lines, line)
            begins.append(places[lines[after]] if after < len(lines) else len(text))
    return tuple(begins)


def _line_places(written: str, text: str) -> dict[int, int]:
    """Where each line of what was written that is still there begins in the text, by where it began."""
    kept: list[tuple[str, int]] = []
    at = 0
    for line in text.split("\n"):
        if line:
            kept.append((line, at))
        at += len(line) + 1
    places: dict[int, int] = {}
    at = following = 0
    for line in written.split("\n"):
        shown = canonical_line(line)
        ahead = islice(range(following, len(kept)), _AHEAD)
        found = next((number for number in ahead if kept[number][0] == shown), None) if shown else None
        if found is not None:
            places[at] = kept[found][1]
            following = found + 1
        at += len(line) + 1
    return places
