"""A running service as a target: Sourceline at a base URL, or any OpenAI-compatible server.

The latter is asked `chat/completions`; its `url_citation` annotations are taken as citations. Blocking calls run in
threads, failures are `TargetFailed`.
"""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from qa.evaluation import (
    CitedArticle,
    Example,
    Failure,
    ForeignAnswer,
    ForeignCitation,
    RunRefused,
    Target,
    TargetFailed,
)
from qa.evaluation.targets import Asking, Facts, Reply, corpus_hash, public_url, question_of, search_of
from qa.types import Answer, SearchAnswer, SearchResult

T = TypeVar("T")
_PAGE = 200
_LARGEST = 50_000_000
_TRIES = 4
_LONGEST_PAUSE = 30.0
_BUSY = frozenset({429, 503})


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
        _require_all_shown(example)
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


def _require_all_shown(example: Example) -> None:
    if example.withheld_article_ids:
        message = "withheld_article_ids: only an in-process run can hide articles from a question"
        raise TargetFailed(Failure(kind="refused", message=message))


def _decoded(response: Response, wanted: type[T]) -> T:
    try:
        return msgspec.json.decode(response.body, type=wanted)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"not what this version of the service sends: {error}"
        raise TargetFailed(Failure(kind="broken", message=message)) from error


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
        _require_all_shown(example)
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


class Response:
    """A body with the time it took to come."""

    def __init__(self, body: bytes, latency_ms: float) -> None:
        self.body = body
        self.latency_ms = latency_ms


class JsonClient:
    """Speaks to one base URL. A service that is busy is asked again, at its own pace; nothing else is."""

    def __init__(self, base_url: str, *, timeout: float, token: str = "") -> None:
        """Raises RunRefused for what is no http(s) address."""
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise RunRefused(f"{base_url!r} is no address of a service; write one such as http://127.0.0.1:8000")
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._path = parts.path.rstrip("/")
        self._timeout = timeout
        self._headers = {"accept": "application/json", "user-agent": "sourceline-evaluation"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Response:
        """Raises TargetFailed."""
        return await self._send("GET", path + (f"?{urlencode(query)}" if query else ""), None)

    async def post(self, path: str, body: bytes) -> Response:
        """Raises TargetFailed."""
        return await self._send("POST", path, body)

    async def _send(self, method: str, path: str, body: bytes | None) -> Response:
        for attempt in range(_TRIES):
            try:
                # The socket's timeout is per read; a body that trickles must end as well.
                job = asyncio.to_thread(self._once, method, path, body)
                status, content, pause, latency = await asyncio.wait_for(job, timeout=self._timeout + 1.0)
            except TimeoutError as error:
                failure = Failure(kind="timed_out", message=f"no answer within {self._timeout:g} s")
                raise TargetFailed(failure) from error
            except (OSError, http.client.HTTPException) as error:
                failure = Failure(kind="unreachable", message=f"{type(error).__name__}: {error}")
                raise TargetFailed(failure) from error
            if status in _BUSY and attempt + 1 < _TRIES:
                await asyncio.sleep(pause)
                continue
            if status != 200:
                message = f"HTTP {status}: {_start(content)}"
                raise TargetFailed(Failure(kind="refused" if 400 <= status < 500 else "broken", message=message))
            return Response(content, latency)
        raise AssertionError("the last try returns or raises")

    def _once(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes, float, float]:
        """Status, body, seconds to pause where it is busy, milliseconds it took."""
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout)
        headers = {**self._headers, **({"content-type": "application/json"} if body is not None else {})}
        try:
            began = time.perf_counter()
            connection.request(method, self._path + path, body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read(_LARGEST)
            latency = (time.perf_counter() - began) * 1000
            return answer.status, content, _pause(answer.headers.get("retry-after")), latency
        finally:
            connection.close()


def _pause(retry_after: str | None) -> float:
    return min(float(retry_after), _LONGEST_PAUSE) if retry_after and retry_after.isdecimal() else 1.0


def _start(content: bytes) -> str:
    return " ".join(content[:600].decode("utf-8", "replace").split())[:300]
