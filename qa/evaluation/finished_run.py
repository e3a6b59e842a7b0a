"""Takes the folder of a run, gives what was asked and what came back; reads, never writes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from embeddings.types import article_version
from qa.evaluation.errors import UnreadableRun
from qa.evaluation.types import (
    ARTICLES_FILE,
    EXAMPLES_FILE,
    MANIFEST_FILE,
    PREDICTIONS_FILE,
    SCHEMA_VERSION,
    SCORES_FILE,
    CitedArticle,
    Example,
    Manifest,
    Prediction,
    Scores,
)

__all__ = ["Articles", "Run", "read_run", "read_scores", "write_scores"]

T = TypeVar("T")

Articles = Mapping[tuple[str, str], CitedArticle]
"""By id and version."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it lies in its folder."""

    manifest: Manifest
    examples: tuple[Example, ...]
    predictions: Mapping[str, Prediction]
    """By example; examples that were not asked yet have none."""
    articles: Articles
    predictions_sha256: str


def read_run(folder: Path) -> Run:
    """Read a run. Raises UnreadableRun."""
    manifest = _decode(_content(folder / MANIFEST_FILE), Manifest, folder / MANIFEST_FILE)
    if manifest.schema_version != SCHEMA_VERSION:
        raise UnreadableRun(
            f"{folder / MANIFEST_FILE} has format {manifest.schema_version}, this version reads {SCHEMA_VERSION}: "
            "run the dataset again"
        )
    predictions = _content(folder / PREDICTIONS_FILE)
    return Run(
        manifest=manifest,
        examples=tuple(_lines(_content(folder / EXAMPLES_FILE), Example, folder / EXAMPLES_FILE)),
        predictions={
            one.example_id: one for one in _lines(_whole_lines(predictions), Prediction, folder / PREDICTIONS_FILE)
        },
        articles=_articles(folder / ARTICLES_FILE),
        predictions_sha256=hashlib.sha256(predictions).hexdigest(),
    )


def read_scores(folder: Path) -> Scores | None:
    """The scores computed last; None where there are none yet, or they are of another format."""
    path = folder / SCORES_FILE
    if not path.exists():
        return None
    try:
        scores = msgspec.json.decode(path.read_bytes(), type=Scores)
    except msgspec.DecodeError:
        return None
    return scores if scores.schema_version == SCHEMA_VERSION else None


def write_scores(folder: Path, scores: Scores) -> Path:
    """Write the scores, readable by people; the same scores give the same bytes."""
    path = folder / SCORES_FILE
    temporary = path.with_suffix(".part")
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(scores, order="sorted"), indent=1) + b"\n")
    temporary.replace(path)
    return path


def _articles(path: Path) -> Articles:
    """Article versions cited; one whose text is not what its version says is left out, as if it were not there."""
    if not path.exists():
        return {}
    found = _lines(_whole_lines(path.read_bytes()), CitedArticle, path)
    return {(one.id, one.version): one for one in found if article_version(one.text) == one.version}


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UnreadableRun(f"{path} is missing: name the folder that `qa evaluate run` wrote") from None


def _whole_lines(content: bytes) -> bytes:
    """Without a last line that was cut off as it was written."""
    return content[: content.rfind(b"\n") + 1]


def _lines(content: bytes, kind: type[T], path: Path) -> list[T]:
    return [
        _decode(line, kind, f"{path}:{number}")
        for number, line in enumerate(content.split(b"\n"), start=1)
        if line.strip()
    ]


def _decode(content: bytes, kind: type[T], where: object) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise UnreadableRun(f"{where} cannot be read ({error}): the file is damaged or of another version") from None
