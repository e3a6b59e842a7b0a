"""The seam between a question with its passages and the words in them that answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from qa.reading.calibration import Calibration

__all__ = ["AnswerSpan", "PassageText", "Reader"]


class PassageText(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader is given of one passage."""

    text: str
    title: str = ""
    """Read as context before the text; the answer is never taken from it."""


class AnswerSpan(msgspec.Struct, frozen=True):
    """Words of a passage that may answer: `text[start:end]`."""

    start: int
    end: int
    logit: float
    """Log-odds that these words answer rather than nothing in the passage does; comparable across passages."""


class Reader(Protocol):
    """Finds answers in passages; blocking CPU work, deterministic, called from one thread at a time."""

    @property
    def identity(self) -> str:
        """Name and hash: equal identity means equal readings. A calibration belongs to one identity."""

    @property
    def calibration(self) -> Calibration:
        """What its log-odds are worth."""

    @property
    def languages(self) -> frozenset[str] | None:
        """The languages that it can read, as ISO 639-1 codes; None where it reads any, or nobody knows."""

    def read(self, question: str, passages: Sequence[PassageText]) -> list[tuple[AnswerSpan, ...]]:
        """The likeliest spans of each passage, best first, two dozen at most; they may overlap.

        An empty tuple where a passage has no words.
        """
