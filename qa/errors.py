"""Every error the online half raises on purpose; `qa.server.http.problems` maps each to one HTTP answer.

QAError
├── SettingsError     a QA_* variable has an unusable value
├── InvalidQuestion   the question, a filter or a date in it cannot be used
├── InvalidText       a text to be checked, or one to check it against, cannot be used
├── NotFound          no such article, version, answer or conversation
├── HistoryUnavailable the file of conversations and feedback cannot be used
└── GeneratorFailed   the language model gave no usable draft; the answer is made without it
"""

from __future__ import annotations

from qa.reasons import FallbackReason

__all__ = [
    "GeneratorFailed",
    "HistoryUnavailable",
    "InvalidQuestion",
    "InvalidText",
    "NotFound",
    "QAError",
    "SettingsError",
]


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
