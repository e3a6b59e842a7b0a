"""Folders whose files are articles: woken when something changes there, stores the files that are not as they were.

What woke it says nothing of what changed: all files are looked at, so that an event lost, a folder moved in or a file
system without events loses no article. At the start every file is read; unchanged ones cost next to nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event

from embeddings import readers
from embeddings.errors import UnreadableFile
from embeddings.types import RawArticle, Rejected
from qa.sources.delivery import Deliver, Delivered
from qa.sources.fetching import NotDelivered
from qa.sources.ledger import Ledger
from qa.tracing import part

__all__ = ["Folders", "wakes"]

_log = logging.getLogger(__name__)

_BATCH = 50
"""Articles stored together."""
_RETRY_SECONDS = 10.0
_LOOK_ANYWAY_SECONDS = 60

Look = tuple[int, int, int]
"""What changes when a file does: its time, its size, its number."""


def wakes(folders: Sequence[Path], *, stop: Event) -> Iterator[None]:
    """Wake when something changes in the folders, once for what changes together, and every minute; until a stop.

    Also a second after the watching begins, and after each change: what came meanwhile was perhaps not seen.
    """
    from watchfiles import watch

    quiet = 0
    for found in watch(*folders, stop_event=stop, raise_interrupt=False, rust_timeout=1_000, yield_on_timeout=True):
        quiet = 0 if found else quiet + 1
        if found or quiet % _LOOK_ANYWAY_SECONDS == 1:
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
        """Store what is there, then what changes; give what became of each round that had anything to do.

        Raises NotDelivered where a stop ends its waiting for the store.
        """
        yield self._round()
        for _ in woken:
            told = self._round()
            if told != Delivered():
                yield told

    def _round(self) -> Delivered:
        told = Delivered()
        for folder in self._folders:
            there = dict(self._there(folder))
            changed = {path: look for path, look in there.items() if self._stored.get(path) != look}
            stored = self._store(changed)
            self._ledger.heard(str(folder), kind="folder", at=self._now(), brought=stored.brought)
            told = told.and_also(stored)
        for reason in told.rejected:
            _log.warning("%s", reason)
        return told

    def _there(self, folder: Path) -> Iterator[tuple[Path, Look]]:
        """The files of a folder and what they look like; what goes away while one looks is not there."""
        try:
            found = readers.look([folder])
        except UnreadableFile as error:
            _log.warning("%s", error)
            return
        for path in found.files:
            try:
                seen = path.stat()
            except OSError:
                continue
            yield path, (seen.st_mtime_ns, seen.st_size, seen.st_ino)

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
            for one in readers.read(path):
                if isinstance(one, Rejected):
                    told = told.and_also(Delivered(rejected=(f"{one.origin}: {one.reason}",)))
                    continue
                articles.append(one)
                if len(articles) >= _BATCH:
                    told, articles = told.and_also(self._patiently(articles)), []
                    self._stored |= done
            done[path] = look
        told = told.and_also(self._patiently(articles))
        self._stored |= done
        return told

    def _patiently(self, articles: Sequence[RawArticle]) -> Delivered:
        """Store articles; while that is not possible, go on trying until a stop."""
        while articles:
            try:
                return self._deliver(articles)
            except NotDelivered as error:
                if self._stop.is_set():
                    raise
                _log.warning("%s; tried again in %.0f seconds", error, _RETRY_SECONDS)
                self._stop.wait(_RETRY_SECONDS)
        return Delivered()
