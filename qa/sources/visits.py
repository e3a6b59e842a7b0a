"""One visit to a source: polls a feed or scans a folder, stores the articles, and notes all of it.

Nothing is noted before it is stored. What failed for now is tried again at the next turn, a few times.
"""

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event

import msgspec

from embeddings import parsers
from embeddings.errors import UnreadableFile
from embeddings.types import RawArticle, Rejected
from qa.sources.delivery import BrokenOff, Deliver, Delivered, entries_of, page_of
from qa.sources.fetching import Fetched, Fetcher, FetchRefused, NotDelivered, SourceError
from qa.sources.ledger import Feed, Ledger
from qa.tracing import part

_log = logging.getLogger(__name__)

_MOST_PAGES = 50
"""Fetched in one turn; the rest at the next one."""
_MOST_TRIES = 5
_BATCH = 20
"""Articles stored and noted together."""
_LONGEST_WAIT = 86_400.0


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one feed's turn."""

    feed: Feed
    """As it is noted now."""
    delivered: Delivered = Delivered()
    pages: int = 0
    """Pages fetched."""


class _Ready(msgspec.Struct, frozen=True, kw_only=True):
    """An entry, and what is to be stored of it."""

    name: str
    digest: str
    tries: int
    article: RawArticle | None
    trouble: str = ""


class Feeds:
    """Gives feeds their turns, one after another."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        fetcher: Fetcher,
        deliver: Callable[[str | None], Deliver],
        should_stop: Callable[[], bool] = lambda: False,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`deliver` gives the way into a collection; None is the one of the settings."""
        self._ledger = ledger
        self._fetcher = fetcher
        self._deliver = deliver
        self._should_stop = should_stop
        self._now = now

    def due(self) -> Sequence[Feed]:
        """Feeds whose turn it is, the one that waits longest first.

        None waits longer than its pause: where it is to, the clock has been set back since it was noted.
        """
        active = [feed for feed in self._ledger.feeds() if feed.state == "active"]
        now = self._now()
        waiting = [one for one in active if not now < one.due <= now + max(_LONGEST_WAIT, one.every_seconds)]
        return sorted(waiting, key=lambda feed: feed.due)

    def turn(self, feed: Feed) -> Visit:
        """Give one feed its turn; whatever goes wrong with it is noted, and no reason to stop."""
        site = feed.url.split("/")[2].rpartition("@")[2]  # an address may hold a password
        with part("feed", attributes={"sourceline.site": site}) as span:
            turn = self._turn(feed)
            span.tell({**turn.delivered.told, "sourceline.pages": turn.pages})
            if turn.feed.trouble:
                span.failed("source_trouble")
            return turn

    def _turn(self, feed: Feed) -> Visit:
        try:
            fetched = self._fetcher.fetch(feed.url, etag=feed.etag, last_modified=feed.last_modified)
            if fetched.state == "gone":
                return self._noted(feed, state="gone", trouble="its server says that it is gone for good (410)")
            if fetched.state == "unchanged":
                self._heard(feed, brought=False)
                return self._noted(feed, url=fetched.moved_to or feed.url)
            return self._taken(feed, fetched)
        except FetchRefused as error:
            return self._failed(feed, error, wait=error.retry_after)
        except SourceError as error:
            return self._failed(feed, error, wait=None)

    def _taken(self, feed: Feed, fetched: Fetched) -> Visit:
        """Store what is new in a feed. Raises SourceError; what was stored before is noted."""
        entries = {_name(entry): entry for entry in entries_of(fetched)}
        known = self._ledger.tries(feed.url)
        new = {name: entry for name, entry in entries.items() if known.get(name) != (_digest(entry), 0)}
        pages, complete, told, batch = 0, True, Delivered(), list[_Ready]()
        try:
            for name, entry in new.items():
                if self._should_stop() or pages >= _MOST_PAGES:
                    complete = False
                    break
                pages += _is_elsewhere(entry)
                ready = self._ready(name, entry, known.get(name))
                complete = complete and not ready.tries
                batch.append(ready)
                if len(batch) >= _BATCH:
                    told = told.and_also(self._stored(feed, batch))
                    batch = []
            told = told.and_also(self._stored(feed, batch))
        except NotDelivered as error:
            return self._broken_off(feed, error, told=told.and_also(_before(error)), pages=pages)
        self._ledger.keep(feed.url, entries.keys())
        self._heard(feed, brought=told.brought)
        # With something left to do, "nothing has changed" would be the wrong answer to get.
        etag, modified = (fetched.etag, fetched.last_modified) if complete else ("", "")
        turn = self._noted(feed, url=fetched.moved_to or feed.url, etag=etag, last_modified=modified)
        return msgspec.structs.replace(turn, delivered=told, pages=pages)

    def _broken_off(self, feed: Feed, error: NotDelivered, *, told: Delivered, pages: int) -> Visit:
        """Note that the rest is still to come, and what was stored before."""
        if told.brought:
            self._heard(feed, brought=True)
        return msgspec.structs.replace(self._failed(feed, error, wait=None), delivered=told, pages=pages)

    def _ready(self, name: str, entry: RawArticle | Rejected, known: tuple[str, int] | None) -> _Ready:
        """What is to be stored of an entry: its page where it is elsewhere, what the feed says where that fails."""
        digest = _digest(entry)
        before = known[1] if known and known[0] == digest else 0
        article = entry if isinstance(entry, RawArticle) else None
        if not _is_elsewhere(entry):
            trouble = entry.reason if isinstance(entry, Rejected) else ""
            return _Ready(name=name, digest=digest, tries=0, article=article, trouble=trouble)
        try:
            link = entry.link if isinstance(entry, Rejected) else entry.url or ""
            fetched = self._fetcher.fetch(link)
            if fetched.state != "new":
                raise FetchRefused(f"{link} is gone for good")
            return _Ready(name=name, digest=digest, tries=0, article=page_of(fetched, entry=article))
        except FetchRefused as error:
            ended = error.lasting or before + 1 >= _MOST_TRIES
            tries = 0 if ended else before + 1
            return _Ready(name=name, digest=digest, tries=tries, article=article, trouble=str(error))

    def _stored(self, feed: Feed, batch: Sequence[_Ready]) -> Delivered:
        """Store a batch, then note it. Raises NotDelivered, and then notes nothing."""
        articles = [one.article for one in batch if one.article is not None]
        told = self._deliver(feed.collection)(articles) if articles else Delivered()
        self._ledger.note(feed.url, {one.name: (one.digest, one.tries) for one in batch})
        troubles = tuple(one.trouble for one in batch if one.trouble)
        for reason, times in Counter((*troubles, *told.rejected)).items():
            _log.warning("%s: %s%s", feed.url, reason, f" ({times} entries)" if times > 1 else "")
        for note in told.notes:
            _log.info("%s", note)
        return told

    def _heard(self, feed: Feed, *, brought: bool) -> None:
        if any(one.url == feed.url for one in self._ledger.feeds()):
            self._ledger.heard(feed.url, kind="feed", at=self._now(), brought=brought)

    def _noted(self, feed: Feed, **changes: object) -> Visit:
        after = msgspec.structs.replace(
            feed, **{"failures": 0, "trouble": "", "due": self._now() + feed.every_seconds} | changes
        )
        self._ledger.save(after, before=feed.url)
        return Visit(feed=after)

    def _failed(self, feed: Feed, error: SourceError, *, wait: float | None) -> Visit:
        """Leave a feed alone for longer with every failure, and for as long as its server asks."""
        failures = feed.failures + 1
        pause = min(_LONGEST_WAIT, max(feed.every_seconds * 2 ** min(failures - 1, 10), wait or 0.0))
        _log.warning("%s: %s; asked again in %.0f minutes", feed.url, error, pause / 60)
        return self._noted(feed, failures=failures, trouble=str(error), due=self._now() + pause)


def _before(error: NotDelivered) -> Delivered:
    """What was stored of a delivery that ended so."""
    return error.delivered if isinstance(error, BrokenOff) else Delivered()


def _is_elsewhere(entry: RawArticle | Rejected) -> bool:
    """Whether the article of an entry stands on a page of its own."""
    return bool(entry.link) if isinstance(entry, Rejected) else entry.summary_only and bool(entry.url)


def _name(entry: RawArticle | Rejected) -> str:
    """What an entry is known by while its feed lists it."""
    if isinstance(entry, Rejected):
        return entry.link or entry.reason[:300]
    return entry.url or f"{entry.title}\n{entry.published_at}"[:300]


def _digest(entry: RawArticle | Rejected) -> str:
    said: Mapping[str, object] = msgspec.structs.asdict(msgspec.structs.replace(entry, origin=""))
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


# --- Folders whose files are articles: woken when something changes there, stores the files that are not as they were
# What woke it says nothing of what changed: all files are looked at, so that an event lost, a folder moved in or a
# file system without events loses no article. At the start every file is read; unchanged ones cost next to nothing.
_TOGETHER = 50
"""Articles stored together."""
_RETRY_SECONDS = 10.0
_LOOK_ANYWAY_SECONDS = 60

Look = tuple[int, int, int, int]
"""What changes when a file does, or who may read it: its times, its size, its number."""


def wakes(folders: Sequence[Path], *, stop: Event) -> Iterator[None]:
    """Wake when something changes in the folders, once for what changes together, and every minute; until a stop.

    Also a second after the watching begins, and after each change: what came meanwhile was perhaps not seen.
    """
    from watchfiles import watch

    quiet = 0
    while not stop.is_set():
        there = [folder for folder in folders if folder.is_dir()]
        if not there:
            stop.wait(_RETRY_SECONDS)
            yield None
            continue
        try:
            for found in watch(
                *there, stop_event=stop, raise_interrupt=False, rust_timeout=1_000, yield_on_timeout=True
            ):
                quiet = 0 if found else quiet + 1
                if found or quiet % _LOOK_ANYWAY_SECONDS == 1:
                    yield None
        except (OSError, RuntimeError) as error:  # a name that is no UTF-8, a folder that went away
            _log.warning("the folders are watched anew: %s", error)
            quiet = 0
            stop.wait(_RETRY_SECONDS)
            yield None


class Folders:
    """Keeps the store up to date with some folders."""

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        ledger: Ledger,
        deliver: Deliver,
        stop: Event,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folders = [folder.resolve() for folder in folders]
        self._ledger = ledger
        self._deliver = deliver
        self._stop = stop
        self._now = now
        self._stored: dict[Path, Look] = {}
        """What every file looked like when it was stored."""

    def run(self, woken: Iterable[None]) -> Iterator[Delivered]:
        """Store what is there, then what changes; give what became of each round that had anything to do."""
        yield self._round()
        for _ in woken:
            told = self._round()
            if told != Delivered():
                yield told

    def _round(self) -> Delivered:
        told = Delivered()
        for folder in self._folders:
            try:
                there = dict(self._there(folder))
            except UnreadableFile as error:  # not heard of: it is there no more, or not yet again
                _log.warning("%s", error)
                continue
            changed = {path: look for path, look in there.items() if self._stored.get(path) != look}
            stored = self._store(changed)
            self._ledger.heard(str(folder), kind="folder", at=self._now(), brought=stored.brought)
            told = told.and_also(stored)
        for reason in told.rejected:
            _log.warning("%s", reason)
        for note in told.notes:
            _log.info("%s", note)
        return told

    def _there(self, folder: Path) -> Iterator[tuple[Path, Look]]:
        """The files of a folder and what they look like; what goes away while one looks is not there.

        Raises UnreadableFile where the folder itself is away.
        """
        for path in parsers.look([folder]).files:
            try:
                seen = path.stat()
            except OSError:
                continue
            yield path, (seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino)

    def _store(self, files: dict[Path, Look]) -> Delivered:
        """Read files and store their articles; a file is done with when the last of its articles is stored."""
        if not files:
            return Delivered()
        with part("folder", attributes={"sourceline.files": len(files)}) as span:
            told = self._read(files)
            span.tell(told.told)
            return told

    def _read(self, files: dict[Path, Look]) -> Delivered:
        told, articles, done = Delivered(), list[RawArticle](), dict[Path, Look]()
        for path, look in files.items():
            if self._stop.is_set():
                break
            for one in parsers.read(path):
                if self._stop.is_set():
                    break
                if isinstance(one, Rejected):
                    told = told.and_also(Delivered(rejected=(f"{one.origin}: {one.reason}",)))
                    continue
                articles.append(one)
                if len(articles) >= _TOGETHER:
                    told, articles = told.and_also(self._patiently(articles)), []
                    self._stored |= done
            done[path] = look
        told = told.and_also(self._patiently(articles))
        self._stored |= done
        return told

    def _patiently(self, articles: Sequence[RawArticle]) -> Delivered:
        """Store articles; while that is not possible, go on trying until a stop."""
        told = Delivered()
        while articles:
            try:
                return told.and_also(self._deliver(articles))
            except NotDelivered as error:
                told = told.and_also(_before(error))
                if self._stop.is_set():
                    _log.warning("%s; %d articles are left for the next start", error, len(articles))
                    break
                _log.warning("%s; tried again in %.0f seconds", error, _RETRY_SECONDS)
                self._stop.wait(_RETRY_SECONDS)
        return told
