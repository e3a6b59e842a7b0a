"""Gives the reranker of a name, or none."""

from __future__ import annotations

from qa.retrieval.rerankers.reranker import Reranker
from qa.retrieval.rerankers.shared_words import WordReranker

__all__ = ["load_reranker"]


def load_reranker(name: str, *, threads: int = 0) -> Reranker | None:
    """None for no name, `words` for shared words alone, else a cross-encoder by its name or path.

    Raises EncoderError where no such model is on this machine.
    """
    if not name:
        return None
    if name == "words":
        return WordReranker()
    from qa.retrieval.rerankers.cross_encoder import CrossEncoderReranker

    return CrossEncoderReranker(name, threads=threads)
