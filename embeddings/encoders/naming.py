"""What an encoder is called in messages, and in the setting that chooses it."""

from __future__ import annotations

from embeddings.encoders.encoder import EncoderIdentity
from embeddings.encoders.weights import BUNDLED_MODEL, LIBRARY_NAME

__all__ = ["named", "setting"]


def named(identity: EncoderIdentity) -> str:
    """An encoder, told apart from others of its name."""
    runtime = f"{identity.runtime}, " if identity.runtime else ""
    return f"encoder {identity.name} ({runtime}{identity.dimension} dimensions, revision {identity.revision[:12]})"


def setting(identity: EncoderIdentity) -> str:
    """What QA_ENCODER must say for this encoder; two of them call their model the same."""
    return LIBRARY_NAME if identity.name == BUNDLED_MODEL and not identity.runtime else identity.name
