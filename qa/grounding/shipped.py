"""The network that ships: the bundled encoder fine-tuned to judge claims, int8, run by ONNX Runtime; no torch.

What it was trained on, and how well it does, stands in `weights/MODEL_CARD.md`.
"""

from __future__ import annotations

from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from embeddings.runtime.onnx_session import open_session, open_tokenizer
from qa.grounding.calibration import CheckerCalibration, read_calibration

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer

__all__ = ["MOST_TOKENS", "Outcome", "ShippedNetwork"]

MOST_TOKENS = 384
"""Of the whole input; longer evidence is cut at its end."""
_CLAIM_TOKENS = 160


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the network makes of one claim before one text."""

    log_odds: float
    """Of support against the two other outcomes together, as the network has them."""
    contradicted: float
    """Probability of contradiction, 0 to 1."""


class ShippedNetwork:
    """One long-lived session over weights and the calibration that belongs to them."""

    def __init__(self, *, threads: int = 0, folder: Path | None = None) -> None:
        """Nothing is loaded before the first claim. `threads` of 0 means one per core; `folder` holds other weights."""
        self._threads = threads
        if folder is None:
            with as_file(files("qa.grounding").joinpath("weights")) as own:
                folder = Path(own)
        self._folder = folder

    @cached_property
    def calibration(self) -> CheckerCalibration:
        """What its log-odds are worth, fitted for exactly these weights."""
        return read_calibration(self._folder / "checker.json")

    def judge(self, claim: str, text: str) -> Outcome | None:
        """One claim before one text; None where the claim is longer than the network reads."""
        head = self._tokenizer.encode(claim, add_special_tokens=False).ids
        if len(head) > _CLAIM_TOKENS:
            return None
        cls, sep = self._marks
        front = [cls, *head, sep]
        body = self._tokenizer.encode(text, add_special_tokens=False).ids[: MOST_TOKENS - len(front) - 1]
        ids = np.array([[*front, *body, sep]], np.int64)
        kinds = (np.arange(ids.shape[1]) >= len(front)).astype(np.int64)[None, :]
        ((logits,),) = self._session.run(["logits"], {"input_ids": ids, "token_type_ids": kinds})
        logits = np.asarray(logits, np.float64)
        odds = np.exp(logits - logits.max())
        return Outcome(
            log_odds=float(logits[0] - np.logaddexp(logits[1], logits[2])),
            contradicted=float(odds[1] / odds.sum()),
        )

    @cached_property
    def _marks(self) -> tuple[int, int]:
        cls, sep = self._tokenizer.encode("").ids
        return cls, sep

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return open_tokenizer(self._folder / "tokenizer.json")

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        sha256 = self.calibration.checker.rpartition(" ")[2]
        return open_session(self._folder / "checker.onnx", sha256=sha256, threads=self._threads)
