"""The records of ingests over HTTP: progress and results, item by item.

A job is noted when it begins and when it ends, so that one cut off by the end of the process is known to be. Its notes
are no reason for an ingest to fail: where they cannot be written, the log says so. Several services may keep one book.
"""

import asyncio
import logging
import secrets
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal

import msgspec

from qa.conversations.database import ConversationDatabase
from qa.errors import HistoryUnavailable, NotFound
from qa.language.dates import stamp
from qa.server import monitoring
from qa.server.errors import FieldError, RequestError, ServerError, ShuttingDown
from qa.server.monitoring import Act
from qa.server.records import Records
from qa.server.wire import AddedArticle
from qa.settings import Settings

_KEPT = 1_000
"""Jobs that are kept; the oldest ones make room."""
_RESULTS = 500
"""Results that are kept of one job: first of what was rejected, then of the others."""

_LONGEST = timedelta(days=1)
"""No job is at work for so long, whichever service has it."""

_INTERRUPTED = (
    "the service stopped; what is listed here is stored. Send the rest again: what is there already costs nothing"
)

_log = logging.getLogger(__name__)
JobState = Literal["running", "done", "failed", "interrupted"]
"""`done`: through, whatever was rejected; `failed`: broken off, and `detail` says why; `interrupted`: the service
stopped."""


class JobItem(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one article of a job."""

    outcome: Literal["added", "updated", "unchanged", "duplicate", "rejected"]
    item: int | None = None
    """Which article of the request, counted from 1; in NDJSON the line number."""
    article_id: str | None = None
    """Null of one that was rejected."""
    name: str | None = None
    """Its title; of one that was rejected also its link, id or file, as far as it says one."""
    detail: str = ""
    """Why it was rejected; else what of it could not be read, or was not sure."""


class JobSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One ingest over HTTP, without its results."""

    id: str
    by: str
    """Name of the key that sent it; empty where the service has none."""
    state: JobState
    begun_at: str
    ended_at: str | None
    """Null while it is at work, and of one that the end of its process interrupted."""
    items: int | None
    """How many articles the request holds; null until that is known."""
    done: int
    """How many of them are through."""
    outcomes: dict[str, int]
    """How many were `added`, `updated`, `unchanged`, `duplicate`, `rejected`."""
    detail: str


class Job(JobSummary, frozen=True, kw_only=True):
    """One ingest with its results, as far as it has come."""

    results: tuple[JobItem, ...]
    results_omitted: int
    """Results that are not listed; those of rejected articles are left out last."""


class JobPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of jobs, the latest first."""

    jobs: tuple[JobSummary, ...]
    next: int | None
    """Value of `before` for the following page; null on the last one."""


class Running:
    """A job at work. Used from the event loop only."""

    def __init__(self, *, by: str) -> None:
        self.id = f"job_{secrets.token_hex(8)}"
        self._by = by
        self._begun_at = _now()
        self._items: int | None = None
        self._outcomes: Counter[str] = Counter()
        self._refused: list[JobItem] = []
        self._others: list[JobItem] = []

    @property
    def begun(self) -> bool:
        """Whether it is known what it holds."""
        return self._items is not None

    def found(self, items: int, faults: Sequence[FieldError]) -> None:
        """Note how many items there are, and which of them could not be read."""
        self._items = items
        self.stored((), faults)

    def stored(self, articles: Sequence[AddedArticle], faults: Sequence[FieldError]) -> None:
        """Note what became of some of them; the articles are on disk."""
        for article in articles:
            notes = "; ".join(article.notes)
            title = article.title or None
            self._others.append(
                JobItem(item=article.item, outcome=article.outcome, article_id=article.id, name=title, detail=notes)
            )
        self._refused += [
            JobItem(item=one.item, outcome="rejected", name=one.name, detail=one.detail) for one in faults
        ]
        self._outcomes.update([*(article.outcome for article in articles), *("rejected" for _ in faults)])

    def as_job(self, state: JobState = "running", *, detail: str = "") -> Job:
        """The job as it is now."""
        results = [*self._refused, *self._others]
        return Job(
            id=self.id,
            by=self._by,
            state=state,
            begun_at=self._begun_at,
            ended_at=None if state == "running" else _now(),
            items=self._items,
            # An item that speaks for copies has several results.
            done=min(self._outcomes.total(), self._items or self._outcomes.total()),
            outcomes=dict(self._outcomes),
            detail=detail,
            results=tuple(sorted(results[:_RESULTS], key=lambda one: one.item or 0)),
            results_omitted=max(0, len(results) - _RESULTS),
        )


class Jobs:
    """The jobs of one service, and what others on the same database noted of theirs."""

    def __init__(self, records: Records, *, service: str = "") -> None:
        """`service` tells the jobs of this one from those of others: see `own_mark`."""
        self._records = records
        self._service = service
        self._running: dict[str, Running] = {}

    async def open(self) -> None:
        """Note of what a former process of this service left at work, or any one long ago, that it was interrupted."""
        await self._note(partial(_interrupt, service=self._service))

    @asynccontextmanager
    async def one(self, *, by: str) -> AsyncIterator[Running]:
        """Put around an ingest; how that ends is how the job ends."""
        job = Running(by=by)
        self._running[job.id] = job
        await self._save(job.as_job())
        ended = job.as_job("interrupted", detail=_INTERRUPTED)
        try:
            yield job
            ended = job.as_job("done")
        except (ShuttingDown, asyncio.CancelledError):
            ended = job.as_job("interrupted", detail=_INTERRUPTED)
            raise
        except Exception as error:
            if isinstance(error, RequestError) and not job.begun:
                job.stored((), error.errors)
            ended = job.as_job("failed", detail=str(error) or type(error).__name__)
            raise
        finally:
            monitoring.note(Act(act="articles_added", by=by, job_id=job.id, outcomes=ended.outcomes))
            await self._save(ended)
            del self._running[job.id]

    async def page(self, *, state: JobState | None, of: str | None, before: int | None, limit: int) -> JobPage:
        """Jobs without their results, the latest first; with `of`, those it sent.

        Raises HistoryUnavailable, Overloaded.
        """
        rows, following = await self._records.run(partial(_page, state=state, of=of, before=before, limit=limit))
        jobs = [running.as_job() if (running := self._running.get(job.id)) else job for job in rows]
        return JobPage(jobs=tuple(map(_summary, jobs)), next=following)

    async def job(self, job_id: str, *, of: str | None) -> Job:
        """One job with its results so far; with `of`, if that sent it.

        Raises NotFound, HistoryUnavailable, Overloaded.
        """
        running = self._running.get(job_id)
        job = running.as_job() if running else await self._records.run(partial(_job, job_id=job_id))
        if job is None or of not in {None, job.by}:
            raise NotFound(f"no job {job_id!r}; the last {_KEPT:,} are kept")
        return job

    async def _save(self, job: Job) -> None:
        await self._note(partial(_write, job=job, service=self._service))

    async def _note(self, write: Callable[[ConversationDatabase], None]) -> None:
        try:
            await self._records.run(write)
        except ShuttingDown:
            _log.debug("a job was not noted while the service stops; the next start notes it as interrupted")
        except (HistoryUnavailable, ServerError) as error:
            _log.warning("a job could not be noted: %s", error)


def own_mark(settings: Settings) -> str:
    """What a service is known by when it is started again, and no other one at the same time."""
    if not settings.store:
        return ""  # nobody else has the file
    return f"{socket.gethostname()}:{settings.port} {settings.data_dir.absolute()}"


def _write(database: ConversationDatabase, *, job: Job, service: str) -> None:
    with database.writing() as db:
        db.execute(
            "INSERT INTO ingests (id, sender, service, state, job) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET state = excluded.state, job = excluded.job",
            (job.id, job.by, service, job.state, msgspec.json.encode(job).decode()),
        )
        db.execute(
            "DELETE FROM ingests WHERE number <= (SELECT number FROM ingests ORDER BY number DESC LIMIT 1 OFFSET ?)",
            (_KEPT,),
        )


def _interrupt(database: ConversationDatabase, *, service: str) -> None:
    long_ago = stamp(datetime.now(UTC) - _LONGEST)
    with database.writing() as db:
        rows = db.execute("SELECT id, service, job FROM ingests WHERE state = 'running'").fetchall()
        for job_id, whose, document in rows:
            job = msgspec.json.decode(document, type=Job)
            if whose != service and job.begun_at > long_ago:
                continue
            ended = msgspec.structs.replace(job, state="interrupted", detail=_INTERRUPTED)
            db.execute(
                "UPDATE ingests SET state = ?, job = ? WHERE id = ?",
                (ended.state, msgspec.json.encode(ended).decode(), job_id),
            )


def _page(
    database: ConversationDatabase, *, state: JobState | None, of: str | None, before: int | None, limit: int
) -> tuple[Sequence[Job], int | None]:
    wanted = {"state = ?": state, "sender = ?": of, "number < ?": before}
    asked = {condition: value for condition, value in wanted.items() if value is not None}
    where = f"WHERE {' AND '.join(asked)}" if asked else ""
    with database.reading() as db:
        rows = db.execute(
            f"SELECT number, job FROM ingests {where} ORDER BY number DESC LIMIT ?",  # noqa: S608 - constants are added
            (*asked.values(), limit + 1),
        ).fetchall()
    found = [msgspec.json.decode(document, type=Job) for _, document in rows[:limit]]
    return found, rows[limit - 1][0] if len(rows) > limit else None


def _job(database: ConversationDatabase, *, job_id: str) -> Job | None:
    with database.reading() as db:
        row = db.execute("SELECT job FROM ingests WHERE id = ?", (job_id,)).fetchone()
    return None if row is None else msgspec.json.decode(row[0], type=Job)


def _summary(job: Job) -> JobSummary:
    """Leave out the results."""
    return JobSummary(**{name: getattr(job, name) for name in JobSummary.__struct_fields__})


def _now() -> str:
    return stamp(datetime.now(UTC))
