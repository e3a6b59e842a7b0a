"""What the routes call: it takes questions, articles and ids, and never blocks the event loop.

Threads do the work, one for each kind: `encoding` runs the encoder and everything that needs its result (several where
there are more than two processors), `writing` cleans and stores articles, `reading` fetches articles. Each request
holds a permit from before its first work on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar

from embeddings.corpus import Corpus, meant, the_one
from embeddings.ingest import IngestReport, ingest
from embeddings.types import Article, CorpusCounts, RawArticle, Rejected, Vector, Where
from embeddings.usable_corpus import UsableCorpus
from qa import tracing
from qa.access import keys
from qa.access.keys import Collections
from qa.answers import fold, told_of
from qa.checking import CheckReport, TextToCheck
from qa.errors import NotFound
from qa.generators.guard import GuardedGenerator
from qa.server import monitoring, submissions
from qa.server.administration import Administration
from qa.server.errors import NotReady, ShuttingDown, require_reach
from qa.server.jobs import Jobs, own_mark
from qa.server.kept_starters import KeptQuestions, StarterRefresher
from qa.server.monitoring import Act, Metrics, Storage
from qa.server.parts import Checks, Narrowed, Parts, Rooms, questions_at_once
from qa.server.records import Records
from qa.server.starters import Beginning, Reach, StarterQuestions, at_a_glance
from qa.server.wire import AddReport
from qa.server.worker import BatchingEncoder, Forecast, Permits, Worker, in_time
from qa.settings import Settings
from qa.sources.fetching import SourceError
from qa.sources.ledger import Sources, known_sources
from qa.types import Answer, AnswerEvent, Event, Question, SearchAnswer, SearchQuestion, Turn

if TYPE_CHECKING:
    from qa.server.job_queue import JobQueue

T = TypeVar("T")

_log = logging.getLogger(__name__)

_WRITES_WAITING = 8
"""Each may hold a body of the full size in memory."""
_PROBE_SECONDS, _PROBE_GOOD_SECONDS, _STOP_SECONDS = 2.0, 1.0, 30.0


class Service:
    """The loaded parts behind the threads that may use them.

    `within` says of each call in which collections whoever asks may read or write; None: in all. Nothing of others
    enters what is given. Raises OutOfReach where the call itself names another one.
    """

    def __init__(self, settings: Settings, *, load: Callable[[Settings], Parts]) -> None:
        """`load` is blocking and runs on the encoding thread; it may raise EmbeddingsError or OSError."""
        self.settings = settings
        self._load = load
        self._parts: Parts | None = None
        self._state: Literal["starting", "ready", "stopping"] = "starting"
        self._probe_again = 0.0
        at_once = questions_at_once(settings)
        self._encoding = Worker("encoding", threads=at_once)
        self._writing = Worker("writing")
        self._reading = Worker("reading")
        self._questions = Permits(settings.max_queue + 1, what="questions")
        self._forecast = Forecast(deadline_seconds=settings.deadline_seconds, threads=at_once)
        self._writes = Permits(_WRITES_WAITING, what="writes")
        self._reads = Permits(settings.max_queue + 1, what="reads")
        self._queue = _queue(settings)
        self.storage = Storage(None if settings.store else settings.data_dir)
        self._rooms = Rooms()
        self.records = Records(settings, read=self._read)
        shelf = KeptQuestions(self.records.run)
        self._starters = StarterQuestions(
            ask=self._ask_without_hurry, shelf=shelf, made_by=lambda: self._ready().made_by
        )
        self._ahead = StarterRefresher(make=self.beginning, shelf=shelf, is_open=not settings.api_keys)
        self.jobs = Jobs(self.records, service=own_mark(settings))
        self.administration = Administration(self.records, read=self._read, encode=self._encode)
        self.metrics = Metrics()
        self._checks = Checks(settings, worker=self._encoding, metrics=self.metrics)
        self._let_watch()

    async def start(self) -> None:
        """Load the parts. Raises what `load` raises."""
        monitoring.note(
            Act(
                act="keys_loaded",
                by="settings",
                keys=tuple(key.name for key in keys.parse_keys(self.settings.api_keys)),
            )
        )
        await self._encoding.run(self._open)
        await self.records.open()
        await self.jobs.open()
        if self._state == "starting":
            self._state = "ready"
            self._ahead.start()

    def interrupt_writes(self) -> None:
        """End ingests at their next batch, with ShuttingDown; what they finished is durable."""
        self._state = "stopping"

    async def close(self) -> None:
        """Let running jobs end, then close the corpus."""
        self._state = "stopping"
        workers = (self._writing, self._reading, self._encoding)
        await self._ahead.stop()
        await self._starters.close()
        await self.records.close()
        if self._parts is not None and self._parts.generator is not None:
            await self._parts.generator.close()
        ended = [await asyncio.to_thread(worker.stop, wait_seconds=_STOP_SECONDS) for worker in workers]
        if self._queue is not None:
            await asyncio.to_thread(self._queue.close)
        if self._parts is not None and all(ended):
            await asyncio.to_thread(self._parts.corpus.close)

    async def events(
        self, question: Question, *, owner: str, within: Collections, turns: Sequence[Turn] = ()
    ) -> AsyncGenerator[Event, None]:
        """Answer a question step by step within the deadline; closing the generator gives everything back.

        `owner` is whose conversations it may go on with, and whose it is, should it be kept; `turns` is what was said
        before where the caller keeps the conversation.
        Raises InvalidQuestion or NotReady before the first event, Overloaded or DeadlineExceeded also after it.
        """
        room = self._room(within, named=question.collection)
        with tracing.part("answer") as span, self._forecast.one("answer") as meter, self._questions.one():
            asked = await self.records.enter(question, owner=owner, within=within)
            run = in_time(self._encoding, seconds=self.settings.deadline_seconds, meter=meter)
            async with aclosing(room.answering.events(asked.question, run=run, history=asked.turns or turns)) as events:
                async for event in events:
                    if isinstance(event, AnswerEvent):
                        meter.finished = True
                        answer = await self.records.remember(event.answer, asked, owner=owner)
                        self.metrics.answered(answer)
                        span.tell(told_of(answer, texts=span.texts))
                        yield AnswerEvent(answer=answer)
                    else:
                        yield event

    async def ask(self, question: Question, *, owner: str, within: Collections) -> Answer:
        """Answer a question: the events in one. Raises what `events` raises."""
        return await fold(self.events(question, owner=owner, within=within))

    async def search(self, question: SearchQuestion, *, owner: str, within: Collections) -> SearchAnswer:
        """Find passages within the deadline; `owner` is whose conversations it may refer to, and nothing is kept.

        Raises InvalidQuestion, NotFound, Overloaded or DeadlineExceeded.
        """
        room = self._room(within, named=question.collection)
        with tracing.part("search") as span, self._forecast.one("search") as meter, self._questions.one():
            named = question.conversation_id
            turns = () if named is None else await self.records.recall(named, owner=owner, within=within)
            run = in_time(self._encoding, seconds=self.settings.deadline_seconds, meter=meter)
            found = await room.answering.search(question, run=run, history=turns)
            meter.finished = True
            span.tell({"sourceline.passages": len(found.search_results)})
            return found

    async def check(self, text: TextToCheck, *, within: Collections) -> CheckReport:
        """Judge the sentences of a text. Raises what `Checks.check` raises."""
        return await self._checks.check(text, checking=self._room(within, named=text.collection).checking)

    async def beginning(self, reach: Reach) -> Beginning:
        """What there is within reach, and questions tried there. Raises InvalidQuestion for a filter that is none."""
        require_reach(reach.within, reach.collection)
        glance = partial(self._read, partial(at_a_glance, where=reach.where()), within=reach.within)
        return await self._starters.now(await self.counts(within=reach.within), glance, reach=reach)

    async def _ask_without_hurry(self, question: Question, within: Collections) -> Answer:
        answering = self._room(within, named=question.collection).answering
        return await fold(answering.events(question, run=self._encoding.run_patiently))

    async def article(
        self, article_id: str, *, version: str | None, within: Collections, kept_back: bool = False, asked_for: str = ""
    ) -> Article:
        """The article of an id: its current version, or the one named; with `kept_back` also one not shown to readers.

        Raises NotFound, which tells no other name than `asked_for`, where there is one.
        """
        found = await self._read(
            lambda corpus: corpus.get(article_id, version=version), within=within, kept_back=kept_back
        )
        if found is None:
            withdrawn = await self._read(lambda corpus: corpus.why_not(article_id) == "withdrawn", within=within)
            raise NotFound(_missing(asked_for or article_id, version, withdrawn=withdrawn))
        return found

    async def article_called(
        self,
        name: str,
        *,
        version: str | None,
        within: Collections,
        collection: str | None = None,
        kept_back: bool = False,
    ) -> Article:
        """The article of an id, or the one to which its publisher gave that, in `collection` where it is named.

        Raises NotFound, and AmbiguousId where publishers gave it in several collections within reach.
        """
        require_reach(within, collection)
        within = within if collection is None else (collection,)
        called = await self._read(lambda corpus: corpus.called(name), within=within, kept_back=kept_back)
        return await self.article(called or name, version=version, within=within, kept_back=kept_back, asked_for=name)

    async def articles(
        self, where: Where, *, after: str | None, limit: int, within: Collections, kept_back: bool = False
    ) -> Sequence[Article]:
        """Current articles in order of id, from the one after `after`; with `kept_back` also those not shown."""
        require_reach(within, where.collection)
        return await self._read(
            lambda corpus: corpus.scan(where=where, after=after, limit=limit), within=within, kept_back=kept_back
        )

    async def counts(self, *, within: Collections) -> CorpusCounts:
        """What can be searched now; also the probe of readiness. Raises NotReady, StoreError or DeadlineExceeded."""
        return await self._read(lambda corpus: corpus.count(Where()), within=within, timeout=_PROBE_SECONDS)

    async def sources(self) -> Sources:
        """Feeds and watched folders of this machine; none where their file cannot be read, which the log then says."""
        try:
            return await asyncio.to_thread(known_sources, self.settings.data_dir)
        except SourceError as error:
            _log.warning("%s", error)
            return Sources()

    async def probe(self) -> None:
        """Raise what `counts` raises; a success is good for a second, however many ask. For callers nobody knows."""
        now = asyncio.get_running_loop().time()
        if now >= self._probe_again:
            await self.counts(within=None)
            self._probe_again = now + _PROBE_GOOD_SECONDS
        self._ready()

    async def add(self, body: bytes, *, lines: bool, within: Collections, by: str) -> AddReport:
        """Store the articles of a request body (`lines`: it is NDJSON); durable when it returns.

        `by` is who sent it, for the job and the audit. Goes slice by slice, so that other writes get their turn in
        between; where there are workers, one of them does it. Raises RequestError where nothing of it can be used,
        Overloaded, and ShuttingDown where the service stops in the middle: what was stored stays stored.
        What names no collection goes to the one of the settings, or else to the only one within reach.
        """
        self._ready()
        with tracing.part("ingest") as span, self._writes.one(), self.storage.written():
            async with self.jobs.one(by=by) as job:
                submission = await self._writing.run(lambda: submissions.read(body, lines=lines))
                job.found(len(submission.numbers), submission.faults)
                reports = []
                async with aclosing(self._stored(submission.items, within=within)) as parts:
                    async for part in parts:
                        job.stored(*submissions.stored(submission, part))
                        for act in submissions.rights(submission, part, by=by):
                            monitoring.note(act)
                        reports.append(part)
                span.tell(tracing.told_of_ingests(reports))
                report = submissions.report(submission, reports, job_id=job.id)
            changed = {one.collection for part in reports for one in part.articles if one.outcome == "updated"}
            self._ahead.written()
            await self._starters.forget(changed)  # a question to begin with may be one about what was taken back
            return report

    async def _stored(
        self, items: Sequence[RawArticle | Rejected], *, within: Collections
    ) -> AsyncGenerator[IngestReport, None]:
        """Store articles here slice by slice, or let a worker do it, and give what became of each part."""
        landing = within[0] if within and len(within) == 1 else self.settings.collection
        if self._queue is not None:
            for part in await self._queue.stored(items, collection=landing, within=within, check=self._check):
                yield part
            return
        parts = self._ready()
        encoder = BatchingEncoder(parts.encoder, worker=self._encoding, check=self._check)
        heard = tracing.current().stage
        store = partial(ingest, corpus=parts.corpus, encoder=encoder, collection=landing, within=within, heard=heard)
        for piece in submissions.slices(items):
            self._check()
            yield await self._writing.run(partial(store, piece))

    async def delete(self, name: str, *, within: Collections, by: str, collection: str | None = None) -> None:
        """Remove the article of an id, or to which its publisher gave that, with all its versions; durable when it
        returns. `by` is for the audit. Raises NotFound, and AmbiguousId where more than one within reach has it."""
        require_reach(within, collection)
        within = within if collection is None else (collection,)
        parts = self._ready()
        with self._writes.one(), self.storage.written():
            removed = await self._writing.run(partial(_removed, parts.corpus, name, within))
            if not removed:
                raise NotFound(f"no article {name!r}")
            for article_id, home in removed.items():
                monitoring.note(Act(act="article_deleted", by=by, article_id=article_id))
                await self._starters.forget([home])
            self._ahead.written()

    async def _encode(self, text: str) -> Vector:
        encoder = self._ready().encoder
        return await self._encoding.run(partial(encoder.encode_query, text), timeout=self.settings.deadline_seconds)

    async def _read(
        self,
        job: Callable[[UsableCorpus], T],
        *,
        within: Collections,
        kept_back: bool = False,
        timeout: float | None = None,
    ) -> T:
        """Read what may be shown to whoever reads within some collections."""
        parts = self._ready()
        usable = UsableCorpus(parts.corpus, now=parts.now, within=within, kept_back=kept_back)
        with self._reads.one():
            return await self._reading.run(lambda: job(usable), timeout=timeout or self.settings.deadline_seconds)

    def _room(self, within: Collections, *, named: str | None) -> Narrowed:
        """What answers and checks within some collections; `named` is the one that the request asks for."""
        parts = self._ready()
        require_reach(within, named)
        return self._rooms.of(within, parts=parts)

    def _let_watch(self) -> None:
        for name, permits in (("questions", self._questions), ("writes", self._writes), ("reads", self._reads)):
            self.metrics.watch(
                f"{name}_admitted", f"{name.capitalize()} waiting or at work.", partial(getattr, permits, "taken")
            )
        self.metrics.watch(
            "questions_owed_seconds", "Expected time of the questions admitted.", lambda: self._forecast.owed
        )
        for name, worker in (("encoding", self._encoding), ("writing", self._writing), ("reading", self._reading)):
            self.metrics.watch(
                f"{name}_waiting", f"Jobs waiting for the {name} thread.", partial(getattr, worker, "waiting")
            )

    def _open(self) -> None:
        self._parts = self._load(self.settings)
        self.storage.watch(self._parts.corpus.is_written_elsewhere)
        for name, memory in self._parts.memories.items():
            self.metrics.remembered(name, memory)
        model = self._parts.generator
        if isinstance(model, GuardedGenerator):
            self.metrics.watch("model_drafts", "Drafts the model is writing.", lambda: model.busy)
            self.metrics.watch(
                "model_resting", "1 while the model is left alone, after failures.", lambda: model.resting
            )

    def _ready(self) -> Parts:
        self._check()
        if self._parts is None or self._state != "ready":
            raise NotReady("the store and the encoder are being loaded; send this again in a moment")
        return self._parts

    def _check(self) -> None:
        """Raise ShuttingDown once the service is stopping; called from any thread."""
        if self._state == "stopping":
            raise ShuttingDown("the service is stopping; send this again when it is back")


def _removed(corpus: Corpus, name: str, within: Collections) -> Mapping[str, str]:
    """Delete the article that a name means; give its id and collection, nothing where it means none.

    Raises AmbiguousId: what else has that id is not to be deleted by mistake, also where one of them has no other.
    """
    found = meant(corpus, [name], within=within).get(name, {})
    article_id = the_one(name, found)
    if article_id is None or not corpus.delete(Where(article_ids=(article_id,), collection=found[article_id])):
        return {}
    return found


def _queue(settings: Settings) -> JobQueue | None:
    if not settings.workers:
        return None
    from qa.server.job_queue import JobQueue  # the driver is there only where it is needed

    return JobQueue(settings.place)


def _missing(name: str, version: str | None, *, withdrawn: bool) -> str:
    """What a caller is told who gets no article: of an embargo, nothing."""
    if withdrawn:
        return f"article {name!r} was withdrawn by its publisher"
    return f"no article {name!r}" + (f" in version {version!r}" if version else "")
