"""Takes what an answer cites and what was found, tells which of it is old news, and whether it is of the time asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from qa.language.timestamps import Period, moment
from qa.language.words import words_of
from qa.retrieval.recency import is_late, says_when
from qa.retrieval.search import is_near
from qa.types import Citation, Evidence

__all__ = ["keeps_period", "stale"]

_OVERTAKEN = timedelta(days=30)
"""An event is told over a week or two; what is published a month later tells how things have gone on."""


def stale(citations: Sequence[Citation], evidence: Sequence[Evidence], *, question: str) -> tuple[str, ...]:
    """The citations, by id, that were overtaken: as much about the question, something came a month or more later.

    For questions about how things are now; of what happened, the first report may be the best. Of what has no date
    nobody knows.
    """
    asked = {word.stem for word in words_of(question) if not word.stop}
    shared = [len(asked & _stems(item)) for item in evidence]
    about = [(item, said) for item, said in zip(evidence, shared, strict=True) if is_near(item, question)]

    def overtaken(one: Citation) -> bool:
        least = max((said for item, said in zip(evidence, shared, strict=True) if _holds(item, one)), default=0)
        return any(said >= least and _is_later(item.stored.published_at, one.published_at) for item, said in about)

    return tuple(one.id for one in citations if overtaken(one))


def _is_later(one: str | None, other: str | None) -> bool:
    if not (one and other):
        return False
    return moment(one, field="published_at") - moment(other, field="published_at") >= _OVERTAKEN


def _stems(item: Evidence) -> set[str]:
    return {word.stem for word in words_of(f"{item.stored.title} {item.stored.passage.text}")}


def keeps_period(citations: Sequence[Citation], evidence: Sequence[Evidence], *, period: Period | None) -> bool | None:
    """Whether all that is cited tells of the time asked for, as far as that is known: what has no date says it itself.

    None where no time was asked for, or nothing is cited.
    """
    if period is None or not citations:
        return None
    able = [
        item
        for number, item in enumerate(evidence)
        if not is_late(number, evidence, period) and (_is_dated(item) or says_when(item.stored.passage.text, period))
    ]
    return all(any(_holds(item, one) for item in able) for one in citations)


def _is_dated(item: Evidence) -> bool:
    return any(copy.published_at for copy in (item.stored, *item.also))


def _holds(item: Evidence, citation: Citation) -> bool:
    passage = item.stored.passage
    return (
        (passage.article_id, passage.article_version) == (citation.article_id, citation.article_version)
        and passage.start <= citation.start_char_index
        and citation.end_char_index <= passage.end
    )
