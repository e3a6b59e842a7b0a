"""Every error the online half raises on purpose; `qa.server.problems` maps each to one HTTP answer.

QAError
├── SettingsError     a QA_* variable has an unusable value
├── InvalidQuestion   the question, a filter or a date in it cannot be used
└── NotFound          no such article, version or answer
"""

from __future__ import annotations

__all__ = ["InvalidQuestion", "NotFound", "QAError", "SettingsError"]


class QAError(Exception):
    """Root of the tree; `str(error)` says what happened and what to do."""


class SettingsError(QAError):
    """A setting has a value that cannot be used."""


class InvalidQuestion(QAError):
    """The question, a filter or a date in it cannot be used."""


class NotFound(QAError):
    """What was asked for does not exist (or no longer does)."""
