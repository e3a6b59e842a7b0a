"""The reader that ships: the bundled encoder fine-tuned to read, int8, run by ONNX Runtime; no torch.

What it was trained on, and how well it does, stands in `weights/MODEL_CARD.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embeddings.runtime.onnx_session import open_session, open_tokenizer
from qa.reading.calibration import Calibration, read_calibration
from qa.reading.reader import AnswerSpan, PassageText
from qa.reading.windows import Batch, limit_tokens, read_windows

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer

__all__ = ["MOST_TOKENS", "ShippedReader"]

MOST_TOKENS = 384


class ShippedReader:
    """One long-lived session over the weights beside this file."""

    languages = frozenset({"en"})

    def __init__(self, *, threads: int = 0) -> None:
        """Nothing is loaded before the first question. `threads` of 0 means one per core."""
        self._threads = threads
        with as_file(files("qa.reading").joinpath("weights")) as folder:
            self._folder = Path(folder)

    @cached_property
    def calibration(self) -> Calibration:
        """What its log-odds are worth, fitted for exactly these weights."""
        return read_calibration(self._folder / "reader.json")

    @property
    def identity(self) -> str:
        """Name and hash of the weights."""
        return self.calibration.reader

    def read(self, question: str, passages: Sequence[PassageText]) -> list[tuple[AnswerSpan, ...]]:
        """See `Reader`.

        Each window has a run to itself: the network takes one, since activations are quantised by their range in a run
        and what is read in one passage would depend on the others.
        """
        return read_windows(question, passages, tokenizer=self._tokenizer, network=self._network, together=1)

    def _network(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        inputs = {"input_ids": batch.ids, "token_type_ids": batch.kinds}
        starts, ends = self._session.run(["start_logits", "end_logits"], inputs)
        return starts, ends

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        tokenizer = open_tokenizer(self._folder / "tokenizer.json")
        limit_tokens(tokenizer, most=MOST_TOKENS)
        return tokenizer

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        sha256 = self.identity.rpartition(" ")[2]
        return open_session(self._folder / "reader.onnx", sha256=sha256, threads=self._threads)
