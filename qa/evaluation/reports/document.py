"""Takes a scored run, gives one JSON document of manifest and scores, for other programs."""

from __future__ import annotations

import msgspec

from qa.evaluation.run_folder import FinishedRun
from qa.evaluation.types import SCHEMA_VERSION, Manifest, Scores

__all__ = ["Report", "render_json"]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was run and what came of it."""

    schema_version: int
    manifest: Manifest
    scores: Scores


def render_json(run: FinishedRun, scores: Scores) -> str:
    """The document; the same run gives the same bytes."""
    report = Report(schema_version=SCHEMA_VERSION, manifest=run.manifest, scores=scores)
    return msgspec.json.format(msgspec.json.encode(report, order="sorted"), indent=1).decode() + "\n"
