"""Keeps starter questions over restarts, and makes them ahead: at the start, and after each write.

Of articles no words are kept but those of questions.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Protocol, TypeVar

import msgspec

from embeddings.errors import EmbeddingsError
from qa.access.keys import Collections
from qa.conversations.database import ConversationDatabase
from qa.errors import QAError
from qa.server.starters import Beginning, Made, Reach

T = TypeVar("T")

_log = logging.getLogger(__name__)

MOST = 64
"""So many sets of questions are kept; the one made longest ago makes room."""
_SETTLED_SECONDS = 2.0
"""Articles often come one after the other."""
_LOOK_SECONDS = 60.0
"""Other processes add articles, too."""
_AHEAD = 4
"""Reaches that are made ahead: each change of the articles costs as many seconds as thirty answers for each."""


class RunOnRecords(Protocol):
    """Runs a job on the database of what is kept."""

    def __call__(self, job: Callable[[ConversationDatabase], T], /) -> Awaitable[T]:
        """Give the job's result. Raises QAError where the database cannot be used now."""


class _Named(msgspec.Struct, frozen=True, kw_only=True):
    """A usual reach, as it is kept."""

    within: Collections
    collection: str | None


class KeptQuestions:
    """The shelf of a service (`starters.Shelf`); where the database cannot be used, nothing is kept."""

    def __init__(self, run: RunOnRecords) -> None:
        self._run = run

    async def kept(self, reach: Reach, /) -> Made | None:
        """See `Shelf.kept`."""
        with suppress(QAError):
            return await self._run(partial(kept, name=_name(reach)))
        return None

    async def keep(self, reach: Reach, made: Made, /) -> None:
        """See `Shelf.keep`."""
        try:
            await self._run(partial(keep, name=_name(reach), made=made))
        except QAError as error:
            _log.info("questions to begin with are not kept: %s", error)

    async def reaches(self) -> list[Reach]:
        """For whom something is kept, the latest first."""
        with suppress(QAError):
            named = [msgspec.json.decode(name, type=_Named) for name in await self._run(kept_names)]
            return [Reach(within=one.within, collection=one.collection) for one in named]
        return []


class StarterRefresher:
    """Sees to it that pages have something to begin with. Used from the event loop only."""

    def __init__(self, *, make: Callable[[Reach], Awaitable[Beginning]], shelf: KeptQuestions, is_open: bool) -> None:
        """`is_open`: whether readers need no key, so that it is known for whom to make them before anybody came."""
        self._make = make
        self._shelf = shelf
        self._first = [Reach(within=None)] if is_open else []
        self._written = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, on the running event loop."""
        self._task = asyncio.create_task(self._go())

    def written(self) -> None:
        """Let articles have changed."""
        self._written.set()

    async def stop(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _go(self) -> None:
        while True:
            await asyncio.sleep(_SETTLED_SECONDS)
            self._written.clear()
            for reach in dict.fromkeys([*self._first, *await self._shelf.reaches()][:_AHEAD]):
                try:
                    await self._make(reach)
                except (QAError, EmbeddingsError) as error:
                    _log.debug("nothing to begin with yet: %s", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._written.wait(), _LOOK_SECONDS)


def _name(reach: Reach) -> str:
    return msgspec.json.encode(_Named(within=reach.within, collection=reach.collection)).decode()


def keep(database: ConversationDatabase, *, name: str, made: Made) -> None:
    """Keep what was made in the place of what was kept under this name. Raises HistoryUnavailable."""
    with database.writing() as db:
        db.execute("DELETE FROM kept_starters WHERE name = ?", (name,))
        db.execute("INSERT INTO kept_starters (name, made) VALUES (?, ?)", (name, msgspec.json.encode(made).decode()))
        db.execute(
            "DELETE FROM kept_starters"
            " WHERE number NOT IN (SELECT number FROM kept_starters ORDER BY number DESC LIMIT ?)",
            (MOST,),
        )


def kept(database: ConversationDatabase, *, name: str) -> Made | None:
    """What is kept under a name; None also where it cannot be read any more. Raises HistoryUnavailable."""
    with database.reading() as db:
        row = db.execute("SELECT made FROM kept_starters WHERE name = ?", (name,)).fetchone()
    try:
        return msgspec.json.decode(row[0], type=Made) if row else None
    except msgspec.DecodeError:
        return None


def kept_names(database: ConversationDatabase) -> list[str]:
    """All names under which something is kept, the latest first. Raises HistoryUnavailable."""
    with database.reading() as db:
        return [name for (name,) in db.execute("SELECT name FROM kept_starters ORDER BY number DESC").fetchall()]
