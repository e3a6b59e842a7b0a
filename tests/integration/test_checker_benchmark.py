"""`qa evaluate checker` over small sets written here, and over the real ones where they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from qa.cli.evaluate_models import checker as command
from qa.evaluation.benchmarks.checker import judge_rows, measure, report_set
from qa.evaluation.benchmarks.grounding_sets import GroundingRow, read_sets, rejoined
from qa.grounding import Mismatch, Provenance, Support
from qa.grounding.mismatches import LexicalChecker

DOCUMENT = "Oda Lindqvist has beaten Gregor Vance by {n} votes. The recount took seven days and cost 380,000 crowns."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Small files in the form of the published ones: every second response is false."""
    numbers = range(400, 440)
    cliff = [
        {
            "id": str(n),
            "origin": "xsum",
            "doc": DOCUMENT.format(n=n),
            "summ": f"Lindqvist beat Vance by {n if n % 2 else n + 1000} votes.",
            "model_name": "m",
            "error_type": "correct" if n % 2 else "['intrinsic-NP']",
            "annotated_span": "" if n % 2 else f"['{n + 1000}']",
        }
        for n in numbers
    ]
    wice = [
        {
            "label": "supported" if n % 2 else "not_supported",
            "supporting_sentences": [[0]] if n % 2 else [[]],
            "claim": f"Lindqvist beat Vance by {n if n % 2 else n + 1000} votes.",
            "evidence": [f"Oda Lindqvist has beaten Gregor Vance by {n} votes.", "Rain fell in the hills."],
            "meta": {"id": str(n), "claim_title": f"Kelmar {n}"},
        }
        for n in numbers
    ]
    for name, rows in (("cliff-val", cliff), ("wice-claim-dev", wice)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return tmp_path


class Trusting:
    """Believes everything."""

    identity = "trusting"

    def check(self, *_: object, **__: object) -> Support:
        return Support(verdict="supported", score=0.9, spans=())


def test_a_checker_that_sees_numbers_beats_the_floor_and_finds_the_words(folder: Path) -> None:
    rows = read_sets(folder, names=["cliff"])
    report = report_set(rows, judge_rows(rows, checker=LexicalChecker()))
    ours, words, bigrams = report.figures
    assert (ours.judge, words.judge, bigrams.judge) == ("checker", "word overlap", "bigram overlap")
    assert report.n < len(rows) == 40
    assert ours.balanced_accuracy.value == 1.0
    assert ours.auroc.value == 1.0
    assert ours.span_f1.value == pytest.approx(1.0)
    assert words.lead is not None


def test_supporting_sentences_are_scored(folder: Path) -> None:
    (report,) = measure(folder, checker="lexical", names=["wice"])
    assert report.figures[0].sentence_f1.value == 1.0
    assert report.figures[1].sentence_f1.value == pytest.approx(2 / 3, abs=1e-3)


def test_believing_everything_is_chance(folder: Path) -> None:
    rows = read_sets(folder, names=["cliff"])
    report = report_set(rows, judge_rows(rows, checker=Trusting()))
    assert report.figures[0].balanced_accuracy.value == 0.5
    assert report.figures[0].auroc.value == 0.5
    assert report.verdicts.value == 0.5


def test_a_response_is_as_good_as_its_worst_sentence() -> None:
    class Harsh(Trusting):
        def check(self, *given: object, **_: object) -> Support:
            if "crowns" not in str(given[0]):
                return super().check()
            wrong = Mismatch(kind="number", start=0, end=4)
            return Support(verdict="contradicted", score=0.1, spans=(), mismatches=(wrong,))

    row = GroundingRow(
        set="cliff",
        id="1",
        domain="x",
        group="g",
        document="…",
        supported=False,
        wrong=(),
        response="Yes. Five crowns.",
    )
    (judged,) = judge_rows([row], checker=Harsh())
    assert (judged.score, judged.supported, judged.wrong) == (0.1, False, ((5, 9),))


def test_the_command_prints_a_table_and_json(folder: Path) -> None:
    runner = CliRunner(env={"QA_ENCODER": "hashing", "QA_SUPPORT_CHECKER": "lexical"})
    table = runner.invoke(command, [str(folder), "--set", "cliff"], catch_exceptions=False)
    assert table.exit_code == 0
    assert "bigram" in table.output
    printed = runner.invoke(command, [str(folder), "--set", "wice", "--limit", "20", "--json"])
    (report,) = json.loads(printed.stdout)
    assert report["set"] == "wice"
    assert report["n"] < 20


def test_an_absent_file_is_named(folder: Path) -> None:
    printed = CliRunner().invoke(command, [str(folder), "--set", "summedits"])
    assert printed.exit_code != 0
    assert "summedits-non-news.jsonl" in "".join(c for c in printed.output if c not in "│\n ")


def test_published_spacing_is_read() -> None:
    assert rejoined("1, 056 of them ' s play - off") == "1,056 of them's play-off"


def test_the_real_sets_are_read_whole_and_their_marks_found(shared: Path) -> None:
    rows = read_sets(shared / "data" / "grounding")
    assert {name: sum(row.set == name for row in rows) for name in ("summedits", "cliff", "wice")} == {
        "summedits": 3862,
        "cliff": 300,
        "wice": 349,
    }
    for row in rows:
        for start, end in row.wrong or ():
            assert 0 <= start < end <= len(row.response)
        assert all(row.document[start:end].strip() for start, end in row.sentences if start < end)
    marked = [row for row in rows if row.set == "cliff" and not row.supported]
    assert sum(bool(row.wrong) for row in marked) >= 0.95 * len(marked)
    parts = [row.part for row in rows]
    assert 0.35 < parts.count("fit") / len(parts) < 0.65


def test_contexts_are_part_of_the_seam() -> None:
    support = LexicalChecker().check(
        "It ended on June 4.", ["It ended on Tuesday."], contexts=[Provenance(published_at="2024-06-06")]
    )
    assert support.verdict == "supported"
