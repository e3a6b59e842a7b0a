"""Takes the labelled drafts about the sample articles, gives each as the service puts it before its support checker."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

import seeds
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder
from embeddings.ingest import ingest
from embeddings.readers import find, read
from qa.assembly import Assembly
from qa.generators.scripted import Say, ScriptedGenerator
from qa.grounding.checker import Context, Support, SupportChecker
from qa.reading.load_reader import load_reader
from qa.settings import Settings
from qa.types import Answer, Question

__all__ = ["Put", "answered", "put_before"]

_AS_OF = "2024-06-20"
_CITATIONS = 10


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """What a checker is asked about one draft."""

    question: str
    claim: str
    evidence: tuple[str, ...]
    contexts: tuple[Context, ...]


class _Listening:
    """A checker that supports nothing and keeps what it is asked."""

    identity = "listening"

    def __init__(self) -> None:
        self.heard: list[Put] = []

    def check(
        self, claim: str, evidence: Sequence[str], *, question: str = "", contexts: Sequence[Context] = ()
    ) -> Support:
        self.heard.append(Put(question=question, claim=claim, evidence=tuple(evidence), contexts=tuple(contexts)))
        return Support(verdict="unsupported", score=0.0, spans=())


def answered(
    drafts: Sequence[seeds.SeedDraft], *, encoder: Encoder, checker: SupportChecker
) -> Iterator[tuple[seeds.SeedDraft, Answer]]:
    """Ask each draft's question of the sample articles, with a model that answers with the draft."""
    reader = load_reader()
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(EmbeddedCorpus.open(Path(folder), identity=encoder.identity)) as corpus,
    ):
        ingest((item for path in find([seeds.articles_dir()]) for item in read(path)), corpus=corpus, encoder=encoder)
        for draft in drafts:
            assembly = Assembly(
                settings=Settings(),
                encoder=encoder,
                reader=reader,
                generator=ScriptedGenerator([Say(draft.text)]),
                checker=checker,
                reranker=None,
            )
            question = Question(question=draft.question, as_of=_AS_OF, max_citations=_CITATIONS)
            yield draft, assembly.over(corpus).ask(question)


def put_before(drafts: Sequence[seeds.SeedDraft], *, encoder: Encoder) -> Iterator[tuple[seeds.SeedDraft, Put]]:
    """Give each draft with what the checker is asked about it first; one that no check sees is left out."""
    checker = _Listening()
    for draft, _ in answered(drafts, encoder=encoder, checker=checker):
        if checker.heard:
            yield draft, checker.heard[0]
        checker.heard.clear()
