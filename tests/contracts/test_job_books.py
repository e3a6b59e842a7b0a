"""The books about ingests, in a file and on a server; those of several services on one database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from qa.language.dates import stamp
from qa.server import jobs as books
from qa.server.jobs import Jobs, own_mark
from qa.server.records import Records
from qa.server.wire import AddedArticle
from qa.settings import Settings

HARBOUR = AddedArticle(item=1, id="harbour", version="v", title="", outcome="added", ignored_fields=())


@pytest.fixture
def on_file(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def on_server(tmp_path: Path, postgres_server: Any) -> Settings:
    return Settings(data_dir=tmp_path, store=postgres_server.url(), store_schema=f"test_{uuid4().hex}")


@pytest.fixture(params=["on_file", "on_server"])
def settings(request: pytest.FixtureRequest) -> Settings:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[Jobs, Records]]:
    records = Records(settings, read=_nothing)
    await records.open()
    try:
        yield Jobs(records, service=own_mark(settings)), records
    finally:
        await records.close()


def _nothing(_: Any) -> Coroutine[Any, Any, Any]:
    raise AssertionError("no article is read")


async def listed(jobs: Jobs, *, state: Any = None, of: str | None = None) -> list[str]:
    return [one.by for one in (await jobs.page(state=state, of=of, before=None, limit=9)).jobs]


def test_jobs_are_listed_by_state_and_sender_page_by_page(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "_KEPT", 3)

    async def tried() -> None:
        async with opened(settings) as (jobs, _):
            for by in ("wire", "desk", "wire", "web"):
                async with jobs.one(by=by) as job:
                    job.found(1, [])
                    job.stored([HARBOUR], [])
            with pytest.raises(RuntimeError):
                async with jobs.one(by="wire"):
                    raise RuntimeError("the disk went")
            assert await listed(jobs) == ["wire", "web", "wire"], "the oldest made room"
            assert (await listed(jobs, state="done"), await listed(jobs, state="done", of="web")) == (
                ["web", "wire"],
                ["web"],
            )
            page = await jobs.page(state=None, of="wire", before=None, limit=1)
            (rest,) = (await jobs.page(state=None, of="wire", before=page.next, limit=1)).jobs
            assert (page.jobs[0].detail, rest.outcomes) == ("the disk went", {"added": 1})
            (result,) = (await jobs.job(rest.id, of="wire")).results
            assert result.article_id == "harbour"

    asyncio.run(tried())


def test_what_a_former_process_left_is_interrupted_and_not_what_others_are_at(on_server: Settings) -> None:
    """A service that is gone for good is not known to be: what it was at counts as interrupted after a day."""
    other_settings = msgspec.structs.replace(on_server, port=on_server.port + 1)

    async def tried() -> None:
        async with opened(on_server) as (former, records), opened(other_settings) as (other, _):
            async with former.one(by="former") as cut, other.one(by="other") as living:
                begun = await former.job(cut.id, of=None)
                old = msgspec.structs.replace(
                    begun, id="job_old", begun_at=stamp(datetime.now(UTC) - timedelta(days=2))
                )
                await records.run(lambda db: books._write(db, job=old, service="a host that is no more"))
                async with opened(on_server) as (again, _):
                    await again.open()
                    states = [(await again.job(name, of=None)).state for name in (cut.id, living.id, "job_old")]
            assert states == ["interrupted", "running", "interrupted"]
            assert (await other.job(living.id, of=None)).state == "done"

    asyncio.run(tried())
