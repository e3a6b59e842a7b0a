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
from qa.grounding.protocol import Context, Support
from qa.settings import Settings
from qa.types import Question

__all__ = ["Put", "put_before"]

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


def put_before(drafts: Sequence[seeds.SeedDraft], *, encoder: Encoder) -> Iterator[tuple[seeds.SeedDraft, Put]]:
    """Ask each draft's question of the sample articles, with a model that answers with the draft.

    A draft that no check sees, because its question finds nothing, is left out.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(EmbeddedCorpus.open(Path(folder), identity=encoder.identity)) as corpus,
    ):
        ingest((item for path in find([seeds.articles_dir()]) for item in read(path)), corpus=corpus, encoder=encoder)
        for draft in drafts:
            checker = _Listening()
            assembly = Assembly(
                settings=Settings(),
                encoder=encoder,
                generator=ScriptedGenerator([Say(draft.text)]),
                checker=checker,
                reranker=None,
            )
            assembly.over(corpus).ask(Question(question=draft.question, as_of=_AS_OF, max_citations=_CITATIONS))
            if checker.heard:
                yield draft, checker.heard[0]
