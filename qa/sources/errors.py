"""What can go wrong between a source and the store.

QAError
└── SourceError
    ├── FetchRefused    an address is not asked, or what it gives not taken
    └── NotDelivered    the articles could not be stored
"""

from __future__ import annotations

from qa.errors import QAError

__all__ = ["FetchRefused", "NotDelivered", "SourceError"]


class SourceError(QAError):
    """A feed, a page or a delivery failed; the others go on."""


class FetchRefused(SourceError):
    """Nothing was taken from an address."""

    def __init__(self, detail: str, *, lasting: bool = True, retry_after: float | None = None) -> None:
        """`lasting`: whether asking again is useless; `retry_after`: seconds for which the server asks for quiet."""
        super().__init__(detail)
        self.lasting = lasting
        self.retry_after = retry_after


class NotDelivered(SourceError):
    """Store or service did not take articles; the same again later loses and doubles nothing."""
