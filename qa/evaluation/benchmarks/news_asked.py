"""Questions on newspaper paragraphs, asked of the whole service: articles ingested, nothing else known.

The questions come with their paragraphs; those of one article (`group` up to its last colon) are put together again.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from embeddings.types import Article, article_version
from qa.evaluation.benchmarks.asking import Bench, asked
from qa.evaluation.benchmarks.table import Row, of_estimate
from qa.evaluation.cache import kept
from qa.evaluation.metrics.containment import contains
from qa.evaluation.metrics.intervals import mean
from qa.evaluation.metrics.squad import SquadQuestion, f1, read_questions
from qa.evaluation.types import Example
from qa.types import Answer

__all__ = ["measure_asked"]

SECTION = "New York Times: asked of the service, 60 articles ingested"
_ARTICLES = 60
_NEARLY_RIGHT = 0.5
"""Token F1 from which a short answer counts as right."""


def measure_asked(path: Path, *, bench: Bench) -> list[Row]:
    """Draw articles, ingest them, ask every question on them, and say how many were answered rightly."""
    articles, questions = drawn(path)
    examples = [
        Example(id=one.id, question=one.question, group=one.group, answers=tuple(answer for answer, _ in one.answers))
        for one in questions
    ]
    with kept(articles, bench.encoder, bench.cache / "nyt") as corpus:
        run = asked(examples, corpus=corpus, bench=bench, name="nyt")
    answers = [run.predictions[example.id].answer for example in examples]
    groups = [example.group for example in examples]
    judged = [_judged(answer, example.answers) for answer, example in zip(answers, examples, strict=True)]
    figures = {
        "right: the short answer, or the first sentence": [float(right) for right, _, _ in judged],
        "the short answer alone right": [float(short) for _, short, _ in judged],
        "wrong": [float(not declined and not right) for right, _, declined in judged],
        "declined": [float(declined) for _, _, declined in judged],
    }
    return [of_estimate(mean(values, groups=groups), section=SECTION, measure=name) for name, values in figures.items()]


def drawn(path: Path) -> tuple[list[Article], list[SquadQuestion]]:
    """So many of the articles, always the same ones, and the questions on them."""
    paragraphs, questions = read_questions(path)
    texts = {paragraph.id: paragraph.text for paragraph in paragraphs}
    by_article: dict[str, list[SquadQuestion]] = {}
    for question in questions:
        by_article.setdefault(question.group.rpartition(":")[0], []).append(question)
    names = random.Random(0).sample(sorted(by_article), min(_ARTICLES, len(by_article)))  # noqa: S311 - a sample
    articles = []
    for name in names:
        text = "\n\n".join(dict.fromkeys(texts[question.article_id] for question in by_article[name]))
        version = article_version(text)
        articles.append(Article(id=version[:20], version=version, title="", text=text))
    return articles, [question for name in names for question in by_article[name]]


def _judged(answer: Answer | None, accepted: Sequence[str]) -> tuple[bool, bool, bool]:
    """Whether it is right, whether its short answer is, whether it declined."""
    if answer is None or answer.answer_mode == "abstained":
        return False, False, True
    short = answer.short_answer is not None and f1(answer.short_answer.text, accepted) >= _NEARLY_RIGHT
    first = answer.claims[0].text if answer.claims else ""
    return short or bool(contains(first, accepted)), short, False
