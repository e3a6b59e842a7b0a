"""The small networks with which the support checker weighs features."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = ["Network"]

_Floats = npt.NDArray[np.float32]


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
