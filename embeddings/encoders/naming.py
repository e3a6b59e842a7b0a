"""What an encoder is called in messages, and in the setting that chooses it."""

from __future__ import annotations

from embeddings.encoders.encoder import EncoderIdentity
from embeddings.encoders.weights import BUNDLED_MODEL, LIBRARY_NAME
from embeddings.errors import EncoderMismatch

__all__ = ["filled_by_another", "named", "not_complete", "setting"]


def named(identity: EncoderIdentity) -> str:
    """An encoder, told apart from others of its name."""
    runtime = f"{identity.runtime}, " if identity.runtime else ""
    return f"encoder {identity.name} ({runtime}{identity.dimension} dimensions, revision {identity.revision[:12]})"


def setting(identity: EncoderIdentity) -> str:
    """What QA_ENCODER must say for this encoder; two of them call their model the same."""
    return LIBRARY_NAME if identity.name == BUNDLED_MODEL and not identity.runtime else identity.name


def filled_by_another(place: object, *, active: EncoderIdentity, used: EncoderIdentity) -> EncoderMismatch:
    """What to raise where a corpus was filled by another encoder than this process uses; `place` says where it is."""
    return EncoderMismatch(
        f"the corpus in {place} was filled by {named(active)}, this process uses {named(used)}: set "
        f"QA_ENCODER={setting(active)}, or ingest the articles again with the latter (`qa index rebuild`)"
    )


def not_complete(place: object, wanted: EncoderIdentity, *, active: EncoderIdentity | None) -> EncoderMismatch:
    """What to raise where not all articles have passages from the encoder that is to be used from now on."""
    go_on = "" if active is None else f", or set QA_ENCODER={setting(active)} to go on with those that are there"
    return EncoderMismatch(
        f"some articles in {place} have no passages from {named(wanted)} yet: ingest all of them with it first "
        f"(`qa index rebuild`){go_on}"
    )
