"""What is known of the sources: feeds and when each is due, entries done with, when each source last brought something,
and, from the days of its articles, whether it has been silent for longer than it uses to be.

One small file beside the store. A step is noted after the articles of it are stored, so that an end at any moment
loses nothing: what was stored and not noted is stored again, which changes nothing.
"""

from __future__ import annotations

import fcntl
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import apsw
import msgspec

from embeddings.types import SourceTally
from qa.sources.fetching import SourceError

FILE = "sources.db"

_APPLICATION_ID = 0x50A12CE3
"""Marks the file as ours."""
_VERSION = 1
_TABLES = f"""
CREATE TABLE IF NOT EXISTS feeds (url TEXT PRIMARY KEY, feed TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (
    feed TEXT NOT NULL,
    entry TEXT NOT NULL,      -- what the entry is known by: its link, or its title
    digest TEXT NOT NULL,     -- of all it said
    tries INTEGER NOT NULL,   -- how often its page failed for now; 0 when it is done with
    PRIMARY KEY (feed, entry)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    asked REAL NOT NULL,      -- seconds since 1970 UTC, when it was last asked with success
    brought REAL              -- when it last brought an article that was new or changed
) WITHOUT ROWID;
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_VERSION};
"""
_FEWEST_DAYS = 5
"""From fewer days of publication no rhythm can be told."""
_USUAL = 0.9
_PATIENCE = 2
"""A source is late when it has been silent for so many times its usual pause."""
_ENDED_DAYS = 366
"""What has been silent for longer is an archive that has ended, and not late."""


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """One feed and what its last answer said."""

    url: str
    collection: str | None = None
    every_seconds: float = 900.0
    state: Literal["active", "gone"] = "active"
    """`gone`: its server says that it is there no more; it is not asked again."""
    due: float = 0.0
    """Seconds since 1970 UTC before which it is not asked."""
    failures: int = 0
    """One after another."""
    trouble: str = ""
    """What went wrong the last time; empty when nothing did."""
    etag: str = ""
    last_modified: str = ""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """When a source was last heard, and when it last had something new."""

    name: str
    """Address of a feed or path of a folder."""
    kind: Literal["feed", "folder"]
    asked: float
    brought: float | None


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of all of them."""

    heard: Sequence[Source] = ()
    """Those that were ever asked with success."""
    feeds: Sequence[Feed] = ()


class LateSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source that has been silent for more than twice as long as it uses to be, told by its latest articles."""

    source: str
    """Empty: of articles that name none."""
    latest: str
    """Day of its newest article, ISO 8601."""
    usual_days: int
    """Nine in ten of its pauses between two days of publication are not longer."""


class Ledger:
    """The open file; several processes may have it open at once."""

    def __init__(self, db: apsw.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    @classmethod
    def open(cls, folder: Path) -> Ledger:
        """Open the file in `folder`, making what is missing. Raises SourceError."""
        path = folder / FILE
        with _told(path):
            folder.mkdir(parents=True, exist_ok=True)
            db = apsw.Connection(str(path))
            db.set_busy_timeout(10_000)
            known = db.pragma("application_id"), db.pragma("user_version")
            if known != (_APPLICATION_ID, _VERSION):
                if db.execute("SELECT count(*) FROM sqlite_schema").get:
                    db.close()
                    raise SourceError(f"{path} is not a file of this program, or of another version; move it away")
                db.pragma("journal_mode", "WAL")
                with db:
                    db.execute(_TABLES)
            db.pragma("synchronous", "FULL")
        return cls(db, path)

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Be the one process that asks the feeds. Raises SourceError where there is another."""
        with self._path.with_suffix(".lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise SourceError(f"another process asks the feeds of {self._path.parent} already") from None
            yield

    def feeds(self) -> Sequence[Feed]:
        """All of them, by address."""
        rows: list[Any] = self._all("SELECT feed FROM feeds ORDER BY url")
        return [msgspec.json.decode(document, type=Feed) for (document,) in rows]

    def add(self, feed: Feed) -> bool:
        """Take a feed in, unless it is there; say whether it was new."""
        with _told(self._path):
            written = msgspec.json.encode(feed).decode()
            self._db.execute("INSERT OR IGNORE INTO feeds VALUES (?, ?)", (feed.url, written))
        return self._db.changes() > 0

    def save(self, feed: Feed, *, before: str) -> None:
        """Note what became of a feed that had the address `before`; one removed meanwhile stays removed."""
        with _told(self._path), self._db:
            self._db.execute("DELETE FROM feeds WHERE url = ?", (before,))
            if not self._db.changes():
                self._forget(before)
                return
            self._db.execute(
                "INSERT OR REPLACE INTO feeds VALUES (?, ?)", (feed.url, msgspec.json.encode(feed).decode())
            )
            if feed.url != before:
                self._db.execute("UPDATE OR REPLACE entries SET feed = ? WHERE feed = ?", (feed.url, before))
                self._db.execute("UPDATE OR REPLACE sources SET name = ? WHERE name = ?", (feed.url, before))

    def remove(self, url: str) -> bool:
        """Forget a feed; its articles stay. Say whether it was there."""
        with _told(self._path), self._db:
            self._forget(url)
            self._db.execute("DELETE FROM feeds WHERE url = ?", (url,))
        return self._db.changes() > 0

    def _forget(self, url: str) -> None:
        """Drop what is known of a feed beside itself."""
        self._db.execute("DELETE FROM entries WHERE feed = ?", (url,))
        self._db.execute("DELETE FROM sources WHERE name = ?", (url,))

    def tries(self, feed: str) -> Mapping[str, tuple[str, int]]:
        """Of each entry of a feed, the digest of what was met last, and how often its page failed; 0: done with."""
        rows: list[Any] = self._all("SELECT entry, digest, tries FROM entries WHERE feed = ?", feed)
        return {entry: (digest, tries) for entry, digest, tries in rows}

    def note(self, feed: str, entries: Mapping[str, tuple[str, int]]) -> None:
        """Note entries whose articles are stored now."""
        with _told(self._path), self._db:
            rows = [(feed, entry, digest, tries) for entry, (digest, tries) in entries.items()]
            self._db.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", rows)

    def keep(self, feed: str, entries: Collection[str]) -> None:
        """Forget the entries that a feed no longer lists."""
        with _told(self._path), self._db:
            gone = [(feed, entry) for entry in self.tries(feed).keys() - set(entries)]
            self._db.executemany("DELETE FROM entries WHERE feed = ? AND entry = ?", gone)

    def heard(self, name: str, *, kind: Literal["feed", "folder"], at: float, brought: bool) -> None:
        """Note that a source was asked, and whether it had anything new."""
        with _told(self._path):
            self._db.execute(
                "INSERT INTO sources VALUES (?1, ?2, ?3, CASE WHEN ?4 THEN ?3 END) ON CONFLICT (name) DO UPDATE"
                " SET asked = ?3, brought = CASE WHEN ?4 THEN ?3 ELSE brought END",
                (name, kind, at, brought),
            )

    def sources(self) -> Sequence[Source]:
        """All that were ever asked, by name."""
        rows: list[Any] = self._all("SELECT name, kind, asked, brought FROM sources ORDER BY name")
        return [Source(name=name, kind=kind, asked=asked, brought=brought) for name, kind, asked, brought in rows]

    def _all(self, statement: str, *values: str) -> list[Any]:
        with _told(self._path):
            return self._db.execute(statement, values).fetchall()


def known_sources(folder: Path) -> Sources:
    """What the file in a folder says of the sources; nothing where there is none. Raises SourceError."""
    if not (folder / FILE).exists():
        return Sources()
    ledger = Ledger.open(folder)
    try:
        return Sources(heard=ledger.sources(), feeds=ledger.feeds())
    finally:
        ledger.close()


def late_sources(tallies: Iterable[SourceTally], *, today: date) -> Sequence[LateSource]:
    """Sources that are late, the one with the most articles first; days after `today` do not count."""
    days = ((one.source, sorted(map(date.fromisoformat, (of_one.day for of_one in one.days)))) for one in tallies)
    found = (_late(source, [day for day in of_one if day <= today], today=today) for source, of_one in days)
    return [one for one in found if one is not None]


def _late(source: str, days: Sequence[date], *, today: date) -> LateSource | None:
    if len(days) < _FEWEST_DAYS:
        return None
    pauses = sorted((later - earlier).days for earlier, later in pairwise(days))
    usual = pauses[min(len(pauses) - 1, int(_USUAL * len(pauses)))]
    is_late = _PATIENCE * usual < (today - days[-1]).days <= _ENDED_DAYS
    return LateSource(source=source, latest=days[-1].isoformat(), usual_days=usual) if is_late else None


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into our own error, naming the file."""
    try:
        yield
    except (apsw.Error, OSError) as error:
        raise SourceError(f"{path} cannot be used: {error}") from error
