"""The small form of the yardsticks that runs with the tests, and the baseline it is held against.

    python -m qa.evaluation.benchmarks.reduced --data ../shared/data --write tests/yardsticks/baseline.json

Small, so that every change is measured: the labelled questions about the sample articles, and a fixed draw of SQuAD
questions, which live outside of the project.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from embeddings import encoders
from qa.evaluation.benchmarks.bench import Bench
from qa.evaluation.benchmarks.reader import measure
from qa.evaluation.benchmarks.samples import score_samples
from qa.evaluation.cache import CachingEncoder
from qa.evaluation.compare import Check, Limit, check
from qa.evaluation.run import checkout_revision
from qa.evaluation.types import SCHEMA_VERSION, InvalidThreshold, Score, Scores
from qa.grounding import load_checker
from qa.reading import load_reader
from qa.settings import from_environment

__all__ = ["SQUAD_FILE", "Baseline", "gate", "main", "measure_samples", "measure_squad", "read_allowances"]

SQUAD_FILE = "squad/v2.0-dev-visible.json"
_SQUAD_QUESTIONS = 160


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured when the baseline was taken, by set."""

    git_revision: str
    sets: Mapping[str, tuple[Score, ...]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure everything anew and write the baseline."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--write", type=Path, required=True)
    options = parser.parse_args(arguments)
    settings = from_environment(os.environ)
    encoder = CachingEncoder(encoders.load(settings.encoder, threads=settings.threads))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(encoder=encoder, settings=settings, cache=Path(folder))
        sets = {"samples": measure_samples(bench), "squad": measure_squad(options.data / SQUAD_FILE, bench=bench)}
    baseline = Baseline(git_revision=checkout_revision(), sets=sets)
    options.write.write_bytes(msgspec.json.format(msgspec.json.encode(baseline), indent=1) + b"\n")
    for name, scores in sets.items():
        print(name, *(f"  {score.metric} {score.value} (n = {score.n})" for score in scores), sep="\n")


def measure_samples(bench: Bench) -> tuple[Score, ...]:
    """The labelled questions, without latency: how fast this machine is today is no quality."""
    checker = load_checker(bench.settings.support_checker, encoder=bench.encoder, threads=bench.settings.threads)
    scores = score_samples(bench=bench, checker=checker).scores
    return tuple(score for score in scores if not score.metric.startswith("latency."))


def measure_squad(path: Path, *, bench: Bench) -> tuple[Score, ...]:
    """A fixed draw of questions, with their paragraph given. Raises InvalidDataset."""
    reader = load_reader(bench.settings.reader, threads=bench.settings.threads)
    file = measure(path, encoder=bench.encoder, reader=reader, settings=("given",), limit=_SQUAD_QUESTIONS)
    return file.reports[0].scores


def read_allowances(path: Path) -> Mapping[str, Mapping[str, float]]:
    """By set and metric, how much worse than the baseline is let pass. Raises InvalidThreshold."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), dict[str, dict[str, float]])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InvalidThreshold(f'{path}: {error}; write a table for each set, with lines "metric" = 0.03') from None


def gate(scores: Sequence[Score], *, baseline: Sequence[Score], allowed: Mapping[str, float]) -> list[Check]:
    """Which metrics are no worse than allowed; what was not measured fails."""
    limits = [Limit(metric=name, kind="max-regression", value=value) for name, value in allowed.items()]
    return check(_scores(scores), limits, baseline=_scores(baseline))


def _scores(scores: Sequence[Score]) -> Scores:
    return Scores(
        schema_version=SCHEMA_VERSION,
        run_id="",
        fingerprint="",
        predictions_sha256="",
        scorer={},
        scores=tuple(scores),
        examples=(),
    )


if __name__ == "__main__":
    main()
