"""Questions on invented news stand on the words that answer them, or that only tempt."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from qa.training.reader_data import Span, title_of
from qa.training.written_news import MOST_DECIDING, WRITTEN, deciding, written_decisions, written_rows

ARTICLE = {
    "title": "Ferry aground",
    "published": "2024-06-05",
    "text": "Ida Holm owns the ferry. Tom Renn steered it. Nobody was hurt, said Tom Renn.",
    "questions": [
        {"question": "Who steered the ferry?", "answer": "Tom Renn", "sentence": "Nobody was"},
        {"question": "Who built the ferry?", "answer": None, "tempting": "Ida Holm", "sentence": "Ida Holm owns"},
    ],
}


def test_written_questions_answer_where_their_sentence_says(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\n".join([msgspec.json.encode(ARTICLE)] * 6))
    found = list(written_rows(tmp_path))
    assert [row.fold for row in found[::2]] == [0, 1, 2, 3, 4, 0]
    answered, tempted = found[:2]
    assert answered.answers == (Span("Tom Renn", ARTICLE["text"].index("Tom Renn.")),)
    assert (answered.is_impossible, tempted.is_impossible, tempted.answers) == (False, True, ())
    assert tempted.plausible_answers == (Span("Ida Holm", 0),)
    assert title_of(answered) == "Ferry aground"


def test_a_written_answer_that_does_not_stand_there_is_refused(tmp_path: Path) -> None:
    wrong = {**ARTICLE, "questions": [{"question": "Who?", "answer": "Ida Holm", "sentence": "Tom Renn steered"}]}
    (tmp_path / "a.jsonl").write_bytes(msgspec.json.encode(wrong))
    with pytest.raises(ValueError, match=r"Ida Holm.*Who\?"):
        list(written_rows(tmp_path))


def test_the_questions_that_train_are_sound() -> None:
    rows = list(written_rows())
    assert len(rows) > 18_000
    assert len({row.question for row in rows}) == len(rows)
    for row in rows:
        (span,) = row.answers or row.plausible_answers
        assert row.context[span.answer_start :].startswith(span.text)
    assert 0.6 < sum(not row.is_impossible for row in rows) / len(rows) < 0.7
    assert list(WRITTEN.glob("*.jsonl"))


def test_further_questions_are_of_the_fold_of_their_article(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(msgspec.json.encode({**ARTICLE, "title": t}) for t in ("A", "B")))
    asked = {"question": "What did Renn say?", "answer": "Nobody was hurt", "sentence": "Nobody was"}
    decided = {"question": "Does Holm own it?", "answer": "yes", "sentence": "Ida Holm owns"}
    for name, question in (("further", asked), ("decisions", decided)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jsonl").write_bytes(msgspec.json.encode({"title": "B", "questions": [question]}))
    said, yes = list(written_rows(tmp_path))[-2:]
    assert [(row.fold, row.source, row.group) for row in (said, yes)] == 2 * [(1, "written_news_further", "written:B")]
    assert said.answers == (Span("Nobody was hurt", ARTICLE["text"].index("Nobody")),)
    assert yes.answers == (Span("Ida Holm owns the ferry.", 0),)
    (tmp_path / "further" / "a.jsonl").write_bytes(msgspec.json.encode({"title": "C", "questions": [asked]}))
    with pytest.raises(ValueError, match="no article is called 'C'"):
        list(written_rows(tmp_path))


def test_of_a_long_sentence_that_decides_the_end_is_taken() -> None:
    text = f"It rained. The bridge {'very ' * 30}soon opened. Nobody came."
    span = deciding(text, "The bridge")
    assert len(span.text.split()) == MOST_DECIDING
    assert span.text.endswith("very soon opened.")
    assert text[span.answer_start :].startswith(span.text)


def test_what_decides_yes_or_no_stands_in_its_article(tmp_path: Path) -> None:
    found = list(written_decisions())
    assert len(found) > 600
    assert {one.answer for _, one in found} == {"yes", "no", None}
    (tmp_path / "decisions").mkdir()
    (tmp_path / "decisions" / "a.jsonl").write_text(
        '{"title": "Tower", "questions": [{"question": "Was it sold?", "answer": "yes", "sentence": "It was"}]}'
    )
    with pytest.raises(ValueError, match="'Tower' does not hold 'It was'"):
        list(written_decisions(tmp_path))
