"""Delivers raw articles to the store, and reports the outcome when they are durable.

Either straight into the store, which one process writes at a time, or over HTTP to the service that has it open.
"""

from __future__ import annotations

import html
import http.client
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit

import msgspec

from embeddings import parsers
from embeddings.errors import EmbeddingsError
from embeddings.ingest import IngestedArticle, IngestReport, Outcome, ingest
from embeddings.opening import open_corpus
from embeddings.types import RawArticle, Rejected
from qa.settings import Settings, load_encoder
from qa.sources.fetching import Fetched, FetchRefused, NotDelivered, SourceError, seconds_of_quiet
from qa.tracing import Value, part, told_of_ingests

_log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 300.0
_LONGEST_QUIET, _MOST_REPEATS = 60.0, 3  # what a service that asks for quiet is given: seconds, further requests
_LARGEST_REPLY = 50_000_000
_NO_KEY = "; set QA_SERVICE_KEY to a key of that service with which articles may be added"
_REMEDIES = {401: _NO_KEY, 403: _NO_KEY}
"""What the detail of a reply, which is written for callers over HTTP, does not say to whoever runs a command."""
_MOST_BYTES, _MOST_ARTICLES = 4_000_000, 64
"""Of one request; a service may set its own limit lower, and then says so."""


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the articles of one delivery; all of it is on disk."""

    outcomes: Mapping[str, int] = {}
    """How many were `added`, `updated`, `unchanged` and `duplicate`."""
    rejected: tuple[str, ...] = ()
    """Why the others could not be used."""
    notes: tuple[str, ...] = ()
    """What is to be known of those that were: what was left out of them, which copies of them go on being shown."""

    @property
    def brought(self) -> bool:
        """Whether anything is new or changed."""
        return bool(self.outcomes.get("added") or self.outcomes.get("updated"))

    @property
    def told(self) -> Mapping[str, Value]:
        """What a trace tells of it."""
        return {
            **{f"sourceline.{name}": number for name, number in self.outcomes.items()},
            "sourceline.rejected": len(self.rejected),
        }

    def and_also(self, other: Delivered) -> Delivered:
        """Both together."""
        outcomes = dict(Counter(self.outcomes) + Counter(other.outcomes))
        return Delivered(outcomes=outcomes, rejected=self.rejected + other.rejected, notes=self.notes + other.notes)


Deliver = Callable[[Sequence[RawArticle]], Delivered]
"""Durable when it returns. Raises NotDelivered where nothing can be stored now."""
Wait = Callable[[float], bool | None]
"""Waits for some seconds; true where a stop ended that."""


class BrokenOff(NotDelivered):
    """The service took no more; what it took before is stored, and in the report."""

    def __init__(self, detail: str, *, report: IngestReport) -> None:
        super().__init__(detail)
        self.report = report

    @property
    def delivered(self) -> Delivered:
        """What it took before."""
        return _delivered(self.report)


def delivery_of(settings: Settings, *, collection: str | None = None, wait: Wait = time.sleep) -> Deliver:
    """The way that the settings name. Raises SourceError, EncoderError."""
    collection = collection or settings.collection
    if settings.service_url:
        return ToService(settings.service_url, key=settings.service_key, collection=collection, wait=wait)
    return ToStore(settings, collection=collection)


class ToStore:
    """Writes to the store that the settings name; between two deliveries another process may."""

    def __init__(self, settings: Settings, *, collection: str) -> None:
        self._place = settings.place
        self._collection = collection
        self._encoder = load_encoder(settings)

    def __call__(self, articles: Sequence[RawArticle]) -> Delivered:
        """See `Deliver`."""
        try:
            with part("ingest") as span, closing(open_corpus(self._place, identity=self._encoder.identity)) as corpus:
                store = partial(ingest, corpus=corpus, encoder=self._encoder, collection=self._collection)
                report = store(articles, heard=span.stage)
                span.tell(told_of_ingests([report]))
        except EmbeddingsError as error:
            raise NotDelivered(f"{error} (or set QA_SERVICE_URL to the service that has the store open)") from error
        return _delivered(report)


class ToService:
    """Sends to a running service. Raises SourceError for an address or a key with which nothing can be sent."""

    def __init__(self, url: str, *, key: str, collection: str, wait: Wait = time.sleep) -> None:
        self._parts = _address(url)
        self._netloc = self._parts.netloc.rpartition("@")[2]  # what people see has no password in it
        self.url = self._parts._replace(netloc=self._netloc).geturl()
        self._collection = collection
        self._wait = wait
        if not (key.isascii() and key.isprintable()):
            raise SourceError("QA_SERVICE_KEY holds a line break or a letter outside ASCII; copy the key once more")
        self._headers = {"Content-Type": "application/x-ndjson"} | ({"Authorization": f"Bearer {key}"} if key else {})

    def __call__(self, articles: Sequence[RawArticle]) -> Delivered:
        """See `Deliver`."""
        return _delivered(self.ingest(articles))

    def ingest(self, articles: Sequence[RawArticle]) -> IngestReport:
        """The report that the service gives, as one's own ingest would. Raises BrokenOff."""
        parts, sent = list[IngestReport](), 0
        try:
            for lines in _bodies([_record(article, self._collection) for article in articles]):
                for report in self._send(lines, articles[sent : sent + len(lines)]):
                    parts.append(report)  # one by one: what came before a failure is kept
                sent += len(lines)
        except NotDelivered as error:
            raise BrokenOff(str(error), report=together(parts)) from error
        return together(parts)

    def called(self, name: str, *, collection: str | None) -> tuple[str, str] | None:
        """Id and collection of the article that the service knows by a name; None where it holds none, or several."""
        only = {"kept_back": "true"} | ({"collection": collection} if collection else {})
        status, body = self._exchange("GET", f"/{quote(name, safe='')}?{urlencode(only)}", b"")
        if status != 200:
            return None
        found = msgspec.json.decode(body, type=_Called)
        return found.id, found.collection

    def _send(self, lines: Sequence[bytes], articles: Sequence[RawArticle]) -> Iterator[IngestReport]:
        status, body = self._exchange("POST", "", b"\n".join(lines))
        if status == 413 and len(lines) > 1:  # larger than the service takes at once, or a proxy before it
            half = len(lines) // 2
            yield from self._send(lines[:half], articles[:half])
            yield from self._send(lines[half:], articles[half:])
            return
        try:
            reply = msgspec.json.decode(body, type=_Reply)
        except msgspec.DecodeError:
            if status != 413:
                raise NotDelivered(f"{self._netloc} answered with status {status} and no JSON") from None
            reply = _Reply()
        yield self._report(status, reply, articles)

    def _report(self, status: int, reply: _Reply, articles: Sequence[RawArticle]) -> IngestReport:
        if status == 413:
            reason = reply.detail or f"it is larger than {self._netloc} takes (status 413)"
            return _nothing(Rejected(origin=articles[0].origin, reason=reason))
        if status == 422 and reply.type.endswith("/nothing-usable"):
            faults = [fault.of(articles) for fault in reply.errors]
            return _nothing(*faults or [Rejected(origin=self._netloc, reason=reply.detail)])
        if status != 200:
            raise NotDelivered(
                f"{self._netloc} answered with status {status}: {reply.detail}{_REMEDIES.get(status, '')}"
            )
        return IngestReport(
            articles=tuple(one.of(articles, self._collection) for one in reply.articles),
            rejected=tuple(fault.of(articles) for fault in reply.rejected),
            passages_encoded=reply.passages_encoded,
            seconds=reply.seconds,
        )

    def _exchange(self, method: str, place: str, body: bytes) -> tuple[int, bytes]:
        """Status and body; a service that asks for quiet is given it, and asked again."""
        status, said, quiet = self._asked(method, place, body)
        for _ in range(_MOST_REPEATS):
            if quiet is None:
                break
            quiet = min(quiet, _LONGEST_QUIET)
            _log.warning("%s answered with status %d; tried again in %.0f seconds", self._netloc, status, quiet)
            if self._wait(quiet):
                break
            status, said, quiet = self._asked(method, place, body)
        return status, said

    def _asked(self, method: str, place: str, body: bytes) -> tuple[int, bytes, float | None]:
        """Status, body, and for how many seconds the service asks for quiet."""
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=_PATIENCE_SECONDS)
        asked: dict[str, Value] = {
            "http.request.method": method,
            "server.address": connection.host,
            "server.port": connection.port,
        }
        try:
            with closing(connection), part(method, kind="client", attributes=asked) as span:
                place = f"{self._parts.path.rstrip('/')}/api/articles{place}"
                connection.request(method, place, body, {**self._headers, **span.headers})
                response = connection.getresponse()
                span.tell({"http.response.status_code": response.status})
                later = response.getheader("retry-after", "") if response.status in {429, 503} else ""
                return response.status, response.read(_LARGEST_REPLY), seconds_of_quiet(later)
        except (OSError, http.client.HTTPException) as error:
            raise NotDelivered(f"the service at {self._netloc} does not answer ({error})") from None


def _address(url: str) -> SplitResult:
    """The address of a service. Raises SourceError where it is none; what it says shows no password."""
    with suppress(ValueError):  # a port out of range, an open bracket, a label that is too long
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")
        sendable = parts.path.isascii() and not re.search(r"[\x00-\x20\x7f]", url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and sendable:
            return parts
    shown = url.rpartition("@")[2]
    raise SourceError(f"QA_SERVICE_URL is {shown!r}; it is an address such as http://127.0.0.1:8000")


class _Called(msgspec.Struct):
    id: str
    collection: str


class _Article(msgspec.Struct):
    outcome: Outcome
    item: int = 0
    """As that of a fault; the copies of an article have its own."""
    id: str = ""
    version: str = ""
    title: str = ""
    notes: list[str] = []

    def of(self, articles: Sequence[RawArticle], collection: str) -> IngestedArticle:
        """What became of it, with where it was read, and what the parser and the service have to say of it."""
        sent = articles[self.item - 1] if 0 < self.item <= len(articles) else RawArticle(text="")
        return IngestedArticle(
            id=self.id,
            version=self.version,
            title=self.title,
            outcome=self.outcome,
            origin=sent.origin,
            collection=sent.collection or collection,
            notes=tuple(dict.fromkeys((*sent.notes, *self.notes))),
        )


class _Fault(msgspec.Struct):
    detail: str = ""
    item: int = 0
    """The how manieth of the request it is, from 1."""

    def of(self, articles: Sequence[RawArticle]) -> Rejected:
        """The reason, with where the article was read."""
        return Rejected(
            origin=articles[self.item - 1].origin if 0 < self.item <= len(articles) else "", reason=self.detail
        )


class _Reply(msgspec.Struct):
    """A report, or a problem."""

    articles: list[_Article] = []
    rejected: list[_Fault] = []
    passages_encoded: int = 0
    seconds: float = 0.0
    type: str = ""
    detail: str = ""
    errors: list[_Fault] = []


def _record(article: RawArticle, collection: str) -> bytes:
    """An article as `POST /api/articles` takes it, with the name of its file where that says which it is."""
    skipped = {"origin", "notes", "collection"}
    said = {name: value for name, value in msgspec.structs.asdict(article).items() if name not in skipped and value}
    name = PurePath(article.origin).name
    place = {"file": name} if Path(name.rpartition(":")[0] or name).suffix else {}
    return msgspec.json.encode(said | place | {"collection": article.collection or collection})


def _bodies(lines: Sequence[bytes]) -> Sequence[Sequence[bytes]]:
    """Cut lines into requests; one that is too long alone goes alone."""
    bodies: list[list[bytes]] = []
    size = 0
    for line in lines:
        if not bodies or size + len(line) > _MOST_BYTES or len(bodies[-1]) >= _MOST_ARTICLES:
            bodies.append([])
            size = 0
        bodies[-1].append(line)
        size += len(line)
    return bodies


def _nothing(*rejected: Rejected) -> IngestReport:
    return IngestReport(articles=(), rejected=rejected, passages_encoded=0, seconds=0.0)


def together(parts: Sequence[IngestReport]) -> IngestReport:
    """Several reports as one."""
    return IngestReport(
        articles=tuple(one for part in parts for one in part.articles),
        rejected=tuple(one for part in parts for one in part.rejected),
        passages_encoded=sum(part.passages_encoded for part in parts),
        seconds=sum(part.seconds for part in parts),
        stopped=any(part.stopped for part in parts),
    )


def _delivered(report: IngestReport) -> Delivered:
    outcomes: Counter[str] = Counter(article.outcome for article in report.articles)
    notes = tuple(_at(article.origin, f"note: {note}") for article in report.articles for note in article.notes)
    rejected = tuple(_at(one.origin, one.reason) for one in report.rejected)
    return Delivered(outcomes=outcomes, rejected=rejected, notes=notes)


def _at(origin: str, said: str) -> str:
    return f"{origin}: {said}" if origin else said


# --- What the web gave, read as files are: takes a feed or a page, gives raw articles under the addresses they came
# from
# A page may name an address for itself; it is believed on its own site only, or one site could replace the articles of
# another.
_PAGES = {"text/html": ".html", "application/xhtml+xml": ".html", "application/pdf": ".pdf", "text/plain": ".txt"}
_LINK = re.compile(r"<link\b[^<>]{1,2000}>", re.IGNORECASE)
_SAID = re.compile(r"([a-z]{1,20})\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_FEED = re.compile(r"application/(?:(?:rss|atom)\+xml|feed\+json)", re.IGNORECASE)


def entries_of(fetched: Fetched) -> Sequence[RawArticle | Rejected]:
    """The entries of a feed: articles, summaries, and those without a text. Raises FetchRefused for what is no feed."""
    suffix = ".json" if fetched.body.lstrip()[:1] in {b"{", b"["} else ".xml"
    found = _read(fetched.body, suffix)
    if len(found) == 1 and isinstance(found[0], Rejected) and not found[0].link:
        raise FetchRefused(f"{fetched.url} holds no feed: {_named_feed(fetched) or found[0].reason}", lasting=False)
    # Neither a link nor a file's name of somebody else's: an entry is known by its own link, or its title and date.
    named = (
        msgspec.structs.replace(one, origin=f"{fetched.url} entry/{number}") for number, one in enumerate(found, 1)
    )
    return [msgspec.structs.replace(one, id=None) if isinstance(one, RawArticle) else one for one in named]


def _named_feed(fetched: Fetched) -> str:
    """Which feed a page names for itself, as browsers look for it; empty for what names none."""
    for link in _LINK.findall(fetched.body[:500_000].decode("utf-8", "replace")):
        said = {name.lower(): html.unescape(one or other) for name, one, other in _SAID.findall(link)}
        if "alternate" in said.get("rel", "").lower().split() and _FEED.fullmatch(said.get("type", "").strip()):
            return (
                f"it is a web page, which names the feed {urljoin(fetched.url, said.get('href', ''))[:200]}; add that"
            )
    return "it is a web page" if fetched.media_type in {"text/html", "application/xhtml+xml"} else ""


def page_of(fetched: Fetched, *, entry: RawArticle | None) -> RawArticle:
    """The article of a page, with what the entry says where the page does not. Raises FetchRefused."""
    suffix = _PAGES.get(fetched.media_type)
    if suffix is None:
        raise FetchRefused(f"{fetched.url} is {fetched.media_type[:60]}, which is not read as an article")
    found = _read(fetched.body, suffix)
    page = next((one for one in found if isinstance(one, RawArticle)), None)
    if page is None:
        reason = "; ".join(one.reason for one in found if isinstance(one, Rejected)) or "nothing is in it"
        raise FetchRefused(f"{fetched.url} holds no article: {reason}")
    if entry and len(page.text.split()) < len(entry.text.split()):
        raise FetchRefused(f"{fetched.url} shows less than the feed: a notice, or a login", lasting=False)
    host = urlsplit(fetched.url).hostname
    own = page.url if page.url and urlsplit(page.url).hostname == host else fetched.url
    said = entry or page
    return msgspec.structs.replace(
        page,
        id=None,
        url=own,
        source=None,
        title=page.title or said.title,
        published_at=page.published_at or said.published_at,
        language=page.language or said.language,
        authors=page.authors or said.authors,
        origin=f"{fetched.url} page/1",
    )


def _read(body: bytes, suffix: str) -> Sequence[RawArticle | Rejected]:
    with TemporaryDirectory(prefix="qa-") as folder:
        path = Path(folder) / f"document{suffix}"
        path.write_bytes(body)
        return list(parsers.read(path, from_afar=True))
