"""Every error that the online half raises on purpose; `qa.server.http.problems` maps each to an HTTP reply.

QAError
├── SettingsError     a QA_* variable has an unusable value
├── InvalidQuestion   the question, a filter or a date in it cannot be used
├── InvalidText       a text to be checked, or one to check it against, cannot be used
├── NotFound          no such article, version, answer or conversation
├── HistoryUnavailable the file of conversations and feedback cannot be used
└── GeneratorFailed   the language model gave no usable draft; the answer is made without it

Beside it, the closed lists of reasons why an answer is none, or was not generated.
"""

from typing import Literal

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


class QAError(Exception):
    """Root of the tree; `str(error)` says what happened and what to do."""


class SettingsError(QAError):
    """A setting has a value that cannot be used."""


class InvalidQuestion(QAError):
    """The question, a filter or a date in it cannot be used."""


class InvalidText(QAError):
    """A text to be checked, or one to check it against, is empty, too long, or has too many sentences."""


class NotFound(QAError):
    """What was asked for does not exist (or no longer does)."""


class HistoryUnavailable(QAError):
    """The file of conversations and feedback cannot be opened, read or written."""


class GeneratorFailed(QAError):
    """The language model gave no usable draft: unreachable, refused, too slow, or garbage."""

    def __init__(
        self, detail: str, *, reason: FallbackReason, server_fault: bool = True, retry_after: float | None = None
    ) -> None:
        """`detail` is for the operator's log; `reason` goes into the answer.

        `server_fault`: whether it says that the server is in trouble, and not that this request or the settings are at
        fault; `retry_after`: seconds for which the server asked to be left alone.
        """
        super().__init__(detail)
        self.reason = reason
        self.server_fault = server_fault
        self.retry_after = retry_after
