"""Questions on passages that stay outside of the repository point at the words of the right ones."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec
import pytest

from qa.training.document_questions import DOCUMENTS, document_key, document_rows
from qa.training.reader_data import Row, Span

WHOLE = "Ida Holm owns the ferry. Tom Renn steered it."
BLURRED = "A woman owns the ferry. Tom Renn steered it."
CLAIM = "The ferry of Ida Holm was steered by Tom Renn."
QUESTIONS = [
    {"question": "Who owns the ferry?", "start": 0, "end": 8},
    {"question": "Who steered it?", "start": 25, "end": 33},
    {"question": "Who built the ferry?", "start": 0, "end": 8, "answered": False},
]


def rows(tmp_path: Path, questions: list[dict[str, object]], *, versions: bool = True) -> list[Row]:
    (tmp_path / "support").mkdir()
    pairs = [
        {"premise": WHOLE, "hypothesis": CLAIM, "label": "entailment"},
        {"premise": BLURRED, "hypothesis": CLAIM, "label": "not_entailment"},
        {"premise": "Another one.", "hypothesis": "Another claim.", "label": "not_entailment"},
    ]
    with gzip.open(tmp_path / DOCUMENTS, "wb") as lines:
        lines.write(b"\n".join(map(msgspec.json.encode, pairs)))
    asked = tmp_path / "asked"
    asked.mkdir()
    (asked / "a.jsonl").write_bytes(msgspec.json.encode({"document": document_key(WHOLE), "questions": questions}))
    return list(document_rows(tmp_path, asked, versions=versions))


def test_an_answer_that_a_version_lacks_is_asked_of_that_version_too(tmp_path: Path) -> None:
    owner, lacking, steered, built = rows(tmp_path, QUESTIONS)
    assert (owner.answers, owner.is_impossible) == ((Span("Ida Holm", 0),), False)
    assert (lacking.question, lacking.context, lacking.answers) == (owner.question, BLURRED, ())
    assert (lacking.is_impossible, lacking.plausible_answers) == (True, ())
    assert steered.answers == (Span("Tom Renn", 25),)
    assert (built.answers, built.plausible_answers, built.is_impossible) == ((), (Span("Ida Holm", 0),), True)
    assert {row.group for row in (owner, lacking, steered, built)} == {f"documents:{document_key(WHOLE)}"}


def test_without_versions_each_question_comes_once(tmp_path: Path) -> None:
    assert [row.context for row in rows(tmp_path, QUESTIONS, versions=False)] == 3 * [WHOLE]


def test_a_place_outside_of_its_passage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.jsonl: 'Who owns it\?' points outside of passage"):
        rows(tmp_path, [{"question": "Who owns it?", "start": 0, "end": len(WHOLE) + 1}])


def test_a_missing_passage_is_named(tmp_path: Path) -> None:
    rows(tmp_path, QUESTIONS)
    (tmp_path / "asked" / "b.jsonl").write_bytes(msgspec.json.encode({"document": "0" * 16, "questions": QUESTIONS}))
    with pytest.raises(ValueError, match=r"holds no passage 0{16}, on which b\.jsonl asks"):
        list(document_rows(tmp_path, tmp_path / "asked"))


def test_the_questions_that_train_are_sound(shared: Path) -> None:
    found = list(document_rows(shared / "data"))
    asked = [row for row in found if row.answers or row.plausible_answers]
    assert len(asked) > 10_000
    assert len(found) - len(asked) > 1_500
    for row in asked:
        (span,) = row.answers or row.plausible_answers
        assert span.text == span.text.strip()
        assert row.context[span.answer_start :].startswith(span.text)
    assert 0.55 < sum(bool(row.answers) for row in asked) / len(asked) < 0.65
    assert 0.1 < sum(row.fold == 0 for row in found) / len(found) < 0.3
