"""Finds the passages that may answer a question: `search` ranks them, `recency` weighs their age.

Here is the seam of rerankers, which read each passage with the question and put them into a better order; off unless a
model is named. A sentence-transformers cross-encoder is found by name or path and never downloaded; shared word stems
need no model, and show what one adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from embeddings.encoders.sentence_transformer import SAFELY, CrossEncoderModel, prepare_torch
from embeddings.errors import EncoderError
from qa.language.words import stems
from qa.types import Evidence

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

WIDER = 3
"""So many times as many passages are retrieved as are kept after reranking."""
_BATCH = 8


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


class WordReranker:
    """Share of the question's words that a text has."""

    identity = "words 1"

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """Score each text; see `Reranker`."""
        wanted = stems(question)
        return [len(wanted & stems(text)) / max(1, len(wanted)) for text in texts]


class _CrossEncoderReranker(CrossEncoderModel):
    """The model reads the question with each passage; what is longer than it reads is cut by its tokenizer."""

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """Score each text; see `Reranker`. Raises EncoderError for a model that gives several numbers."""
        pairs = [(question, text) for text in texts]
        found = self._model.predict(pairs, batch_size=_BATCH, show_progress_bar=False)
        return [float(score) for score in found]

    @cached_property
    def _model(self) -> CrossEncoder:
        from sentence_transformers import CrossEncoder

        prepare_torch(threads=self._threads)
        model = CrossEncoder(str(self._folder), **SAFELY)
        if model.config.num_labels != 1:
            raise EncoderError(
                f"{self._folder} gives {model.config.num_labels} numbers for a pair; a reranker gives one. "
                "Set QA_RERANKER to a model that scores passages"
            )
        return model


def load_reranker(name: str, *, threads: int = 0) -> Reranker | None:
    """None for no name, `words` for shared words alone, else a cross-encoder by its name or path.

    Raises EncoderError where no such model is on this machine.
    """
    if not name:
        return None
    if name == "words":
        return WordReranker()
    return _CrossEncoderReranker(name, threads=threads)
