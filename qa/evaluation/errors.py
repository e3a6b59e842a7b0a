"""What evaluation refuses.

QAError
├── InvalidDataset   lines of a dataset, or a file to convert, cannot be used
├── InvalidThreshold a limit of a gate is not `metric=value` with a metric that exists
├── RunRefused       the folder holds another run, nothing matches the filter, or the target cannot do what was asked
├── TargetFailed     the service under evaluation gave no usable answer to one question
└── UnreadableRun    a run has no scores, or they are not of its predictions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.errors import QAError

if TYPE_CHECKING:
    from qa.evaluation.types import Failure

__all__ = ["InvalidDataset", "InvalidThreshold", "RunRefused", "TargetFailed", "UnreadableRun"]


class InvalidDataset(QAError):
    """The message names file and line, and says what to change."""


class InvalidThreshold(QAError):
    """The message says how a limit is written, or which metrics there are."""


class RunRefused(QAError):
    """The run does not begin; nothing was written."""


class TargetFailed(QAError):
    """One question failed; the run goes on."""

    def __init__(self, failure: Failure) -> None:
        """The failure is what the prediction records."""
        super().__init__(failure.message)
        self.failure = failure


class UnreadableRun(QAError):
    """The message names the file and what to do."""
