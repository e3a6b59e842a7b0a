"""What travels between the service and whoever runs it: `/api/admin` and `/api/jobs`."""

from __future__ import annotations

from typing import Literal

import msgspec

from qa.access.keys import Permission
from qa.conversations.asked import AskedQuestion, DayOfQuestions
from qa.conversations.feedback import Feedback, Review, Verdicts
from qa.server.storage import Writes
from qa.server.wire import KeptAnswer

__all__ = [
    "AdminAnswer",
    "CorpusBySource",
    "CorpusDay",
    "CorpusSource",
    "Job",
    "JobItem",
    "JobPage",
    "JobState",
    "JobSummary",
    "KeyInfo",
    "KeyList",
    "QuestionDays",
    "QuestionPage",
    "ReviewIn",
    "ReviewPage",
    "SourceState",
    "SourceStates",
]

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


class CorpusDay(msgspec.Struct, frozen=True, kw_only=True):
    """Articles of one day of publication."""

    day: str
    articles: int


class CorpusSource(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of one source."""

    source: str
    """Empty: of articles that name none."""
    articles: int
    kept_back: int
    """How many of them readers are not shown now: withheld, canceled, under embargo."""
    undated: int
    earliest: str | None
    """Day of its oldest dated article, ISO 8601, in UTC."""
    latest: str | None
    days: tuple[CorpusDay, ...]
    """The days asked for on which it has articles."""


class CorpusBySource(msgspec.Struct, frozen=True, kw_only=True):
    """The articles by source and day of publication."""

    articles: int
    kept_back: int
    days: tuple[str, ...]
    """The days asked for, the first one first, in UTC."""
    sources: tuple[CorpusSource, ...]
    """The source with the most articles first."""
    sources_omitted: int
    """How many more sources there are."""


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """How fresh a feed or watched folder is, and what is wrong with it."""

    name: str
    """Address of a feed, path of a watched folder."""
    kind: Literal["feed", "folder"]
    state: Literal["active", "gone"]
    """`gone`: its server says that it is there no more."""
    asked_at: str | None
    """When it was last asked with success, ISO 8601."""
    brought_at: str | None
    """When it last brought an article that was new or changed."""
    due_at: str | None
    """When it is asked next; null of a folder, and of a feed that is gone."""
    failures: int
    """One after another."""
    trouble: str
    """What went wrong the last time; empty when nothing did."""


class SourceStates(msgspec.Struct, frozen=True, kw_only=True):
    """Feeds and watched folders of this machine."""

    sources: tuple[SourceState, ...]
    writes: Writes
    """Whether articles can be added."""


class QuestionDays(msgspec.Struct, frozen=True, kw_only=True):
    """Questions by day."""

    days: tuple[DayOfQuestions, ...]
    """Every day of those asked for, the first one first."""


class QuestionPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of questions, the latest first."""

    questions: tuple[AskedQuestion, ...]
    next: int | None
    """Value of `before` for the following page; null on the last one."""


class AdminAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept of one answer; at least one of the fields is there."""

    kept: KeptAnswer | None
    """Null where the reader did not have it kept, or it has made room for newer ones."""
    feedback: Feedback | None
    review: Review | None


class ReviewIn(Verdicts, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /api/admin/answers/{answer_id}/review` takes."""


class ReviewPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of reviews, those begun last first."""

    reviews: tuple[Review, ...]
    next: int | None
    """Value of `before` for the following page; null on the last one."""


class KeyInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a key opens; nothing of the key itself."""

    name: str
    may: tuple[Permission, ...]
    collections: tuple[str, ...] | None
    """Where; null: in all collections, also those that come later."""


class KeyList(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of `QA_API_KEYS`."""

    open: bool
    """Whether there are none, so that whoever reaches the service may do everything."""
    keys: tuple[KeyInfo, ...]
