"""Takes how long each question took, gives the percentiles that whoever waits would ask about.

Source: percentiles with linear interpolation between order statistics (Hyndman and Fan, 1996, definition 7).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

__all__ = ["Latency", "latency"]


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds per question."""

    n: int
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    longest: float


def latency(milliseconds: Sequence[float]) -> Latency | None:
    """Percentiles of what was measured; None where nothing was.

    >>> latency([10.0, 20.0, 30.0]).p50
    20.0
    """
    if not len(milliseconds):
        return None
    taken = np.asarray(milliseconds, np.float64)
    p50, p90, p95, p99 = (round(float(found), 2) for found in np.percentile(taken, [50, 90, 95, 99]))
    return Latency(
        n=int(taken.size),
        mean=round(float(taken.mean()), 2),
        p50=p50,
        p90=p90,
        p95=p95,
        p99=p99,
        longest=round(float(taken.max()), 2),
    )
