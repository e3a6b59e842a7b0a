"""The body of `POST /api/articles`: from one article, a list or NDJSON to raw articles and rejected items.

Items are read one by one, so that a long body neither stops other threads for long nor fails for one bad item.
"""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath

import msgspec

from embeddings.ingest import IngestReport
from embeddings.parsers.jsonl import is_read, parse_record
from embeddings.types import RawArticle, Rejected
from qa.server.errors import FieldError, InvalidRequest, MalformedBody, NothingUsable, OutOfReach, RequestError
from qa.server.http.bodies import fault, plain_json
from qa.server.monitoring import Act
from qa.server.wire import AddedArticle, AddReport, ArticleIn

_MOST_ITEMS = 10_000
_SLICE_CHARACTERS = 200_000
_SLICE_ITEMS = 64
"""An ingest gives way to other writes after so much of it."""
_MOST_FAULTS = 100
"""So many faults are listed where nothing could be used."""
_LONGEST_NAME = 200
_SCANNER = json.JSONDecoder(parse_int=str, parse_float=str)
_SPACE = re.compile(r"[ \t\r\n]*")


class Submission(msgspec.Struct, kw_only=True):
    """What a body held, item by item."""

    items: list[RawArticle | Rejected] = []
    numbers: dict[str, int] = {}
    """Item number by the origin that an item carries through the ingest."""
    ignored: dict[str, tuple[str, ...]] = {}
    """Unknown fields by origin."""
    names: dict[int | None, str | None] = {}
    """What items call themselves, by item number."""
    faults: list[FieldError] = []


def read(body: bytes, *, lines: bool) -> Submission:
    """Take a body apart; `lines` says that it is NDJSON. Raises MalformedBody, InvalidRequest or NothingUsable."""
    found = Submission()
    body = body.removeprefix(BOM_UTF8)
    for number, item in _lines(body) if lines else _elements(body):
        if len(found.numbers) >= _MOST_ITEMS:
            raise InvalidRequest(f"more than {_MOST_ITEMS:,} articles in one request; send them in several")
        named = _named(item)
        origin = named.origin(number)
        found.numbers[origin], found.names[number] = number, named.name
        raw = parse_record(item, origin=origin)
        if isinstance(raw, Rejected):
            found.faults.append(fault(raw.reason, item=number))
            continue
        try:
            fields = plain_json(item)
        except InvalidRequest as error:
            found.faults += [msgspec.structs.replace(one, item=number) for one in error.errors]
        except RecursionError:
            found.faults.append(FieldError(item=number, detail="nested too deep"))
        else:
            found.ignored[origin] = tuple(
                sorted(name for name in fields.keys() - set(ArticleIn.__struct_fields__) if not is_read(name))
            )
            found.items.append(raw)
    found.faults = [msgspec.structs.replace(one, name=found.names.get(one.item)) for one in found.faults]
    if not found.items:
        raise _nothing(found.faults)
    return found


class _Named(msgspec.Struct):
    """What an item calls itself, as far as that is text."""

    title: object = None
    headline: object = None
    url: object = None
    id: object = None
    file: object = None
    """The name of the file it was read from, by which a later version of it is known."""

    def origin(self, number: int) -> str:
        """Where it stands."""
        named = isinstance(self.file, str) and self.file
        return f"request:{number}/{PurePath(named).name[:300]}" if named else f"request:{number}"

    @property
    def name(self) -> str | None:
        names = (self.title, self.headline, self.url, self.id, self.file)
        found = next((one for one in names if isinstance(one, str) and one.strip()), None)
        return " ".join(found.split())[:_LONGEST_NAME] if found else None


def _named(item: bytes) -> _Named:
    try:
        return msgspec.json.decode(item, type=_Named)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # `parse_record` says what is wrong with it
        return _Named()


def stored(submission: Submission, part: IngestReport) -> tuple[list[AddedArticle], list[FieldError]]:
    """Tell what became of some items: those that are articles now, and those that were rejected."""
    added = [
        AddedArticle(
            item=submission.numbers[article.origin],
            id=article.id,
            version=article.version,
            title=article.title,
            outcome=article.outcome,
            ignored_fields=submission.ignored[article.origin],
            notes=article.notes,
        )
        for article in part.articles
    ]
    numbered = ((submission.numbers.get(one.origin), one.reason) for one in part.rejected)
    return added, [FieldError(item=item, detail=why, name=submission.names.get(item)) for item, why in numbered]


def report(submission: Submission, ingested: Sequence[IngestReport], *, job_id: str) -> AddReport:
    """Tell what became of each item. Raises NothingUsable where none became an article, OutOfReach where that they are
    for other collections is the only reason."""
    parts = [stored(submission, part) for part in ingested]
    added = [article for articles, _ in parts for article in articles]
    late = [rejected for _, faults in parts for rejected in faults]
    faults = sorted([*submission.faults, *late], key=lambda fault: fault.item or 0)
    if not added:
        reasons = {rejected.refused for part in ingested for rejected in part.rejected}
        if reasons == {"collection"} and not submission.faults:
            raise OutOfReach(faults[0].detail, errors=tuple(faults[:_MOST_FAULTS]))
        raise _nothing(faults)
    return AddReport(
        articles=tuple(added),
        rejected=tuple(faults),
        passages_encoded=sum(part.passages_encoded for part in ingested),
        seconds=sum(part.seconds for part in ingested),
        job_id=job_id,
    )


def rights(submission: Submission, part: IngestReport, *, by: str) -> Iterator[Act]:
    """For the audit: articles that were stored anew with something said of what may be shown of them."""
    said = {one.origin: one for one in submission.items if isinstance(one, RawArticle)}
    for article in part.articles:
        raw = said.get(article.origin)
        if raw and article.outcome in {"added", "updated"} and (raw.status or raw.embargoed_until):
            status, until = raw.status or "", raw.embargoed_until or ""
            yield Act(act="rights_changed", by=by, article_id=article.id, status=status, embargoed_until=until)


def slices(items: Iterable[RawArticle | Rejected]) -> Iterator[list[RawArticle | Rejected]]:
    """Cut a long list of articles into pieces of bounded size."""
    piece: list[RawArticle | Rejected] = []
    characters = 0
    for item in items:
        piece.append(item)
        characters += len(item.text) if isinstance(item, RawArticle) else 0
        if characters >= _SLICE_CHARACTERS or len(piece) >= _SLICE_ITEMS:
            yield piece
            piece, characters = [], 0
    if piece:
        yield piece


def _lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of NDJSON that are not blank, with their numbers."""
    start, number = 0, 1
    while start < len(body):
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        line = body[start:end].strip().removeprefix(BOM_UTF8)  # files joined by `cat` have one in the middle
        if line:
            yield number, line
        start, number = end + 1, number + 1


def _elements(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of a JSON array, or the one value that the body is, as bytes, with their numbers."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise MalformedBody("the body is not UTF-8") from None
    position = _skip(text, 0)
    many = text.startswith("[", position)
    position = _skip(text, position + 1) if many else position
    number = 0
    more = not (many and text.startswith("]", position))
    while more:
        end = _end_of_value(text, position)
        number += 1
        yield number, text[position:end].encode()
        position = _skip(text, end)
        more = many and text.startswith(",", position)
        position = _skip(text, position + 1) if more else position
    if many and not text.startswith("]", position):
        raise MalformedBody(f"the body is not JSON: the list does not end well (character {position})")
    if _skip(text, position + many) < len(text):
        raise MalformedBody(f"the body is not JSON: something follows its end (character {position + many})")


def _end_of_value(text: str, position: int) -> int:
    """Where the JSON value that begins at `position` ends."""
    try:
        _, end = _SCANNER.raw_decode(text, position)
    except RecursionError:
        raise MalformedBody("the JSON is nested too deep") from None
    except json.JSONDecodeError as error:
        raise MalformedBody(f"the body is not JSON: {error.msg} (character {error.pos})") from None
    return end


def _skip(text: str, position: int) -> int:
    """The next position that is not white space."""
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _nothing(faults: Iterable[FieldError]) -> RequestError:
    shown = tuple(faults)
    if not shown:
        return NothingUsable("the body holds no article")
    more = f" ({_MOST_FAULTS} of {len(shown):,} errors are listed)" if len(shown) > _MOST_FAULTS else ""
    return NothingUsable(f"none of the articles sent could be taken; see errors{more}", errors=shown[:_MOST_FAULTS])
