"""What can be evaluated: the service in this process, a running service, any OpenAI-compatible server.

Here is the seam between a run and whatever answers, and an example as the question that is put to it; `respondent`
opens one from options.
"""

import hashlib
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder, RememberingEncoder
from embeddings.ingest import fingerprint, index_articles
from embeddings.opening import open_corpus
from embeddings.runtime import Memory
from embeddings.types import Article, Where
from qa.evaluation import CitedArticle, Example, ForeignAnswer, RunRefused, Target
from qa.settings import Settings, load_encoder
from qa.types import Answer, Question, SearchQuestion, SearchResult


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """How every question of a run is put."""

    mode: Literal["auto", "generated", "extractive"] = "auto"
    use_asked_at: bool = True
    """False: every question is asked as of now, whatever its example says."""
    collection: str | None = None
    ranked: int = 10
    """Results asked of the search beside the answer; 0 leaves it out."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a manifest says of a respondent, as far as it can be known."""

    target: Target
    settings: dict[str, str] = {}
    encoder: dict[str, str] = {}
    prompts: dict[str, str] = {}
    corpus: dict[str, str] = {}


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: one of the two."""

    answer: Answer | None = None
    foreign: ForeignAnswer | None = None
    latency_ms: float


class Respondent(Protocol):
    """Answers questions; used from one event loop, several questions at a time."""

    async def facts(self) -> Facts:
        """What it is. Raises TargetFailed where it cannot be reached at all."""

    async def ask(self, example: Example) -> Reply:
        """Put a question, after the earlier ones of its conversation. Raises TargetFailed."""

    async def search(self, example: Example) -> tuple[SearchResult, ...] | None:
        """Rank passages; None where it cannot. Raises TargetFailed."""

    async def article(self, article_id: str, *, version: str) -> CitedArticle | None:
        """A cited article; None where it is not to be had. Raises TargetFailed."""

    async def close(self) -> None:
        """Release what it holds."""


def question_of(text: str, example: Example, asking: Asking, *, conversation_id: str | None = None) -> Question:
    """Put `text` (the example's question, or an earlier one of its conversation) as the example is asked."""
    return Question(
        question=text,
        conversation_id=conversation_id,
        collection=asking.collection,
        as_of=example.asked_at if asking.use_asked_at else None,
        mode=asking.mode,
        store=bool(example.conversation),
    )


def search_of(example: Example, asking: Asking) -> SearchQuestion:
    """The same question for the search."""
    return SearchQuestion(
        question=example.question,
        collection=asking.collection,
        as_of=example.asked_at if asking.use_asked_at else None,
        limit=asking.ranked,
    )


def cited(article: Article) -> CitedArticle:
    """What a run keeps of an article."""
    return CitedArticle(
        id=article.id,
        version=article.version,
        title=article.title,
        text=article.text,
        source=article.source,
        url=article.url,
        published_at=article.published_at,
    )


def corpus_hash(articles: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over the ids and versions of all articles: equal hashes mean equal articles, in whatever order.

    >>> corpus_hash([("a", "1"), ("b", "2")]) == corpus_hash([("b", "2"), ("a", "1")])
    True
    """
    lines = sorted(f"{article_id}\0{version}" for article_id, version in articles)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def public_url(url: str) -> str:
    """An address without the user, the password and the query it may carry.

    >>> public_url("https://me:secret@models.example:8443/v1?key=7")
    'https://models.example:8443/v1'
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return ""
    authority, slash, path = rest.partition("?")[0].partition("#")[0].partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


# --- What evaluation needs of the offline half: an encoder that remembers, and corpora made from articles at hand
class CachingEncoder(RememberingEncoder):
    """Remembers the vectors of all questions."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder, vectors=Memory(sys.maxsize))


@contextmanager
def kept(articles: Sequence[Article], encoder: Encoder, cache: Path) -> Iterator[Corpus]:
    """A corpus holding exactly these articles, their text untouched, in a folder under `cache` named for what it holds.

    What is there already is not encoded again, also after a kill in the middle.
    """
    digest = hashlib.sha256(encoder.identity.key.encode())
    for article in articles:
        digest.update(f"\0{article.id}\0{fingerprint(article)}".encode())
    corpus = EmbeddedCorpus.open(cache / digest.hexdigest()[:24], identity=encoder.identity)
    try:
        held = corpus.fingerprints([article.id for article in articles])
        missing = [article for article in articles if held.get(article.id) != fingerprint(article)]
        index_articles(missing, corpus=corpus, encoder=encoder)
        yield corpus
    finally:
        corpus.close()


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to ask: nobody else (both empty), a Sourceline, or a model of an OpenAI-compatible server."""

    url: str = ""
    openai_url: str = ""
    model: str = ""
    token: str = ""
    timeout: float = 120.0


@asynccontextmanager
async def respondent(address: Address, *, asking: Asking, seed: int, settings: Settings) -> AsyncIterator[Respondent]:
    """Open it, and close it in the end. Raises RunRefused, StoreError or EncoderError."""
    from qa.evaluation.targets.over_http import Native, OpenAICompatible

    opened: Respondent
    if address.openai_url:
        opened = OpenAICompatible(
            address.openai_url, model=address.model, seed=seed, timeout=address.timeout, token=address.token
        )
    elif address.url:
        opened = Native(address.url, asking=asking, timeout=address.timeout, token=address.token)
    else:
        async with _in_process(settings, asking) as service:
            yield service
        return
    try:
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def _in_process(settings: Settings, asking: Asking) -> AsyncIterator[Respondent]:
    # Only here: this brings the whole online half.
    from qa.evaluation.targets.in_process import InProcess

    # The search beside an answer asks for the same vector again; texts are not kept, or later answers would be faster.
    encoder = CachingEncoder(load_encoder(settings))
    corpus = open_corpus(settings.place, identity=encoder.identity, read_only=True)
    try:
        if not corpus.count(Where()).articles:
            raise RunRefused(f"there are no articles in {settings.place}; put some in by `qa ingest`")
        service = InProcess(corpus=corpus, encoder=encoder, settings=settings, asking=asking)
        try:
            yield service
        finally:
            await service.close()
    finally:
        corpus.close()
