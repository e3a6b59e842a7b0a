"""The seam between a question with its evidence and the raw text of a model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Literal, Protocol

import msgspec

__all__ = ["AroundGenerator", "Delta", "Document", "Finish", "Generator", "Message"]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A source, given apart from the words of a message."""

    title: str
    about: str
    """Where and when it was published."""
    text: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str
    documents: tuple[Document, ...] = ()
    """Only for a generator that reads documents; any other has them in `content`."""
    label: str = ""
    """With `documents`: the draft names the second one `[label2]`."""


class Delta(msgspec.Struct, frozen=True):
    """A piece of the draft as it arrives; pieces part anywhere, also inside words and markers."""

    text: str


class Finish(msgspec.Struct, frozen=True, kw_only=True):
    """The draft is complete; comes last, once."""

    reason: Literal["stop", "length", "content_filter"]
    prompt_tokens: int = 0
    """As the server counts; 0 where it does not say."""
    completion_tokens: int = 0


class Generator(Protocol):
    """Writes a draft; used from the event loop."""

    @property
    def model(self) -> str:
        """Name of the model, for the answer's metadata."""

    @property
    def context_tokens(self) -> int:
        """Size of the model's window: prompt and draft together."""

    @property
    def reads_documents(self) -> bool:
        """Whether sources are given to it as documents, which it names by itself in the draft."""

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, deadline: float
    ) -> AsyncGenerator[Delta | Finish, None]:
        """Stream a draft until `deadline` (seconds of the event loop's clock).

        Raises GeneratorFailed, before or between pieces: unreachable, refused, too slow, garbage. Closing the
        generator closes the connection upstream within a second.
        """

    async def close(self) -> None:
        """Release connections."""


class AroundGenerator:
    """What stands around another generator and says of the model what that says."""

    def __init__(self, inner: Generator) -> None:
        """`inner` is closed with this one."""
        self._inner = inner

    @property
    def model(self) -> str:
        """Name of the model."""
        return self._inner.model

    @property
    def context_tokens(self) -> int:
        """Size of the model's window."""
        return self._inner.context_tokens

    @property
    def reads_documents(self) -> bool:
        """Whether sources are given to it as documents."""
        return self._inner.reads_documents

    async def close(self) -> None:
        """Release connections."""
        await self._inner.close()
