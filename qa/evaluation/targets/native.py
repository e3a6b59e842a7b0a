"""A running Sourceline, by its base URL."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import quote

import msgspec

from qa.evaluation.errors import TargetFailed
from qa.evaluation.targets.http_client import JsonClient, Response
from qa.evaluation.targets.identity import corpus_hash, public_url
from qa.evaluation.targets.questions import question_of, search_of
from qa.evaluation.targets.target import Asking, Facts, Reply
from qa.evaluation.types import CitedArticle, Example, Failure, Target
from qa.types import Answer, SearchAnswer, SearchResult

__all__ = ["Native"]

T = TypeVar("T")

_PAGE = 200


class _Listed(msgspec.Struct, frozen=True):
    id: str
    version: str


class _Page(msgspec.Struct, frozen=True):
    articles: list[_Listed]
    next: str | None = None


class _Ready(msgspec.Struct, frozen=True):
    articles: int
    passages: int


class Native:
    """Asks `POST /api/ask` and `POST /api/search`, reads cited articles from `GET /api/articles/{id}`."""

    def __init__(self, base_url: str, *, asking: Asking, timeout: float, token: str = "") -> None:
        """Raises RunRefused for what is no address."""
        self._client = JsonClient(base_url, timeout=timeout, token=token)
        self._url = public_url(base_url)
        self._asking = asking

    async def facts(self) -> Facts:
        """What the service says of its articles; its settings and encoder it keeps to itself. Raises TargetFailed."""
        ready = _decoded(await self._client.get("/health/ready"), _Ready)
        counts = {"articles": str(ready.articles), "passages": str(ready.passages)}
        try:
            named = {"sha256": corpus_hash(await self._versions())}
        except TargetFailed as error:
            if error.failure.kind != "refused":
                raise
            named = {}  # a key that may ask may not be one that may list
        return Facts(target=Target(kind="native", url=self._url), corpus={**counts, **named})

    async def ask(self, example: Example) -> Reply:
        """Raises TargetFailed."""
        if example.withheld_article_ids:
            message = "withheld_article_ids: only an in-process run can hide articles from a question"
            raise TargetFailed(Failure(kind="refused", message=message))
        conversation: str | None = None
        for earlier in example.conversation:
            answer, _ = await self._ask(earlier, example, conversation)
            if answer.conversation_id is None:
                raise TargetFailed(Failure(kind="refused", message="the service keeps no conversations"))
            conversation = answer.conversation_id
        answer, latency_ms = await self._ask(example.question, example, conversation)
        return Reply(answer=answer, latency_ms=latency_ms)

    async def search(self, example: Example) -> tuple[SearchResult, ...] | None:
        """Raises TargetFailed."""
        body = msgspec.json.encode(search_of(example, self._asking))
        return _decoded(await self._client.post("/api/search", body), SearchAnswer).search_results

    async def article(self, article_id: str, *, version: str) -> CitedArticle | None:
        """None where the service no longer holds it. Raises TargetFailed."""
        path = f"/api/articles/{quote(article_id, safe='')}"
        try:
            return _decoded(await self._client.get(path, {"version": version}), CitedArticle)
        except TargetFailed as error:
            if error.failure.kind == "refused":
                return None
            raise

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _versions(self) -> list[tuple[str, str]]:
        articles: list[tuple[str, str]] = []
        after: str | None = ""
        while after is not None:
            query = {"limit": str(_PAGE), **({"after": after} if after else {})}
            page = _decoded(await self._client.get("/api/articles", query), _Page)
            articles += [(article.id, article.version) for article in page.articles]
            after = page.next
        return articles

    async def _ask(self, text: str, example: Example, conversation: str | None) -> tuple[Answer, float]:
        question = question_of(text, example, self._asking, conversation_id=conversation)
        response = await self._client.post("/api/ask", msgspec.json.encode(question))
        return _decoded(response, Answer), response.latency_ms


def _decoded(response: Response, wanted: type[T]) -> T:
    try:
        return msgspec.json.decode(response.body, type=wanted)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"not what this version of the service sends: {error}"
        raise TargetFailed(Failure(kind="broken", message=message)) from error
