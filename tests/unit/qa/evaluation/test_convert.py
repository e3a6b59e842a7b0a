"""Datasets of other projects: each format on a small file written for this test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from embeddings.cleaning.article import clean
from embeddings.parsers.jsonl import parse_record
from embeddings.types import RawArticle
from qa.answers import ABSTENTION
from qa.cli import program
from qa.cli.evaluate import _FORMATS, _TOOLS
from qa.evaluation import Example, InvalidDataset
from qa.evaluation.convert import FORMATS, ArticleRow, Converted
from qa.evaluation.dataset import EXPORTS, write_lines
from qa.types import Question

PARAGRAPH = "Kelmar  is a port of 41,000 people. Ida Renn is its mayor; Renn was elected in 2019."


def convert(form: str, path: Path, rows: Sequence[object] | str, *, whole: bool = False) -> Converted:
    text = rows if isinstance(rows, str) else json.dumps(rows) if whole else "\n".join(map(json.dumps, rows))
    path.write_text(text, encoding="utf-8")
    return FORMATS[form]([path])


def squad_file() -> dict[str, object]:
    questions = [
        {"id": "q1", "question": " Who is mayor? ", "answers": [_answer("Ida Renn"), _answer("Ida Renn")]},
        {"id": "q2", "question": "Who was mayor before?", "answers": [], "is_impossible": True},
        {
            "id": "q3",
            "question": "Who was elected?",
            "answers": [{"text": "Renn", "answer_start": PARAGRAPH.rindex("Renn")}],
        },
    ]
    return {
        "version": "v2.0",
        "data": [{"title": "Kelmar_(port)", "paragraphs": [{"context": PARAGRAPH, "qas": questions}]}],
    }


def _answer(text: str) -> dict[str, object]:
    return {"text": text, "answer_start": PARAGRAPH.index(text)}


def stored_text(row: ArticleRow, tmp_path: Path) -> str:
    """The canonical text that ingesting the row would store."""
    write_lines(tmp_path / "articles.jsonl", [row])
    raw = parse_record((tmp_path / "articles.jsonl").read_bytes(), origin="here")
    assert isinstance(raw, RawArticle)
    return clean(raw).text


def test_squad_gives_gold_offsets_in_the_text_as_it_will_be_stored(tmp_path: Path) -> None:
    converted = convert("squad", tmp_path / "dev.json", json.dumps(squad_file()))
    (article,) = converted.articles
    text = stored_text(article, tmp_path)
    assert text != PARAGRAPH  # two spaces became one, so that every offset moved
    mayor, before, elected = converted.examples
    assert (mayor.question, mayor.answers, mayor.answerable) == ("Who is mayor?", ("Ida Renn",), True)
    assert (before.answers, before.answerable, before.gold_article_ids) == ((), False, ())
    for example, words in ((mayor, "Ida Renn"), (elected, "Renn")):
        (span,) = example.gold
        assert text[span.start : span.end] == words
        assert span.article_id == article.id
    assert elected.gold[0].start == text.rindex("Renn")
    assert {example.group for example in converted.examples} == {"Kelmar_(port)"}


PUBLISHED = {
    "question_id": "20240607_3",
    "question_date": "2024/06/07",
    "question_sentence": "Which <i>port</i> closed?",
    "choices": ["Kelmar", "Skerra"],
    "answer": ["1"],
    "evidence": 'The port <a href="https://News.example.com/skerra?utm_source=quiz#a">closed</a> on Friday.',
}
FOUND = {
    "question_id": "20240607_3",
    "search_time": "2024/06/07/16:34",
    "search_result": [
        {"url": "https://news.example.com/skerra", "title": "Skerra closes", "text": "Short.", "publish_date": None},
        {"url": "https://news.example.com/empty", "title": "Nothing", "text": ""},
        {
            "url": "https://news.example.com/skerra",
            "title": "Skerra closes",
            "text": "The port of Skerra closed on Friday.",
            "authors": ["A. Renn"],
            "publish_date": "2024/06/07",
        },
    ],
}


def test_realtimeqa_as_published(tmp_path: Path) -> None:
    converted = convert("realtimeqa", tmp_path / "qa.jsonl", [PUBLISHED, FOUND])
    (example,) = converted.examples
    assert (example.question, example.answers, example.asked_at) == ("Which port closed?", ("Skerra",), "2024-06-07")
    assert (example.gold_urls, example.answerable) == (("https://news.example.com/skerra",), None)
    assert example.group == "20240607"
    (article,) = converted.articles
    assert (article.url, article.published_at) == ("https://news.example.com/skerra", "2024-06-07")
    assert stored_text(article, tmp_path) == "The port of Skerra closed on Friday."


def test_realtimeqa_with_the_answers_written_out(tmp_path: Path) -> None:
    row = {
        "id": "20240607_3",
        "question": "Which port closed?",
        "asked_at": "2024-06-07",
        "answers": ["“Skerra”"],
        "choices": [],
        "gold_urls": ["https://news.example.com/skerra#top"],
    }
    (example,) = convert("realtimeqa", tmp_path / "questions.jsonl", [row]).examples
    assert (example.answers, example.gold_urls) == (("“Skerra”", "Skerra"), ("https://news.example.com/skerra",))
    assert example.tags == ()


@pytest.mark.parametrize("whole", [True, False])
def test_ragas(tmp_path: Path, whole: bool) -> None:
    rows = [
        {"user_input": "Who?", "reference": "Ida Renn", "reference_contexts": ["Ida Renn is mayor."], "response": "x"},
        {"question": "When?", "ground_truth": "2019", "contexts": ["of the system"]},
        {"user_input": "Who?", "reference": "again"},
        {"reference": "no question"},
    ]
    converted = convert("ragas", tmp_path / "rows.json", rows, whole=whole)
    who, when = converted.examples
    assert (who.answers, who.gold[0].text, when.answers, when.gold) == (
        ("Ida Renn",),
        "Ida Renn is mayor.",
        ("2019",),
        (),
    )
    assert len(converted.notes) == 2


def test_deepeval(tmp_path: Path) -> None:
    rows = [
        {"input": "Who?", "expected_output": "Ida Renn", "context": ["Ida Renn is mayor."], "retrieval_context": ["y"]},
        {"input": "When?", "name": "when", "actual_output": "said"},
    ]
    who, when = convert("deepeval", tmp_path / "rows.json", rows, whole=True).examples
    assert (who.answers, [span.text for span in who.gold]) == (("Ida Renn",), ["Ida Renn is mayor."])
    assert (when.id, when.answers, when.gold) == ("when", (), ())


@pytest.mark.parametrize(("form", "field"), [("ragas", "user_input"), ("deepeval", "input")])
def test_rows_without_a_question_are_left_out_and_noted(tmp_path: Path, form: str, field: str) -> None:
    converted = convert(form, tmp_path / "f", [{field: " "}, {field: "Who?"}])
    assert [example.question for example in converted.examples] == ["Who?"]
    assert len(converted.notes) == 1
    assert converted.notes[0].startswith("f:1: left out")


def test_csv(tmp_path: Path) -> None:
    text = (
        "\ufeffid,question,answers,answerable,asked_at\n"
        'a,"Who, then?",Ida Renn | Renn,yes,\n'
        ',When?,"[""June | July""]",,2024-06-04\n'
        "c,Where?,,no,\n"
    )
    first, second, third = convert("csv", tmp_path / "t.csv", text).examples
    assert (first.question, first.answers, first.answerable) == ("Who, then?", ("Ida Renn", "Renn"), True)
    assert (second.id, second.answers, second.asked_at) == ("t.csv:3", ("June | July",), "2024-06-04")
    assert (third.answerable, third.answers) == (False, ())


def test_tsv(tmp_path: Path) -> None:
    (example,) = convert("csv", tmp_path / "t.tsv", "question\ttags\nWho, then?\tone | two\n").examples
    assert (example.question, example.tags) == ("Who, then?", ("one", "two"))


@pytest.mark.parametrize(
    ("form", "text", "words"),
    [
        ("csv", "id,frage\n1,Wer?\n", "no column is named question"),
        ("csv", "question,colour\nWho?,red\n", "unknown columns colour"),
        ("csv", "question,answerable\nWho?,perhaps\n", "f:2: answerable is 'perhaps'"),
        ("csv", "question,answers\nWho?,a,b\n", "f:2: more cells"),
        ("csv", "question,answers\nWho?,[a\n", "f:2, column answers"),
        ("squad", "[1]", "not a SQuAD file"),
        ("realtimeqa", '{"id": "1"}\n', "f:1: not a row of RealTimeQA"),
        ("realtimeqa", json.dumps({**PUBLISHED, "answer": ["7"]}), "answer '7' is none of its"),
        ("realtimeqa", json.dumps({**PUBLISHED, "answer": ["-1"]}), "answer '-1' is none of its"),
        ("ragas", '{"user_input": "Who?"}\n{"user_input": 7}', "f:2"),
        ("deepeval", '[{"output": "x"}]', "is this the format that --from names?"),
        ("deepeval", "[oh", "f: "),
    ],
)
def test_what_cannot_be_converted_is_named(tmp_path: Path, form: str, text: str, words: str) -> None:
    with pytest.raises(InvalidDataset) as caught:
        convert(form, tmp_path / "f", text)
    assert words in str(caught.value)


def test_the_command_offers_every_format() -> None:
    assert set(_FORMATS) == set(FORMATS)


def test_all_of_squad_keeps_its_gold_words(shared: Path) -> None:
    converted = FORMATS["squad"]([shared / "data" / "squad" / "v2.0-dev-visible.json"])
    texts = {
        article.id: clean(RawArticle(text=article.text, title=article.title)).text for article in converted.articles
    }
    spans = [span for example in converted.examples for span in example.gold]
    assert len(spans) > 2_910
    placed = [span for span in spans if span.start is not None]
    assert len(placed) > 0.99 * len(spans)
    assert all(texts[span.article_id][span.start : span.end] == span.text for span in placed)


EXAMPLES = [
    Example(id="q1", question="Who is mayor?", answerable=True, answers=("Ida Renn", "Renn"), must_not_say=("Bo Ek",)),
    Example(id="q2", question="Who won the cup?", answerable=False, asked_at="2024-06-05"),
    Example(id="q3", question="And before?", answers=("Bo Ek",), conversation=("Who is mayor?",), tags=("follow-up",)),
    Example(id="q4", question="What of the port?"),
]


def test_promptfoo_is_given_requests_and_assertions() -> None:
    exported = EXPORTS["promptfoo"](EXAMPLES, "https://answers.example/")
    config = json.loads(exported.content)
    provider = config["providers"][0]["config"]
    assert provider["url"] == "https://answers.example/api/ask"
    assert [test["description"] for test in config["tests"]] == ["q1", "q2", "q4"]
    assert exported.questions == 3
    first, second, last = config["tests"]
    assert first["assert"] == [
        {"type": "not-equals", "value": ABSTENTION},
        {"type": "icontains-any", "value": ["Ida Renn", "Renn"]},
        {"type": "not-icontains-any", "value": ["Bo Ek"]},
    ]
    assert second["vars"]["request"] == {"question": "Who won the cup?", "as_of": "2024-06-05"}
    assert second["assert"] == [{"type": "equals", "value": ABSTENTION}]
    assert last["assert"] == []
    assert len(exported.notes) == 2
    assert msgspec.convert(second["vars"]["request"], Question) == Question(
        question="Who won the cup?", as_of="2024-06-05"
    )


def test_inspect_is_given_samples() -> None:
    exported = EXPORTS["inspect"](EXAMPLES, "")
    samples = [json.loads(line) for line in exported.content.splitlines()]
    assert [(one["id"], one["target"]) for one in samples] == [
        ("q1", ["Ida Renn", "Renn"]),
        ("q2", ABSTENTION),
        ("q3", ["Bo Ek"]),
    ]
    assert samples[0]["input"] == "Who is mayor?"
    assert samples[2]["input"] == [
        {"content": "Who is mayor?", "role": "user"},
        {"content": "And before?", "role": "user"},
    ]
    assert samples[1]["metadata"] == {"asked_at": "2024-06-05", "answerable": False}
    assert [note.partition(" ")[0] for note in exported.notes] == ["1", "1", "1"]


def test_the_command_line_names_every_tool() -> None:
    assert set(_TOOLS) == {"dataset", *EXPORTS}
    assert set(_FORMATS) == set(FORMATS)


def test_a_dataset_goes_to_a_tool_at_the_command_line(tmp_path: Path) -> None:
    source, out = tmp_path / "reviews.jsonl", tmp_path / "promptfooconfig.json"
    write_lines(source, EXAMPLES)
    command = ["evaluate", "convert", str(source), "--from", "dataset", "--to", "promptfoo", "--out", str(out)]
    done = CliRunner().invoke(program, command)
    assert done.exit_code == 0, done.output
    assert "3 questions written" in done.output
    assert "1 of the questions are left out" in done.output
    assert json.loads(out.read_text(encoding="utf-8"))["tests"]
