"""Takes a kept answer and the articles as they are now, gives the answer without what may not be quoted any more."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from embeddings.types import Article
from qa.citations import is_exact
from qa.types import AlsoReported, Answer, SearchResult

__all__ = ["WITHDRAWN", "rechecked"]

WITHDRAWN = "An article that this answer quoted has been removed."

Find = Callable[[str, str], Article | None]
"""An article version by article id and version; None where it was deleted or altered."""


def rechecked(answer: Answer, *, find: Find) -> tuple[Answer, int]:
    """Hold every quotation against the store; give the answer as it may be shown, and what was withheld of it.

    One citation that fails withdraws the whole answer, since its sentences were made from those words: it becomes an
    abstention with the reason `source_withdrawn`. Search results that fail are left out. With nothing withheld the
    answer is the one that was served, field by field.
    """
    failed = sum(not is_exact(c, find(c.article_id, c.article_version)) for c in answer.citations)
    short = answer.short_answer
    stale = short is not None and not is_exact(short, find(short.article_id, short.article_version))
    results = tuple(_rechecked(result, find) for result in answer.search_results if _holds(result, find))
    withheld = failed + stale + len(answer.search_results) - len(results)
    if results != answer.search_results:
        answer = msgspec.structs.replace(answer, search_results=results)
    return (_withdrawn(answer, failed) if failed or stale else answer), withheld


def _withdrawn(answer: Answer, failed: int) -> Answer:
    usage = msgspec.structs.replace(answer.usage, citations_dropped=answer.usage.citations_dropped + failed)
    return msgspec.structs.replace(
        answer,
        answer=WITHDRAWN,
        answer_mode="abstained",
        abstain_reason="source_withdrawn",
        short_answer=None,
        claims=(),
        citations=(),
        conflicts=(),
        unanswered=(),
        usage=usage,
    )


def _holds(result: SearchResult, find: Find) -> bool:
    article = find(result.article_id, result.article_version)
    return article is not None and article.text[result.start_char_index : result.end_char_index] == result.text


def _rechecked(result: SearchResult, find: Find) -> SearchResult:
    """Leave out the removed articles among those named with a result."""

    def known(other: AlsoReported) -> bool:
        return find(other.article_id, other.article_version) is not None

    if all(map(known, result.also_reported_by)):
        return result
    return msgspec.structs.replace(result, also_reported_by=tuple(filter(known, result.also_reported_by)))
