"""What an OpenAI-compatible server is sent, to the byte: recorded drafts are found again by it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from embeddings import encoders
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.ingest import ingest
from embeddings.types import RawArticle
from prompts import parse
from qa.answers import fold
from qa.assembly import assemble
from qa.generation.prompt import Prompts
from qa.generation.sentence_stream import NOTHING
from qa.settings import Settings
from qa.types import Question

RECORDED = Path(__file__).with_name("sent_body.json")
"""As it was before sources could be sent in any other way than as text. The prompts are the test's own, so that it
changes only with what puts them together."""
TEMPLATES = Prompts(
    system=parse("answer_system", "variables: label, limit, nothing\n---\n{{label}}0 {{limit}} {{nothing}} “é”\n"),
    user=parse(
        "answer_user",
        "variables: as_of, sources, question, labels, limit, nothing\n---\n"
        "{{sources}}\n\n{{as_of}} {{labels}} {{limit}} {{nothing}}\n{{question}}\n",
    ),
    source=parse(
        "answer_source",
        "variables: fence, label, title, published, text\n---\n"
        "{{fence}} {{label}} {{fence}}\n{{title}}\n{{published}}\n\n{{text}}\n{{fence}} end {{label}}\n",
    ),
)
ARTICLES = [
    RawArticle(
        id="bridge",
        title="Osprey Bridge to close",
        text="The Osprey Bridge closes in July – for 16 months. Inspectors found cracks in 27 of its 96 hangers.",
        source="The Harbour",
        published_at="2024-06-07",
    ),
    RawArticle(id="ferry", title="Ferry “Almira” sails", text="The ferry runs while the Osprey Bridge is closed."),
]


def test_the_body_is_the_recorded_one(faulty_model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty_model.compose = lambda _: NOTHING  # a model that declines is not asked a second time
    monkeypatch.setattr("secrets.token_hex", lambda count: "0" * 2 * count)
    monkeypatch.setattr("qa.generation.writer.load_prompts", lambda **_: TEMPLATES)
    encoder = encoders.load("hashing")
    corpus = EmbeddedCorpus.open(tmp_path, identity=encoder.identity)
    ingest(ARTICLES, corpus=corpus, encoder=encoder)
    assembly = assemble(
        Settings(llm_base_url=faulty_model.address(), llm_model="good", support_checker="lexical"), encoder=encoder
    )

    async def ask() -> None:
        question = Question(question="How long will the Osprey Bridge be closed?", as_of="2024-06-08")
        await fold(assembly.over(corpus).events(question))
        assert assembly.generator is not None
        await assembly.generator.close()

    try:
        asyncio.run(ask())
    finally:
        corpus.close()
    assert faulty_model.bodies == [RECORDED.read_bytes()]
