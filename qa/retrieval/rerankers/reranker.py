"""The seam between a question with passages and how well each answers it; takes evidence, gives it reordered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from qa.types import Evidence

__all__ = ["WIDER", "Reranker", "rerank"]

WIDER = 3
"""So many times as many passages are retrieved as are kept after reranking."""


class Reranker(Protocol):
    """Judges passages; blocking CPU work, deterministic."""

    @property
    def identity(self) -> str:
        """Name and version: equal identity means equal scores."""

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """How well each text answers the question; higher is better, nothing else is promised."""


def rerank(evidence: Sequence[Evidence], *, question: str, reranker: Reranker, kept: int) -> tuple[Evidence, ...]:
    """The best passages by the reranker's scores; equal ones stay in the order of retrieval, whose scores they keep."""
    if not evidence:
        return ()
    scores = reranker.scores(question, [f"{e.stored.title}\n{e.stored.passage.text}".strip() for e in evidence])
    order = sorted(range(len(evidence)), key=lambda index: -scores[index])
    return tuple(evidence[index] for index in order[:kept])
