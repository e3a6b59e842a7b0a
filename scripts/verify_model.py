"""Prove that the bundled encoder works here and offline: pinned weights, and a vector of the right kind.

    python scripts/verify_model.py

Exit status 1, and what to do, where it does not.
"""

from __future__ import annotations

import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"

from embeddings.encoders import BUNDLED_MODEL, load
from embeddings.errors import EncoderError


def main() -> int:
    """Load the bundled encoder (its weights are hashed on the way) and embed one sentence."""
    try:
        encoder = load(BUNDLED_MODEL, threads=1)
        vector = encoder.encode_query("Who opened the bridge?")
    except EncoderError as error:
        sys.stderr.write(f"verify_model: {error}\n")
        return 1
    length = float((vector**2).sum() ** 0.5)
    if vector.shape != (encoder.identity.dimension,) or abs(length - 1) > 1e-3:
        sys.stderr.write(f"verify_model: {BUNDLED_MODEL} gave shape {vector.shape}, length {length:.3f}\n")
        return 1
    sys.stdout.write(f"verify_model: {BUNDLED_MODEL} {encoder.identity.revision[:12]}, {len(vector)} dimensions\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
