"""What a page begins with: what the archive holds, and questions made of its latest articles, tried, and kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime

import msgspec

from embeddings.corpus import Corpus
from embeddings.types import Article, CorpusCounts, Overview, Where
from qa.access.keys import Collections
from qa.conversations.starters import answers_well, candidates
from qa.language.timestamps import is_after
from qa.types import Answer, Question

__all__ = ["Beginning", "StarterQuestions", "at_a_glance"]

_OFFERED = 6
_ENOUGH = 4
"""With fewer from as many articles, one article may give several."""
_TRIED = 30
"""Bounds the work: each takes as long as an answer."""
_READ = 400
"""Articles looked through, the latest ones."""
_KEPT_SECONDS = 600.0
"""Other articles may have taken the place of as many: made anew after this time in any case."""
_MOST = 64
"""Sets of collections for which something is kept."""
_PATIENCE_SECONDS = 1.0
"""A reader waits no longer for questions that are still being tried; they go on being tried."""


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """What a page can begin with now."""

    questions: tuple[str, ...]
    overview: Overview
    complete: bool
    """Whether no further questions will come while the articles stay as they are."""


class _Made(msgspec.Struct, kw_only=True):
    counts: CorpusCounts
    until: float
    overview: Overview
    questions: list[str]
    making: asyncio.Task[None]


class StarterQuestions:
    """The beginnings of one service, one for each set of collections that somebody may read; made when somebody first
    asks for it, once however many ask."""

    def __init__(self, *, ask: Callable[[Question, Collections], Awaitable[Answer]]) -> None:
        """`ask` answers within collections, and without hurry: whoever waits for an answer goes before."""
        self._ask = ask
        self._entering = asyncio.Lock()
        self._made: dict[Collections, _Made] = {}

    async def now(
        self, counts: CorpusCounts, read: Callable[[], Awaitable[Overview]], *, within: Collections
    ) -> Beginning:
        """What there is for the articles as they are (`counts`); `read` gives the overview with the latest of them.

        Whoever waits while the articles change gets no questions, and is told to ask again. Raises what `read` raises,
        and what the trying of questions raised.
        """
        async with self._entering:
            made = self._made.get(within)
            if made is None or made.counts != counts or time.monotonic() > made.until:
                await self._end([within, *list(self._made)[: max(0, len(self._made) - _MOST)]])
                made = self._made[within] = await self._begun(counts, await read(), within)
        await asyncio.wait({made.making}, timeout=_PATIENCE_SECONDS)
        if made.making.cancelled():
            return Beginning(questions=(), overview=made.overview, complete=False)
        done = made.making.done()
        if done and made.making.exception():
            if self._made.get(within) is made:
                del self._made[within]
            made.making.result()
        return Beginning(questions=tuple(made.questions), overview=made.overview, complete=done)

    async def forget(self, changed: Collection[str]) -> None:
        """Make anew what was made of these collections."""
        if changed:
            await self._end([one for one in self._made if one is None or not set(one).isdisjoint(changed)])

    async def close(self) -> None:
        """Try no more questions."""
        await self._end(list(self._made))

    async def _end(self, which: Sequence[Collections]) -> None:
        ended = [made.making for one in which if (made := self._made.pop(one, None)) is not None]
        for making in ended:
            making.cancel()
        await asyncio.gather(*ended, return_exceptions=True)

    async def _begun(self, counts: CorpusCounts, overview: Overview, within: Collections) -> _Made:
        questions: list[str] = []
        making = asyncio.create_task(self._make(overview.newest, questions, within))
        until = time.monotonic() + _KEPT_SECONDS
        return _Made(counts=counts, until=until, overview=overview, questions=questions, making=making)

    async def _make(self, articles: Sequence[Article], good: list[str], within: Collections) -> None:
        """Fill `good`, so that those found can be shown while others are tried."""
        known = [article for article in articles if not is_after(article.published_at, datetime.now(UTC))]
        used: set[str] = set()
        for candidate in await asyncio.to_thread(candidates, known, limit=_TRIED):
            if len(good) >= (_ENOUGH if candidate.article_id in used else _OFFERED):
                continue
            answer = await self._ask(Question(question=candidate.question, mode="extractive"), within)
            if answers_well(candidate, answer):
                good.append(candidate.question)
                used.add(candidate.article_id)


def at_a_glance(corpus: Corpus) -> Overview:
    """The overview with as many articles as are looked through for questions."""
    return corpus.overview(Where(), newest=_READ)
