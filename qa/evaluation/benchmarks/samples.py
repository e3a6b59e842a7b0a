"""The sample articles and their labelled questions: the one yardstick that comes with the project."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import seeds
from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.ingest import ingest
from embeddings.readers import find, read
from qa.evaluation.benchmarks.asking import Bench, asked
from qa.evaluation.benchmarks.table import Row, by_metric, of_score
from qa.evaluation.dataset import example_of_seed
from qa.evaluation.scoring import score_run
from qa.evaluation.types import Example, Scores
from qa.grounding.checker import SupportChecker

__all__ = ["sample_corpus", "sample_rows", "score_samples"]

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


def examples() -> tuple[Example, ...]:
    """The labelled questions as examples."""
    return tuple(example_of_seed(question) for question in seeds.questions())


@contextmanager
def sample_corpus(bench: Bench) -> Iterator[Corpus]:
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
    with sample_corpus(bench) as corpus:
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
