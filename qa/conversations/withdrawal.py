"""Takes a kept answer and the articles as they are now, gives the answer without what may not be quoted any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from embeddings.types import Article
from qa.citations import is_exact
from qa.types import AlsoReported, Answer, Citation, SearchResult, ShortAnswer

__all__ = ["WITHDRAWN", "Reason", "is_corrected", "rechecked"]

Reason = Literal["removed", "withdrawn", "embargo"]

WITHDRAWN: Mapping[Reason, str] = {
    "removed": "An article that this answer quoted has been removed.",
    "withdrawn": "An article that this answer quoted has been withdrawn by its publisher.",
    "embargo": "An article that this answer quoted is under embargo and cannot be shown yet.",
}

Find = Callable[[str, str], Article | None]
"""An article version by article id and version; None where it was deleted or altered, or may not be shown."""


def rechecked(
    answer: Answer, *, find: Find, why_not: Callable[[str], Reason | None] = lambda _: None
) -> tuple[Answer, int]:
    """Hold every quotation against the store; give the answer as it may be shown, and what was withheld of it.

    One citation that fails withdraws the whole answer, since its sentences were made from those words: it becomes an
    abstention with the reason `source_withdrawn`, and says in words what `why_not` says of the article. Search results
    that fail are left out. With nothing withheld the answer is the one that was served, field by field.
    """
    quoted: list[Citation | ShortAnswer] = [*answer.citations]
    quoted += [answer.short_answer] if answer.short_answer else []
    stale = [one for one in quoted if not is_exact(one, find(one.article_id, one.article_version))]
    results = tuple(_rechecked(result, find) for result in answer.search_results if _holds(result, find))
    withheld = len(stale) + len(answer.search_results) - len(results)
    if results != answer.search_results:
        answer = msgspec.structs.replace(answer, search_results=results)
    if not stale:
        return answer, withheld
    reason = next((found for one in stale if (found := why_not(one.article_id))), None) or "removed"
    return _withdrawn(answer, reason, failed=sum(isinstance(one, Citation) for one in stale)), withheld


def is_corrected(answer: Answer, *, current: Callable[[str], str | None]) -> bool:
    """Whether an article that an answer quotes has another version now; `current` gives the one it has."""
    return any(current(c.article_id) not in {None, c.article_version} for c in answer.citations)


def _withdrawn(answer: Answer, reason: Reason, *, failed: int) -> Answer:
    usage = msgspec.structs.replace(answer.usage, citations_dropped=answer.usage.citations_dropped + failed)
    return msgspec.structs.replace(
        answer,
        answer=WITHDRAWN[reason],
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
