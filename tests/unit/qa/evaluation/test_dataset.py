"""Datasets: what is read, and what is said about lines that cannot be."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from qa.evaluation.dataset import example_of_seed, read_dataset, write_lines
from qa.evaluation.errors import InvalidDataset
from qa.evaluation.types import Example, GoldSpan
from seeds import questions


def written(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InvalidDataset) as caught:
        read_dataset(path)
    return str(caught.value)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    examples = (
        Example(
            id="a", question="Who runs the harbour?", answers=("Ida Renn",), asked_at="2024-06-04", answerable=True
        ),
        Example(
            id="b",
            question="Wer? 🚢",
            gold=(GoldSpan(article_id="x", text="🚢 left", start=3, end=9),),
            conversation=("And before?",),
        ),
    )
    write_lines(tmp_path / "d.jsonl", examples)
    dataset = read_dataset(tmp_path / "d.jsonl")
    assert dataset.examples == examples
    assert dataset.name == "d.jsonl"


def test_empty_lines_a_byte_order_mark_windows_ends_and_gzip_do_not_matter(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbf{"id": "a", "question": "Who?"}\r\n\r\n{"id": "b", "question": "When?"}\r\n'
    (tmp_path / "d.jsonl").write_bytes(content)
    (tmp_path / "d.jsonl.gz").write_bytes(gzip.compress(content))
    plain, packed = (read_dataset(tmp_path / name) for name in ("d.jsonl", "d.jsonl.gz"))
    assert [example.id for example in plain.examples] == ["a", "b"]
    assert plain.sha256 == packed.sha256


def test_every_wrong_line_is_named_with_its_number_and_what_to_do(tmp_path: Path) -> None:
    path = written(
        tmp_path / "d.jsonl",
        {"id": "a", "question": "Who?"},
        "",
        "{oh",
        {"id": "b", "question": "Who?", "anwsers": ["x"]},
        {"id": "a", "question": "Who else?"},
        {"id": "c", "question": "?!"},
        {"id": "d", "question": "When?", "asked_at": "4 June"},
        {"id": "e", "question": "When?", "answerable": False, "answers": ["June"]},
        {"id": "f", "question": "When?", "gold": [{"article_id": "x", "text": "June", "start": 3, "end": 6}]},
        {"id": "g", "question": "When?", "gold": [{"article_id": "x", "start": 3}]},
        {"id": "h", "question": "When?", "gold": [{"part": 2}]},
    )
    said = refusal(path).split("\n")
    assert [line.split(": ")[0] for line in said] == [f"d.jsonl:{n}" for n in (3, 4, 5, 6, 7, 8, 9, 10, 11)]
    for line, words in zip(
        said,
        ("one object", "anwsers", "line 1 already", "no words", "ISO 8601", "drop", "code points", "both", "nothing"),
        strict=True,
    ):
        assert words in line


def test_many_wrong_lines_are_counted(tmp_path: Path) -> None:
    said = refusal(written(tmp_path / "d.jsonl", *["nonsense"] * 50))
    assert said.endswith("… and 30 more")


@pytest.mark.parametrize(("content", "words"), [(b"", "no questions"), (b'{"id": "a\xff"}', "UTF-8")])
def test_files_that_hold_nothing_readable(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "d.jsonl").write_bytes(content)
    assert words in refusal(tmp_path / "d.jsonl")


def test_a_damaged_archive(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl.gz").write_bytes(gzip.compress(b'{"id": "a", "question": "Who?"}')[:-6])
    assert "damaged" in refusal(tmp_path / "d.jsonl.gz")


def test_the_projects_own_questions_are_a_dataset_as_they_are(repo: Path) -> None:
    dataset = read_dataset(repo / "seeds" / "questions.jsonl")
    assert dataset.examples == tuple(example_of_seed(question) for question in questions())
    assert {example.answerable for example in dataset.examples} == {True, False}
    assert all(span.title and span.text for example in dataset.examples for span in example.gold)
