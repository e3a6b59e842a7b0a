"""Makes of the bundled encoder's weights the int8 network that ships, its tokenizer and the hashes of both.

    python -m qa.training.ship_encoder --out embeddings/encoders/bundled_network

Nothing is trained; see `qa.training.export`.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from embeddings.encoders.bundled import Facts
from embeddings.encoders.weights import BUNDLED_MODEL, locate, revision
from embeddings.runtime.onnx_session import sha256_of
from qa.training.export import export_int8, sample_texts

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> None:
    """Write network, tokenizer and what the encoder says of itself."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args(argv).out
    from safetensors.numpy import load_file

    folder = locate(BUNDLED_MODEL)
    weights = load_file(folder / "model.safetensors")
    config = msgspec.json.decode((folder / "config.json").read_bytes())
    limit = msgspec.json.decode((folder / "sentence_bert_config.json").read_bytes())["max_seq_length"]
    heads = config["num_attention_heads"]
    shutil.copyfile(folder / "tokenizer.json", out / "tokenizer.json")
    samples = sample_texts(out / "tokenizer.json", most=limit)
    network = export_int8(weights, out / "encoder.onnx", heads=heads, end="vector", samples=samples)
    facts = Facts(
        revision=revision(folder),
        dimension=config["hidden_size"],
        max_tokens=limit,
        network=network,
        tokenizer=sha256_of(out / "tokenizer.json"),
    )
    (out / "encoder.json").write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=1) + b"\n")


if __name__ == "__main__":
    main()
