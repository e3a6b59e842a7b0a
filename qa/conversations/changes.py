"""Finds out what became of the articles that a kept answer quotes.

A kept answer is given again without what may not be quoted any more. Of an article that may not be shown any more, it
is said that, and nothing else.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Literal, Protocol

import msgspec

from embeddings.chunking.sentences import split_sentences
from embeddings.types import Article
from qa.citations import is_exact
from qa.types import AlsoReported, Answer, Citation, SearchResult, ShortAnswer

_MOST_CHANGES = 50
_MOST_SENTENCES = 2_000
"""Sentences compared one by one, between what is the same at the top and at the end; more of them are one change."""
Span = tuple[int, int]
Reason = Literal["removed", "withdrawn", "embargo"]
WITHDRAWN: Mapping[Reason, str] = {
    "removed": "An article that this answer quoted has been removed.",
    "withdrawn": "An article that this answer quoted has been withdrawn by its publisher.",
    "embargo": "An article that this answer quoted is under embargo and cannot be shown yet.",
}
Find = Callable[[str, str], Article | None]
"""An article version by article id and version; None where it was deleted or altered, or may not be shown."""


class Shown(Protocol):
    """Articles as readers may see them now."""

    def get(self, article_id: str, *, version: str | None = None) -> Article | None:
        """An article in its current version, or in the one named."""

    def why_not(self, article_id: str) -> Reason | None:
        """Why an article cannot be read."""


class TextChange(msgspec.Struct, frozen=True, kw_only=True):
    """Sentences of the version quoted and what stands in their place now; one of the two may be empty."""

    before: str
    before_start_char_index: int
    before_end_char_index: int
    after: str
    after_start_char_index: int
    after_end_char_index: int
    quoted: bool
    """Whether words that the answer cites are among those changed."""


class ArticleChanges(msgspec.Struct, frozen=True, kw_only=True):
    """One article that the answer quotes, then and now."""

    article_id: str
    article_version: str
    """The version quoted."""
    citation_ids: tuple[str, ...]
    state: Literal["current", "corrected", "removed", "withdrawn", "embargo"]
    current_version: str | None = None
    """Null where nothing of it may be shown, as are the fields below."""
    title: str | None = None
    published_at: str | None = None
    quotes_stand: bool | None = None
    """Whether every cited quotation stands word for word in the current version."""
    title_before: str | None = None
    """The title under which it was quoted, where it has another one now."""
    changes: tuple[TextChange, ...] = ()
    changes_omitted: int = 0
    """How many more changes there are."""


class AnswerChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /api/answers/{answer_id}/changes` gives."""

    answer_id: str
    state: Literal["current", "corrected", "withdrawn"]
    """`withdrawn` where an article that it quotes cannot be shown, else `corrected` where one has another text or
    title."""
    articles: tuple[ArticleChanges, ...]


def changes_since(answer: Answer, *, shown: Shown) -> AnswerChanges:
    """Compare each article version that an answer quotes with what the article says now."""
    quoted: dict[tuple[str, str], list[Citation]] = {}
    for citation in answer.citations:
        quoted.setdefault((citation.article_id, citation.article_version), []).append(citation)
    articles = tuple(_article(citations, shown) for citations in quoted.values())
    states = {one.state for one in articles}
    gone = states - {"current", "corrected"}
    state: Literal["current", "corrected", "withdrawn"] = "corrected" if "corrected" in states else "current"
    return AnswerChanges(answer_id=answer.id, state="withdrawn" if gone else state, articles=articles)


def _article(citations: Sequence[Citation], shown: Shown) -> ArticleChanges:
    first, ids = citations[0], tuple(citation.id for citation in citations)
    now, then = shown.get(first.article_id), shown.get(first.article_id, version=first.article_version)
    about = ArticleChanges(
        article_id=first.article_id, article_version=first.article_version, citation_ids=ids, state="current"
    )
    if now is None or then is None:
        return msgspec.structs.replace(about, state=shown.why_not(first.article_id) or "removed")
    about = msgspec.structs.replace(
        about,
        current_version=now.version,
        title=now.title,
        published_at=now.published_at,
        quotes_stand=all(citation.cited_text in now.text for citation in citations),
        title_before=None if first.title == now.title else first.title,
    )
    if now.version == then.version:
        return about if about.title_before is None else msgspec.structs.replace(about, state="corrected")
    spans = [(citation.start_char_index, citation.end_char_index) for citation in citations]
    found = list(_changes(then.text, now.text, spans))
    return msgspec.structs.replace(
        about,
        state="corrected",
        changes=tuple(found[:_MOST_CHANGES]),
        changes_omitted=max(0, len(found) - _MOST_CHANGES),
    )


def _changes(then: str, now: str, quoted: Sequence[Span]) -> Iterator[TextChange]:
    """Runs of sentences that differ, in the order of the text."""
    before, after = split_sentences(then), split_sentences(now)
    for old, new in _runs([then[a:b] for a, b in before], [now[a:b] for a, b in after]):
        start, end = _span(before, old)
        new_start, new_end = _span(after, new)
        yield TextChange(
            before=then[start:end],
            before_start_char_index=start,
            before_end_char_index=end,
            after=now[new_start:new_end],
            after_start_char_index=new_start,
            after_end_char_index=new_end,
            quoted=any(first < end and start < last for first, last in quoted),
        )


def _runs(one: Sequence[str], other: Sequence[str]) -> Iterator[tuple[Span, Span]]:
    """Which sentences, by number, stand in whose place."""
    top = _same(one, other)
    end = _same(one[top:][::-1], other[top:][::-1])
    one, other = one[top : len(one) - end], other[top : len(other) - end]
    if max(len(one), len(other)) > _MOST_SENTENCES:
        yield (top, top + len(one)), (top, top + len(other))
        return
    for kind, first, last, new_first, new_last in SequenceMatcher(a=one, b=other, autojunk=False).get_opcodes():
        if kind != "equal":
            yield (top + first, top + last), (top + new_first, top + new_last)


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """How many sentences are the same from the beginning on."""
    return next(
        (n for n, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )


def _span(sentences: Sequence[Span], run: Span) -> Span:
    """Where a run of sentences stands; an empty one stands where the sentence before it ends."""
    first, last = run
    if first == last:
        place = sentences[first - 1][1] if first else 0
        return place, place
    return sentences[first][0], sentences[last - 1][1]


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


def corrected(answer: Answer, *, current: Callable[[str], Article | None]) -> tuple[str, ...]:
    """Citations (ids) of articles that have another text or title now; `current` gives an article as it is."""
    held = ((one, current(one.article_id)) for one in answer.citations)
    return tuple(
        one.id for one, now in held if now is not None and (now.version, now.title) != (one.article_version, one.title)
    )


def state_of_sources(answer: Answer) -> Reason | None:
    """Why `rechecked` withdrew an answer; None where it did not."""
    if answer.abstain_reason != "source_withdrawn":
        return None
    return next((reason for reason, words in WITHDRAWN.items() if words == answer.answer), None)


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
