"""Runs every yardstick whose data are there and writes the table; or the small form that runs with the tests.

python -m qa.evaluation.benchmarks.suite --data ../shared/data --cache .cache/yardsticks --out reports/yardsticks
python -m qa.evaluation.benchmarks.suite --data ../shared/data --baseline tests/yardsticks/baseline.json
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from embeddings import encoders
from qa.evaluation.benchmarks import Bench, Row, Table, markdown, sample_rows, score_samples, write
from qa.evaluation.benchmarks.checker import measure_judging
from qa.evaluation.benchmarks.news import measure_asked, measure_news
from qa.evaluation.benchmarks.reader import measure, measure_reading
from qa.evaluation.run import checkout_revision, code_hash, machine
from qa.evaluation.targets import CachingEncoder
from qa.evaluation.types import Score
from qa.grounding import SupportChecker, load_checker
from qa.language.dates import stamp
from qa.reading import load_reader
from qa.settings import Settings, from_environment

__all__ = [
    "SQUAD_FILE",
    "Baseline",
    "main",
    "measure_all",
    "measure_samples",
    "measure_squad",
    "take_baseline",
]


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """Questions drawn from each set; None takes all. Chosen so that everything ends within half an hour on 2 cores."""

    news: int | None = 500
    squad_2: int | None = 600
    squad_1: int | None = 300
    grounding: int | None = 400
    nyt: int | None = 1000


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line; prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--cache", type=Path, default=Path(".cache/yardsticks"), help="vectors and predictions")
    parser.add_argument("--out", type=Path, default=Path("reports/yardsticks"))
    parser.add_argument(
        "--only", nargs="*", default=(), metavar="NAME", help="samples, news, grounding, squad-2, nyt, squad-1"
    )
    parser.add_argument("--news", type=int, default=Sizes().news, help="questions asked of the news")
    parser.add_argument("--squad-2", type=int, default=Sizes().squad_2)
    parser.add_argument("--squad-1", type=int, default=Sizes().squad_1)
    parser.add_argument("--grounding", type=int, default=Sizes().grounding, help="responses of each set")
    parser.add_argument("--nyt", type=int, default=Sizes().nyt)
    parser.add_argument("--baseline", type=Path, help="write the small form that the tests run here, and no table")
    options = parser.parse_args(arguments)
    sizes = Sizes(**{name: getattr(options, name) for name in Sizes.__struct_fields__})
    settings = from_environment(os.environ)
    if options.baseline:
        take_baseline(options.data, settings=settings, into=options.baseline)
        return
    encoder = CachingEncoder(encoders.load(settings.encoder, threads=settings.threads))
    bench = Bench(encoder=encoder, settings=settings, cache=options.cache)
    table = measure_all(options.data, bench=bench, sizes=sizes, only=options.only)
    written = write(table, options.out)
    print(markdown(table))
    print(f"written to {' and '.join(map(str, written))}")


def measure_all(data: Path, *, bench: Bench, sizes: Sizes, only: Sequence[str] = ()) -> Table:
    """Measure what is asked for; a set whose files are not there is named in the notes, not left out in silence."""
    checker = load_checker(bench.settings.support_checker, threads=bench.settings.threads)
    rows: list[Row] = []
    notes: list[str] = []
    seconds: dict[str, float] = {}
    for name, needed, part in _parts(data, bench, sizes, checker):
        if only and name not in only:
            continue
        if missing := [path.name for path in needed if not path.exists()]:
            notes.append(f"NOT MEASURED: {name}, because {', '.join(missing)} is not there")
            bench.tell(notes[-1])
            continue
        bench.tell(f"{name} …")
        began = time.perf_counter()
        rows += part()
        seconds[name] = round(time.perf_counter() - began, 1)
        bench.tell(f"{name}: {seconds[name]:,.0f} s")
    return Table(
        made_at=stamp(datetime.now(UTC)),
        git_revision=checkout_revision(),
        code=code_hash(),
        encoder={name: str(value) for name, value in msgspec.structs.asdict(bench.encoder.identity).items()},
        checker=checker.identity,
        machine=machine(),
        seconds=seconds,
        notes=tuple(notes),
        rows=tuple(rows),
    )


def _parts(
    data: Path, bench: Bench, sizes: Sizes, checker: SupportChecker
) -> list[tuple[str, list[Path], Callable[[], list[Row]]]]:
    """Name, files needed, and what measures it."""
    news, two, one = data / "realtimeqa", data / "squad/v2.0-dev-visible.json", data / "squad/v1.1-dev-visible.json"
    nyt = data / "reader/news-visible.jsonl.gz"
    return [
        ("samples", [], lambda: sample_rows(score_samples(bench=bench, checker=checker))),
        (
            "news",
            [news / "questions.jsonl", news / "articles-small.jsonl.gz"],
            lambda: measure_news(news, bench=bench, checker=checker, limit=sizes.news),
        ),
        ("squad-2", [two], lambda: measure_reading(two, title="SQuAD 2.0", bench=bench, limit=sizes.squad_2)),
        (
            "grounding",
            [data / "grounding"],
            lambda: measure_judging(data / "grounding", bench=bench, limit=sizes.grounding),
        ),
        (
            "nyt",
            [nyt],
            lambda: (
                measure_reading(nyt, title="New York Times", bench=bench, limit=sizes.nyt, searched=False)
                + measure_asked(nyt, bench=bench)
            ),
        ),
        ("squad-1", [one], lambda: measure_reading(one, title="SQuAD 1.1", bench=bench, limit=sizes.squad_1)),
    ]


# --- The small form that runs with the tests, and the baseline it is held against
SQUAD_FILE = "squad/v2.0-dev-visible.json"
_SQUAD_QUESTIONS = 160


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured when the baseline was taken, by set."""

    git_revision: str
    sets: Mapping[str, tuple[Score, ...]]


def take_baseline(data: Path, *, settings: Settings, into: Path) -> None:
    """Measure the small form of the yardsticks, and write it as the baseline that the tests hold changes against.

    Small, so that every change is measured: the labelled questions about the sample articles, and a fixed draw of SQuAD
    questions, which live outside of the project.
    """
    encoder = CachingEncoder(encoders.load(settings.encoder, threads=settings.threads))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(encoder=encoder, settings=settings, cache=Path(folder))
        sets = {"samples": measure_samples(bench), "squad": measure_squad(data / SQUAD_FILE, bench=bench)}
    baseline = Baseline(git_revision=checkout_revision(), sets=sets)
    into.write_bytes(msgspec.json.format(msgspec.json.encode(baseline), indent=1) + b"\n")
    for name, scores in sets.items():
        print(name, *(f"  {score.metric} {score.value} (n = {score.n})" for score in scores), sep="\n")


def measure_samples(bench: Bench) -> tuple[Score, ...]:
    """The labelled questions, without latency: how fast this machine is today is no quality."""
    checker = load_checker(bench.settings.support_checker, threads=bench.settings.threads)
    scores = score_samples(bench=bench, checker=checker).scores
    return tuple(score for score in scores if not score.metric.startswith("latency."))


def measure_squad(path: Path, *, bench: Bench) -> tuple[Score, ...]:
    """A fixed draw of questions, with their paragraph given. Raises InvalidDataset."""
    reader = load_reader(bench.settings.reader, threads=bench.settings.threads)
    file = measure(path, encoder=bench.encoder, reader=reader, settings=("given",), limit=_SQUAD_QUESTIONS)
    return file.reports[0].scores


if __name__ == "__main__":
    main()
