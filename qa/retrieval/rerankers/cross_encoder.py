"""A reranker that is a sentence-transformers cross-encoder, by name or path; never downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from embeddings.encoders.weights import locate, revision
from embeddings.errors import EncoderError
from embeddings.runtime.processors import native_threads

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

__all__ = ["CrossEncoderReranker"]

_BATCH = 8


class CrossEncoderReranker:
    """The model reads the question with each passage; what is longer than it reads is cut by its tokenizer."""

    def __init__(self, name: str, *, threads: int = 0) -> None:
        """Locates the model; raises EncoderError where it is not on this machine."""
        self._folder = locate(name)
        self._name = name
        self._threads = threads

    @cached_property
    def identity(self) -> str:
        """The model's name and a hash of its files."""
        return f"cross-encoder {self._name} {revision(self._folder)[:12]}"

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """Score each text; see `Reranker`. Raises EncoderError for a model that gives several numbers."""
        pairs = [(question, text) for text in texts]
        found = self._model.predict(pairs, batch_size=_BATCH, show_progress_bar=False)
        return [float(score) for score in found]

    @cached_property
    def _model(self) -> CrossEncoder:
        import torch
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging

        logging.disable_progress_bar()
        torch.set_num_threads(native_threads(self._threads))
        model = CrossEncoder(
            str(self._folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
        if model.config.num_labels != 1:
            raise EncoderError(
                f"{self._folder} gives {model.config.num_labels} numbers for a pair; a reranker gives one. "
                "Set QA_RERANKER to a model that scores passages"
            )
        return model
