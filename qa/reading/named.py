"""Any question-answering network of the transformers library, by name or path: BERT, RoBERTa, DeBERTa, ELECTRA …"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from embeddings.encoders.weights import locate, revision
from embeddings.errors import EncoderError
from embeddings.runtime.processors import native_threads
from qa.reading.calibration import FILE_NAME, Calibration, calibration_beside
from qa.reading.reader import AnswerSpan, PassageText
from qa.reading.windows import Batch, limit_tokens, read_windows

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["NamedReader"]

_MOST_TOKENS = 384
_SPECIAL = 4
"""Positions some architectures keep for themselves (RoBERTa counts from 2)."""


class NamedReader:
    """Reads with a model of this machine; torch runs it."""

    languages = None

    def __init__(self, name: str, *, threads: int = 0) -> None:
        """Locates the model. Raises EncoderError where it is not on this machine."""
        self._folder = locate(name)
        self._name = name
        self._threads = threads

    @cached_property
    def identity(self) -> str:
        """Name and hash of its files; its calibration is none of them."""
        return f"{self._name} {revision(self._folder, without=FILE_NAME)}"

    @cached_property
    def calibration(self) -> Calibration:
        """The one kept in the model's folder, or the general one. Raises SettingsError where it is another model's."""
        return calibration_beside(self._folder, reader=self.identity)

    def read(self, question: str, passages: Sequence[PassageText]) -> list[tuple[AnswerSpan, ...]]:
        """See `Reader`."""
        return read_windows(question, passages, tokenizer=self._tokenizer, network=self._network)

    def _network(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        import torch

        inputs = {"input_ids": torch.from_numpy(batch.ids), "attention_mask": torch.from_numpy(batch.mask)}
        if getattr(self._model.config, "type_vocab_size", 0) > 1:
            inputs["token_type_ids"] = torch.from_numpy(batch.kinds)
        with torch.inference_mode():
            found = self._model(**inputs)
        return found.start_logits.float().numpy(), found.end_logits.float().numpy()

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        positions = int(getattr(self._model.config, "max_position_embeddings", _MOST_TOKENS + _SPECIAL))
        limit_tokens(tokenizer, most=min(_MOST_TOKENS, positions - _SPECIAL))
        return tokenizer

    @cached_property
    def _model(self) -> Any:
        import torch
        from transformers import AutoModelForQuestionAnswering
        from transformers.utils import logging

        logging.disable_progress_bar()
        torch.set_num_threads(native_threads(self._threads))
        model, told = AutoModelForQuestionAnswering.from_pretrained(
            self._folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        if missing := sorted(told["missing_keys"]):
            raise EncoderError(
                f"{self._folder} is no question-answering model: its weights lack {', '.join(missing[:3])}; "
                "name one that was trained to find answers, such as one trained on SQuAD 2.0"
            )
        return model.eval()
