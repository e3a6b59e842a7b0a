"""Takes what was sent and what was answered, gives tokens as OpenAI's clients bill them."""

from __future__ import annotations

import msgspec

from qa.generation.context import count_tokens
from qa.server.openai.cited_text import Piece

__all__ = ["Tokens", "tokens_of"]


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """How long question and answer are."""

    read: int
    written: int


def tokens_of(whole: Piece, *, put: str) -> Tokens:
    """What the model behind an answer counted; where none was asked, the tokens of the messages and of the answer.

    Blocking: the first call reads the ranks of the tokens, a fifth of a second.
    """
    usage = whole.answer.usage if whole.answer else None
    read, written = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    return Tokens(read=read or count_tokens(put), written=written or count_tokens(whole.text))
