"""Takes how long each question took, gives the percentiles that whoever waits would ask about.

Source: linear interpolation between order statistics (Hyndman and Fan, 1996, definition 7).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qa.evaluation.metrics.intervals import Floats

__all__ = ["percentile"]


def percentile(milliseconds: Sequence[float] | Floats, share: float) -> float | None:
    """What `share` % of the questions did not take longer than; None where nothing was measured.

    >>> percentile([10.0, 20.0, 30.0], 50)
    20.0
    """
    return float(np.percentile(np.asarray(milliseconds, np.float64), share)) if len(milliseconds) else None
