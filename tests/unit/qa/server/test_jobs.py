"""An ingest as a job: what it says while it is at work, and how it says that it ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from qa.server.errors import FieldError, NothingUsable, NotReady, ShuttingDown
from qa.server.jobs import Job, Jobs
from qa.server.records import Records
from qa.server.wire import AddedArticle
from qa.settings import Settings

FAULT = FieldError(item=2, detail="no text")


def added(item: int) -> AddedArticle:
    return AddedArticle(item=item, id=f"a{item}", version="v", title="", outcome="added", ignored_fields=())


@asynccontextmanager
async def opened(folder: Path, *, closed: bool = False) -> AsyncIterator[Jobs]:
    """Jobs over a file of their own; `closed`: over one that cannot be used."""
    records = Records(Settings(data_dir=folder), read=_nothing)
    if not closed:
        await records.open()
    try:
        yield Jobs(records)
    finally:
        await records.close()


def _nothing(_: Any) -> Coroutine[Any, Any, Any]:
    raise AssertionError("no article is read")


def test_a_job_at_work_says_how_far_it_has_come(tmp_path: Path) -> None:
    async def told() -> tuple[Job, Job, Job]:
        async with opened(tmp_path) as jobs:
            async with jobs.one(by="desk") as job:
                before = await jobs.job(job.id, of=None)
                job.found(3, [FAULT])
                job.stored([added(1)], [])
                during = await jobs.job(job.id, of="desk")
                (listed,) = (await jobs.page(state="running", of=None, before=None, limit=5)).jobs
                assert (listed.done, listed.items) == (2, 3)
            assert (await jobs.page(state="running", of=None, before=None, limit=5)).jobs == ()
            return before, during, await jobs.job(job.id, of=None)

    before, during, after = asyncio.run(told())
    assert (before.state, before.items, before.done, before.results) == ("running", None, 0, ())
    assert (during.state, during.outcomes, during.ended_at) == ("running", {"rejected": 1, "added": 1}, None)
    assert [(one.item, one.outcome) for one in during.results] == [(1, "added"), (2, "rejected")]
    assert (after.state, after.results) == ("done", during.results)


@pytest.mark.parametrize(
    ("error", "state", "detail"),
    [
        (ShuttingDown("stopping"), "interrupted", "Send the rest again"),
        (asyncio.CancelledError(), "interrupted", "Send the rest again"),
        (RuntimeError("the disk went"), "failed", "the disk went"),
        (NothingUsable("none could be taken", errors=(FAULT,)), "failed", "none could be taken"),
    ],
)
def test_how_an_ingest_ends_is_how_its_job_ends(tmp_path: Path, error: BaseException, state: str, detail: str) -> None:
    async def ended() -> Job:
        async with opened(tmp_path) as jobs:
            with pytest.raises(type(error)):
                async with jobs.one(by="desk"):
                    raise error
            (found,) = (await jobs.page(state=None, of=None, before=None, limit=5)).jobs
            return await jobs.job(found.id, of=None)

    job = asyncio.run(ended())
    assert job.state == state
    assert detail in job.detail
    assert [one.detail for one in job.results] == (["no text"] if isinstance(error, NothingUsable) else [])


def test_what_was_rejected_is_left_out_last(tmp_path: Path) -> None:
    async def large() -> Job:
        async with opened(tmp_path) as jobs:
            async with jobs.one(by="desk") as job:
                job.found(900, [])
                job.stored([added(item) for item in range(1, 800)], [])
                job.stored([], [FieldError(item=item, detail="") for item in range(800, 901)])
            return await jobs.job(job.id, of=None)

    job = asyncio.run(large())
    assert (job.done, len(job.results), job.results_omitted) == (900, 500, 400)
    assert sum(one.outcome == "rejected" for one in job.results) == 101


def test_an_ingest_goes_on_where_its_job_cannot_be_noted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def unnoted() -> None:
        async with opened(tmp_path, closed=True) as jobs:
            async with jobs.one(by="desk") as job:
                assert (await jobs.job(job.id, of=None)).state == "running"
            with pytest.raises(NotReady):
                await jobs.page(state=None, of=None, before=None, limit=5)

    with caplog.at_level(logging.WARNING):
        asyncio.run(unnoted())
    assert caplog.text.count("a job could not be noted") == 2


def test_a_stop_before_it_is_up_is_nothing_to_warn_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def stop() -> None:
        async with opened(tmp_path) as jobs:
            jobs._records._worker.stop(wait_seconds=5)
            await jobs.open()

    asyncio.run(stop())
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
