"""Puts bounds around any generator: how many at once, how long a draft, and no waiting for one that is down."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager

from qa.errors import GeneratorFailed
from qa.generators.circuit_breaker import Breaker
from qa.generators.draft_limits import DraftLimit
from qa.generators.generator import Delta, Finish, Generator, Message

__all__ = ["GuardedGenerator"]

logger = logging.getLogger(__name__)


class GuardedGenerator:
    """A generator that fails at once where another could only fail late."""

    def __init__(self, inner: Generator, *, concurrency: int, breaker: Breaker | None = None) -> None:
        """`concurrency`: drafts that may be written at the same time; further ones fail with `model_overloaded`."""
        self._inner = inner
        self._concurrency = concurrency
        self._breaker = breaker or Breaker()
        self._busy = 0

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

    @property
    def busy(self) -> int:
        """Drafts being written now."""
        return self._busy

    @property
    def resting(self) -> bool:
        """Whether the model is left alone for a while, after failures."""
        return self._breaker.resting

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int, deadline: float
    ) -> AsyncGenerator[Delta | Finish, None]:
        """Stream a draft; one that goes on for ever, or in a circle, ends with `length` where that is noticed."""
        with self._permit(), self._breaker.attempt() as attempt:
            limit = DraftLimit(max_tokens=max_tokens)
            async with aclosing(self._inner.stream(messages, max_tokens=max_tokens, deadline=deadline)) as pieces:
                async for piece in pieces:
                    attempt.arrived()
                    if isinstance(piece, Finish):
                        attempt.succeeded()
                        yield piece
                        return
                    if text := limit.take(piece.text):
                        yield Delta(text)
                    if limit.reached:
                        break
                else:
                    raise GeneratorFailed("the draft has no end", reason="model_failed")
            attempt.succeeded()
            logger.info("the draft of %s was cut: %s", self.model, limit.reached)
            yield Finish(reason="length")

    async def close(self) -> None:
        """Release connections."""
        await self._inner.close()

    @contextmanager
    def _permit(self) -> Iterator[None]:
        if self._busy >= self._concurrency:
            raise GeneratorFailed(
                f"{self._busy} drafts are being written already (QA_LLM_CONCURRENCY)",
                reason="model_overloaded",
                server_fault=False,
            )
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
