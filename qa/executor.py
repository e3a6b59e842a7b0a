"""How a coroutine hands over blocking work: the service to its encoding thread, a script to itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

__all__ = ["Run", "at_once"]

T = TypeVar("T")


class Run(Protocol):
    """Does a blocking job where such jobs are done, and waits for it."""

    async def __call__(self, job: Callable[[], T], /) -> T:
        """Raises what the job raises; cancelling forgets a job that was not begun."""


async def at_once(job: Callable[[], T], /) -> T:
    """Do the job here: for scripts, whose event loop has nothing else to do."""
    return job()
