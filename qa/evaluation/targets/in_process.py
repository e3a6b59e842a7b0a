"""The service of this process: the answerer over an open corpus, no HTTP in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from embeddings.types import Where
from qa.answers import fold, turn_of
from qa.assembly import Answerer, assemble
from qa.errors import InvalidQuestion
from qa.evaluation.errors import TargetFailed
from qa.evaluation.targets.identity import corpus_hash, prompt_fingerprints, shown_settings
from qa.evaluation.targets.questions import cited, question_of, search_of
from qa.evaluation.targets.target import Asking, Facts, Reply
from qa.evaluation.targets.withholding import WithholdingCorpus
from qa.evaluation.types import CitedArticle, Example, Failure, Target
from qa.settings import Settings
from qa.types import Answer, SearchResult

__all__ = ["InProcess"]

T = TypeVar("T")

_PAGE = 500


class InProcess:
    """Blocking work goes to one thread, as in the service, so that only waiting for a model overlaps."""

    def __init__(self, *, corpus: Corpus, encoder: Encoder, settings: Settings, asking: Asking) -> None:
        self._corpus = corpus
        self._encoder = encoder
        self._settings = settings
        self._asking = asking
        self._assembly = assemble(settings, encoder=encoder)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="evaluation")
        self._whole = self._assembly.over(corpus)

    async def facts(self) -> Facts:
        """Settings that decide answers, the encoder, and a hash over every article."""
        return await self._run(self._facts)

    async def ask(self, example: Example) -> Reply:
        """Answer. Raises TargetFailed; an exception of the service is recorded, never swallowed."""
        with _recorded():
            answerer = await self._run(lambda: self._for(example.withheld_article_ids))
        history: list[Answer] = []
        for earlier in example.conversation:
            answer = await self._answer(answerer, earlier, example, history)
            history.append(answer)
        began = time.perf_counter()
        answer = await self._answer(answerer, example.question, example, history)
        return Reply(answer=answer, latency_ms=(time.perf_counter() - began) * 1000)

    async def search(self, example: Example) -> tuple[SearchResult, ...] | None:
        """Rank passages. Raises TargetFailed."""
        with _recorded():
            question = search_of(example, self._asking)
            answerer = await self._run(lambda: self._for(example.withheld_article_ids))
            return (await answerer.search(question, run=self._run)).search_results

    async def article(self, article_id: str, *, version: str) -> CitedArticle | None:
        """Read a cited article from the store. Raises TargetFailed."""
        with _recorded():
            found = await self._run(lambda: self._corpus.get(article_id, version=version))
            return cited(found) if found is not None else None

    async def close(self) -> None:
        """End the thread and the connections to a model; corpus and encoder stay their owner's."""
        if self._assembly.generator is not None:
            await self._assembly.generator.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, job: Callable[[], T], /) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)

    async def _answer(self, answerer: Answerer, text: str, example: Example, history: list[Answer]) -> Answer:
        with _recorded():
            question = question_of(text, example, self._asking)
            turns = tuple(turn_of(answer) for answer in history)
            events = answerer.events(question, run=self._run, history=turns)
            return await asyncio.wait_for(fold(events), timeout=self._settings.deadline_seconds * 2)

    def _for(self, withheld: Collection[str]) -> Answerer:
        return self._assembly.over(WithholdingCorpus(self._corpus, withheld)) if withheld else self._whole

    def _facts(self) -> Facts:
        # Loads the weights, so that the first question takes no longer than the others.
        self._encoder.encode_query("Is everything ready?")
        counts = self._corpus.count(Where())
        return Facts(
            target=Target(kind="in_process"),
            settings=shown_settings(self._settings),
            encoder={name: str(value) for name, value in msgspec.structs.asdict(self._encoder.identity).items()},
            prompts=prompt_fingerprints(),
            corpus={
                "articles": str(counts.articles),
                "passages": str(counts.passages),
                "sha256": corpus_hash(self._versions()),
            },
        )

    def _versions(self) -> Iterator[tuple[str, str]]:
        after: str | None = None
        while page := self._corpus.scan(where=Where(), after=after, limit=_PAGE):
            yield from ((article.id, article.version) for article in page)
            after = page[-1].id


@contextmanager
def _recorded() -> Iterator[None]:
    """Make a failure of one question the record of that question."""
    try:
        yield
    except TargetFailed:
        raise
    except InvalidQuestion as error:
        raise TargetFailed(Failure(kind="refused", message=str(error))) from error
    except TimeoutError as error:
        raise TargetFailed(Failure(kind="timed_out", message="no answer within twice the deadline")) from error
    # Also a bug must not end a run of hours: it is in the predictions, counted, and makes the run end with exit code 3.
    except Exception as error:
        raise TargetFailed(Failure(kind="broken", message=f"{type(error).__name__}: {error}")) from error
