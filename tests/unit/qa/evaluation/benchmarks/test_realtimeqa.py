from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import load
from embeddings.ingest import ingest
from embeddings.types import RawArticle
from qa.evaluation.convert import convert_realtimeqa

ENCODER = load("hashing")
TEXTS = {
    "ferry": ("The ferry ran aground on a reef before dawn with 214 people on board.", "2022-06-10"),
    "bank": ("The central bank kept its key interest rate at a record level.", "2022-06-12"),
    "later": ("A ferry ran aground on a reef again; the same ferry, the same reef.", "2022-07-20"),
    "comet": ("A comet will pass the mountain observatory in October.", "2022-03-01"),
}


@pytest.fixture(scope="module")
def news(repo: Path) -> Iterator[Any]:
    """How the benchmarks rank."""
    spec = importlib.util.spec_from_file_location("news_retrieval", repo / "tests" / "benchmarks" / "news_retrieval.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def corpus(tmp_path: Path) -> Iterator[EmbeddedCorpus]:
    opened = EmbeddedCorpus.open(tmp_path / "store", identity=ENCODER.identity)
    raw = [
        RawArticle(text=text, title=name, url=f"https://Example.org/{name}?utm_source=feed#top", published_at=date)
        for name, (text, date) in TEXTS.items()
    ]
    ingest(raw, corpus=opened, encoder=ENCODER)
    yield opened
    opened.close()


@pytest.fixture
def questions_file(tmp_path: Path) -> Path:
    def line(name: str, question: str, *urls: str) -> str:
        fields = {"id": name, "question": question, "asked_at": "2022-06-17", "answers": ["x"], "choices": ["x", "y"]}
        return json.dumps({**fields, "gold_urls": urls})

    path = tmp_path / "questions.jsonl"
    path.write_text(
        "\n".join(
            [
                line("q1", "The same ferry aground on the same reef again?", "https://example.org/ferry"),
                line("q2", "What is the key interest rate?", "https://example.org/gone", "HTTPS://example.org/bank#x"),
                line("q3", "Who won?", "https://example.org/not-here"),
                line("q4", "Who lost?"),
            ]
        ),
        encoding="utf-8",
    )
    return path


def test_links_match_however_they_are_written(news: Any, corpus: EmbeddedCorpus, questions_file: Path) -> None:
    questions = convert_realtimeqa([questions_file]).examples
    assert questions[1].gold_urls == ("https://example.org/gone", "https://example.org/bank")
    gold = news.gold_in(corpus, questions)
    assert set(gold) == {"q1", "q2"}
    titles = {name: {article.title for id_ in ids if (article := corpus.get(id_))} for name, ids in gold.items()}
    assert titles == {"q1": {"ferry"}, "q2": {"bank"}}


def test_ranks_by_configuration(news: Any, corpus: EmbeddedCorpus, questions_file: Path) -> None:
    questions = convert_realtimeqa([questions_file]).examples
    configurations = [
        news.Configuration(name="dense", ranking="dense"),
        news.Configuration(name="lexical", ranking="lexical"),
        news.Configuration(name="fused", ranking="fused"),
        news.Configuration(name="fused, as_of", ranking="fused", as_of=True),
        news.Configuration(name="evidence, as_of", ranking="evidence", as_of=True),
        news.Configuration(name="fused, 1 day", ranking="fused", window_days=1),
    ]
    gold = news.gold_in(corpus, questions)
    found = news.ranks(questions, gold, corpus=corpus, encoder=ENCODER, configurations=configurations)
    assert set(found) == {configuration.name for configuration in configurations}
    # Without the date, the later article on the same reef comes first.
    assert found["fused"] == [2, 1]
    assert found["fused, as_of"] == found["evidence, as_of"] == [1, 1]
    assert found["fused, 1 day"] == [None, None]


def test_scores_by_hand(news: Any) -> None:
    scored = news.scores("any", [1, 4, 5, None])
    assert (scored.n, scored.hit_at_1, scored.hit_at_4, scored.hit_at_10) == (4, 0.25, 0.5, 0.75)
    assert scored.mrr_at_10 == pytest.approx((1 + 1 / 4 + 1 / 5) / 4)
    low, high = scored.hit_at_4_interval
    assert low < 0.5 < high


def test_the_real_questions_are_read(shared: Path) -> None:
    questions = convert_realtimeqa([shared / "data" / "realtimeqa" / "questions.jsonl"]).examples
    assert (len(questions), sum(bool(question.gold_urls) for question in questions)) == (1218, 126)
