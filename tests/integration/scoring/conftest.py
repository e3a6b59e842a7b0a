"""A run of an answerer that makes no mistake, over the sample articles; tests break it in one way each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
import pytest

import seeds
from embeddings.cleaning.article import clean
from embeddings.parsers import find, read
from embeddings.types import Article, RawArticle
from qa.evaluation import (
    ARTICLES_FILE,
    EXAMPLES_FILE,
    MANIFEST_FILE,
    PREDICTIONS_FILE,
    SCHEMA_VERSION,
    Example,
    Machine,
    Manifest,
    Prediction,
    Target,
    targets,
)
from qa.evaluation.dataset import example_of_seed
from qa.types import Answer, Citation, Claim, SearchResult, ShortAnswer, Usage

AROUND = 200
"""Characters of an article that a retrieved passage has before and after the words that answer."""


@pytest.fixture(scope="module", autouse=True)
def soon_scored(few_draws: None) -> None:
    """What is scored here is whether answers are right."""


@pytest.fixture(scope="session")
def sample_articles() -> dict[str, Article]:
    """By title."""
    raw = (item for path in find([seeds.articles_dir()]) for item in read(path))
    return {article.title: article for article in (clean(item) for item in raw if isinstance(item, RawArticle))}


@pytest.fixture(scope="session")
def examples() -> tuple[Example, ...]:
    return tuple(example_of_seed(question) for question in seeds.questions())


@pytest.fixture(scope="session")
def honest(sample_articles: dict[str, Article], examples: tuple[Example, ...]) -> tuple[Prediction, ...]:
    """Every answerable question answered in the gold words, cited exactly; the rest declined."""
    return tuple(
        Prediction(
            example_id=example.id,
            started_at="2024-06-04T00:00:00Z",
            latency_ms=100.0 + number,
            answer=answer_of(example, sample_articles, sure=number % 7 / 100),
        )
        for number, example in enumerate(examples)
    )


def answer_of(example: Example, articles: dict[str, Article], *, sure: float) -> Answer:
    parts = {span.part: span for span in reversed(example.gold)}
    claims: list[Claim] = []
    citations: list[Citation] = []
    results: list[SearchResult] = []
    at = 0
    for number, (_, span) in enumerate(sorted(parts.items()), start=1):
        article = articles[span.title or ""]
        start = article.text.index(span.text)
        cited = citation_of(article, (start, start + len(span.text)), placed=at, name=f"c{number}")
        claims.append(
            Claim(
                text=span.text,
                start=at,
                end=at + len(span.text),
                verdict="supported",
                support_score=0.9,
                citation_ids=(cited.id,),
            )
        )
        citations.append(cited)
        results.append(passage_around(article, start, start + len(span.text)))
        at += len(span.text) + 1
    return Answer(
        id=f"ans_{example.id}",
        conversation_id=None,
        question=example.question,
        resolved_query=example.question,
        as_of="2024-06-04T00:00:00Z",
        answer=" ".join(claim.text for claim in claims) or "The articles do not answer this question.",
        answer_mode="extractive" if claims else "abstained",
        fallback_reason=None,
        abstain_reason=None if claims else "no_match",
        short_answer=short_answer_of(example, citations),
        claims=tuple(claims),
        citations=tuple(citations),
        conflicts=(),
        search_results=tuple(results),
        support_score=round((0.9 if claims else 0.1) - sure, 4),
        usage=Usage(),
        timings_ms={},
    )


def citation_of(article: Article, span: tuple[int, int], *, placed: int, name: str) -> Citation:
    start, end = span
    return Citation(
        id=name,
        start=placed,
        end=placed + end - start,
        article_id=article.id,
        article_version=article.version,
        title=article.title,
        source=article.source,
        url=article.url,
        published_at=article.published_at,
        cited_text=article.text[start:end],
        start_char_index=start,
        end_char_index=end,
    )


def passage_around(article: Article, start: int, end: int) -> SearchResult:
    start, end = max(0, start - AROUND), min(len(article.text), end + AROUND)
    return SearchResult(
        passage_id=f"{article.id}-{start}",
        article_id=article.id,
        article_version=article.version,
        title=article.title,
        source=article.source,
        url=article.url,
        published_at=article.published_at,
        text=article.text[start:end],
        start_char_index=start,
        end_char_index=end,
        score=1.0,
    )


def short_answer_of(example: Example, citations: Sequence[Citation]) -> ShortAnswer | None:
    for cited in citations:
        for accepted in example.answers:
            if (place := cited.cited_text.find(accepted)) >= 0:
                start = cited.start_char_index + place
                return ShortAnswer(
                    text=accepted,
                    article_id=cited.article_id,
                    article_version=cited.article_version,
                    start_char_index=start,
                    end_char_index=start + len(accepted),
                )
    return None


WriteRun = Callable[..., Path]


@pytest.fixture(scope="session")
def write_run(sample_articles: dict[str, Article], examples: tuple[Example, ...]) -> WriteRun:
    """Writes predictions as the folder that `qa evaluate run` leaves."""

    def write(folder: Path, predictions: Iterable[Prediction], *, dataset: str = "samples", name: str = "run") -> Path:
        manifest = Manifest(
            schema_version=SCHEMA_VERSION,
            run_id=name,
            fingerprint=f"fingerprint of {name}",
            dataset=f"{dataset}.jsonl",
            dataset_sha256=dataset,
            examples=len(examples),
            examples_sha256=dataset,
            target=Target(kind="in_process"),
            options={},
            settings={"retrieval": name},
            encoder={"name": "hashing"},
            prompts={},
            corpus={"articles": str(len(sample_articles))},
            git_revision="",
            versions={},
            machine=Machine(system="", processor="", cores=2, memory_bytes=0, python=""),
            seed=0,
            started_at="2024-06-04T00:00:00Z",
            finished_at="2024-06-04T00:01:00Z",
        )
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST_FILE).write_bytes(msgspec.json.encode(manifest))
        write_lines(folder / EXAMPLES_FILE, examples)
        write_lines(folder / PREDICTIONS_FILE, predictions)
        write_lines(folder / ARTICLES_FILE, (targets.cited(article) for article in sample_articles.values()))
        return folder

    return write


def write_lines(path: Path, values: Iterable[msgspec.Struct]) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(value) + b"\n" for value in values))
