"""Why an answer is none, or was not generated: the closed lists of the wire format."""

from __future__ import annotations

from typing import Literal

__all__ = ["AbstainReason", "FallbackReason"]

AbstainReason = Literal[
    "empty_corpus",
    "no_match",
    "weak_match",
    "unread_language",
    "stale_only",
    "outside_corpus_dates",
    "source_withdrawn",
]
"""`unread_language`: the reader does not know the language of the question, and no sentence has enough of its words.
`source_withdrawn` comes in histories only: an article that the answer quoted was removed since."""
FallbackReason = Literal[
    "no_model",
    "model_unreachable",
    "model_unauthorised",
    "model_not_found",
    "model_rate_limited",
    "model_overloaded",
    "model_timed_out",
    "model_failed",
    "model_declined",
    "ungrounded",
]
"""Why an answer was not generated: no model is set up; the model failed, and how; it found no answer in the sources;
nothing it wrote was supported. In a generated answer: why it ends early, all of it being verified."""
