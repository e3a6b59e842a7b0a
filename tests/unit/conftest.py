"""What unit tests of the online half share: evidence made from a text at hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from embeddings.near_duplicates import signature
from embeddings.types import Passage, StoredPassage, article_version, passage_id
from qa.types import Evidence

EvidenceOf = Callable[..., Evidence]


@pytest.fixture(scope="session")
def evidence_of() -> EvidenceOf:
    """Builds evidence: a span of an article's text (all of it unless said), as retrieval would give it."""

    def build(
        text: str,
        *,
        article: str = "a1",
        span: tuple[int, int] | None = None,
        title: str = "",
        score: float = 1.0,
        cosine: float | None = 0.5,
        published_at: str | None = None,
    ) -> Evidence:
        start, end = span or (0, len(text))
        version = article_version(text)
        passage = Passage(
            id=passage_id(article, version, start, end),
            article_id=article,
            article_version=version,
            start=start,
            end=end,
            text=text[start:end],
        )
        stored = StoredPassage(
            key=start,
            passage=passage,
            title=title,
            source="Wire",
            url=None,
            published_at=published_at,
            collection="default",
            signature=signature(text),
        )
        return Evidence(stored=stored, score=score, cosine=cosine)

    return build
