"""The folder of a run: what survives a kill, what is refused, what is read back."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from qa.evaluation import (
    ARTICLES_FILE,
    MANIFEST_FILE,
    PREDICTIONS_FILE,
    CitedArticle,
    Example,
    Failure,
    ForeignAnswer,
    InvalidDataset,
    Machine,
    Manifest,
    Prediction,
    RunRefused,
    Target,
)
from qa.evaluation.run_folder import RunFolder, examples_hash, read_manifest, read_run

EXAMPLES = tuple(Example(id=f"q{number}", question="Who?") for number in range(3))
ARTICLE = CitedArticle(id="a", version="1", title="A", text="Ida Renn.")
AT = "2024-06-04T10:00:00Z"


def manifest(**changed: object) -> Manifest:
    made = Manifest(
        schema_version=1,
        run_id="r",
        fingerprint="f",
        dataset="d.jsonl",
        dataset_sha256="d",
        examples=3,
        examples_sha256=examples_hash(EXAMPLES),
        target=Target(kind="in_process"),
        options={},
        settings={"retrieval": "hybrid"},
        encoder={},
        prompts={},
        corpus={},
        git_revision="",
        versions={},
        machine=Machine(system="Linux", processor="x", cores=2, memory_bytes=1, python="3"),
        seed=0,
        started_at=AT,
    )
    return msgspec.structs.replace(made, **changed)


def said(example_id: str, text: str = "Ida") -> Prediction:
    return Prediction(example_id=example_id, started_at=AT, latency_ms=1.0, foreign=ForeignAnswer(text=text))


def failed(example_id: str) -> Prediction:
    failure = Failure(kind="timed_out", message="too slow")
    return Prediction(example_id=example_id, started_at=AT, latency_ms=0.0, failure=failure)


def test_what_was_added_is_read_with_the_last_word_on_each_example(tmp_path: Path) -> None:
    with RunFolder.begin(tmp_path / "run", manifest(), EXAMPLES) as folder:
        folder.add(failed("q0"), [])
        folder.add(said("q1"), [ARTICLE])
        folder.add(said("q0", "Tobias"), [ARTICLE])
        folder.finish(AT)
    run = read_run(tmp_path / "run")
    assert run.examples == EXAMPLES
    assert run.predictions == {"q0": said("q0", "Tobias"), "q1": said("q1")}
    assert run.articles == {("a", "1"): ARTICLE}
    assert run.manifest == manifest(finished_at=AT)
    assert (tmp_path / "run" / ARTICLES_FILE).read_bytes().count(b"\n") == 1


def test_a_line_torn_by_a_kill_is_dropped_and_its_example_asked_again(tmp_path: Path) -> None:
    with RunFolder.begin(tmp_path, manifest(), EXAMPLES) as folder:
        folder.add(said("q0"), [])
        folder.add(said("q1"), [])
        folder.add(failed("q2"), [])
    for cut in (10, 1):
        path = tmp_path / PREDICTIONS_FILE
        path.write_bytes(path.read_bytes() + msgspec.json.encode(said("q2"))[:-cut])
        assert "q2" not in {p.example_id for p in read_run(tmp_path).predictions.values() if p.failure is None}
        with RunFolder.resume(tmp_path, manifest()) as folder:
            assert folder.finished == {"q0", "q1"}
        assert path.read_bytes().endswith(b"\n")


def test_a_kept_article_is_not_kept_twice_after_resuming(tmp_path: Path) -> None:
    with RunFolder.begin(tmp_path, manifest(), EXAMPLES) as folder:
        folder.add(said("q0"), [ARTICLE])
    with RunFolder.resume(tmp_path, manifest()) as folder:
        assert folder.keeps("a", "1")
        folder.add(said("q1"), [ARTICLE])
    assert (tmp_path / ARTICLES_FILE).read_bytes().count(b"\n") == 1


def test_another_experiment_is_refused_and_what_differs_is_said(tmp_path: Path) -> None:
    RunFolder.begin(tmp_path, manifest(), EXAMPLES).__exit__(None, None, None)
    other = manifest(fingerprint="g", settings={"retrieval": "dense"}, seed=1)
    with pytest.raises(RunRefused, match=r"settings\.retrieval, seed changed"):
        RunFolder.resume(tmp_path, other)


def test_a_folder_with_a_run_is_not_begun_again(tmp_path: Path) -> None:
    RunFolder.open(tmp_path, manifest(), EXAMPLES, resume=True).__exit__(None, None, None)
    with pytest.raises(RunRefused, match="--resume"):
        RunFolder.open(tmp_path, manifest(), EXAMPLES, resume=False)


def test_two_writers_are_refused(tmp_path: Path) -> None:
    with RunFolder.begin(tmp_path, manifest(), EXAMPLES), pytest.raises(RunRefused, match="another process"):
        RunFolder.resume(tmp_path, manifest())


def test_no_run_another_schema_and_a_damaged_line_are_named(tmp_path: Path) -> None:
    with pytest.raises(RunRefused, match="holds no run"):
        read_run(tmp_path)
    with RunFolder.begin(tmp_path, manifest(), EXAMPLES) as folder:
        folder.add(said("q0"), [])
    (tmp_path / PREDICTIONS_FILE).write_bytes(b"{oh}\n")
    with pytest.raises(InvalidDataset, match=f"{PREDICTIONS_FILE}:1"):
        read_run(tmp_path)
    (tmp_path / MANIFEST_FILE).write_bytes(b'{"schema_version": 99}')
    with pytest.raises(RunRefused, match="schema 99"):
        read_manifest(tmp_path)
