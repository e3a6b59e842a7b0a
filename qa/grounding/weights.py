"""The two small networks of the aligned checker and its thresholds, fitted by `make calibrate-checker`."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import msgspec

from qa.grounding.network import Network

__all__ = ["CheckerWeights", "load_weights"]


class CheckerWeights(msgspec.Struct, frozen=True, kw_only=True):
    """What fitting produced, and from what."""

    word: Network
    """Doubt about one word of a claim."""
    claim: Network
    """Support of the whole claim, given the doubts."""
    threshold: float
    """Score from which a claim counts as supported."""
    by_set: dict[str, float]
    """Thresholds that fit each grounding set alone: for reports on those sets, not for service."""
    doubtful: float
    """Probability from which a single word counts as not borne out."""
    provenance: str


@lru_cache(maxsize=1)
def load_weights() -> CheckerWeights:
    """Read the fitted weights that ship with the package."""
    return msgspec.json.decode(files("qa.grounding").joinpath("checker.json").read_bytes(), type=CheckerWeights)
