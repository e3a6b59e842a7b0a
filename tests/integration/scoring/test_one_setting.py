"""From articles to a verdict: two real runs that differ in one setting, scored and compared from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import seeds
from qa.cli import program


def qa(*arguments: object, **environ: str) -> Result:
    result = CliRunner(env={"QA_SUPPORT_CHECKER": "lexical", **environ}).invoke(
        program, [str(argument) for argument in arguments], prog_name="qa"
    )
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same questions asked of the same articles, ranked in two ways."""
    folder = tmp_path_factory.mktemp("runs")
    settings = {"QA_DATA_DIR": str(folder / "data"), "QA_ENCODER": "hashing", "QA_READER": "words"}
    dataset = seeds.articles_dir().parent / "questions.jsonl"
    qa("ingest", seeds.articles_dir(), **settings)
    for name in ("dense", "hybrid"):
        qa("evaluate", "run", dataset, "--out", folder / name, "--limit", 16, **settings, QA_RETRIEVAL=name)
        qa("evaluate", "score", folder / name)
    return {name: folder / name for name in ("dense", "hybrid")}


def test_the_verdict_is_the_same_twice(runs: dict[str, Path]) -> None:
    first = qa("evaluate", "compare", runs["dense"], runs["hybrid"], "--json").stdout
    assert first == qa("evaluate", "compare", runs["dense"], runs["hybrid"], "--json").stdout
    found = json.loads(first)
    assert found["changed"] == {"settings.retrieval": ["dense", "hybrid"]}
    assert found["warnings"] == []
    assert found["paired"] == 16
    differences = {one["metric"]: one["difference"]["mean"] for one in found["metrics"]}
    assert differences["retrieval.article.mrr@10"] > 0, "hashed words know less of meaning than BM25"


def test_neither_differs_from_itself(runs: dict[str, Path]) -> None:
    for run in runs.values():
        found = json.loads(qa("evaluate", "compare", run, run, "--json").stdout)
        assert {one["difference"]["mean"] for one in found["metrics"]} == {0.0}
        assert {one["verdict"] for one in found["metrics"]} == {"no sure difference"}
        assert found["fixed"] == found["broken"] == []
