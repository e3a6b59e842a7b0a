"""A reranker without a model: by shared word stems. For tests, and to see what a model adds."""

from __future__ import annotations

from collections.abc import Sequence

from qa.language.words import words_of

__all__ = ["WordReranker"]


class WordReranker:
    """Share of the question's words that a text has."""

    identity = "words 1"

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """Score each text; see `Reranker`."""
        wanted = {word.stem for word in words_of(question)}
        return [len(wanted & {word.stem for word in words_of(text)}) / max(1, len(wanted)) for text in texts]
