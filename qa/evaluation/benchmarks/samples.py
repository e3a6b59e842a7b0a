"""The sample articles with their labelled questions and drafts: the one yardstick that comes with the project."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

import seeds
from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder
from embeddings.ingest import ingest
from embeddings.readers import find, read
from qa.assembly import Assembly
from qa.evaluation.benchmarks.bench import Bench, Row, asked, by_metric, of_score
from qa.evaluation.dataset import example_of_seed
from qa.evaluation.scoring import score_run
from qa.evaluation.types import Example, Scores
from qa.generators.generator import Say, ScriptedGenerator
from qa.grounding.checker import Provenance, Support, SupportChecker
from qa.reading import load_reader
from qa.settings import Settings
from qa.types import Answer, Question

__all__ = ["Put", "answered", "put_before", "sample_rows", "score_samples"]

SAMPLES = "Sample articles: labelled questions"
_SHOWN = (
    "answer.right",
    "answer.right_when_answered",
    "answer.exact_match.has_answer",
    "answer.f1.has_answer",
    "answer.answered",
    "grounding.exact_spans",
    "grounding.cites_gold_article",
    "grounding.cites_gold_words",
    "abstention.precision",
    "abstention.recall",
    "abstention.f1",
    "abstention.auroc",
)
_AS_OF = "2024-06-20"
_CITATIONS = 10


def examples() -> tuple[Example, ...]:
    """The labelled questions as examples."""
    return tuple(example_of_seed(question) for question in seeds.questions())


@contextmanager
def _sample_corpus(bench: Bench) -> Iterator[Corpus]:
    """The sample articles, ingested as whoever tries the service ingests them."""
    corpus = EmbeddedCorpus.open(
        bench.cache / f"samples-{bench.encoder.identity.key[:16]}", identity=bench.encoder.identity
    )
    try:
        items = (item for path in find((seeds.articles_dir(),)) for item in read(path))
        ingest(items, corpus=corpus, encoder=bench.encoder)
        yield corpus
    finally:
        corpus.close()


def score_samples(*, bench: Bench, checker: SupportChecker) -> Scores:
    """Ask every labelled question and score what came back."""
    with _sample_corpus(bench) as corpus:
        return score_run(asked(examples(), corpus=corpus, bench=bench, name="samples"), checker=checker)


def sample_rows(scores: Scores) -> list[Row]:
    """Rows of the table."""
    known = by_metric(scores.scores)
    questions = examples()
    unanswerable = sum(example.answerable is False for example in questions) / len(questions)
    floors: dict[str, tuple[float, str]] = {
        "answer.right": (unanswerable, "always declining"),
        "answer.exact_match.has_answer": (0.0, "always declining"),
        "answer.f1.has_answer": (0.0, "always declining"),
        "abstention.precision": (unanswerable, "always declining"),
        "abstention.recall": (0.0, "never declining"),
        "abstention.f1": (2 * unanswerable / (1 + unanswerable), "always declining"),
        "abstention.auroc": (0.5, "chance"),
    }
    rows = []
    for name in _SHOWN:
        floor, what = floors.get(name, (None, ""))
        rows.append(of_score(known[name], section=SAMPLES, floor=floor, floor_is=what))
    return rows


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """What a checker is asked about one draft."""

    question: str
    claim: str
    evidence: tuple[str, ...]
    contexts: tuple[Provenance, ...]


class _Listening:
    """A checker that supports nothing and keeps what it is asked."""

    identity = "listening"

    def __init__(self) -> None:
        self.heard: list[Put] = []

    def check(
        self, claim: str, evidence: Sequence[str], *, question: str = "", contexts: Sequence[Provenance] = ()
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
