"""What can be evaluated: this process's own service, a running one, any OpenAI-compatible server.

`respondent` opens one from options.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from embeddings import encoders
from embeddings.opening import open_corpus
from embeddings.types import Where
from qa.evaluation.targets.over_http import Native, OpenAICompatible
from qa.evaluation.targets.target import Asking, CachingEncoder, Respondent
from qa.evaluation.types import RunRefused
from qa.settings import Settings

__all__ = ["Address", "respondent"]


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
    encoder = CachingEncoder(encoders.load(settings.encoder, threads=settings.threads))
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
