"""The service in this process as a target: an answerer over an open corpus, without HTTP.

A corpus can act as if it did not hold certain articles: so it is asked what nothing answers.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TypeVar

import msgspec

from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from embeddings.types import Article, Hit, Hits, IndexedArticle, StoredPassage, Vector, Where
from embeddings.usable_corpus import UsableCorpus
from qa.answers import fold, turn_of
from qa.assembly import Answerer, assemble
from qa.errors import InvalidQuestion
from qa.evaluation import CitedArticle, Example, Failure, Target, TargetFailed
from qa.evaluation.targets import Asking, Facts, Reply, cited, corpus_hash, public_url, question_of, search_of
from qa.settings import Settings
from qa.types import Answer, SearchResult

T = TypeVar("T")
_PAGE = 500
_LEFT_OUT = frozenset(
    "data_dir host port threads max_body_bytes max_queue log_level llm_concurrency store store_schema "
    "store_connections store_timeout_seconds store_replicas store_replica_seconds workers".split()
)
"""Where and how fast a service runs, not what it says."""
_NOT_PROMPTS = (".py", ".pyc")


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
            prompts=_prompt_fingerprints(),
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


class WithholdingCorpus(UsableCorpus):
    """Passes on to a corpus, for reading only; its lists are those of the corpus without the withheld articles.

    They still count, and what the lists rank by (word statistics) is that of the whole corpus.
    """

    def __init__(self, corpus: Corpus, withheld: Collection[str]) -> None:
        super().__init__(corpus, kept_back=True)
        self._withheld = frozenset(withheld)
        self._passages = corpus.count(Where(article_ids=tuple(sorted(self._withheld)))).passages if withheld else 0

    def search(self, vector: Vector, text: str, *, k: int, where: Where) -> Hits:
        """As many more are asked for as could be withheld, so that `k` remain where there are so many."""
        hits = super().search(vector, text, k=k + self._passages, where=where)
        return Hits(dense=self._kept(hits.dense)[:k], lexical=self._kept(hits.lexical)[:k])

    def passages(self, keys: Collection[int]) -> Mapping[int, StoredPassage]:
        """Only of articles that are not withheld."""
        stored = super().passages(keys)
        return {key: item for key, item in stored.items() if item.passage.article_id not in self._withheld}

    def get(self, article_id: str, *, version: str | None = None) -> Article | None:
        """None for a withheld one."""
        return None if article_id in self._withheld else super().get(article_id, version=version)

    def scan(self, *, where: Where, after: str | None, limit: int) -> Sequence[Article]:
        """Pages may be shorter by what is withheld."""
        return [a for a in super().scan(where=where, after=after, limit=limit) if a.id not in self._withheld]

    def require_writing(self) -> None:
        """Refused: raises TypeError."""
        raise TypeError("a corpus with articles withheld is for reading only")

    def replace(self, articles: Sequence[IndexedArticle]) -> None:
        """Refused: raises TypeError."""
        del articles
        self.require_writing()

    def delete(self, where: Where) -> int:
        """Refused: raises TypeError."""
        del where
        raise TypeError("a corpus with articles withheld is for reading only")

    def close(self) -> None:
        """Leaves the corpus open: it is its owner's to close."""

    def _kept(self, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        stored = self.passages([hit.key for hit in hits])
        return tuple(hit for hit in hits if hit.key in stored)


def shown_settings(settings: Settings) -> dict[str, str]:
    """Settings that decide answers, by name; neither secrets nor where things lie on this machine."""
    return {
        name: public_url(str(value)) if name.endswith("_url") else str(value)
        for name, value in msgspec.structs.asdict(settings).items()
        if name not in _LEFT_OUT and not name.startswith("history_") and not _is_secret(name)
    }


def _prompt_fingerprints() -> dict[str, str]:
    """SHA-256 of every prompt of this installation, by its file's name."""
    return {
        name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in _files(resources.files("prompts"), "")
    }


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.is_dir():
            if not entry.name.startswith(("_", ".")):
                yield from _files(entry, f"{prefix}{entry.name}/")
        elif not entry.name.endswith(_NOT_PROMPTS):
            yield f"{prefix}{entry.name}", entry


def _is_secret(name: str) -> bool:
    return any(word in name for word in ("key", "token", "secret", "password"))
