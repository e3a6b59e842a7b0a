"""Links the words of an answer to the exact words of an article, and checks them before they are served."""

from __future__ import annotations

from embeddings.cleaning.article import page_at
from embeddings.cleaning.identity import of_one_publisher
from embeddings.types import Article, StoredPassage
from qa.types import AlsoReported, Citation, Evidence, SearchResult, ShortAnswer


def cite(stored: StoredPassage, *, number: int, cited: tuple[int, int], placed: tuple[int, int], text: str) -> Citation:
    """Cite `text`, at span `cited` of an article, for the words at span `placed` of the answer."""
    passage = stored.passage
    return Citation(
        id=f"c{number}",
        start=placed[0],
        end=placed[1],
        article_id=passage.article_id,
        article_version=passage.article_version,
        title=stored.title,
        source=stored.source,
        url=stored.url,
        published_at=stored.published_at,
        cited_text=text,
        start_char_index=cited[0],
        end_char_index=cited[1],
        page=page_at(stored.pages, cited[0]),
    )


def is_exact(citation: Citation | ShortAnswer, article: Article | None) -> bool:
    """Whether the article version still has exactly the cited words at the cited place."""
    words = citation.cited_text if isinstance(citation, Citation) else citation.text
    return (
        article is not None
        and (article.id, article.version) == (citation.article_id, citation.article_version)
        # Python would count negative offsets from the end and cut those behind it.
        and 0 <= citation.start_char_index < citation.end_char_index <= len(article.text)
        and article.text[citation.start_char_index : citation.end_char_index] == words
    )


def short_answer(citation: Citation, span: tuple[int, int]) -> ShortAnswer:
    """The words at `span` of a citation's own text, placed in its article."""
    start = citation.start_char_index + span[0]
    return ShortAnswer(
        text=citation.cited_text[span[0] : span[1]],
        article_id=citation.article_id,
        article_version=citation.article_version,
        start_char_index=start,
        end_char_index=citation.start_char_index + span[1],
    )


def search_result(evidence: Evidence, *, near: bool | None = None) -> SearchResult:
    """A retrieved passage as served; `near`: whether it is about the question, if known."""
    stored = evidence.stored
    passage = stored.passage
    return SearchResult(
        passage_id=passage.id,
        article_id=passage.article_id,
        article_version=passage.article_version,
        title=stored.title,
        source=stored.source,
        url=stored.url,
        published_at=stored.published_at,
        text=passage.text,
        start_char_index=passage.start,
        end_char_index=passage.end,
        score=round(evidence.score, 6),
        page=page_at(stored.pages, passage.start),
        also_reported_by=_others(evidence),
        near=near,
    )


def _others(evidence: Evidence) -> tuple[AlsoReported, ...]:
    """The other publishers of the story, each once."""
    kept = [evidence.stored]
    for other in evidence.also:
        if not any(_one_publisher(other, one) for one in kept):
            kept.append(other)
    return tuple(map(_also, kept[1:]))


def _one_publisher(one: StoredPassage, other: StoredPassage) -> bool:
    """Whether two copies are from one site or source, or are one text in two collections: nobody confirms himself."""
    if one.collection != other.collection and one.passage.article_version == other.passage.article_version:
        return True
    return of_one_publisher((one.source, one.url), (other.source, other.url))


def _also(stored: StoredPassage) -> AlsoReported:
    return AlsoReported(
        article_id=stored.passage.article_id,
        article_version=stored.passage.article_version,
        title=stored.title,
        source=stored.source,
        url=stored.url,
        published_at=stored.published_at,
    )
