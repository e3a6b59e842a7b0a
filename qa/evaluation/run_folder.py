"""The folder of a run: created once, appended line by line, resumed after a kill, read for scoring.

The scores are written beside it, and read only where they are of the predictions that lie there.
"""

import fcntl
import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar

import msgspec

from qa.evaluation import (
    ARTICLES_FILE,
    EXAMPLES_FILE,
    MANIFEST_FILE,
    PREDICTIONS_FILE,
    SCHEMA_VERSION,
    SCORES_FILE,
    CitedArticle,
    Example,
    InvalidDataset,
    Manifest,
    Prediction,
    RunRefused,
    Scores,
    UnreadableRun,
)
from qa.evaluation.dataset import write_lines

T = TypeVar("T")


class FinishedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it is scored; also of one that was not finished."""

    manifest: Manifest
    examples: tuple[Example, ...]
    predictions: dict[str, Prediction]
    """By example; examples without one were not asked yet."""
    articles: dict[tuple[str, str], CitedArticle]
    """By id and version."""
    predictions_sha256: str


class RunFolder:
    """An open run that predictions are written to; one process at a time."""

    def __init__(self, path: Path, manifest: Manifest, files: tuple[IO[bytes], IO[bytes]]) -> None:
        """Use `begin` or `resume`."""
        self._path = path
        self._manifest = manifest
        self._predictions, self._articles = files
        self._kept = {(article.id, article.version) for article in _read(path / ARTICLES_FILE, CitedArticle)}
        self.finished = frozenset(
            prediction.example_id
            for prediction in _last(_read(path / PREDICTIONS_FILE, Prediction)).values()
            if prediction.failure is None
        )
        """Examples that need not be asked again; failures are."""

    @classmethod
    def open(cls, path: Path, manifest: Manifest, examples: Sequence[Example], *, resume: bool) -> Self:
        """Begin, or go on with the run that is there. Raises RunRefused as `begin` and `resume` do."""
        if resume and (path / MANIFEST_FILE).exists():
            return cls.resume(path, manifest)
        return cls.begin(path, manifest, examples)

    @classmethod
    def begin(cls, path: Path, manifest: Manifest, examples: Sequence[Example]) -> Self:
        """Make the folder. Raises RunRefused where one holds a run already."""
        if (path / MANIFEST_FILE).exists():
            raise RunRefused(f"{path} holds a run already; go on with it by --resume, or name another folder")
        path.mkdir(parents=True, exist_ok=True)
        files = _opened(path)
        write_lines(path / EXAMPLES_FILE, examples)
        _write_manifest(path, manifest)
        return cls(path, manifest, files)

    @classmethod
    def resume(cls, path: Path, manifest: Manifest) -> Self:
        """Go on with the run of the folder. Raises RunRefused where it is another experiment, saying in what."""
        begun = read_manifest(path)
        if begun.fingerprint != manifest.fingerprint:
            raise RunRefused(
                f"{path} holds a run of something else: {', '.join(_differences(begun, manifest))} changed since; "
                "predictions of both would be mixed. Name another folder"
            )
        files = _opened(path)
        for name in (PREDICTIONS_FILE, ARTICLES_FILE):
            _cut_torn_line(path / name)
        return cls(path, begun, files)

    def add(self, prediction: Prediction, articles: Sequence[CitedArticle]) -> None:
        """Append a prediction, after the articles it cites that are not kept yet; survives a kill of this process."""
        for article in articles:
            if (article.id, article.version) not in self._kept:
                self._kept.add((article.id, article.version))
                self._articles.write(msgspec.json.encode(article) + b"\n")
        self._articles.flush()
        self._predictions.write(msgspec.json.encode(prediction) + b"\n")
        self._predictions.flush()

    def keeps(self, article_id: str, version: str) -> bool:
        """Whether an article need not be fetched again."""
        return (article_id, version) in self._kept

    def finish(self, finished_at: str) -> None:
        """Note that everything was asked."""
        _write_manifest(self._path, msgspec.structs.replace(self._manifest, finished_at=finished_at))

    def __enter__(self) -> Self:
        """The folder is open from the start."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files."""
        self._predictions.close()
        self._articles.close()


def examples_hash(examples: Sequence[Example]) -> str:
    """SHA-256 over the rows that are asked, in order."""
    return hashlib.sha256(b"\n".join(msgspec.json.encode(example) for example in examples)).hexdigest()


def read_manifest(path: Path) -> Manifest:
    """Raises RunRefused where the folder holds no run, or one of another schema."""
    try:
        content = (path / MANIFEST_FILE).read_bytes()
    except FileNotFoundError:
        raise RunRefused(f"{path} holds no run: there is no {MANIFEST_FILE}; make one by `qa evaluate run`") from None
    try:
        version = msgspec.json.decode(content, type=dict[str, object]).get("schema_version")
        if version != SCHEMA_VERSION:
            raise RunRefused(
                f"{path}: schema {version} is not the one this version reads ({SCHEMA_VERSION}); run again"
            )
        return msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RunRefused(f"{path / MANIFEST_FILE} is damaged: {error}; run again") from None


def read_run(path: Path) -> FinishedRun:
    """Read a run folder. Raises RunRefused, or InvalidDataset naming a damaged line."""
    manifest = read_manifest(path)
    predictions = path / PREDICTIONS_FILE
    content = predictions.read_bytes() if predictions.exists() else b""
    return FinishedRun(
        manifest=manifest,
        examples=tuple(_read(path / EXAMPLES_FILE, Example)),
        predictions=_last(_read(predictions, Prediction)),
        articles={(article.id, article.version): article for article in _read(path / ARTICLES_FILE, CitedArticle)},
        predictions_sha256=hashlib.sha256(content).hexdigest(),
    )


def _opened(path: Path) -> tuple[IO[bytes], IO[bytes]]:
    """Both files for appending, the first one locked. Raises RunRefused where another process writes to them."""
    predictions = (path / PREDICTIONS_FILE).open("ab")
    try:
        fcntl.flock(predictions, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        predictions.close()
        raise RunRefused(f"another process is writing to {path}; wait for it, or name another folder") from None
    return predictions, (path / ARTICLES_FILE).open("ab")


def _write_manifest(path: Path, manifest: Manifest) -> None:
    temporary = path / f"{MANIFEST_FILE}.new"
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    temporary.replace(path / MANIFEST_FILE)


def _cut_torn_line(path: Path) -> None:
    """Drop what a kill left of a line: everything after the last line end."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)


def _read(path: Path, row: type[T]) -> list[T]:
    """Whole lines; one without its end, which a kill left, does not count."""
    if not path.exists():
        return []
    decoder = msgspec.json.Decoder(row)
    rows = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        try:
            rows.append(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidDataset(
                f"{path}:{number}: the line is damaged ({error}); delete it and run with --resume"
            ) from None
    return rows


def _last(predictions: Sequence[Prediction]) -> dict[str, Prediction]:
    return {prediction.example_id: prediction for prediction in predictions}


def _differences(one: Manifest, other: Manifest) -> list[str]:
    """Names of what decides predictions and is not the same."""
    before, after = msgspec.structs.asdict(one), msgspec.structs.asdict(other)
    ignored = {"run_id", "fingerprint", "machine", "started_at", "finished_at"}
    found = []
    for name in before:
        if name in ignored or before[name] == after[name]:
            continue
        if isinstance(before[name], dict):
            keys = sorted(before[name].keys() | after[name].keys())
            found += [f"{name}.{key}" for key in keys if before[name].get(key) != after[name].get(key)]
        else:
            found.append(name)
    return found or ["fingerprint"]


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
