"""A dataset: its lines, what is wrong with them, and which of its examples a run asks."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import msgspec
import pytest

from qa.evaluation import Example, Failure, GoldSpan, InvalidDataset, Prediction, RunRefused
from qa.evaluation.dataset import example_of_seed, read_dataset, select, write_lines
from seeds import questions

EXAMPLES = tuple(
    Example(
        id=f"q{number}",
        question=f"Who is number {number}?",
        group=f"week-{number % 3}",
        answerable=number % 2 == 0,
        tags=("even",) if number % 2 == 0 else ("odd", "single"),
    )
    for number in range(40)
)


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


def ids(**choice: object) -> list[str]:
    return [example.id for example in select(EXAMPLES, **choice)]  # type: ignore[arg-type]


def test_all_in_order() -> None:
    assert select(EXAMPLES) == EXAMPLES


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (["id=q1"], 1),
        (["id=q1*"], 11),
        (["tag=odd"], 20),
        (["tag=sin*", "group=week-1"], 7),
        (["answerable=true"], 20),
        (["question=*number 7?"], 1),
    ],
)
def test_filters_narrow(filters: list[str], count: int) -> None:
    assert len(ids(filters=filters)) == count


def test_a_draw_is_the_same_for_a_seed_and_another_for_another() -> None:
    drawn = ids(limit=10, seed=1)
    assert drawn == ids(limit=10, seed=1)
    assert drawn != ids(limit=10, seed=2)
    assert len(set(drawn)) == 10
    assert drawn == sorted(drawn, key=lambda name: int(name[1:]))


def test_a_limit_beyond_what_is_there_is_all() -> None:
    assert ids(limit=400) == [example.id for example in EXAMPLES]


@pytest.mark.parametrize(("filters", "words"), [(["colour=red"], "KEY=PATTERN"), (["odd"], "KEY=PATTERN")])
def test_a_filter_that_cannot_be_read(filters: list[str], words: str) -> None:
    with pytest.raises(RunRefused, match=words):
        select(EXAMPLES, filters=filters)


def test_nothing_to_ask_is_no_success() -> None:
    with pytest.raises(RunRefused, match="nothing would be evaluated"):
        select(EXAMPLES, filters=["id=x*"])


def test_a_row_needs_no_more_than_an_id_and_a_question() -> None:
    row = b'{"id": "1", "question": "Who?"}'
    assert msgspec.json.encode(msgspec.json.decode(row, type=Example)) == b'{"id":"1","question":"Who?"}'


@pytest.mark.parametrize("row", ['{"id": "", "question": "Who?"}', '{"id": "1", "question": "Who?", "anwser": "x"}'])
def test_a_row_that_says_something_unknown_or_nothing_is_refused(row: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(row, type=Example)


def test_values_come_back_as_they_were_written() -> None:
    example = Example(
        id="1", question="Who?", gold=(GoldSpan(url="https://example.com/a", text="Ada", start=0, end=3),)
    )
    failure = Failure(kind="timed_out", message="no answer within 30 s")
    prediction = Prediction(example_id="1", started_at="2024-06-04T00:00:00Z", latency_ms=1.5, failure=failure)
    for value in (example, prediction):
        assert msgspec.json.decode(msgspec.json.encode(value), type=type(value)) == value
