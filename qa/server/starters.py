"""Starter questions of a page, and questions that follow on: made from articles, tried, and kept."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import msgspec

from embeddings.corpus import Corpus
from embeddings.types import Article, CorpusCounts, Overview, SourceTally, Where
from qa.access.keys import Collections
from qa.conversations.related_questions import answers_related, follow_ons, related_questions
from qa.conversations.starters import Candidate, answers_well, candidates, is_plain, latest_on
from qa.language.dates import is_after
from qa.question.understanding import where_of
from qa.types import Answer, Citation, Filters, Question

_OFFERED = 6
_ENOUGH = 4
"""With fewer from as many articles, one article may give several."""
_PLAIN_ONES = 2
"""Of plain questions, where others fill up."""
_TRIED = 30
"""Bounds the work: each takes as long as an answer."""
_FORMS = "3"
"""Names how questions are made: those kept that were made otherwise are made anew."""
_READ = 400
"""Articles looked through, the latest ones."""
_RHYTHM = timedelta(days=366)
"""So far back it is looked how often a source publishes."""
_FOLLOWING = 5
"""Questions about named articles: whoever asks for them may have asked one or two already."""
_FOLLOWING_TRIED = 8
_NEARBY = 3
"""Questions offered near one that nothing answered: as many as are shown."""
_NEARBY_TRIED = 10
_KEPT_SECONDS = 600.0
"""Other articles may have taken the place of as many: looked at anew after this time in any case."""
_MOST = 64
"""Reaches for which something is kept; the one that nobody has asked for longest goes."""
_PATIENCE_SECONDS = 1.0
"""A reader waits no longer for questions that are still being tried; they go on being tried."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What questions are made of, and what they are tried under: as a reader's own will be."""

    within: Collections
    collection: str | None = None
    filters: Filters = Filters()
    about: tuple[str, ...] = ()
    """Ids of the articles that the questions are to be about, the most important first; empty: of any."""
    like: str = ""
    """A question that nothing answered: those offered stand near it. Empty: none was asked."""

    def where(self) -> Where | None:
        """The articles they come from; None where the filters leave none of those named. Raises InvalidQuestion."""
        where = where_of(self.filters, self.collection)
        if not self.about:
            return where
        named = tuple(one for one in self.about if not where.article_ids or one in where.article_ids)
        return msgspec.structs.replace(where, article_ids=named) if named else None

    @property
    def is_named(self) -> bool:
        """Whether somebody has some articles before their eyes."""
        return bool(self.about or self.filters.article_ids)

    @property
    def is_usual(self) -> bool:
        """Whether a page begins with it whose readers have chosen nothing yet."""
        return not self.about and self.filters == Filters()


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A question that was answered, and the place of the words that answered it."""

    question: str
    article_id: str
    article_version: str
    start: int
    """Code points of the article's text, half open."""
    end: int


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What was made once."""

    of: str
    """Names the state of the articles, and what read them: where it is another one, they are to be made anew."""
    questions: tuple[Tried, ...]


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A question that was tried."""

    tried: Tried
    quote: str
    """The words that answer it."""


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """What articles there are."""

    overview: Overview
    tallies: tuple[SourceTally, ...] = ()
    """By source, with the days of the year before the newest one."""


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """What a page can begin with now."""

    questions: tuple[Offered, ...]
    glance: Glance
    complete: bool
    """Whether no further questions will come while the articles stay as they are."""


class Shelf(Protocol):
    """Where questions outlast the service; where it cannot be used, nothing is kept and nothing is said."""

    async def kept(self, reach: Reach, /) -> Made | None:
        """What was made for a reach that is usual."""

    async def keep(self, reach: Reach, made: Made, /) -> None:
        """Keep it in the place of what was made before."""


class _Making(msgspec.Struct, kw_only=True):
    counts: CorpusCounts
    until: float
    glance: Glance
    questions: list[Offered]
    earlier: list[Offered]
    """Made of the articles as they were before, and still in them: shown until there are better ones."""
    task: asyncio.Task[None]


class StarterQuestions:
    """The questions of one service, for each reach that somebody asks from; made when somebody first asks for them,
    once however many ask."""

    def __init__(
        self,
        *,
        ask: Callable[[Question, Collections], Awaitable[Answer]],
        shelf: Shelf | None = None,
        made_by: Callable[[], str] = str,
    ) -> None:
        """`ask` answers within collections, and without hurry: whoever waits for an answer goes before. `made_by`
        names what answers: what another one made is not kept."""
        self._ask = ask
        self._shelf = shelf
        self._made_by = made_by
        self._entering = asyncio.Lock()
        self._made: dict[Reach, _Making] = {}

    async def now(self, counts: CorpusCounts, read: Callable[[], Awaitable[Glance]], *, reach: Reach) -> Beginning:
        """What there is for the articles as they are (`counts`); `read` gives what there is at a glance.

        While questions are tried that nobody has kept, those of before are given as far as their words still stand.
        Whoever waits while the articles change gets no questions, and is told to ask again. Raises what `read` raises,
        and what the trying of questions raised.
        """
        async with self._entering:
            made = self._made.pop(reach, None)
            if made is not None:
                self._made[reach] = made  # the last one asked for is the last one to go
            if made is None or made.counts != counts or time.monotonic() > made.until:
                # There are as many follow-ons as answers: they are not to crowd out what everybody begins with.
                alike = [one for one in self._made if bool(one.about) == bool(reach.about)]
                await self._end([reach, *alike[: max(0, len(alike) - _MOST)]])
                made = self._made[reach] = self._begun(counts, await read(), reach)
        await asyncio.wait({made.task}, timeout=_PATIENCE_SECONDS)
        if made.task.cancelled():
            return Beginning(questions=(), glance=made.glance, complete=False)
        done = made.task.done()
        if done and made.task.exception():
            if self._made.get(reach) is made:
                del self._made[reach]
            made.task.result()
        shown = made.questions if done or len(made.questions) >= len(made.earlier) else made.earlier
        return Beginning(questions=tuple(shown), glance=made.glance, complete=done)

    async def forget(self, changed: Collection[str]) -> None:
        """Make anew what was made of these collections."""
        if changed:
            touched = [one for one in self._made if one.within is None or not set(one.within).isdisjoint(changed)]
            await self._end(touched)

    async def close(self) -> None:
        """Try no more questions."""
        await self._end(list(self._made))

    async def _end(self, which: Sequence[Reach]) -> None:
        ended = [made.task for one in which if (made := self._made.pop(one, None)) is not None]
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)

    def _begun(self, counts: CorpusCounts, glance: Glance, reach: Reach) -> _Making:
        questions: list[Offered] = []
        earlier: list[Offered] = []
        task = asyncio.create_task(self._fill(counts, glance.overview, questions, earlier, reach))
        until = time.monotonic() + _KEPT_SECONDS
        return _Making(counts=counts, until=until, glance=glance, questions=questions, earlier=earlier, task=task)

    async def _fill(
        self, counts: CorpusCounts, overview: Overview, good: list[Offered], earlier: list[Offered], reach: Reach
    ) -> None:
        """Take what is kept for these very articles; else make it, and keep it."""
        shelf = self._shelf if reach.is_usual else None
        if shelf is None:
            await self._make(overview.newest, good, reach)
            return
        state = await asyncio.to_thread(_state, counts, overview, self._made_by())
        if made := await shelf.kept(reach):
            found = _still_there(made.questions, overview.newest)
            if made.of == state and len(found) == len(made.questions):
                good += found
                return
            earlier += found
        await self._make(overview.newest, good, reach)
        await shelf.keep(reach, Made(of=state, questions=tuple(one.tried for one in good)))

    async def _make(self, articles: Sequence[Article], good: list[Offered], reach: Reach) -> None:
        """Fill `good`, so that those found can be shown while others are tried."""
        if reach.like:
            await self._make_nearby(articles, good, reach)
            return
        used: set[str] = set()
        plain, spare = 0, list[Candidate]()
        for candidate in await asyncio.to_thread(_candidates, articles, reach):
            if is_plain(candidate) and plain == _PLAIN_ONES and not reach.is_named:
                spare.append(candidate)
                continue
            # Of named articles one may give all, of others a few where there are few.
            enough = _FOLLOWING if reach.is_named else _ENOUGH if candidate.article_id in used else _OFFERED
            if len(good) < enough and await self._try(candidate, good, reach):
                used.add(candidate.article_id)
                plain += is_plain(candidate)
        if reach.about or len(good) >= _ENOUGH:
            return
        known = _out_by_now(articles)
        anywhere = [one.id for one in known]
        for candidate in (*(await asyncio.to_thread(latest_on, known))[:_TRIED], *spare):
            if len(good) < _ENOUGH:
                await self._try(candidate, good, reach, among=anywhere)

    async def _make_nearby(self, articles: Sequence[Article], good: list[Offered], reach: Reach) -> None:
        known = _in_order(articles, reach)
        turned = await asyncio.to_thread(follow_ons, known, limit=_TRIED)
        for kin in (await asyncio.to_thread(related_questions, reach.like, known, turned))[:_NEARBY_TRIED]:
            if len(good) < _NEARBY:
                answer = await self._ask(_asked(kin.made.question, reach), reach.within)
                if answers_related(kin, answer, among=reach.about):
                    _add(kin.made, answer, good)

    async def _try(self, candidate: Candidate, good: list[Offered], reach: Reach, *, among: Sequence[str] = ()) -> bool:
        """Add a question to `good` if it is answered, by words that no other one is answered by.

        They may stand in any of the articles `among` which it was made, by id."""
        answer = await self._ask(_asked(candidate.question, reach), reach.within)
        if not answers_well(candidate, answer, among=(*reach.about, *among)):
            return False
        return _add(candidate, answer, good)


def _add(candidate: Candidate, answer: Answer, good: list[Offered]) -> bool:
    """Whether nothing in `good` is answered by the same words; if so, it is in it now."""
    quote = answer.citations[0].cited_text
    if quote in [one.quote for one in good]:
        return False
    good.append(Offered(tried=_tried(candidate.question, answer.citations[0]), quote=quote))
    return True


def _tried(question: str, cited: Citation) -> Tried:
    return Tried(
        question=question,
        article_id=cited.article_id,
        article_version=cited.article_version,
        start=cited.start_char_index,
        end=cited.end_char_index,
    )


def _still_there(questions: Sequence[Tried], articles: Sequence[Article]) -> list[Offered]:
    """Those whose article still says the same, with the words that answer them."""
    texts = {(article.id, article.version): article.text for article in articles}
    return [
        Offered(tried=one, quote=texts[named][one.start : one.end])
        for one in questions
        if (named := (one.article_id, one.article_version)) in texts
    ]


def _state(counts: CorpusCounts, overview: Overview, made_by: str) -> str:
    """Names the articles as they are, the newest one by one and the others by their number, and what reads them."""
    newest = [(article.id, article.version) for article in _out_by_now(overview.newest)]
    return hashlib.sha256(msgspec.json.encode([_FORMS, made_by, counts, overview.articles, newest])).hexdigest()


def _candidates(articles: Sequence[Article], reach: Reach) -> Sequence[Candidate]:
    if not reach.is_named:
        return candidates(_out_by_now(articles), limit=_TRIED)
    return follow_ons(_in_order(articles, reach), limit=_FOLLOWING_TRIED)


def _in_order(articles: Sequence[Article], reach: Reach) -> Sequence[Article]:
    """Those that are out, as a reach names them."""
    order = {name: place for place, name in enumerate(reach.about)}
    return sorted(_out_by_now(articles), key=lambda one: order.get(one.id, 0))


def _out_by_now(articles: Sequence[Article]) -> Sequence[Article]:
    return [article for article in articles if not is_after(article.published_at, datetime.now(UTC))]


def _asked(question: str, reach: Reach) -> Question:
    return Question(question=question, mode="extractive", collection=reach.collection, filters=reach.filters)


def at_a_glance(corpus: Corpus, *, where: Where | None) -> Glance:
    """The overview with as many articles as are looked through for questions, and the days of each source."""
    if where is None:
        return Glance(overview=Overview(articles=0, sources=0, earliest=None, latest=None, newest=()))
    overview = corpus.overview(where, newest=_READ)
    if overview.latest is None:
        return Glance(overview=overview)
    since = max(date.fromisoformat(overview.latest), date.min + _RHYTHM) - _RHYTHM
    return Glance(overview=overview, tallies=tuple(corpus.tally(where, since=since.isoformat())))
