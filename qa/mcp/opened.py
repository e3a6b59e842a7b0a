"""An archive of one's own: corpus and answerers, opened for reading at the first call, on the thread that computes.

Opened late, so that a client gets its list of tools at once, and is told by the tool what is wrong with the store;
a call after that tries again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec

from embeddings import encoders
from embeddings.opening import open_corpus
from embeddings.types import Article
from embeddings.usable_corpus import UsableCorpus
from qa.answers import fold, told_of
from qa.assembly import Answerer, assemble
from qa.checking.text_checker import TextChecker
from qa.checking.values import CheckReport, TextToCheck
from qa.errors import NotFound, QAError
from qa.generators import Generator
from qa.settings import Settings
from qa.tracing.spans import part
from qa.types import Answer, Question, SearchAnswer, SearchQuestion

__all__ = ["Opened", "Parts"]

T = TypeVar("T")


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """All that answers a call."""

    corpus: UsableCorpus
    answering: Answerer
    checking: TextChecker
    generator: Generator | None


class Opened:
    """The parts behind their thread; never blocks the event loop it is used from.

    Each call raises QAError and EmbeddingsError, which say what to do. Opening is no part of its time.
    """

    def __init__(self, settings: Settings, *, within: tuple[str, ...] | None = None) -> None:
        """`within`: the only collections that are read; None: all."""
        self.settings = settings
        self._within = within
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answering")
        self._parts: Parts | None = None

    async def parts(self) -> Parts:
        """Open them where they are not. Raises SettingsError and EmbeddingsError."""
        return await self.run(self._open) if self._parts is None else self._parts

    async def run(self, job: Callable[[], T], /) -> T:
        """Do a blocking job on the thread; one cancelled before its turn is forgotten. Raises what the job raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)

    async def ask(self, asked: Question, /) -> Answer:
        """Answer a question within the deadline."""
        parts = await self.parts()
        with part("answer") as span:
            answer = await self._in_time("ask", fold(parts.answering.events(asked, run=self.run)))
            span.tell(told_of(answer, texts=span.texts))
            return answer

    async def search(self, asked: SearchQuestion, /) -> SearchAnswer:
        """Find passages within the deadline."""
        parts = await self.parts()
        with part("search") as span:
            found = await self._in_time("search", parts.answering.search(asked, run=self.run))
            span.tell({"sourceline.passages": len(found.search_results)})
            return found

    async def article(self, article_id: str, *, version: str | None, collection: str | None) -> Article:
        """One article, as it is now or in one version. Raises NotFound and AmbiguousId."""
        parts = await self.parts()
        corpus = parts.corpus if collection is None else parts.corpus.narrowed(collection)
        reading = self.run(lambda: corpus.get(corpus.called(article_id) or article_id, version=version))
        if (found := await self._in_time("get_article", reading)) is None:
            which = f" in version {version!r}" if version else ""
            raise NotFound(f"no article {article_id!r}{which}; take article_id and article_version from a citation")
        return found

    async def check(self, asked: TextToCheck, /) -> CheckReport:
        """Judge the sentences of a text; it ends by itself at the deadline, with what it has."""
        parts = await self.parts()
        try:
            with part("check") as span:
                report = await parts.checking.check(asked, run=self.run, seconds=self.settings.deadline_seconds)
                span.tell({"sourceline.sentences": len(report.sentences)})
                return report
        except TimeoutError:
            raise self._late("check_claims") from None

    async def close(self) -> None:
        """Let the running job end, forget the waiting ones, close the corpus."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        if self._parts is None:
            return
        if self._parts.generator is not None:
            await self._parts.generator.close()
        self._parts.corpus.close()

    async def _in_time(self, tool: str, work: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self.settings.deadline_seconds):
                return await work
        except TimeoutError:
            raise self._late(tool) from None

    def _late(self, tool: str) -> QAError:
        seconds = self.settings.deadline_seconds
        return QAError(f"{tool} did not finish within {seconds:g} seconds; ask for less, or raise QA_DEADLINE_SECONDS")

    def _open(self) -> Parts:
        if self._parts is None:  # of two calls that came together, the second finds them open
            settings = self.settings
            encoder = encoders.load(settings.encoder, threads=settings.threads)
            corpus = open_corpus(settings.place, identity=encoder.identity, read_only=True)
            try:
                assembly = assemble(settings, encoder=encoder)
            except BaseException:
                corpus.close()
                raise
            self._parts = Parts(
                corpus=UsableCorpus(corpus, now=assembly.now, within=self._within),
                answering=assembly.over(corpus, within=self._within),
                checking=assembly.checks_against(corpus, within=self._within),
                generator=assembly.generator,
            )
        return self._parts
