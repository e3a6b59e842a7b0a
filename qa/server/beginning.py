"""Questions to begin with: made of the latest articles, tried, and kept until the articles change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from embeddings.corpus import Corpus
from embeddings.types import Article, CorpusCounts, Where
from qa.moments import stamp
from qa.starters import answers_well, candidates
from qa.types import Answer, Question

__all__ = ["Beginnings", "latest"]

_OFFERED = 4
_TRIED = 10
_READ = 200
"""Articles looked through, at most."""
_WINDOWS_DAYS = (7, 30, 180)
_ENOUGH = 60
_KEPT_SECONDS = 600.0
"""Other articles may have taken the place of as many: made anew after this time in any case."""


class Beginnings:
    """The questions of one service; made when somebody first asks for them, once however many ask."""

    def __init__(self, *, ask: Callable[[Question], Awaitable[Answer]]) -> None:
        """`ask` answers without hurry: whoever waits for an answer goes before."""
        self._ask = ask
        self._making = asyncio.Lock()
        self._made: tuple[CorpusCounts, float, tuple[str, ...]] | None = None

    async def questions(
        self, counts: CorpusCounts, read: Callable[[], Awaitable[Sequence[Article]]]
    ) -> tuple[str, ...]:
        """Questions that are surely answered from the articles as they are (`counts`); `read` gives the latest."""
        async with self._making:
            if self._made is None or self._made[0] != counts or time.monotonic() > self._made[1]:
                self._made = (counts, time.monotonic() + _KEPT_SECONDS, await self._make(await read()))
            return self._made[2]

    async def _make(self, articles: Sequence[Article]) -> tuple[str, ...]:
        good: list[str] = []
        for candidate in candidates(articles, limit=_TRIED):
            answer = await self._ask(Question(question=candidate.question, mode="extractive"))
            if answers_well(candidate, answer):
                good.append(candidate.question)
            if len(good) >= _OFFERED:
                break
        return tuple(good)


def latest(corpus: Corpus, *, now: datetime | None = None) -> Sequence[Article]:
    """Articles of the last days, or of the shortest longer time that holds enough; all of them, up to a limit, else."""
    until = now or datetime.now(UTC)
    for days in _WINDOWS_DAYS:
        window = Where(published_after=stamp(until - timedelta(days=days)), published_before=stamp(until))
        found = corpus.scan(where=window, after=None, limit=_READ)
        if len(found) >= _ENOUGH:
            return found
    return corpus.scan(where=Where(), after=None, limit=_READ)
