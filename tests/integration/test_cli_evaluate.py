"""`qa evaluate` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from qa.cli.program import program
from qa.evaluation.dataset import read_dataset


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

    @pytest.mark.parametrize("form", ["csv", "ragas"])
    def test_that_no_articles_come_along_is_said(self, tmp_path: Path, form: str) -> None:
        source = tmp_path / "s"
        source.write_text("question\nWho?\n" if form == "csv" else '{"user_input": "Who?"}', encoding="utf-8")
        articles = tmp_path / "a.jsonl"
        result = qa("evaluate", "convert", source, "--from", form, "--out", tmp_path / "d", "--articles", articles)
        assert result.exit_code == 0
        assert "no articles come with" in result.stderr
