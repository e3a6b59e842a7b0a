"""Text to vectors: the `Encoder` seam and the two encoders that ship."""

from __future__ import annotations

from embeddings.encoders.encoder import BUNDLED_MODEL, Encoder, EncoderIdentity

__all__ = ["Encoder", "EncoderIdentity", "load"]


def load(name: str, *, threads: int = 0) -> Encoder:
    """Give the encoder of that name: `hashing`, the bundled `all-MiniLM-L6-v2`, or any sentence-transformers model.

    `sentence-transformers/all-MiniLM-L6-v2` is the bundled model, too, run by that library in full precision.
    Cheap: files are located and hashed, weights are read into memory at the first encoding.
    `threads` bounds the native threads of that encoder; 0: one per processor that this process may use.
    Raises EncoderError where no such model is on this machine, WeightsMismatch where the bundled one was altered.
    """
    if name == "hashing":
        from embeddings.encoders.encoder import HashingEncoder

        return HashingEncoder()
    if name == BUNDLED_MODEL:
        from embeddings.encoders.bundled import BundledEncoder

        return BundledEncoder(threads=threads)
    from embeddings.encoders.sentence_transformer import SentenceTransformerEncoder

    return SentenceTransformerEncoder(name, threads=threads)
