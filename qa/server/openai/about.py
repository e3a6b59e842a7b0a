"""What OpenAI's format has no field for: how the answer came about. Clients that do not know the field ignore it."""

from __future__ import annotations

import msgspec

from qa.types import AbstainReason, Answer, AnswerMode, FallbackReason

__all__ = ["About", "about"]


class About(msgspec.Struct, frozen=True, kw_only=True):
    """The native answer behind a reply, in short; `id` is what feedback is given on."""

    id: str
    answer_mode: AnswerMode
    fallback_reason: FallbackReason | None
    abstain_reason: AbstainReason | None
    resolved_query: str
    support_score: float
    note: str | None = None
    """What the caller should know: that another model than the one asked for answered."""


def about(answer: Answer | None, *, note: str | None = None) -> About | None:
    """The fields of an answer that travel along; nothing where nothing was looked up."""
    if answer is None:
        return None
    told = [name for name in About.__struct_fields__ if name != "note"]
    return About(**{name: getattr(answer, name) for name in told}, note=note)
