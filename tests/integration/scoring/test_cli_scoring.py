"""Scoring, comparing and gating a run from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

import seeds
from embeddings.types import Article
from qa.cli import program
from qa.evaluation import Example, ForeignAnswer, ForeignCitation, Prediction
from qa.types import Answer

WriteRun = Callable[..., Path]


def qa(*arguments: object) -> Result:
    return CliRunner(env={"QA_SUPPORT_CHECKER": "lexical"}).invoke(
        program, [str(argument) for argument in arguments], prog_name="qa"
    )


def forgetting(predictions: tuple[Prediction, ...], *, every: int) -> list[Prediction]:
    """Declines every so-manieth question, the surest answers too."""

    def declined(answer: Answer) -> Answer:
        return msgspec.structs.replace(answer, answer_mode="abstained", claims=(), citations=(), short_answer=None)

    return [
        msgspec.structs.replace(one, answer=declined(one.answer)) if number % every == 0 and one.answer else one
        for number, one in enumerate(predictions)
    ]


@pytest.fixture(scope="module")
def scored(
    write_run: WriteRun, honest: tuple[Prediction, ...], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """An honest run, a forgetful one, both scored."""
    folder = tmp_path_factory.mktemp("runs")
    runs = {
        "honest": write_run(folder / "honest", honest, name="honest"),
        "forgetful": write_run(folder / "forgetful", forgetting(honest, every=3), name="forgetful"),
    }
    for run in runs.values():
        assert qa("evaluate", "score", run).exit_code == 0
    return runs


def values(run: Path) -> dict[str, float | None]:
    return {one["metric"]: one["value"] for one in json.loads((run / "scores.json").read_text())["scores"]}


# --- score


def test_the_same_run_has_the_same_scores_byte_for_byte(scored: dict[str, Path]) -> None:
    path = scored["honest"] / "scores.json"
    first = path.read_bytes()
    path.unlink()
    result = qa("evaluate", "score", scored["honest"], "--json")
    assert result.exit_code == 0
    assert path.read_bytes() == first == result.stdout_bytes
    assert json.loads(first)["scorer"]["support_checker"]
    assert b"NaN" not in first


def test_the_table_shows_every_metric_with_n_and_interval(scored: dict[str, Path]) -> None:
    result = qa("evaluate", "score", scored["honest"])
    rows = {line.split()[0]: line.split() for line in result.stdout.splitlines() if line.strip()}
    assert set(values(scored["honest"])) <= set(rows)
    assert rows["grounding.exact_spans"][1:3] == ["1.000", "0.824"]
    assert rows["grounding.exact_spans"][-2:] == ["230", "citations"]


def test_what_was_not_asked_or_failed_counts_as_wrong(
    write_run: WriteRun, honest: tuple[Prediction, ...], tmp_path: Path
) -> None:
    run = write_run(tmp_path / "half", honest[: len(honest) // 2])
    result = qa("evaluate", "score", run)
    assert "69 questions were not asked yet" in result.stderr
    found = values(run)
    assert found["run.failed"] == pytest.approx(69 / 137, abs=1e-4)
    assert found["answer.right"] == pytest.approx(68 / 137, abs=1e-4)
    assert found["grounding.exact_spans"] == 1.0


def test_a_torn_last_line_is_no_prediction_and_a_damaged_one_is_named(
    write_run: WriteRun, honest: tuple[Prediction, ...], tmp_path: Path
) -> None:
    run = write_run(tmp_path / "torn", honest[:3])
    predictions = run / "predictions.jsonl"
    predictions.write_bytes(predictions.read_bytes()[:-40])
    assert qa("evaluate", "score", run).exit_code == 0
    assert values(run)["run.failed"] == pytest.approx(135 / 137, abs=1e-4)
    predictions.write_bytes(b'{"example_id": 3}\n')
    result = qa("evaluate", "score", run)
    assert result.exit_code != 0
    assert "predictions.jsonl:1" in result.stderr


def test_an_article_that_is_not_the_version_it_says_proves_nothing(
    write_run: WriteRun, honest: tuple[Prediction, ...], tmp_path: Path
) -> None:
    run = write_run(tmp_path / "altered", honest[:3])
    articles = run / "articles.jsonl"
    articles.write_text(articles.read_text(encoding="utf-8").replace(" the ", " teh "), encoding="utf-8")
    assert qa("evaluate", "score", run).exit_code == 0
    assert values(run)["grounding.exact_spans"] == 0.0


@pytest.mark.parametrize(
    "link",
    [
        lambda article: f"{article.url}#top",
        lambda article: (
            f"http://127.0.0.1:8000/api/articles/{article.id}?version={article.version}#:~:text=nowhere%20at%20all"
        ),
    ],
    ids=["by its address", "by its place at our server"],
)
def test_articles_that_a_foreign_server_cites_are_kept_with_the_run(
    write_run: WriteRun,
    examples: tuple[Example, ...],
    sample_articles: dict[str, Article],
    tmp_path: Path,
    link: Callable[[Article], str],
) -> None:
    article = next(one for one in sample_articles.values() if one.url)
    sentence = article.text[: article.text.index(". ") + 1]
    answer = ForeignAnswer(text=sentence, citations=(ForeignCitation(url=link(article), start=0, end=len(sentence)),))
    prediction = Prediction(example_id=examples[0].id, started_at="", latency_ms=1.0, foreign=answer)
    run = write_run(tmp_path / "foreign", [prediction])
    (run / "articles.jsonl").write_bytes(b"")
    assert qa("evaluate", "score", run).exit_code == 0
    assert "grounding.citation_recall" not in values(run)
    supplied = qa("evaluate", "score", run, "--articles", seeds.articles_dir())
    assert "1 cited articles kept" in supplied.stderr
    assert values(run)["grounding.citation_recall"] == 1.0
    assert "0 cited articles kept" in qa("evaluate", "score", run, "--articles", seeds.articles_dir()).stderr
    assert qa("evaluate", "score", run).exit_code == 0
    assert values(run)["grounding.citation_recall"] == 1.0, "later scoring needs the articles no more"


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    result = qa("evaluate", "score", tmp_path)
    assert result.exit_code != 0
    assert "manifest.json" in result.stderr
    assert "qa evaluate run" in result.stderr


# --- compare


def test_a_run_does_not_differ_from_itself(scored: dict[str, Path]) -> None:
    result = qa("evaluate", "compare", scored["honest"], scored["honest"], "--json")
    found = json.loads(result.stdout)
    assert (found["fixed"], found["broken"], found["warnings"], found["changed"]) == ([], [], [], {})
    assert len(found["metrics"]) > 30
    assert {one["verdict"] for one in found["metrics"]} == {"no sure difference"}
    assert {one["difference"]["mean"] for one in found["metrics"]} == {0.0}


def test_two_runs_have_the_same_verdict_twice_and_the_opposite_one_backwards(scored: dict[str, Path]) -> None:
    there = qa("evaluate", "compare", scored["honest"], scored["forgetful"], "--json")
    assert there.stdout == qa("evaluate", "compare", scored["honest"], scored["forgetful"], "--json").stdout
    found = json.loads(there.stdout)
    back = json.loads(qa("evaluate", "compare", scored["forgetful"], scored["honest"], "--json").stdout)
    verdict = {one["metric"]: one["verdict"] for one in found["metrics"]}
    assert verdict["answer.right"] == verdict["answer.f1"] == "worse"
    assert verdict["grounding.exact_spans"] == "no sure difference"
    assert {one["metric"]: one["verdict"] for one in back["metrics"]}["answer.right"] == "better"
    assert found["fixed"] == back["broken"] == []
    assert [flip["example_id"] for flip in found["broken"]] == [flip["example_id"] for flip in back["fixed"]]
    assert {(flip["baseline"], flip["candidate"]) for flip in found["broken"]} == {("right", "missed")}
    assert found["changed"] == {"settings.retrieval": ["honest", "forgetful"]}


def test_the_table_names_what_changed_and_what_broke(scored: dict[str, Path]) -> None:
    result = qa("evaluate", "compare", scored["honest"], scored["forgetful"])
    assert "settings.retrieval: honest → forgetful" in result.stdout
    assert "fixed: 0" in result.stdout
    assert "right → missed" in result.stdout
    (row,) = (line.split() for line in result.stdout.splitlines() if line.startswith("answer.right "))
    assert row[-1] == "worse"
    assert row[3].startswith("-0.")


def test_a_pull_request_is_told_the_same(scored: dict[str, Path]) -> None:
    markdown = qa("evaluate", "compare", scored["honest"], scored["forgetful"], "--markdown").stdout
    found = json.loads(qa("evaluate", "compare", scored["honest"], scored["forgetful"], "--json").stdout)
    assert "- settings.retrieval: `honest` → `forgetful`" in markdown
    rows = [line for line in markdown.splitlines() if line.startswith("| ")]
    assert len(rows) == len(found["metrics"]) + 1
    assert any(row.startswith("| answer.right |") and row.endswith("| **worse** |") for row in rows)
    assert f"**Broken: {len(found['broken'])}**" in markdown
    assert markdown.count("(right → missed)") == len(found["broken"]) > 5


def test_other_questions_and_other_predictions_are_warned_of(
    scored: dict[str, Path], write_run: WriteRun, honest: tuple[Prediction, ...], tmp_path: Path
) -> None:
    other = write_run(tmp_path / "other", honest, dataset="others")
    assert "not scored yet" in qa("evaluate", "compare", scored["honest"], other).stderr
    qa("evaluate", "score", other)
    assert "different datasets" in qa("evaluate", "compare", scored["honest"], other).stderr
    with (other / "predictions.jsonl").open("ab") as file:
        file.write(msgspec.json.encode(honest[0]) + b"\n")
    stale = qa("evaluate", "compare", scored["honest"], other)
    assert stale.exit_code == 1
    assert "other predictions" in stale.stderr


# --- gate


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--min", "answer.right=1.0"], 0),
        (["--min", "answer.right=1.0", "--max", "grounding.claims_contradicted=0"], 0),
        (["--min", "answer.right=1.01"], 100),
        (["--min", "answer.right=0.5", "--min", "confidence.auroc=0.1"], 100),  # nothing wrong to tell apart: no value
        (["--min", "answer.must_not_say=0"], 100),  # nothing forbidden in this dataset: not measured
        (["--max", "latency.p50_ms=1"], 100),
        (["--min", "answer.rihgt=0.5"], 2),
        (["--min", "answer.right"], 2),
        (["--min", "answer.right=nan"], 2),
        (["--min", "answer.right=high"], 2),
        (["--max-regression", "answer.right=0.1"], 2),  # against what?
        ([], 2),
    ],
)
def test_exit_codes(scored: dict[str, Path], arguments: list[str], code: int) -> None:
    result = qa("evaluate", "gate", scored["honest"], *arguments)
    assert result.exit_code == code, result.output
    assert ("FAIL" in result.stdout) == ("qa evaluate report" in result.stderr) == (code == 100)


@pytest.mark.parametrize(
    ("run", "baseline", "limit", "code"),
    [
        ("forgetful", "honest", "answer.right=0.1", 100),
        ("forgetful", "honest", "answer.right=0.9", 0),
        ("honest", "forgetful", "answer.right=0", 0),
        ("honest", "honest", "calibration.ece=0", 0),
        ("honest", "honest", "confidence.auroc=1", 100),
        ("forgetful", "honest", "run.failed=0", 0),
    ],
)
def test_a_regression_is_one_in_the_direction_that_is_worse(
    scored: dict[str, Path], run: str, baseline: str, limit: str, code: int
) -> None:
    result = qa("evaluate", "gate", scored[run], "--baseline", scored[baseline], "--max-regression", limit)
    assert result.exit_code == code, result.output


def test_limits_come_from_a_file_too(scored: dict[str, Path], tmp_path: Path) -> None:
    limits = tmp_path / "limits.toml"
    limits.write_text('[min]\n"answer.right" = 0.9\n[max]\n"run.failed" = 0\n[max-regression]\n"answer.f1" = 0.5\n')
    arguments = ["--limits", limits, "--baseline", scored["honest"]]
    assert qa("evaluate", "gate", scored["honest"], *arguments).exit_code == 0
    assert qa("evaluate", "gate", scored["forgetful"], *arguments).exit_code == 100
    for text, told in (
        ("[min", "no TOML"),
        ("[least]\n", "least"),
        ("min = 3\n", "table"),
        ('[min]\n"x" = 1\n', "'x'"),
    ):
        limits.write_text(text)
        result = qa("evaluate", "gate", scored["honest"], *arguments)
        assert result.exit_code == 2
        assert told in result.stderr


def test_nothing_evaluated_is_told_from_below(write_run: WriteRun, tmp_path: Path) -> None:
    run = write_run(tmp_path / "empty", [])
    qa("evaluate", "score", run)
    result = qa("evaluate", "gate", run, "--max", "run.failed=1")
    assert result.exit_code == 101
    assert "nothing was evaluated" in result.stderr


def test_a_run_that_is_not_scored_is_an_error(
    write_run: WriteRun, honest: tuple[Prediction, ...], tmp_path: Path
) -> None:
    result = qa("evaluate", "gate", write_run(tmp_path / "new", honest), "--min", "answer.right=0")
    assert result.exit_code == 1
    assert "qa evaluate score" in result.stderr
