"""The seam between a run and whatever answers its questions."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from qa.evaluation.types import CitedArticle, Example, ForeignAnswer, Target
from qa.types import Answer, SearchResult

__all__ = ["Asking", "Facts", "Reply", "Respondent"]


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """How every question of a run is put."""

    mode: Literal["auto", "generated", "extractive"] = "auto"
    use_asked_at: bool = True
    """False: every question is asked as of now, whatever its example says."""
    collection: str | None = None
    ranked: int = 10
    """Results asked of the search beside the answer; 0 leaves it out."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a manifest says of a respondent, as far as it can be known."""

    target: Target
    settings: dict[str, str] = {}
    encoder: dict[str, str] = {}
    prompts: dict[str, str] = {}
    corpus: dict[str, str] = {}


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: one of the two."""

    answer: Answer | None = None
    foreign: ForeignAnswer | None = None
    latency_ms: float


class Respondent(Protocol):
    """Answers questions; used from one event loop, several questions at a time."""

    async def facts(self) -> Facts:
        """What it is. Raises TargetFailed where it cannot be reached at all."""

    async def ask(self, example: Example) -> Reply:
        """Put a question, after the earlier ones of its conversation. Raises TargetFailed."""

    async def search(self, example: Example) -> tuple[SearchResult, ...] | None:
        """Rank passages; None where it cannot. Raises TargetFailed."""

    async def article(self, article_id: str, *, version: str) -> CitedArticle | None:
        """A cited article; None where it is not to be had. Raises TargetFailed."""

    async def close(self) -> None:
        """Release what it holds."""
