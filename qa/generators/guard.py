"""Bounds around any generator: concurrency, time, no waiting for one that is down, and a span for each draft.

The span has the names that OpenTelemetry gives to calls of language models.

A breaker that is closed lets everyone try. Open, after five failures within ten seconds or in a row, it lets nobody,
for a while. Then half open: one question is let through to see; its first words close the breaker, its failure opens
it again.
"""

import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from qa.errors import GeneratorFailed
from qa.generators import AroundGenerator, Delta, Finish, Generator, Message
from qa.tracing import Span, Value, part

logger = logging.getLogger(__name__)
_CHARACTERS_PER_TOKEN = 8
"""More than any tokenizer gives for prose: a server that was told `max_tokens` and sends more than this ignores it."""
_STEP = 40
"""Looking for a loop after each so many characters keeps the cost far below that of receiving them."""
_TIMES = 4
_MIN_LOOP = 120
"""A loop is the same words, four times in a row or more, over at least so many characters."""
_MAX_PERIOD = 400
_FAILURES = 5
_WINDOW_SECONDS = 10.0
_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE = 30.0
"""However long a server asks to be left alone, it is asked again after so much."""


class GuardedGenerator(AroundGenerator):
    """A generator that fails at once where another could only fail late."""

    def __init__(self, inner: Generator, *, concurrency: int) -> None:
        """`concurrency`: drafts that may be written at the same time; further ones fail with `model_overloaded`."""
        super().__init__(inner)
        self._concurrency = concurrency
        self._breaker = Breaker()
        self.busy = 0
        """Drafts being written now."""

    @property
    def resting(self) -> bool:
        """Whether the model is left alone for a while, after failures."""
        return self._breaker.resting

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int, deadline: float
    ) -> AsyncGenerator[Delta | Finish, None]:
        """Stream a draft; one that goes on for ever, or in a circle, ends with `length` where that is noticed."""
        with self._permit(), self._breaker.attempt():
            limit = DraftLimit(max_tokens=max_tokens)
            async with aclosing(self._inner.stream(messages, max_tokens=max_tokens, deadline=deadline)) as pieces:
                async for piece in pieces:
                    self._breaker.arrived()
                    if isinstance(piece, Finish):
                        self._breaker.succeeded()
                        yield piece
                        return
                    if text := limit.take(piece.text):
                        yield Delta(text)
                    if limit.reached:
                        break
                else:
                    raise GeneratorFailed("the draft has no end", reason="model_failed")
            self._breaker.succeeded()
            logger.info("the draft of %s was cut: %s", self.model, limit.reached)
            yield Finish(reason="length")

    @contextmanager
    def _permit(self) -> Iterator[None]:
        if self.busy >= self._concurrency:
            raise GeneratorFailed(
                f"{self.busy} drafts are being written already (QA_LLM_CONCURRENCY)",
                reason="model_overloaded",
                server_fault=False,
            )
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1


class DraftLimit:
    """What one draft may still bring."""

    def __init__(self, *, max_tokens: int) -> None:
        self._left = max_tokens * _CHARACTERS_PER_TOKEN
        self._tail = ""
        self._unseen = 0
        self.reached: Literal["", "length", "loop"] = ""
        """Why nothing more is taken; empty while the draft may go on."""

    def take(self, text: str) -> str:
        """The part of a piece that still counts; after it `reached` may be set."""
        taken = text[: self._left]
        self._left -= len(taken)
        if len(taken) < len(text):
            self.reached = "length"
        self._tail = (self._tail + taken)[-_TIMES * _MAX_PERIOD :]
        self._unseen += len(taken)
        if self._unseen >= _STEP:
            self._unseen = 0
            if repeats(self._tail):
                self.reached = "loop"
        return taken


def repeats(text: str) -> bool:
    """Whether a text ends in a loop.

    >>> repeats("It rained in Velda. " + "The harbour is closed. " * 6)
    True
    >>> repeats("It rained in Velda. The harbour is closed. The harbour is closed. The road is open.")
    False
    """
    for period in range(1, min(_MAX_PERIOD, len(text) // _TIMES) + 1):
        span = text[-max(_TIMES * period, _MIN_LOOP) :]
        if len(span) >= _MIN_LOOP and span[period:] == span[:-period]:
            return True
    return False


class Breaker:
    """The state of one model's server; used from the event loop only."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, pause_seconds: float = _PAUSE_SECONDS) -> None:
        self._clock = clock
        self._pause = pause_seconds
        self._failures: deque[float] = deque(maxlen=_FAILURES)
        self._in_a_row = 0
        self._closed_until = 0.0
        self._last: GeneratorFailed | None = None
        self._open = False
        self._probing: object | None = None

    @property
    def resting(self) -> bool:
        """Whether the model is left alone now."""
        return self._last is not None and self._clock() < self._closed_until

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Try the model. Raises GeneratorFailed, at once and with the last failure's reason, where it is no use.

        A GeneratorFailed that leaves the block counts where it is the server's fault; whoever leaves it otherwise
        before the model said anything (the reader has gone) counts neither way.
        """
        attempt = self._admit()
        try:
            yield
        except GeneratorFailed as error:
            self._failed(error)
            raise
        finally:
            if self._probing is attempt:
                self._probing = None

    def _admit(self) -> object:
        """Give what tells this attempt from others."""
        attempt = object()
        if self._last is not None and self._clock() < self._closed_until:
            raise GeneratorFailed(f"not asked, it failed a moment ago: {self._last}", reason=self._last.reason)
        if self._open and self._last is not None:
            if self._probing is not None:
                raise GeneratorFailed(f"not asked while it is being tried: {self._last}", reason=self._last.reason)
            self._probing = attempt
        return attempt

    def arrived(self) -> None:
        """The model began to answer: whoever waits may come again."""
        if self._open:
            self._open = False
            self._failures.clear()

    def succeeded(self) -> None:
        """The model answered to the end."""
        self._in_a_row = 0

    def _failed(self, error: GeneratorFailed) -> None:
        now = self._clock()
        if error.retry_after is not None:
            self._shut(error, until=now + min(max(error.retry_after, 0.0), _LONGEST_PAUSE))
        if not error.server_fault:
            return
        self._in_a_row += 1
        self._failures.append(now)
        often = len(self._failures) == _FAILURES and now - self._failures[0] <= _WINDOW_SECONDS
        if self._open or often or self._in_a_row >= _FAILURES:
            self._open = True
            logger.warning("the model is left alone for %g seconds after %d failures", self._pause, self._in_a_row)
            self._shut(error, until=now + self._pause)

    def _shut(self, error: GeneratorFailed, *, until: float) -> None:
        self._last = error.with_traceback(None)
        self._closed_until = max(self._closed_until, until)


class TracedGenerator(AroundGenerator):
    """Any generator, with its drafts told of."""

    def __init__(self, inner: Generator, *, provider: Literal["openai", "anthropic"], base_url: str) -> None:
        """`provider` is whose API the server speaks; `base_url` may be empty, where that is the provider's own."""
        super().__init__(inner)
        self._provider = provider
        self._server = _server(base_url)

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int, deadline: float
    ) -> AsyncGenerator[Delta | Finish, None]:
        """Stream a draft; its span ends with the draft, and stays the one that its sentences are checked in."""
        begun, written = time.perf_counter(), list[str]()
        with part("chat", kind="client", attributes=self._asked(max_tokens)) as span:
            try:
                async with aclosing(self._inner.stream(messages, max_tokens=max_tokens, deadline=deadline)) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, Finish):
                            self._told(span, messages, "".join(written), piece)
                        elif not written:
                            span.tell({"gen_ai.response.time_to_first_chunk": round(time.perf_counter() - begun, 6)})
                        written += [piece.text] if isinstance(piece, Delta) else []
                        yield piece
            except GeneratorFailed as error:
                span.failed(error.reason)
                raise
            finally:
                # Only now is the name known of a model that the server was asked for.
                span.tell({"gen_ai.request.model": self.model}, name=f"chat {self.model}".strip())

    def _asked(self, max_tokens: int) -> Mapping[str, Value]:
        return {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": self._provider,
            "gen_ai.output.type": "text",
            "gen_ai.request.max_tokens": max_tokens,
            "gen_ai.request.stream": True,
            **self._server,
        }

    def _told(self, span: Span, messages: Sequence[Message], draft: str, finish: Finish) -> None:
        """What is known at the end of a draft; then its span ends, though its last sentence is still to be checked."""
        told: dict[str, Value] = {"gen_ai.response.finish_reasons": [finish.reason], "gen_ai.request.model": self.model}
        if finish.prompt_tokens or finish.completion_tokens:  # a server that does not count says nothing, not 0
            told["gen_ai.usage.input_tokens"] = finish.prompt_tokens
            told["gen_ai.usage.output_tokens"] = finish.completion_tokens
        if span.texts:
            told["gen_ai.input.messages"] = _json([_said(one.role, _texts(one)) for one in messages])
            told["gen_ai.output.messages"] = _json([_said("assistant", [draft], finish_reason=finish.reason)])
        span.tell(told, name=f"chat {self.model}".strip())
        span.end()


def _server(base_url: str) -> Mapping[str, Value]:
    parts = urlsplit(base_url)
    if not parts.hostname:
        return {}
    return {"server.address": parts.hostname, "server.port": parts.port or (443 if parts.scheme == "https" else 80)}


def _texts(message: Message) -> list[str]:
    return [*(document.text for document in message.documents), message.content]


def _said(role: str, texts: Sequence[str], **more: str) -> Mapping[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": text} for text in texts], **more}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
