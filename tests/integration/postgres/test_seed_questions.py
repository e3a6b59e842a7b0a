"""The sample questions over both stores, and over a copy that came back: the same is found, the same answers given."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import seeds
from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder, load
from embeddings.opening import copy
from embeddings.postgres.corpus import PostgresCorpus
from embeddings.runtime import at_once
from embeddings.types import Place, Vector, Where
from qa.answers import fold
from qa.assembly import Answerer, assemble
from qa.settings import Settings
from qa.types import Answer, Question

pytestmark = pytest.mark.slow
CLOSE = 1e-4
"""Of equally good ones, a server may leave out another."""


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load("all-MiniLM-L6-v2")


@pytest.fixture(scope="module")
def embedded(sample_store: Path, encoder: Encoder) -> Iterator[EmbeddedCorpus]:
    with closing(EmbeddedCorpus.open(sample_store, identity=encoder.identity, read_only=True)) as corpus:
        yield corpus


@pytest.fixture(scope="module")
def server(embedded: EmbeddedCorpus, encoder: Encoder, postgres_server: Any) -> Iterator[PostgresCorpus]:
    """The sample store, copied."""
    opened = PostgresCorpus.open(
        Place(server=postgres_server.url(), schema="samples", timeout=300), identity=encoder.identity
    )
    with closing(opened) as corpus:
        assert copy(embedded, corpus).verified
        yield corpus


@pytest.fixture(scope="module")
def back(
    server: PostgresCorpus, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedCorpus]:
    """The copy on the server, copied to a folder."""
    with closing(EmbeddedCorpus.open(tmp_path_factory.mktemp("back"), identity=encoder.identity)) as corpus:
        assert copy(server, corpus).verified
        yield corpus


def test_200_searches_find_the_same_there_and_back(
    embedded: EmbeddedCorpus, server: PostgresCorpus, back: EmbeddedCorpus, encoder: Encoder
) -> None:
    """By meaning and by words: the questions, and the beginnings and ends of passages."""
    page = embedded.whole(after=None, limit=1000)
    passages = [one.passage.text for held in page.held for one in held.indexed.passages]
    texts = [one.question for one in seeds.questions()] + [text[:80] for text in passages]
    texts = [*texts, *(text[-80:] for text in passages)][:200]
    assert len(texts) == 200
    for text in texts:
        vector = encoder.encode_query(text)
        first, there, again = (listed(corpus, vector, text) for corpus in (embedded, server, back))
        assert again == first, "in the same order, too"
        for here, other in zip(first, there, strict=True):
            assert {name for name, score in here if score > here[-1][1] + CLOSE} <= {name for name, _ in other}
            assert [score for _, score in here] == pytest.approx([score for _, score in other], abs=CLOSE)


def listed(corpus: Corpus, vector: Vector, text: str) -> list[list[tuple[str, float]]]:
    hits = corpus.search(vector, text, k=10, where=Where())
    found = corpus.passages([hit.key for hit in (*hits.dense, *hits.lexical)])
    return [[(found[hit.key].passage.id, hit.score) for hit in each] for each in (hits.dense, hits.lexical)]


def test_the_same_passages_and_answers(
    embedded: EmbeddedCorpus,
    server: PostgresCorpus,
    back: EmbeddedCorpus,
    encoder: Encoder,
    record_property: Callable[[str, object], None],
) -> None:
    """With the reader that needs no network; `SEED_READER= SEED_QUESTIONS=1`: all, with the one that ships."""
    every = int(os.environ.get("SEED_QUESTIONS", "6"))
    assembly = assemble(Settings(reader=os.environ.get("SEED_READER", "words")), encoder=encoder, checks=False)
    overlaps, alike = [], 0
    asked = [Question(question=one.question, as_of=one.as_of) for one in seeds.questions()[::every]]
    for question in asked:
        one, other, again = (answered(assembly.over(corpus), question) for corpus in (embedded, server, back))
        assert said(again) == said(one)
        wanted, found = names(one), names(other)
        overlaps.append(len(wanted & found) / len(wanted) if wanted else 1.0)
        alike += said(one) == said(other)
    record_property("questions", len(asked))
    record_property("overlap", sum(overlaps) / len(overlaps))
    record_property("same_answers", alike / len(asked))
    assert sum(overlaps) / len(overlaps) >= 0.99
    assert alike == len(asked)


def answered(answerer: Answerer, question: Question) -> Answer:
    return asyncio.run(fold(answerer.events(question, run=at_once)))


def said(answer: Answer) -> tuple[object, ...]:
    return answer.answer, answer.citations, answer.abstain_reason


def names(answer: Answer) -> set[str]:
    return {result.passage_id for result in answer.search_results}
