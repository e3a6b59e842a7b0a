"""`qa evaluate` from the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from qa.cli import program
from qa.evaluation import PREDICTIONS_FILE, Example
from qa.evaluation.dataset import read_dataset
from qa.evaluation.run_folder import FinishedRun, read_run
from qa.evaluation.targets import Asking, in_process, search_of

ARTICLES = [
    {"id": "ferry", "title": "Ferry leaves", "text": "The ferry Almeric carried 214 people to Skerra on Friday."},
    {"id": "bridge", "title": "Bridge shut", "text": "The Osprey Bridge is shut for sixteen months from July."},
    {"id": "fire", "title": "Fire at mill", "text": "A fire destroyed the old mill of Kelmar in the night to Sunday."},
]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small store, a dataset and nothing else."""
    monkeypatch.setenv("QA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("QA_ENCODER", "hashing")
    monkeypatch.setenv("QA_READER", "words")
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, ARTICLES)), encoding="utf-8")
    assert qa("ingest", tmp_path / "a.jsonl").exit_code == 0
    rows = [
        {"id": "people", "question": "How many people did the ferry Almeric carry?", "tags": ["number"]},
        {"id": "bridge", "question": "How long is the Osprey Bridge shut?", "tags": ["number"]},
        {"id": "hidden", "question": "What did the fire destroy?", "withheld_article_ids": ["fire"]},
        {"id": "nothing", "question": "Who is the mayor of Lima?", "answerable": False},
    ]
    (tmp_path / "d.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return tmp_path


def run(store: Path, *options: object) -> tuple[Result, FinishedRun]:
    result = qa("evaluate", "run", store / "d.jsonl", "--out", store / "run", *options)
    return result, read_run(store / "run")


def qa(*arguments: object) -> Result:
    return CliRunner().invoke(program, [str(argument) for argument in arguments], prog_name="qa")


class TestConvert:
    def test_a_table_becomes_a_dataset(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text("id,question,answers\na,Who?,Ida | Renn\n", encoding="utf-8")
        result = qa("evaluate", "convert", tmp_path / "t.csv", "--from", "csv", "--out", tmp_path / "d.jsonl")
        assert (result.exit_code, result.stderr) == (0, f"1 questions written to {tmp_path / 'd.jsonl'}\n")
        assert read_dataset(tmp_path / "d.jsonl").examples[0].answers == ("Ida", "Renn")

    def test_lines_that_make_no_dataset_are_told_one_by_one_and_are_exit_2(self, tmp_path: Path) -> None:
        rows = [{"question": "Who?", "id": "a", "answers": ["Ida"]}, {"question": "?", "id": "b"}, {"id": "c"}]
        (tmp_path / "d.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        result = qa("evaluate", "convert", tmp_path / "d.jsonl", "--from", "seeds", "--out", tmp_path / "o.jsonl")
        assert result.exit_code == 2
        assert [line.split(": ")[1] for line in result.stderr.splitlines()] == ["d.jsonl:2", "d.jsonl:3"]
        assert not (tmp_path / "o.jsonl").exists()

    def test_what_run_would_not_take_is_not_written_over_what_was_there(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text("question,answerable,answers\nWho?,,\nWhen?,no,June\n", encoding="utf-8")
        out = tmp_path / "d.jsonl"
        out.write_text("kept", encoding="utf-8")
        result = qa("evaluate", "convert", tmp_path / "t.csv", "--from", "csv", "--out", out)
        assert result.exit_code == 2
        assert "was not written" in result.stderr
        assert "question:2: answerable is false" in result.stderr
        assert out.read_text(encoding="utf-8") == "kept"

    @pytest.mark.parametrize("form", ["csv", "ragas"])
    def test_that_no_articles_come_along_is_said(self, tmp_path: Path, form: str) -> None:
        source = tmp_path / "s"
        source.write_text("question\nWho?\n" if form == "csv" else '{"user_input": "Who?"}', encoding="utf-8")
        articles = tmp_path / "a.jsonl"
        result = qa("evaluate", "convert", source, "--from", form, "--out", tmp_path / "d", "--articles", articles)
        assert result.exit_code == 0
        assert "no articles come with" in result.stderr


class TestRun:
    def test_every_question_has_a_prediction_with_what_it_cites(self, store: Path) -> None:
        result, done = run(store, "--ranked", 3)
        assert (result.exit_code, done.manifest.finished_at is not None) == (0, True), result.stderr
        assert list(done.predictions) == ["people", "bridge", "hidden", "nothing"]
        for prediction in done.predictions.values():
            assert prediction.answer is not None
            assert prediction.ranked is not None
            for citation in prediction.answer.citations:
                text = done.articles[citation.article_id, citation.article_version].text
                assert text[citation.start_char_index : citation.end_char_index] == citation.cited_text
        assert done.articles
        assert done.manifest.corpus["articles"] == "3"
        assert done.manifest.encoder["name"] == "hashing"
        assert str(store) not in (store / "run" / "manifest.json").read_text(encoding="utf-8")

    def test_a_withheld_article_is_found_by_nobody_it_is_hidden_from(self, store: Path) -> None:
        _, done = run(store)
        hidden, shown = done.predictions["hidden"], done.predictions["nothing"]
        assert hidden.ranked is not None
        assert shown.ranked is not None
        assert {result.article_id for result in hidden.ranked} == {"ferry", "bridge"}
        assert {result.article_id for result in shown.ranked} == {"ferry", "bridge", "fire"}
        assert hidden.answer is not None
        assert "fire" not in {result.article_id for result in hidden.answer.search_results}

    def test_filter_and_limit(self, store: Path) -> None:
        result, done = run(store, "--filter", "tag=number", "--limit", 1, "--ranked", 0)
        assert result.exit_code == 0
        assert len(done.predictions) == 1
        assert next(iter(done.predictions.values())).ranked is None
        assert (done.manifest.options["filter"], done.manifest.options["limit"]) == ("tag=number", "1")

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--filter", "tag=none"], "nothing would be evaluated"),
            (["--url", "http://127.0.0.1:1", "--openai-url", "http://127.0.0.1:1/v1"], "exclude each other"),
            (["--openai-url", "http://127.0.0.1:1/v1"], "needs --model"),
            (["--url", "http://127.0.0.1:1"], "does not answer"),
            (["--url", "127.0.0.1"], "no address"),
            (["--token-from", "SURELY_NOT_SET"], "SURELY_NOT_SET"),
        ],
    )
    def test_wrong_use_is_exit_2_and_writes_nothing(self, store: Path, options: list[str], words: str) -> None:
        result = qa("evaluate", "run", store / "d.jsonl", "--out", store / "run", *options)
        assert (result.exit_code, words in result.stderr) == (2, True), result.stderr
        assert not (store / "run").exists()

    def test_no_store_is_exit_1_and_says_what_to_do(self, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("QA_DATA_DIR", str(store / "none"))
        result = qa("evaluate", "run", store / "d.jsonl", "--out", store / "run")
        assert (result.exit_code, "qa ingest" in result.stderr) == (1, True)
        assert not (store / "none").exists()

    def test_a_model_writes_and_is_asked_several_questions_at_once(
        self, store: Path, faulty_model: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("QA_LLM_BASE_URL", faulty_model.address())
        monkeypatch.setenv("QA_LLM_MODEL", "good")
        monkeypatch.setenv("QA_LLM_API_KEY", "sk-very-secret")
        faulty_model.compose = lambda _: ARTICLES[0]["text"]
        faulty_model.pace = 0.02
        rows = [{"id": f"q{n}", "question": f"How many people did the ferry Almeric carry {n}?"} for n in range(6)]
        (store / "d.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        result, done = run(store, "--jobs", 3, "--ranked", 0)
        assert result.exit_code == 0, result.stderr
        answers = [prediction.answer for prediction in done.predictions.values()]
        assert len(answers) == 6
        assert [answer.answer_mode for answer in answers if answer] == ["generated"] * 6
        assert done.manifest.prompts
        assert done.manifest.settings["llm_model"] == "good"
        assert "sk-very-secret" not in (store / "run" / "manifest.json").read_text(encoding="utf-8")

    def test_a_follow_up_is_understood_from_the_questions_before_it(
        self, store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        searched: list[str] = []

        def noting(example: Example, asking: Asking) -> Any:
            searched.append(example.question)
            return search_of(example, asking)

        monkeypatch.setattr(in_process, "search_of", noting)
        row = {"id": "f", "question": "How many people did it carry?", "conversation": ["Where did the Almeric go?"]}
        (store / "d.jsonl").write_text(json.dumps(row), encoding="utf-8")
        _, done = run(store)
        answer = done.predictions["f"].answer
        assert answer is not None
        assert answer.question == row["question"]
        assert "Almeric" in answer.resolved_query
        assert searched == [answer.resolved_query], "and ranked as it was understood"

    def test_a_bug_on_one_question_is_recorded_counted_and_asked_again(
        self, store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError("oh")

        with monkeypatch.context() as patch:
            patch.setattr(in_process, "search_of", broken)
            result, done = run(store)
        assert result.exit_code == 3
        assert "4 questions failed" in result.stderr
        failure = done.predictions["people"].failure
        assert failure is not None
        assert (failure.kind, failure.message) == ("broken", "ZeroDivisionError: oh")
        result, done = run(store, "--resume")
        assert result.exit_code == 0
        assert all(prediction.failure is None for prediction in done.predictions.values())

    def test_a_second_run_needs_another_folder_and_resume_the_same_experiment(self, store: Path) -> None:
        run(store)
        again = qa("evaluate", "run", store / "d.jsonl", "--out", store / "run")
        assert (again.exit_code, "--resume" in again.stderr) == (2, True)
        other = qa("evaluate", "run", store / "d.jsonl", "--out", store / "run", "--resume", "--ranked", 5)
        assert (other.exit_code, "options.ranked" in other.stderr) == (2, True)
        same = qa("evaluate", "run", store / "d.jsonl", "--out", store / "run", "--resume")
        assert (same.exit_code, "0 asked, 0 failed, 4 done before" in same.stderr) == (0, True)

    def test_a_run_killed_in_the_middle_goes_on_where_it_was(self, store: Path, repo: Path) -> None:
        rows = [{"id": f"q{number}", "question": f"Who is number {number}?"} for number in range(3000)]
        (store / "d.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        command = [sys.executable, "-m", "qa", "evaluate", "run", store / "d.jsonl", "--out", store / "run"]
        environment = {**os.environ, "PYTHONPATH": str(repo)}
        with subprocess.Popen(command, cwd=store, env=environment, stderr=subprocess.DEVNULL) as process:
            predictions = store / "run" / PREDICTIONS_FILE
            for _ in range(4800):
                if predictions.exists() and predictions.stat().st_size:
                    break
                time.sleep(0.05)
            process.send_signal(signal.SIGKILL)
        before = read_run(store / "run").predictions
        assert 0 < len(before) < 3000
        (store / "d.jsonl").rename(store / "all.jsonl")
        again = qa("evaluate", "run", store / "all.jsonl", "--out", store / "run", "--resume", "--limit", 10)
        assert (again.exit_code, "options.limit" in again.stderr) == (2, True)
        with subprocess.Popen(
            [*command[:5], store / "all.jsonl", *command[6:], "--resume"], cwd=store, env=environment
        ) as process:
            while read_run(store / "run").predictions.keys() == before.keys() and process.poll() is None:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            assert process.wait(240) == 130
        after = read_run(store / "run")
        assert len(after.predictions) > len(before)
        assert {name: after.predictions[name] for name in before} == before
        assert (store / "run" / PREDICTIONS_FILE).read_bytes().count(b"\n") == len(after.predictions)
