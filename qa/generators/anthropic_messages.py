"""Drafts from Anthropic's Messages API, which reads the sources as documents and says itself which one it cites.

What it cites is a hint like any other marker: each sentence is checked, and cited anew, by ourselves. The SDK builds
and sends the request over our own `transport`; what comes back is read with bounds by `MessagesReader`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

from qa.errors import SettingsError
from qa.generators.generator import Delta, Document, Finish, Message
from qa.generators.messages_stream import MessagesReader
from qa.generators.provider_errors import Refused
from qa.generators.transport import Pace, answered, place, transport

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

__all__ = ["AnthropicMessages"]

_ADDRESS = "https://api.anthropic.com"
_SDK = "anthropic>=2.14,<3"
"""As the extra `anthropic` of this package asks for it."""
_BYTES = 200_000
_BYTES_PER_TOKEN = 4_000
"""A streamed token takes some 200 bytes; each citation repeats the words that it cites."""
_THINKING_TOKENS = 1_024
"""For a model that cannot be kept from thinking, on top of what it may write."""
_LONGEST_TITLE = 200


class AnthropicMessages:
    """One of Anthropic's models; belongs to one event loop."""

    reads_documents = True

    def __init__(self, *, base_url: str, api_key: str, model: str, context_tokens: int) -> None:
        """`base_url` may be empty: Anthropic's own.

        Imports the SDK, which takes a second: not on an event loop. Raises SettingsError where it is not installed, or
        for an unusable address.
        """
        self._model = model
        self._context_tokens = context_tokens
        self._where = place(base_url or _ADDRESS)
        self._client = _client(base_url or _ADDRESS, api_key)
        self._answered = partial(answered, where=self._where, sdk_error=_sdk_error())
        self._messages: Any = self._client.messages.with_streaming_response
        # A draft is a few sentences close to the sources, and somebody waits for it.
        self._options: dict[str, Any] = {"thinking": {"type": "disabled"}}

    @property
    def model(self) -> str:
        """Name of the model."""
        return self._model

    @property
    def context_tokens(self) -> int:
        """Size of the window that may be used."""
        return self._context_tokens

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int, deadline: float
    ) -> AsyncGenerator[Delta | Finish, None]:
        """Stream a draft. Raises GeneratorFailed for whatever keeps the service from writing one."""
        pace = Pace(deadline=deadline)
        label = next((message.label for message in messages if message.documents), "")
        reader = MessagesReader(label=label, max_bytes=_BYTES + _BYTES_PER_TOKEN * max_tokens)
        async with self._answer(messages, max_tokens=max_tokens, deadline=pace.first) as body:
            while (data := await pace.next(body, reader)) is not None:
                for piece in reader.feed(data):
                    yield piece
        rest, finish = reader.finish()
        for piece in rest:
            yield piece
        yield finish

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()

    def _answer(
        self, messages: Sequence[Message], *, max_tokens: int, deadline: float
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Send the request; give the body of the answer once its head is there. Closing it closes the connection."""

        def request() -> Any:
            return self._messages.create(
                model=self._model,
                system="\n\n".join(message.content for message in messages if message.role == "system"),
                messages=[_sent(message) for message in messages if message.role != "system"],
                max_tokens=max_tokens + (0 if self._options else _THINKING_TOKENS),
                stream=True,
                **self._options,
            )

        return self._answered(request, give_way=self._give_way, deadline=deadline)

    def _give_way(self, refusal: Refused) -> bool:
        """Where the model refused an option that can be left out, leave it out from now on."""
        refused = [name for name in self._options if refusal.status == 400 and name in refusal.body]
        for name in refused:
            del self._options[name]
        return bool(refused)


def _sent(message: Message) -> dict[str, Any]:
    if not message.documents:
        return {"role": message.role, "content": message.content}
    documents = [_document(document) for document in message.documents]
    return {"role": message.role, "content": [*documents, {"type": "text", "text": message.content}]}


def _document(document: Document) -> dict[str, Any]:
    return {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": document.text},
        "title": document.title[:_LONGEST_TITLE],
        "context": document.about,
        "citations": {"enabled": True},
    }


def _sdk_error() -> type[Exception]:
    from anthropic import AnthropicError

    return AnthropicError


def _client(base_url: str, api_key: str) -> AsyncAnthropic:
    try:
        from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient
    except ModuleNotFoundError as error:
        if error.name != "anthropic":
            raise
        raise SettingsError(
            f"QA_LLM_PROVIDER=anthropic needs Anthropic's SDK: {sys.executable} -m pip install '{_SDK}'"
        ) from None
    # On the level below it writes whole requests: the question and the articles.
    logging.getLogger("anthropic").setLevel(logging.INFO)
    return AsyncAnthropic(
        base_url=base_url,
        # A gateway may want none; without one the SDK would look for others in the environment.
        api_key=api_key or "none",
        max_retries=0,
        http_client=transport(base_url, kind=DefaultAsyncHttpxClient),
        open_telemetry=False,
        # What bombs unpack to cannot be bounded where it is read.
        default_headers={"accept-encoding": "identity"},
    )
