"""Takes a score and the mismatches, gives the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from qa.grounding.checker import Mismatch
from qa.types import Verdict

__all__ = ["verdict_of"]

_SUPPORTED = 0.6
_PARTLY = 0.6
"""Share of the threshold from which a claim on the same matter counts as supported in part."""
_SAME_MATTER = 0.5
"""Share of a claim's words from which its evidence speaks of the same matter, so that it can contradict it."""


def verdict_of(score: float, share: float, mismatches: Sequence[Mismatch], *, threshold: float = _SUPPORTED) -> Verdict:
    """Contradicted where the evidence speaks of the same matter and says otherwise; else by the score."""
    if any(mismatch.found for mismatch in mismatches) and share >= _SAME_MATTER:
        return "contradicted"
    if mismatches:
        return "unsupported"
    if score >= threshold:
        return "supported"
    return "partly_supported" if score >= _PARTLY * threshold and share >= _SAME_MATTER else "unsupported"
