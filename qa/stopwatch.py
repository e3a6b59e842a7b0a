"""Takes the moments at which steps end, gives the milliseconds each took."""

from __future__ import annotations

import time

__all__ = ["Stopwatch"]


class Stopwatch:
    """Milliseconds spent in each step, from its making on."""

    def __init__(self) -> None:
        self._begun = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, step: str) -> None:
        """End a step; the next one begins."""
        now = time.perf_counter()
        self._laps[step] = round((now - self._last) * 1000, 2)
        self._last = now

    def mark(self, moment: str) -> None:
        """Note once how long after the start something happened first."""
        self._laps.setdefault(moment, round((time.perf_counter() - self._begun) * 1000, 2))

    def read(self) -> dict[str, float]:
        """All steps so far and the total."""
        return {**self._laps, "total": round((time.perf_counter() - self._begun) * 1000, 2)}
