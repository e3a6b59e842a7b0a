"""`/api/jobs`: what became of the articles that were sent, request by request, also while they are being stored."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from qa.server.admin_wire import Job, JobPage, JobState
from qa.server.auth.callers import Caller
from qa.server.auth.permissions import FOLLOWING_JOBS
from qa.server.openapi import RECORDS, problems
from qa.server.service import Service

__all__ = ["get_job", "list_jobs"]


@get(
    "/jobs",
    operation_id="list_jobs",
    summary="List ingest jobs",
    response_description="Jobs, the latest first, without their results.",
    tags=["administration"],
    responses=problems(*RECORDS, "invalid-request"),
    opt=FOLLOWING_JOBS,
)
async def list_jobs(
    service: NamedDependency[Service],
    caller: NamedDependency[Caller],
    limit: Annotated[int, QueryParameter(ge=1, le=200, description="jobs per page")] = 50,
    before: Annotated[int | None, QueryParameter(ge=1, le=2**63 - 1, description="`next` of the page before")] = None,
    in_state: Annotated[JobState | None, QueryParameter(name="state", description="only those in this state")] = None,
) -> JobPage:
    """Every `POST /api/articles` is a job; the last 1,000 are kept. A key that may not administer sees its own."""
    return await service.jobs.page(state=in_state, of=_whose(caller), before=before, limit=limit)


@get(
    "/jobs/{job_id:str}",
    operation_id="get_job",
    summary="Read an ingest job",
    response_description="The job with what became of each article, as far as it has come.",
    tags=["administration"],
    responses=problems(*RECORDS, "not-found"),
    opt=FOLLOWING_JOBS,
)
async def get_job(job_id: FromPath[str], service: NamedDependency[Service], caller: NamedDependency[Caller]) -> Job:
    """Up to 500 results are kept of one job, those of rejected articles before the others."""
    return await service.jobs.job(job_id, of=_whose(caller))


def _whose(caller: Caller) -> str | None:
    """Whose jobs a caller may see; None: everybody's."""
    everything = caller.scope.allows(["admin"]) and caller.scope.collections is None
    return None if everything else caller.name
