"""Judges claims: does the evidence say so, and in which words. `load_checker` gives the checker of a name."""

from __future__ import annotations

from embeddings.encoders import Encoder
from qa.grounding.checker import SupportChecker

__all__ = ["load_checker"]


def load_checker(name: str, *, encoder: Encoder, threads: int = 0) -> SupportChecker:
    """The built-in checker for no name, `trained` for the network that ships, `lexical` for words alone, else a
    cross-encoder by its name or path.

    Raises EncoderError where no such model is on this machine, SettingsError where the network has no calibration.
    """
    if name in {"", "lexical"}:
        from qa.grounding.aligned import AlignedChecker, LexicalChecker

        return LexicalChecker() if name else AlignedChecker(encoder)
    if name == "trained":
        from qa.grounding.trained import TrainedChecker

        checker = TrainedChecker(threads=threads)
        _ = checker.identity  # Weights that are not there are an error now, not at the first claim.
        return checker
    from qa.grounding.cross_encoder import CrossEncoderChecker

    return CrossEncoderChecker(name, threads=threads)
