"""Gives the support checker of a name."""

from __future__ import annotations

from embeddings.encoders import Encoder
from qa.grounding.lexical import LexicalChecker
from qa.grounding.protocol import SupportChecker

__all__ = ["load_checker"]


def load_checker(name: str, *, encoder: Encoder, threads: int = 0) -> SupportChecker:
    """The built-in checker for no name, `lexical` for words alone, else a cross-encoder by its name or path.

    Raises EncoderError where no such model is on this machine.
    """
    if not name:
        from qa.grounding.aligned import AlignedChecker

        return AlignedChecker(encoder)
    if name == "lexical":
        return LexicalChecker()
    from qa.grounding.cross_encoder import CrossEncoderChecker

    return CrossEncoderChecker(name, threads=threads)
