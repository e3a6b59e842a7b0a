"""A span around each draft of a generator, with the names that OpenTelemetry has for calls of language models.

https://opentelemetry.io/docs/specs/semconv/gen-ai/: these names are still in development there.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from qa.errors import GeneratorFailed
from qa.generators.generator import AroundGenerator, Delta, Finish, Generator, Message
from qa.tracing.spans import Span, Value, part

__all__ = ["TracedGenerator"]


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
        told: dict[str, Value] = {
            "gen_ai.response.finish_reasons": [finish.reason],
            "gen_ai.request.model": self.model,
        }
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
