"""How many requests each client has under way at once: wanted seats in, taken or refused out.

Budgets bound what is asked in a minute; seats keep one client from holding the whole queue while others wait.
Used from the event loop only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

__all__ = ["ConcurrencyLimit"]


class ConcurrencyLimit:
    """The seats taken now, by client."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def take(self, limits: Mapping[str, int]) -> bool:
        """Take one seat of each client, or, where one has as many as its limit, of none."""
        if any(self._taken[client] >= limit for client, limit in limits.items()):
            return False
        self._taken.update(limits.keys())
        return True

    def free(self, clients: Iterable[str]) -> None:
        """Give seats back."""
        for client in clients:
            self._taken[client] -= 1
            if self._taken[client] <= 0:
                del self._taken[client]
