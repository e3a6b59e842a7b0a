"""How much of a draft is taken: takes pieces of text, gives what still counts, and says when to stop reading."""

from __future__ import annotations

from typing import Literal

__all__ = ["DraftLimit", "repeats"]

_CHARACTERS_PER_TOKEN = 8
"""More than any tokenizer gives for prose: a server that was told `max_tokens` and sends more than this ignores it."""
_STEP = 40
"""Looking for a loop after each so many characters keeps the cost far below that of receiving them."""
_TIMES = 4
_MIN_LOOP = 120
"""A loop is the same words, four times in a row or more, over at least so many characters."""
_MAX_PERIOD = 400


class DraftLimit:
    """What one draft may still bring."""

    def __init__(self, *, max_tokens: int) -> None:
        self._left = max_tokens * _CHARACTERS_PER_TOKEN
        self._tail = ""
        self._unseen = 0
        self.reached: Literal["", "length", "loop"] = ""
        """Why nothing more is taken; empty while the draft may go on."""

    def take(self, text: str) -> str:
        """The part of a piece that still counts; after it `reached` may be set."""
        taken = text[: self._left]
        self._left -= len(taken)
        if len(taken) < len(text):
            self.reached = "length"
        self._tail = (self._tail + taken)[-_TIMES * _MAX_PERIOD :]
        self._unseen += len(taken)
        if self._unseen >= _STEP:
            self._unseen = 0
            if repeats(self._tail):
                self.reached = "loop"
        return taken


def repeats(text: str) -> bool:
    """Whether a text ends in a loop.

    >>> repeats("It rained in Velda. " + "The harbour is closed. " * 6)
    True
    >>> repeats("It rained in Velda. The harbour is closed. The harbour is closed. The road is open.")
    False
    """
    for period in range(1, min(_MAX_PERIOD, len(text) // _TIMES) + 1):
        span = text[-max(_TIMES * period, _MIN_LOOP) :]
        if len(span) >= _MIN_LOOP and span[period:] == span[:-period]:
            return True
    return False
