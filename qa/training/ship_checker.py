"""Takes a trained checker, gives what ships: the int8 network, its tokenizer, its calibration with the hash of both.

`make train-checker` ends with it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import msgspec

from qa.grounding.trained import MOST_TOKENS, CheckerCalibration
from qa.training.calibrate_checker import main as calibrate
from qa.training.samples import export_pair_network

__all__ = ["export", "main"]


def main(argv: Sequence[str] | None = None) -> None:
    """Export, then calibrate what was exported."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="trained", type=Path, required=True, help="folder of train_checker")
    parser.add_argument("--data", type=Path, required=True, help="folder of train-pairs and train-documents")
    parser.add_argument("--sets", type=Path, required=True, help="folder of the grounding sets")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(argv)
    given.out.mkdir(parents=True, exist_ok=True)
    export(given.trained / "model", given.out)
    calibrate(["--data", str(given.data), "--sets", str(given.sets), "--out", str(given.out)])


def export(trained: Path, out: Path) -> str:
    """Write network, tokenizer and a calibration that is not fitted yet; gives the checker's identity."""
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(trained)
    sha256 = export_pair_network(model, out / "checker.onnx", end="labels", most=MOST_TOKENS)
    identity = f"sourceline-checker {sha256}"
    calibration = CheckerCalibration(checker=identity)
    (out / "checker.json").write_bytes(msgspec.json.format(msgspec.json.encode(calibration), indent=1) + b"\n")
    return identity


if __name__ == "__main__":
    main()
