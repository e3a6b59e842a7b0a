"""Takes an example, gives the question as it is put to the service."""

from __future__ import annotations

from embeddings.types import Article
from qa.evaluation.targets.target import Asking
from qa.evaluation.types import CitedArticle, Example
from qa.types import Question, SearchQuestion

__all__ = ["cited", "question_of", "search_of"]


def question_of(text: str, example: Example, asking: Asking, *, conversation_id: str | None = None) -> Question:
    """Put `text` (the example's question, or an earlier one of its conversation) as the example is asked."""
    return Question(
        question=text,
        conversation_id=conversation_id,
        collection=asking.collection,
        as_of=example.asked_at if asking.use_asked_at else None,
        mode=asking.mode,
        store=bool(example.conversation),
    )


def search_of(example: Example, asking: Asking) -> SearchQuestion:
    """The same question for the search."""
    return SearchQuestion(
        question=example.question,
        collection=asking.collection,
        as_of=example.asked_at if asking.use_asked_at else None,
        limit=asking.ranked,
    )


def cited(article: Article) -> CitedArticle:
    """What a run keeps of an article."""
    return CitedArticle(
        id=article.id,
        version=article.version,
        title=article.title,
        text=article.text,
        source=article.source,
        url=article.url,
        published_at=article.published_at,
    )
