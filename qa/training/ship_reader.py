"""Makes of a trained reader what ships: the int8 network, its tokenizer, its calibration with the hash of both.

`make train-reader` ends with it. How much int8 loses is printed, on the held-out fold.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import msgspec

from qa.reading.networks import MOST_TOKENS
from qa.reading.reader import GENERAL
from qa.training.calibrate_reader import main as calibrate
from qa.training.export import export_pair_network

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> None:
    """Export, then calibrate what was exported."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="trained", type=Path, nargs="+", required=True, help="model folders of training")
    parser.add_argument("--shares", type=float, nargs="+", default=[1.0], help="of each, in their average")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(argv)
    given.out.mkdir(parents=True, exist_ok=True)
    export(given.trained, given.out, shares=given.shares)
    calibrate(["--data", str(given.data), "--out", str(given.out / "reader.json")])


def export(trained: Sequence[Path], out: Path, *, shares: Sequence[float] = (1.0,)) -> str:
    """Write network, tokenizer and a calibration that is not fitted yet; gives the reader's identity.

    Of several networks that were trained on from one another the weights are averaged (Wortsman et al. 2022).
    Raises ValueError where not each has its share, or these are not 1 together.
    """
    from transformers import AutoModelForQuestionAnswering

    if len(shares) != len(trained) or abs(sum(shares) - 1.0) > 1e-6:
        raise ValueError(f"{len(trained)} networks need as many shares that make 1, not {list(shares)}")
    model, *others = [AutoModelForQuestionAnswering.from_pretrained(folder) for folder in trained]
    states = [each.state_dict() for each in (model, *others)]
    model.load_state_dict(
        {name: sum(share * state[name] for share, state in zip(shares, states, strict=True)) for name in states[0]}
    )
    sha256 = export_pair_network(model, out / "reader.onnx", end="spans", most=MOST_TOKENS)
    identity = f"sourceline-reader {sha256}"
    general = msgspec.structs.replace(GENERAL, reader=identity)
    (out / "reader.json").write_bytes(msgspec.json.format(msgspec.json.encode(general), indent=1) + b"\n")
    return identity


if __name__ == "__main__":
    main()
