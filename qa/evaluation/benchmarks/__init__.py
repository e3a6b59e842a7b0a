"""Benchmarks on real data sets, in one table: each figure with n, interval, floor and published results.

Here is what the yardsticks share: examples asked of the service of this process, and the table. Predictions are kept by
what decides them.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import msgspec

import seeds
from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder
from embeddings.ingest import ingest
from embeddings.parsers import find, read
from qa.evaluation import Example, Machine, Prediction, Score, Scores
from qa.evaluation.dataset import Dataset, example_of_seed
from qa.evaluation.metrics.statistics import Estimate
from qa.evaluation.run import make_manifest, run
from qa.evaluation.run_folder import FinishedRun, RunFolder, examples_hash, read_run
from qa.evaluation.scoring import score_run
from qa.evaluation.targets import Asking
from qa.evaluation.targets.in_process import InProcess
from qa.grounding import SupportChecker
from qa.settings import Settings
from qa.types import SearchResult

_VERSION = 1


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What every yardstick works with."""

    encoder: Encoder
    settings: Settings
    cache: Path
    told: bool = True
    """Whether to print how far it is."""

    def tell(self, text: str) -> None:
        """Say what goes on."""
        if self.told:
            print(text, flush=True)


def asked(examples: Sequence[Example], *, corpus: Corpus, bench: Bench, name: str) -> FinishedRun:
    """Ask every example as of its own date; what the same code answered over the same articles before is kept."""
    return asyncio.run(_asked(examples, corpus, bench, name))


def ranked(
    examples: Sequence[Example], *, corpus: Corpus, bench: Bench, asking: Asking, settings: Settings
) -> dict[str, tuple[SearchResult, ...]]:
    """By example, what the search ranks, best first."""
    return asyncio.run(_ranked(examples, corpus, bench.encoder, asking, settings))


def joined(run: FinishedRun, other: FinishedRun, examples: Sequence[Example]) -> FinishedRun:
    """A run over `examples`, each with its prediction in `other`, else in `run`."""
    predictions = {**run.predictions, **other.predictions}
    return FinishedRun(
        manifest=run.manifest,
        examples=tuple(examples),
        predictions={example.id: predictions[example.id] for example in examples},
        articles={**run.articles, **other.articles},
        predictions_sha256=hashlib.sha256((run.predictions_sha256 + other.predictions_sha256).encode()).hexdigest(),
    )


async def _asked(examples: Sequence[Example], corpus: Corpus, bench: Bench, name: str) -> FinishedRun:
    asking = Asking(ranked=0)
    service = InProcess(corpus=corpus, encoder=bench.encoder, settings=bench.settings, asking=asking)
    try:
        dataset = Dataset(name=name, sha256=examples_hash(examples), examples=tuple(examples))
        facts = await service.facts()
        manifest = make_manifest(dataset, examples, facts=facts, asking=asking, selection={}, seed=0)
        folder = bench.cache / "runs" / f"{name}-{manifest.fingerprint[:16]}"
        count = 0

        def tell(_: Prediction) -> None:
            nonlocal count
            count += 1
            if count % 50 == 0:
                bench.tell(f"  {name}: {count:,} of {len(examples):,} questions")

        with RunFolder.open(folder, manifest, examples, resume=True) as opened:
            await run(examples, respondent=service, folder=opened, ranked=0, progress=tell)
        return read_run(folder)
    finally:
        await service.close()


async def _ranked(
    examples: Sequence[Example], corpus: Corpus, encoder: Encoder, asking: Asking, settings: Settings
) -> dict[str, tuple[SearchResult, ...]]:
    service = InProcess(corpus=corpus, encoder=encoder, settings=settings, asking=asking)
    try:
        return {example.id: await service.search(example) or () for example in examples}
    finally:
        await service.close()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure."""

    section: str
    measure: str
    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    floor: float | None = None
    """What is reached without understanding anything, measured on the same questions."""
    floor_is: str = ""
    anchor: str = ""
    """What others reached, on what; not always the same questions."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Everything measured, and under which conditions."""

    version: int = _VERSION
    made_at: str
    git_revision: str
    code: str
    encoder: Mapping[str, str]
    checker: str
    machine: Machine
    seconds: Mapping[str, float]
    """Wall-clock time of each part; little where predictions were kept from an earlier call."""
    notes: tuple[str, ...]
    rows: tuple[Row, ...]


def of_score(score: Score, *, section: str, measure: str = "", **about: object) -> Row:
    """A row of a score; `about` holds floor and anchor."""
    return of_estimate(score, section=section, measure=measure or score.metric, **about)


def of_estimate(estimate: Estimate | Score, *, section: str, measure: str, **about: object) -> Row:
    """A row of an estimate; `about` holds floor and anchor."""
    row = Row(
        section=section, measure=measure, value=estimate.value, n=estimate.n, low=estimate.low, high=estimate.high
    )
    return msgspec.structs.replace(row, **about)


def markdown(table: Table) -> str:
    """The table for people."""
    made = (
        f"Made {table.made_at} at revision `{table.git_revision[:12] or 'unknown'}` with encoder "
        f"`{table.encoder.get('name', '')}` and support checker `{table.checker}`, in "
        f"{sum(table.seconds.values()) / 60:.0f} minutes on {table.machine.cores} cores. Intervals are 95 %.\n"
    )
    parts = ["# Yardsticks\n", made, *(f"- {note}" for note in table.notes), ""]
    for section, rows in groupby(table.rows, key=lambda row: row.section):
        parts += [f"## {section}\n", "| measure | value | 95 % | n | floor | others |", "|---|---|---|---|---|---|"]
        parts += [_line(row) for row in rows]
        parts.append("")
    return "\n".join(parts)


def write(table: Table, folder: Path) -> tuple[Path, Path]:
    """Write `yardsticks.md` and `yardsticks.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    for_people, for_programs = folder / "yardsticks.md", folder / "yardsticks.json"
    for_people.write_text(markdown(table), encoding="utf-8")
    for_programs.write_bytes(msgspec.json.format(msgspec.json.encode(table), indent=1) + b"\n")
    return for_people, for_programs


def _line(row: Row) -> str:
    interval = "" if row.low is None or row.high is None else f"{_number(row.low)}–{_number(row.high)}"
    floor = "" if row.floor is None else f"{_number(row.floor)} ({row.floor_is})"
    return f"| {row.measure} | {_number(row.value)} | {interval} | {row.n:,} | {floor} | {row.anchor} |"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


class Named(dict[str, Score]):
    """Scores by name; one that applied to nothing is there without a value."""

    def __missing__(self, name: str) -> Score:
        """Nothing was measured, and the table says so."""
        return Score(metric=name, value=None, n=0)


def by_metric(scores: Sequence[Score]) -> Named:
    """Scores by name."""
    return Named((score.metric, score) for score in scores)


# --- The sample articles with their labelled questions and drafts: the one yardstick that comes with the project
SAMPLES = "Sample articles: labelled questions"
_SHOWN = tuple(
    "answer.right answer.right_when_answered answer.exact_match.has_answer answer.f1.has_answer "
    "answer.answered grounding.exact_spans grounding.cites_gold_article grounding.cites_gold_words "
    "abstention.precision abstention.recall abstention.f1 abstention.auroc".split()
)


def examples() -> tuple[Example, ...]:
    """The labelled questions as examples."""
    return tuple(example_of_seed(question) for question in seeds.questions())


@contextmanager
def _sample_corpus(bench: Bench) -> Iterator[Corpus]:
    """The sample articles, ingested as whoever tries the service ingests them."""
    corpus = EmbeddedCorpus.open(
        bench.cache / f"samples-{bench.encoder.identity.key[:16]}", identity=bench.encoder.identity
    )
    try:
        items = (item for path in find((seeds.articles_dir(),)) for item in read(path))
        ingest(items, corpus=corpus, encoder=bench.encoder)
        yield corpus
    finally:
        corpus.close()


def score_samples(*, bench: Bench, checker: SupportChecker) -> Scores:
    """Ask every labelled question and score what came back."""
    with _sample_corpus(bench) as corpus:
        return score_run(asked(examples(), corpus=corpus, bench=bench, name="samples"), checker=checker)


def sample_rows(scores: Scores) -> list[Row]:
    """Rows of the table."""
    known = by_metric(scores.scores)
    questions = examples()
    unanswerable = sum(example.answerable is False for example in questions) / len(questions)
    floors: dict[str, tuple[float, str]] = {
        "answer.right": (unanswerable, "always declining"),
        "answer.exact_match.has_answer": (0.0, "always declining"),
        "answer.f1.has_answer": (0.0, "always declining"),
        "abstention.precision": (unanswerable, "always declining"),
        "abstention.recall": (0.0, "never declining"),
        "abstention.f1": (2 * unanswerable / (1 + unanswerable), "always declining"),
        "abstention.auroc": (0.5, "chance"),
    }
    rows = []
    for name in _SHOWN:
        floor, what = floors.get(name, (None, ""))
        rows.append(of_score(known[name], section=SAMPLES, floor=floor, floor_is=what))
    return rows
