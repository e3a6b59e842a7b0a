"""Text to vectors: the `Encoder` seam and the two encoders that ship."""

from __future__ import annotations

from embeddings.encoders.protocol import Encoder, EncoderIdentity, TokenVectors

__all__ = ["Encoder", "EncoderIdentity", "TokenVectors", "load"]


def load(name: str, *, threads: int = 0) -> Encoder:
    """Give the encoder of that name: `hashing`, the bundled `all-MiniLM-L6-v2`, or any sentence-transformers model.

    Cheap: files are located and hashed, weights are read into memory at the first encoding.
    `threads` bounds the native threads of that encoder; 0 leaves one per core.
    Raises EncoderError where no such model is on this machine, WeightsMismatch where the bundled one was altered.
    """
    if name == "hashing":
        from embeddings.encoders.hashing import HashingEncoder

        return HashingEncoder()
    from embeddings.encoders.sentence_transformer import SentenceTransformerEncoder

    return SentenceTransformerEncoder(name, threads=threads)
