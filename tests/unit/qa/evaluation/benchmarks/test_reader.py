"""The reader's benchmark: its measures against slow ones, and that it reads what the service reads."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from embeddings.encoders import HashingEncoder
from qa.answering import Answerer
from qa.cli import program
from qa.evaluation import InvalidDataset
from qa.evaluation.benchmarks.reader import (
    FileReport,
    Read,
    best_threshold,
    draw,
    given,
    measure,
    read_all,
    report,
    searched,
)
from qa.evaluation.metrics.answers import exact_match, f1, read_questions, read_squad
from qa.evaluation.targets import kept
from qa.reading import GENERAL, OverlapReader, load_reader
from qa.settings import Settings
from qa.types import Question

pytestmark = pytest.mark.usefixtures("few_draws")
READER = load_reader("words")


reads = st.lists(
    st.builds(
        Read,
        group=st.sampled_from("abc"),
        answers=st.sampled_from([(), ("Ida Renn",), ("214", "214 people")]),
        said=st.sampled_from(["Ida Renn", "214", "Renn", "the mayor"]),
        probability=st.sampled_from([0.0, 0.2, 0.5, 0.5001, 0.9]),
    ),
    min_size=1,
    max_size=30,
)


@drawn(reads)
def test_the_best_threshold_is_the_best_of_all(found: list[Read]) -> None:
    for score in (exact_match, f1):
        best = best_threshold(found, score)
        tried = {
            threshold: sum(score(one.said if one.probability >= threshold else "", one.answers) for one in found)
            for threshold in (1.01, *(one.probability for one in found))
        }
        assert best.value == pytest.approx(max(tried.values()) / len(found), abs=1e-6)
        assert tried[best.threshold] / len(found) == pytest.approx(best.value, abs=1e-6)


@settings(max_examples=15)
@drawn(reads)
def test_the_whole_is_its_answerable_and_its_unanswerable_part(found: list[Read]) -> None:
    done = report(found, setting="open", threshold=0.5, fitted_on_these=False)
    values = {score.metric.removeprefix("reader."): score for score in done.scores}
    has, no = values["f1.has_answer"], values["no_answer.declined"]
    total = (has.value or 0.0) * has.n + (no.value or 0.0) * no.n
    assert values["f1"].value == pytest.approx(total / len(found), abs=1e-5)
    assert (has.n, no.n) == (done.answerable, done.n - done.answerable)
    assert done.floor == pytest.approx(no.n / len(found))
    assert done.best_f1.value >= (values["f1"].value or 0.0) - 1e-6
    assert done.best_f1.value >= done.floor - 1e-6


def test_declining_is_right_only_where_nothing_answers() -> None:
    found = [
        Read(group="a", answers=("Ida Renn",), said="Ida Renn", probability=0.4),
        Read(group="a", answers=(), said="Ida Renn", probability=0.4),
    ]
    low, high = (report(found, setting="given", threshold=t, fitted_on_these=False) for t in (0.3, 0.5))
    assert [score.value for score in low.scores[:2]] == [0.5, 0.5]
    assert {score.metric: score.value for score in high.scores}["reader.no_answer.declined"] == 1.0
    assert {score.metric: score.value for score in high.scores}["reader.f1.has_answer"] == 0.0


PARAGRAPHS = [
    "Ida Renn has been mayor of Kelmar since 2019. She was a harbour pilot before.",
    "The ferry Almeric carried 214 people to Skerra on Friday. Nobody was hurt.",
    "The Osprey Bridge is shut for sixteen months. Its hangers are cracked.",
]
ASKED = [
    (0, "Who is mayor of Kelmar?", "Ida Renn"),
    (0, "Who was mayor of Almeric?", None),
    (1, "How many people did the Almeric carry?", "214"),
    (2, "How long is the Osprey Bridge shut?", "sixteen months"),
]


@pytest.fixture
def squad(tmp_path: Path) -> Path:
    paragraphs: list[dict[str, object]] = []
    for number, text in enumerate(PARAGRAPHS):
        questions = [
            {
                "id": f"q{place}",
                "question": question,
                "answers": [{"text": answer, "answer_start": text.index(answer)}] if answer else [],
            }
            for place, (paragraph, question, answer) in enumerate(ASKED)
            if paragraph == number
        ]
        paragraphs.append({"context": text, "qas": questions})
    path = tmp_path / "small.json"
    data = [{"title": f"Article_{number}", "paragraphs": [one]} for number, one in enumerate(paragraphs)]
    path.write_text(json.dumps({"data": data}), encoding="utf-8")
    return path


def test_it_reads_what_the_service_reads(squad: Path, tmp_path: Path) -> None:
    articles, questions = read_squad(squad)
    encoder = HashingEncoder()
    with kept(articles, encoder, tmp_path) as corpus:
        found = read_all(
            questions, evidence_of=lambda one: searched(one, corpus=corpus, encoder=encoder), reader=READER
        )
        answerer = Answerer(reader=READER, corpus=corpus, encoder=encoder, settings=Settings())
        for question, one in zip(questions, found, strict=True):
            answer = answerer.ask(Question(question=question.question, max_citations=1))
            assert answer.support_score == pytest.approx(one.probability, abs=1e-4)
            if answer.short_answer:
                assert one.said == answer.short_answer.text
            if answer.answer_mode == "abstained":
                assert one.probability < READER.calibration.threshold


def test_a_given_paragraph_is_read_whole_without_a_search(squad: Path) -> None:
    articles, questions = read_squad(squad)
    texts = {article.id: article for article in articles}
    found = read_all(questions, evidence_of=lambda one: given(texts[one.article_id]), reader=READER)
    assert found[0].said == "Ida"
    assert all(one.said in texts[question.article_id].text for one, question in zip(found, questions, strict=True))


def test_lines_of_questions_are_read_like_squad(squad: Path, tmp_path: Path) -> None:
    articles, questions = read_squad(squad)
    texts = {article.id: article.text for article in articles}
    lines = [
        json.dumps(
            {
                "id": one.id,
                "question": one.question,
                "context": texts[one.article_id],
                "answers": [{"text": text, "answer_start": at} for text, at in one.answers],
                "group": one.group,
            }
        )
        for one in questions
    ]
    path = tmp_path / "lines.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    found, asked = read_questions(path)
    assert sorted(article.text for article in found) == sorted(texts.values())
    assert [(one.question, one.answers, one.group) for one in asked] == [
        (one.question, one.answers, one.group) for one in questions
    ]


def test_a_draw_is_the_same_for_a_seed(squad: Path) -> None:
    _, questions = read_squad(squad)
    assert draw(questions, limit=2, seed=1) == draw(questions, limit=2, seed=1)
    assert draw(questions, limit=None, seed=1) == questions


def test_vectors_are_kept_by_content(squad: Path, tmp_path: Path) -> None:
    class Counting(HashingEncoder):
        passages = 0

        def encode_passages(self, texts):  # type: ignore[no-untyped-def]
            Counting.passages += len(texts)
            return super().encode_passages(texts)

    articles, _ = read_squad(squad)
    for chosen, encoded in ((articles, 3), (articles, 3), (articles[:2], 5)):
        with kept(chosen, Counting(), tmp_path / "cache") as corpus:
            assert corpus.get(articles[0].id) == articles[0]
        assert Counting.passages == encoded


def test_the_command_says_what_is_a_result_and_what_an_upper_bound(
    squad: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QA_ENCODER", "hashing")
    arguments = ["evaluate", "reader", str(squad), "--cache", str(tmp_path / "cache")]
    shown = CliRunner().invoke(program, arguments)
    assert shown.exit_code == 0, shown.output
    for words in ("paragraph given: 4 questions, 3 answerable", "floor: always declining", "upper bound: F1"):
        assert words in shown.stdout
    assert "FITTED" not in shown.stdout
    as_json = CliRunner().invoke(program, [*arguments, "--json", "--setting", "given", "--limit", "2"])
    (one,) = msgspec.json.decode(as_json.stdout, type=list[FileReport])
    assert [(r.setting, r.n) for r in one.reports] == [("given", 2)]


def test_a_file_the_reader_was_fitted_on_is_called_so(squad: Path) -> None:
    reader = OverlapReader()
    assert not measure(squad, encoder=HashingEncoder(), reader=reader, settings=("given",)).reports[0].fitted_on_these

    class Fitted(OverlapReader):
        calibration = msgspec.structs.replace(GENERAL, fitted_on=f"{squad.name} and more")

    done = measure(squad, encoder=HashingEncoder(), reader=Fitted(), settings=("given",))
    assert done.reports[0].fitted_on_these


def test_what_is_no_squad_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InvalidDataset, match=r"x\.json"):
        measure(tmp_path / "x.json", encoder=HashingEncoder(), reader=READER, settings=("given",))
