"""Questions and claims that were written for training stand on the words that answer or decide, or that only tempt."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import msgspec
import pytest

from qa.evaluation.benchmarks.grounding_sets import read_sets
from qa.training.checker_data import kept_back
from qa.training.reader_data import Row, Span, title_of
from qa.training.written_examples import (
    ARTICLES,
    DOCUMENTS,
    MOST_DECIDING,
    WRITTEN,
    deciding,
    document_claims,
    document_key,
    document_pairs,
    document_rows,
    edited_texts,
    written_decisions,
    written_pairs,
    written_rows,
)

ARTICLE = {
    "title": "Ferry aground",
    "published": "2024-06-05",
    "text": "Ida Holm owns the ferry. Tom Renn steered it. Nobody was hurt, said Tom Renn.",
    "questions": [
        {"question": "Who steered the ferry?", "answer": "Tom Renn", "sentence": "Nobody was"},
        {"question": "Who built the ferry?", "answer": None, "tempting": "Ida Holm", "sentence": "Ida Holm owns"},
    ],
}
WHOLE = "Ida Holm owns the ferry. Tom Renn steered it."
BLURRED = "A woman owns the ferry. Tom Renn steered it."
REPORTS = [f"{WHOLE} It left at {hour}." for hour in range(8)]
CLAIM = "The ferry of Ida Holm was steered by Tom Renn."
ON_DOCUMENT = [
    {"question": "Who owns the ferry?", "start": 0, "end": 8},
    {"question": "Who steered it?", "start": 25, "end": 33},
    {"question": "Who built the ferry?", "start": 0, "end": 8, "answered": False},
]


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


def test_the_questions_on_news_are_sound() -> None:
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


def test_written_claims_come_with_the_passage_they_are_read_with(tmp_path: Path) -> None:
    article = {"published": "2024-06-05", "text": "Ida Holm owns the ferry. Tom Renn steered it.", "questions": []}
    titles = ["Held out", "Ferry aground"]
    claims = [
        {"claim": "The ferry belongs to Ida Holm.", "label": "supported", "evidence": ["Ida Holm owns"]},
        {"claim": "Tom Renn owns the ferry.", "label": "contradicted", "evidence": ["Ida Holm owns"], "change": "name"},
        {"claim": "Tom Renn sold the ferry.", "label": "not_said", "evidence": ["Tom Renn"], "change": "detail"},
    ]
    (tmp_path / "claims").mkdir()
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({**article, "title": title}) for title in titles))
    made = tmp_path / "claims" / "a.jsonl"
    made.write_text("\n".join(json.dumps({"title": title, "claims": claims}) for title in titles))
    trained, kept = (list(written_pairs(held_out=held_out, folder=tmp_path)) for held_out in (False, True))
    assert [pair.label for pair in kept] == ["entailment", "contradiction", "neutral"]
    # What trains is read with much of its article, and with little of it; here that is the same.
    assert trained == [pair for pair in kept for _ in range(2)]
    assert {pair.premise for pair in trained} == {article["text"]}
    made.write_text(json.dumps({"title": titles[0], "claims": [{**claims[0], "evidence": ["Ida sold"]}]}))
    with pytest.raises(ValueError, match=r"'Held out' does not hold 'Ida sold'"):
        list(written_pairs(held_out=True, folder=tmp_path))


def test_claims_of_edited_texts_come_with_both_versions(tmp_path: Path) -> None:
    claims = [{"claim": "Ann won.", "before": "supported", "after": "contradicted"}]
    texts = [{"before": f"Ann won race {n}.", "after": f"Ann lost race {n}.", "claims": claims} for n in range(11)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, texts)))
    kept = list(edited_texts(held_out=True, folder=tmp_path))
    assert [(pair.premise, pair.label) for pair in kept[:2]] == [
        ("Ann won race 0.", "entailment"),
        ("Ann lost race 0.", "contradiction"),
    ]
    assert {pair.premise.split()[-1] for pair in kept} == {"0.", "10."}
    trained = list(edited_texts(held_out=False, folder=tmp_path))
    assert len(trained) == 18
    assert not {pair.premise for pair in kept} & {pair.premise for pair in trained}


def test_the_claims_that_train_are_sound() -> None:
    pairs = list(written_pairs(held_out=True))
    assert len(pairs) > 1_000
    assert sum(pair.label == "entailment" for pair in pairs) == len(pairs) / 2


def asked_rows(tmp_path: Path, questions: list[dict[str, object]], *, versions: bool = True) -> list[Row]:
    (tmp_path / "support").mkdir()
    pairs = [
        {"premise": WHOLE, "hypothesis": CLAIM, "label": "entailment"},
        {"premise": BLURRED, "hypothesis": CLAIM, "label": "not_entailment"},
        {"premise": "Another one.", "hypothesis": "Another claim.", "label": "not_entailment"},
    ]
    with gzip.open(tmp_path / DOCUMENTS, "wb") as lines:
        lines.write(b"\n".join(map(msgspec.json.encode, pairs)))
    sets = tmp_path / ARTICLES
    sets.mkdir()
    for name in ("cliff-val", "qags-cnndm"):
        (sets / f"{name}.jsonl").touch()
    voted = [{"sentence": "Ida Holm owns it.", "responses": [{"response": "yes"}]}]
    told = [{"article": text, "summary_sentences": voted} for text in REPORTS]
    (sets / "qags-xsum.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, told)))
    asked = tmp_path / "asked"
    asked.mkdir()
    (asked / "a.jsonl").write_bytes(msgspec.json.encode({"document": document_key(WHOLE), "questions": questions}))
    return list(document_rows(tmp_path, asked, versions=versions))


def test_an_answer_that_a_version_lacks_is_asked_of_that_version_too(tmp_path: Path) -> None:
    owner, lacking, steered, built = asked_rows(tmp_path, ON_DOCUMENT)
    assert (owner.answers, owner.is_impossible) == ((Span("Ida Holm", 0),), False)
    assert (lacking.question, lacking.context, lacking.answers) == (owner.question, BLURRED, ())
    assert (lacking.is_impossible, lacking.plausible_answers) == (True, ())
    assert steered.answers == (Span("Tom Renn", 25),)
    assert (built.answers, built.plausible_answers, built.is_impossible) == ((), (Span("Ida Holm", 0),), True)
    assert {row.group for row in (owner, lacking, steered, built)} == {f"documents:{document_key(WHOLE)}"}


def test_without_versions_each_question_comes_once(tmp_path: Path) -> None:
    assert [row.context for row in asked_rows(tmp_path, ON_DOCUMENT, versions=False)] == 3 * [WHOLE]


def test_only_articles_that_are_fitted_on_may_be_asked_about(tmp_path: Path) -> None:
    asked_rows(tmp_path, ON_DOCUMENT)
    parts = {row.document: row.part for row in read_sets(tmp_path / ARTICLES, names=["qags-xsum"])}
    assert set(parts.values()) == {"fit", "report"}
    for text, part in parts.items():
        asked = {"document": document_key(text), "questions": ON_DOCUMENT}
        (tmp_path / "asked" / "b.jsonl").write_bytes(msgspec.json.encode(asked))
        if part == "fit":
            assert [row.context for row in document_rows(tmp_path, tmp_path / "asked")][-3:] == 3 * [text]
        else:
            with pytest.raises(ValueError, match="holds no text"):
                list(document_rows(tmp_path, tmp_path / "asked"))


def test_a_place_outside_of_its_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.jsonl: 'Who owns it\?' points outside of text"):
        asked_rows(tmp_path, [{"question": "Who owns it?", "start": 0, "end": len(WHOLE) + 1}])


def test_a_missing_text_is_named(tmp_path: Path) -> None:
    asked_rows(tmp_path, ON_DOCUMENT)
    (tmp_path / "asked" / "b.jsonl").write_bytes(msgspec.json.encode({"document": "0" * 16, "questions": ON_DOCUMENT}))
    with pytest.raises(ValueError, match=r"holds no text 0{16}, on which b\.jsonl asks"):
        list(document_rows(tmp_path, tmp_path / "asked"))


def test_the_questions_on_documents_are_sound(shared: Path) -> None:
    found = list(document_rows(shared / "data"))
    asked = [row for row in found if row.answers or row.plausible_answers]
    assert len(asked) > 17_000
    assert len(found) - len(asked) > 1_500
    for row in asked:
        (span,) = row.answers or row.plausible_answers
        assert span.text == span.text.strip()
        assert row.context[span.answer_start :].startswith(span.text)
    assert 0.5 < sum(bool(row.answers) for row in asked) / len(asked) < 0.65
    assert 0.1 < sum(row.fold == 0 for row in found) / len(found) < 0.3


def test_claims_on_real_texts_are_held_out_with_the_texts_that_thresholds_are_set_by(tmp_path: Path) -> None:
    asked_rows(tmp_path, ON_DOCUMENT)
    rows = [row for row in read_sets(tmp_path / ARTICLES, names=["qags-xsum"]) if row.part == "fit"]
    claims = [
        {"claim": "The ferry belongs to Ida Holm.", "label": "supported"},
        {"claim": "The ferry belongs to Tom Renn.", "label": "contradicted"},
    ]
    made = [{"document": document_key(row.document), "claims": claims} for row in rows]
    place = tmp_path / "claims"
    place.mkdir()
    (place / "a.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, made)))
    trained, kept = (
        {text for _, text in document_claims(tmp_path, held_out=held_out, folder=place)} for held_out in (False, True)
    )
    assert trained | kept == {row.document for row in rows}
    assert not trained & kept
    setting = {row.document for row in rows if kept_back(row)}
    assert setting
    assert setting <= kept
    (place / "a.jsonl").write_bytes(msgspec.json.encode({"document": "0" * 16, "claims": claims}))
    with pytest.raises(ValueError, match="holds no text 0000000000000000"):
        list(document_claims(tmp_path, held_out=True, folder=place))


def test_a_claim_on_a_real_text_comes_with_the_passage_it_is_read_with(tmp_path: Path) -> None:
    asked_rows(tmp_path, ON_DOCUMENT)
    claims = [{"claim": "Ida Holm owns a ferry.", "label": "supported"}, {"claim": "She sold it.", "label": "not_said"}]
    place = tmp_path / "claims"
    place.mkdir()
    (place / "a.jsonl").write_bytes(msgspec.json.encode({"document": document_key(WHOLE), "claims": claims}))
    trained, kept = (list(document_pairs(tmp_path, held_out=one, folder=place)) for one in (False, True))
    assert [(pair.premise, pair.label) for pair in (*trained[::2], *kept)] == [
        (WHOLE, "entailment"),
        (WHOLE, "neutral"),
    ]
    assert trained[::2] == trained[1::2]


def test_the_claims_on_real_texts_are_sound(shared: Path) -> None:
    trained, kept = (list(document_claims(shared / "data", held_out=held_out)) for held_out in (False, True))
    assert len(trained) > 5_000
    assert not {text for _, text in trained} & {text for _, text in kept}
    claims = [one for one, _ in (*trained, *kept)]
    assert 0.48 < sum(one.label == "supported" for one in claims) / len(claims) < 0.52
    assert all(one.claim.strip() == one.claim for one in claims)
