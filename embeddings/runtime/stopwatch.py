"""How many milliseconds each step took, told to whoever listens as it ends."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Heard", "Stopwatch"]

Heard = Callable[[str, float, float], None]
"""Is told of a step: its name, when it began and when it ended, by `time.perf_counter`. Called from any thread."""


class Stopwatch:
    """Milliseconds spent in each step, from its making on."""

    def __init__(self, heard: Heard | None = None) -> None:
        self._begun = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}
        self._heard = heard

    def lap(self, step: str) -> None:
        """End a step; the next one begins. What is done several times counts together.

        >>> clock = Stopwatch(lambda step, began, ended: print(step, ended >= began))
        >>> clock.lap("read")
        read True
        """
        began, now = self._last, time.perf_counter()
        self._laps[step] = round(self._laps.get(step, 0.0) + (now - began) * 1000, 2)
        self._last = now
        if self._heard is not None:
            self._heard(step, began, now)

    def mark(self, moment: str) -> None:
        """Note once how long after the start something happened first."""
        self._laps.setdefault(moment, round((time.perf_counter() - self._begun) * 1000, 2))

    def read(self) -> dict[str, float]:
        """All steps so far and the total."""
        return {**self._laps, "total": round((time.perf_counter() - self._begun) * 1000, 2)}
