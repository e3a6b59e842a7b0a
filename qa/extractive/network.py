"""The two small networks that weigh features, fitted by `qa.evaluation.fit_extraction` and stored beside this file."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = ["Calibration", "Network", "Reader", "lead", "load_reader"]

_Floats = npt.NDArray[np.float32]
_MOST_LEAD = 5.0


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """One hidden layer of rectified units and a logistic output, over standardised features."""

    features: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    hidden: tuple[tuple[float, ...], ...]
    """Shape (features, units)."""
    hidden_bias: tuple[float, ...]
    output: tuple[float, ...]
    output_bias: float

    def logits(self, rows: _Floats) -> _Floats:
        """Log-odds for each row, shape (rows,)."""
        if not len(rows):
            return np.zeros(0, np.float32)
        standard = (rows - np.array(self.mean, np.float32)) / np.array(self.scale, np.float32)
        units = np.maximum(standard @ np.array(self.hidden, np.float32) + np.array(self.hidden_bias, np.float32), 0.0)
        return np.asarray(units @ np.array(self.output, np.float32) + self.output_bias, np.float32)


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """From the best sentence to the probability that it answers, and where to decline."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    """For the best sentence's log-odds, its lead over the runner-up, then each of its own features."""
    bias: float
    threshold: float
    """Below this probability the answer is an abstention."""

    def probability(self, best: float, runner_up: float, features: _Floats) -> float:
        """Probability that the best sentence answers the question; `features` is its row of sentence features."""
        row = np.concatenate([[best, lead(best, runner_up)], features])
        standard = (row - np.array(self.mean)) / np.array(self.scale)
        return float(1.0 / (1.0 + np.exp(-(standard @ np.array(self.weights) + self.bias))))


def lead(best: float, runner_up: float) -> float:
    """How far the best sentence is ahead, in log-odds; beyond `_MOST_LEAD` more tells nothing."""
    return min(best - runner_up, _MOST_LEAD)


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """What fitting produced, and from what."""

    sentence: Network
    span: Network
    calibration: Calibration
    provenance: str


@lru_cache(maxsize=1)
def load_reader() -> Reader:
    """Read the fitted weights that ship with the package."""
    return msgspec.json.decode(files("qa.extractive").joinpath("reader.json").read_bytes(), type=Reader)
