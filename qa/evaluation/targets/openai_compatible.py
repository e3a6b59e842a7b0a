"""Any OpenAI-compatible server: asks `chat/completions`, takes its `url_citation` annotations as citations."""

from __future__ import annotations

import msgspec

from qa.evaluation.errors import TargetFailed
from qa.evaluation.targets.http_client import JsonClient, Response
from qa.evaluation.targets.identity import public_url
from qa.evaluation.targets.target import Facts, Reply
from qa.evaluation.types import CitedArticle, Example, Failure, ForeignAnswer, ForeignCitation, Target
from qa.types import SearchResult

__all__ = ["OpenAICompatible"]


class _Link(msgspec.Struct, frozen=True):
    url: str
    title: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class _Annotation(msgspec.Struct, frozen=True):
    type: str = ""
    url_citation: _Link | None = None


class _Message(msgspec.Struct, frozen=True):
    content: str | None = None
    annotations: list[_Annotation] | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message
    finish_reason: str | None = None


class _Completion(msgspec.Struct, frozen=True):
    choices: list[_Choice]
    model: str | None = None


class _Turn(msgspec.Struct, frozen=True):
    role: str
    content: str


class _Request(msgspec.Struct, frozen=True):
    model: str
    messages: list[_Turn]
    seed: int
    temperature: float = 0.0


class OpenAICompatible:
    """One model of one server. It cannot be told when a question is asked, nor searched."""

    def __init__(self, base_url: str, *, model: str, seed: int, timeout: float, token: str = "") -> None:
        """`base_url` ends with `/v1`. Raises RunRefused for what is no address."""
        self._client = JsonClient(base_url, timeout=timeout, token=token)
        self._url, self._model, self._seed = public_url(base_url), model, seed

    async def facts(self) -> Facts:
        """Address and model. Raises TargetFailed where the server cannot be reached."""
        try:
            await self._client.get("/models")
        except TargetFailed as error:
            if error.failure.kind in {"unreachable", "timed_out"}:
                raise
        return Facts(target=Target(kind="openai", url=self._url, model=self._model))

    async def ask(self, example: Example) -> Reply:
        """Earlier questions are asked first, each with what was answered before. Raises TargetFailed."""
        if example.withheld_article_ids:
            message = "withheld_article_ids: only an in-process run can hide articles from a question"
            raise TargetFailed(Failure(kind="refused", message=message))
        turns: list[_Turn] = []
        for earlier in example.conversation:
            said, _ = await self._complete([*turns, _Turn("user", earlier)])
            turns += [_Turn("user", earlier), _Turn("assistant", said.text)]
        said, latency_ms = await self._complete([*turns, _Turn("user", example.question)])
        return Reply(foreign=said, latency_ms=latency_ms)

    async def search(self, example: Example) -> tuple[SearchResult, ...] | None:
        """There is no such route."""
        del example
        return None

    async def article(self, article_id: str, *, version: str) -> CitedArticle | None:
        """There is no such route."""
        del article_id, version
        return None

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _complete(self, turns: list[_Turn]) -> tuple[ForeignAnswer, float]:
        request = _Request(model=self._model, messages=turns, seed=self._seed)
        response = await self._client.post("/chat/completions", msgspec.json.encode(request))
        return _foreign(response), response.latency_ms


def _foreign(response: Response) -> ForeignAnswer:
    try:
        completion = msgspec.json.decode(response.body, type=_Completion)
        choice = completion.choices[0]
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError) as error:
        raise TargetFailed(Failure(kind="broken", message=f"not a chat completion: {error}")) from error
    links = [item.url_citation for item in choice.message.annotations or () if item.url_citation is not None]
    return ForeignAnswer(
        text=choice.message.content or "",
        model=completion.model or "",
        finish_reason=choice.finish_reason or "",
        citations=tuple(
            ForeignCitation(url=link.url, title=link.title or "", start=link.start_index, end=link.end_index)
            for link in links
        ),
    )
