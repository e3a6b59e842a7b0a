"""The queue of ingests that `qa work` does for the services, in the articles' database.

A worker holds the row of its job locked until the job is done, and no other worker looks at it meanwhile. When a worker
is gone, for whatever reason, the server unlocks the row, and the next worker starts the job again: it finds what was
stored unchanged.
"""

import asyncio
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Literal

import msgspec

from embeddings.errors import StoreBusy, StoreError
from embeddings.ingest import IngestReport
from embeddings.postgres.database import Connection, LateDatabase
from embeddings.postgres.schema import Tables
from embeddings.types import Place, RawArticle, Rejected

_log = logging.getLogger(__name__)

_CONNECTIONS = 4
_WAITING_SECONDS = 600.0
"""Articles may wait so long for a worker before their sender is told to come again."""
_PAUSE_SECONDS = 0.5
"""Until somebody with nothing to do looks again."""
_MOST_BEGINNINGS = 5
"""A job that so many workers did not outlive is not given to another one."""

_TABLES = Tables(
    kind="job",
    migrations=(
        """
CREATE TABLE jobs (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,    -- a hash of the work: what is sent again while it waits is one job
    state text NOT NULL,                    -- waiting, done or failed; while a worker has it, its row is locked
    work bytea NOT NULL,                    -- Job as JSON; empty when it has ended
    reports bytea,                          -- a list of IngestReport as JSON
    problem text,                           -- why it failed
    changed timestamptz NOT NULL
);
CREATE INDEX jobs_waiting ON jobs (number) WHERE state = 'waiting';
CREATE TABLE beginnings (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job bigint NOT NULL                     -- jobs.number; not held to it, since that would wait for the lock
);
CREATE INDEX beginnings_by_job ON beginnings (job);
""",
    ),
)


class _Item(msgspec.Struct, frozen=True, omit_defaults=True):
    article: RawArticle | None = None
    rejected: Rejected | None = None


class QueuedIngest(msgspec.Struct, frozen=True):
    """Articles to store."""

    collection: str
    """Where articles go that name none."""
    contents: tuple[_Item, ...]
    within: tuple[str, ...] | None = None
    """Which collections whoever sent them may write to; None: all."""

    @property
    def items(self) -> list[RawArticle | Rejected]:
        """The articles, and what was none, in order."""
        return [item for one in self.contents if (item := one.article or one.rejected) is not None]


class Taken(msgspec.Struct):
    """A job in hand. What becomes of it is noted when it is given back."""

    job: QueuedIngest
    reports: tuple[IngestReport, ...] = ()
    problem: str = ""
    """Why it cannot be done, by anybody."""


class JobQueue:
    """The jobs of one store; any thread of any process may use it. Connects when it is first asked."""

    def __init__(self, place: Place) -> None:
        self._database = LateDatabase(msgspec.structs.replace(place, connections=_CONNECTIONS), tables=_TABLES)

    async def stored(
        self,
        items: Sequence[RawArticle | Rejected],
        *,
        collection: str,
        within: tuple[str, ...] | None,
        check: Callable[[], None],
    ) -> Sequence[IngestReport]:
        """Queue articles, and wait until a worker has stored them. Raises StoreBusy where none does in time.

        `check` is asked now and then whether to go on waiting, and raises where not.
        """
        name = await asyncio.to_thread(self.add, items, collection=collection, within=within)
        until = time.monotonic() + _WAITING_SECONDS
        while (reports := await asyncio.to_thread(self.reports, name)) is None:
            check()
            if time.monotonic() >= until:
                raise StoreBusy("the articles wait for a worker (`qa work`) still; send them again to hear of them")
            await asyncio.sleep(_PAUSE_SECONDS)
        return reports

    def add(
        self, items: Sequence[RawArticle | Rejected], *, collection: str, within: tuple[str, ...] | None = None
    ) -> str:
        """Queue articles; durable when this returns. Gives what the job is asked after by. Raises StoreError."""
        contents = tuple(_Item(article=one) if isinstance(one, RawArticle) else _Item(rejected=one) for one in items)
        work = msgspec.json.encode(QueuedIngest(collection, contents, within))
        name = hashlib.sha256(work).hexdigest()
        with self._database.writing() as db:
            if db.execute("SELECT 1 FROM jobs WHERE id = %s AND state = 'waiting'", (name,)).fetchone():
                return name  # asked first, since writing would wait for the worker that has it
            db.execute("DELETE FROM jobs WHERE state <> 'waiting' AND changed < now() - interval '1 day'")
            db.execute(
                "INSERT INTO jobs (id, state, work, changed) VALUES (%s, 'waiting', %s, now()) ON CONFLICT (id) DO"
                " UPDATE SET state = 'waiting', work = excluded.work, reports = NULL, problem = NULL, changed = now()"
                " WHERE jobs.state <> 'waiting'",
                (name, work),
            )
        return name

    def reports(self, name: str) -> tuple[IngestReport, ...] | None:
        """What came of a job; None while it waits or is under way. Raises StoreError where it failed, or is gone."""
        with self._database.reading() as db:
            row = db.execute("SELECT state, reports, problem FROM jobs WHERE id = %s", (name,)).fetchone()
        if row is None:
            raise StoreBusy("the articles wait for a worker no longer; send them again")
        state, reports, problem = row
        if state == "failed":
            raise StoreError(f"the articles were not stored: {problem}")
        return msgspec.json.decode(reports, type=tuple[IngestReport, ...]) if state == "done" else None

    @contextmanager
    def taken(self) -> Iterator[Taken | None]:
        """Give the job that waits longest and that nobody else has; None where there is none.

        It is done, or failed, when the block ends; where that raises, the job waits again.
        """
        with self._database.writing() as db:
            db.execute("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
            row = db.execute(
                "SELECT number, work FROM jobs WHERE state = 'waiting' ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED"
            ).fetchone()
            if row is None:
                yield None
                return
            number, taken = row[0], Taken(msgspec.json.decode(row[1], type=QueuedIngest))
            if self._beginnings(number) < _MOST_BEGINNINGS:
                with self._begun(number):
                    yield taken
            else:
                taken.problem = f"{_MOST_BEGINNINGS} workers ended in the midst of it"
                yield None
            _note(db, number, "failed" if taken.problem else "done", taken)

    def close(self) -> None:
        """Close the connections. Idempotent."""
        self._database.close()

    def _beginnings(self, number: int) -> int:
        with self._database.reading() as db:
            ((count,),) = db.execute("SELECT count(*) FROM beginnings WHERE job = %s", (number,)).fetchall()
        return int(count)

    @contextmanager
    def _begun(self, number: int) -> Iterator[None]:
        """Leave a trace for as long as the work takes: one that stays tells of a worker that did not outlive it."""
        with self._database.writing() as db:
            statement = "INSERT INTO beginnings (job) VALUES (%s) RETURNING number"
            ((trace,),) = db.execute(statement, (number,)).fetchall()
        orderly = False
        try:
            yield
            orderly = True
        except (StoreError, _Stopped):
            orderly = True
            raise
        finally:
            if orderly:
                with suppress(StoreError), self._database.writing() as db:
                    db.execute("DELETE FROM beginnings WHERE number = %s", (trace,))


def work(
    queue: JobQueue,
    *,
    store: Callable[[QueuedIngest], Iterator[IngestReport]],
    stop: threading.Event,
    once: bool = False,
) -> Iterator[QueuedIngest]:
    """Do job after job until `stop` is set (with `once`: until none waits), and give each that is done.

    `store` stores a job piece by piece; between two a stop ends it, and the job waits again. While the database is
    away, it is asked again and again.
    """
    while not stop.is_set():
        try:
            with queue.taken() as taken:
                if taken is not None:
                    _do(taken, store(taken.job), stop)
        except _Stopped:
            return
        except StoreError as error:
            if once:
                raise
            _log.warning("%s", error)
            stop.wait(_PAUSE_SECONDS)
            continue
        if taken is not None:
            yield taken.job
        elif once:
            return
        else:
            stop.wait(_PAUSE_SECONDS)


class _Stopped(Exception):
    """Somebody wants the worker to end: what it is at is put back."""


def _do(taken: Taken, pieces: Iterator[IngestReport], stop: threading.Event) -> None:
    reports: list[IngestReport] = []
    for report in pieces:
        reports.append(report)
        if stop.is_set():
            raise _Stopped
    taken.reports = tuple(reports)


def _note(db: Connection, number: int, state: Literal["done", "failed"], taken: Taken) -> None:
    db.execute(
        "UPDATE jobs SET state = %s, work = '', reports = %s, problem = %s, changed = now() WHERE number = %s",
        (state, msgspec.json.encode(taken.reports), taken.problem or None, number),
    )
    db.execute("DELETE FROM beginnings WHERE job = %s", (number,))  # sent again, it begins anew
