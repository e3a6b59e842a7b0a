"""Follow-ups over an archive of small articles: two questions, both really asked, with the shipped reader.

Each line of `conversations/asked.jsonl` has what is `asked` first, the `question` that follows on, the `answers` of
which one must stand in what is answered (none: it must be declined), and what it may `never` give. `open` says why one
still fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import load
from embeddings.ingest import ingest
from embeddings.types import RawArticle
from qa.answering import Answerer
from qa.answers import turn_of
from qa.conversations.follow_ups import FollowUps
from qa.language.question_words import names
from qa.reading import load_reader
from qa.settings import Settings
from qa.types import Question

FOLDER = Path(__file__).parent / "conversations"
AS_OF = "2025-03-20T12:00:00Z"


def lines_of(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def answerer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answerer]:
    encoder = load("hashing")
    with closing(EmbeddedCorpus.open(tmp_path_factory.mktemp("store"), identity=encoder.identity)) as corpus:
        articles = [RawArticle(**one, origin=one["id"]) for one in lines_of("articles.jsonl")]
        assert not ingest(articles, corpus=corpus, encoder=encoder).rejected
        yield Answerer(
            corpus=corpus, encoder=encoder, reader=load_reader(), settings=Settings(), resolve=FollowUps(corpus)
        )


def marked(case: Mapping[str, Any]) -> Any:
    marks = [pytest.mark.xfail(reason=case["open"], strict=True)] if "open" in case else []
    return pytest.param(case, marks=marks, id=f"{case['kind']}: {case['asked']} {case['question']}")


@pytest.mark.parametrize("case", [marked(case) for case in lines_of("asked.jsonl")])
def test_what_follows_on_is_answered_from_its_conversation(answerer: Answerer, case: Mapping[str, Any]) -> None:
    first = answerer.ask(Question(question=case["asked"], as_of=AS_OF))
    found = answerer.ask(Question(question=case["question"], as_of=AS_OF), history=[turn_of(first)])
    given = found.short_answer.text if found.short_answer else found.answer
    assert not any(words in given for words in case["never"]), given
    if case["kind"] in {"person", "thing", "plural"}:
        meant = [name.text for name in names(found.resolved_query) if not name.placed]
        assert not set(meant) & set(case["never"]), found.resolved_query
    if case["answers"]:
        assert any(words in found.answer for words in case["answers"]), (found.resolved_query, found.answer)
    else:
        assert found.answer_mode == "abstained", (found.resolved_query, found.answer)
