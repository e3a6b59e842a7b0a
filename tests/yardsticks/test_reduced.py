"""The gate: no change may make answers worse than the committed baseline allows. Real encoder, real reader."""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from embeddings.encoders import load
from embeddings.runtime import Memory
from qa import answering
from qa.evaluation import SCHEMA_VERSION, Score, Scores
from qa.evaluation.benchmarks import Bench
from qa.evaluation.benchmarks.suite import SQUAD_FILE, Baseline, measure_samples, measure_squad
from qa.evaluation.compare import Check, Limit, check
from qa.evaluation.targets import CachingEncoder
from qa.reading import RememberingReader, load_reader
from qa.settings import Settings

HERE = Path(__file__).parent
pytestmark = pytest.mark.usefixtures("few_draws")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, sample_store: Path) -> Bench:
    """Where the sample articles are encoded already."""
    encoder = CachingEncoder(load("all-MiniLM-L6-v2"))
    cache = tmp_path_factory.mktemp("yardsticks")
    shutil.copytree(sample_store, cache / f"samples-{encoder.identity.key[:16]}")
    return Bench(encoder=encoder, settings=Settings(), cache=cache, told=False)


@pytest.fixture(scope="module", autouse=True)
def one_reader() -> Iterator[None]:
    """The second measurement changes only what is made of what was read."""
    reader = RememberingReader(load_reader(), readings=Memory(sys.maxsize))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("qa.assembly.load_reader", lambda *_, **__: reader)
        yield


@pytest.fixture(scope="module")
def samples(bench: Bench) -> Sequence[Score]:
    return measure_samples(bench)


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return msgspec.json.decode((HERE / "baseline.json").read_bytes(), type=Baseline)


@pytest.fixture(scope="module")
def allowed() -> Mapping[str, Mapping[str, float]]:
    """By set and metric, how much worse than the baseline is let pass."""
    read = tomllib.loads((HERE / "allowed.toml").read_text(encoding="utf-8"))
    return msgspec.convert(read, dict[str, dict[str, float]])


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


def failed(checks: Sequence[Check]) -> list[str]:
    assert checks
    return [one.message for one in checks if not one.holds]


@pytest.mark.slow
def test_answers_about_the_sample_articles_are_no_worse(
    samples: Sequence[Score], baseline: Baseline, allowed: Mapping[str, Mapping[str, float]]
) -> None:
    assert failed(gate(samples, baseline=baseline.sets["samples"], allowed=allowed["samples"])) == []


@pytest.mark.slow
def test_reading_squad_is_no_worse(
    shared: Path, bench: Bench, baseline: Baseline, allowed: Mapping[str, Mapping[str, float]]
) -> None:
    scores = measure_squad(shared / "data" / SQUAD_FILE, bench=bench)
    assert failed(gate(scores, baseline=baseline.sets["squad"], allowed=allowed["squad"])) == []


@pytest.mark.slow
@pytest.mark.usefixtures("samples")
def test_an_answerer_that_quotes_the_wrong_sentence_is_stopped(
    bench: Bench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    baseline: Baseline,
    allowed: Mapping[str, Mapping[str, float]],
) -> None:
    """The gate's own test: everything as before, but for the sentence that is chosen."""
    right = answering.choose
    monkeypatch.setattr(
        answering,
        "choose",
        lambda reading, evidence, *, limit: right(
            msgspec.structs.replace(reading, sentences=reading.sentences[::-1]), evidence, limit=limit
        ),
    )
    for store in bench.cache.glob("samples-*"):
        shutil.copytree(store, tmp_path / store.name)
    broken = measure_samples(msgspec.structs.replace(bench, cache=tmp_path))
    messages = failed(gate(broken, baseline=baseline.sets["samples"], allowed=allowed["samples"]))
    assert any("answer.right " in message for message in messages)
    assert any("grounding.cites_gold_words " in message for message in messages)


def test_every_allowance_is_of_something_in_the_baseline(
    baseline: Baseline, allowed: Mapping[str, Mapping[str, float]]
) -> None:
    measured = {name: {score.metric for score in scores if score.n} for name, scores in baseline.sets.items()}
    assert {name: set(metrics) - measured[name] for name, metrics in allowed.items()} == {
        "samples": set(),
        "squad": set(),
    }


def test_a_figure_that_is_missing_or_got_worse_fails_and_one_that_is_as_allowed_passes() -> None:
    def score(value: float | None) -> list[Score]:
        return [Score(metric="answer.right", value=value, n=0 if value is None else 100)]

    allowed = {"answer.right": 0.03}
    assert failed(gate(score(0.57), baseline=score(0.6), allowed=allowed)) == []
    assert failed(gate(score(0.9), baseline=score(0.6), allowed=allowed)) == []
    assert len(failed(gate(score(0.56), baseline=score(0.6), allowed=allowed))) == 1
    assert len(failed(gate(score(None), baseline=score(0.6), allowed=allowed))) == 1
    assert len(failed(gate([], baseline=score(0.6), allowed=allowed))) == 1
    assert len(failed(gate(score(0.6), baseline=[], allowed=allowed))) == 1
