"""Judges claims: does the evidence say so, and in which words.

The seam between a claim with its evidence and a verdict, and how a score and mismatches make one. `load_checker` gives
the checker of a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from qa.types import Verdict

__all__ = [
    "Mismatch",
    "Provenance",
    "Support",
    "SupportChecker",
    "SupportingSpan",
    "load_checker",
    "verdict_of",
]

_SUPPORTED = 0.6
_PARTLY = 0.6
"""Share of the threshold from which a claim on the same matter counts as supported in part."""
_SAME_MATTER = 0.5
"""Share of a claim's words from which its evidence speaks of the same matter, so that it can contradict it."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a text of evidence besides its words."""

    title: str = ""
    """Names in it are what the text's pronouns may point at."""
    published_at: str | None = None
    """ISO 8601; "Tuesday" and "June 4" in the text are days near it."""


class SupportingSpan(msgspec.Struct, frozen=True, kw_only=True):
    """The words that support a claim: `evidence[index][start:end]`, one sentence or a few that follow each other."""

    index: int
    start: int
    end: int
    score: float
    """How well these words alone support the claim, 0 to 1."""


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the claim that the evidence does not say, or says otherwise."""

    kind: Literal["number", "unit", "date", "name", "negation", "quantifier", "meaning"]
    start: int
    end: int
    """Span in the claim."""
    found: str = ""
    """What the evidence says in its place, where it says something."""


class Support(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement of one claim."""

    verdict: Verdict
    score: float
    """Calibrated probability that the evidence supports the whole claim."""
    spans: tuple[SupportingSpan, ...]
    """Best first; empty where nothing supports it."""
    mismatches: tuple[Mismatch, ...] = ()


class SupportChecker(Protocol):
    """Judges whether evidence supports a claim; blocking CPU work, deterministic."""

    @property
    def identity(self) -> str:
        """Name and version, for the answer's metadata: equal identity means equal judgements."""

    def check(
        self, claim: str, evidence: Sequence[str], *, question: str = "", contexts: Sequence[Provenance] = ()
    ) -> Support:
        """Judge one sentence against texts; offsets in the result are those of the texts as given.

        `question` is what the claim answers: names that the claim only points at may stand in it.
        `contexts`, where given, says of each text in turn what it is from.
        """


def verdict_of(score: float, share: float, mismatches: Sequence[Mismatch], *, threshold: float = _SUPPORTED) -> Verdict:
    """Contradicted where the evidence speaks of the same matter and says otherwise; else by the score."""
    if any(mismatch.found for mismatch in mismatches) and share >= _SAME_MATTER:
        return "contradicted"
    if mismatches:
        return "unsupported"
    if score >= threshold:
        return "supported"
    return "partly_supported" if score >= _PARTLY * threshold and share >= _SAME_MATTER else "unsupported"


def load_checker(name: str, *, threads: int = 0) -> SupportChecker:
    """The trained network that ships for no name, `lexical` for words alone, else a model by its name or path.

    Raises EncoderError where no such model is on this machine, SettingsError where the network has no calibration.
    """
    if name == "lexical":
        from qa.grounding.lexical import LexicalChecker

        return LexicalChecker()
    if name in {"", "trained"}:
        from qa.grounding.trained import TrainedChecker

        checker = TrainedChecker(threads=threads)
        _ = checker.identity  # Weights that are not there are an error now, not at the first claim.
        return checker
    from qa.grounding.cross_encoder import CrossEncoderChecker

    return CrossEncoderChecker(name, threads=threads)
