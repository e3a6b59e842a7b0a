"""The scores of a run: written beside it, and read only where they are of the predictions that lie there."""

from __future__ import annotations

from pathlib import Path

import msgspec

from qa.evaluation.errors import UnreadableRun
from qa.evaluation.run_folder import FinishedRun, read_run
from qa.evaluation.types import SCHEMA_VERSION, SCORES_FILE, Scores

__all__ = ["encode_scores", "read_scored", "write_scores"]


def encode_scores(scores: Scores) -> bytes:
    """JSON that people can read; the same scores give the same bytes."""
    return msgspec.json.format(msgspec.json.encode(scores, order="sorted"), indent=1) + b"\n"


def write_scores(folder: Path, scores: Scores) -> Path:
    """Write the scores of a run, whole or not at all."""
    path = folder / SCORES_FILE
    temporary = path.with_suffix(".new")
    temporary.write_bytes(encode_scores(scores))
    temporary.replace(path)
    return path


def read_scored(folder: Path) -> tuple[FinishedRun, Scores]:
    """A run with its scores. Raises UnreadableRun where there are none, or of other predictions."""
    run = read_run(folder)
    path, again = folder / SCORES_FILE, f"score it: `qa evaluate score {folder}`"
    if not path.exists():
        raise UnreadableRun(f"{folder} is not scored yet; {again}")
    try:
        scores = msgspec.json.decode(path.read_bytes(), type=Scores)
    except msgspec.DecodeError as error:
        raise UnreadableRun(f"{path} cannot be read ({error}); {again}") from None
    if scores.schema_version != SCHEMA_VERSION or scores.predictions_sha256 != run.predictions_sha256:
        raise UnreadableRun(f"{path} is of other predictions than those that lie there now; {again}")
    return run, scores
