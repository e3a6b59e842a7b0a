"""Routes of OpenAI's that have no like here: their clients are told what to use."""

from __future__ import annotations

from functools import partial

from litestar import post

from qa.errors import NotFound
from qa.server.auth.permissions import READING_WITH_A_KEY

__all__ = ["create_completion", "create_embedding"]

_elsewhere = partial(post, include_in_schema=False, status_code=200, opt=READING_WITH_A_KEY)


@_elsewhere("/completions")
async def create_completion() -> None:
    """There is nothing to complete: questions are answered."""
    raise NotFound("text is not completed here; ask with POST /v1/chat/completions or POST /v1/responses")


@_elsewhere("/embeddings")
async def create_embedding() -> None:
    """Vectors of one encoder are of no use beside another's."""
    raise NotFound("vectors are not given out here; find passages with POST /api/search, which encodes for itself")
