"""The sample questions over both stores: the same passages are found, the same answers given."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import seeds
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder, load
from embeddings.opening import copy
from embeddings.postgres.corpus import PostgresCorpus
from embeddings.runtime import at_once
from qa.answers import fold
from qa.assembly import Answerer, assemble
from qa.settings import Settings
from qa.types import Answer, Question

pytestmark = pytest.mark.slow


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
    opened = PostgresCorpus.open(postgres_server.url(), identity=encoder.identity, schema="samples", timeout=300)
    with closing(opened) as corpus:
        assert copy(embedded, corpus).verified
        yield corpus


def test_the_same_passages_and_answers(
    embedded: EmbeddedCorpus, server: PostgresCorpus, encoder: Encoder, record_property: Callable[[str, object], None]
) -> None:
    """With the reader that needs no network; `SEED_READER= SEED_QUESTIONS=1`: all, with the one that ships."""
    every = int(os.environ.get("SEED_QUESTIONS", "6"))
    assembly = assemble(Settings(reader=os.environ.get("SEED_READER", "words")), encoder=encoder, checks=False)
    overlaps, alike = [], 0
    asked = [Question(question=one.question, as_of=one.as_of) for one in seeds.questions()[::every]]
    for question in asked:
        one, other = (answered(assembly.over(corpus), question) for corpus in (embedded, server))
        wanted, found = names(one), names(other)
        overlaps.append(len(wanted & found) / len(wanted) if wanted else 1.0)
        alike += (one.answer, one.citations, one.abstain_reason) == (
            other.answer,
            other.citations,
            other.abstain_reason,
        )
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
