"""Searches for evidence by a question's text and vector: fuses two ranked lists, keeps one article per story."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Literal

import msgspec
import numpy as np

from embeddings.corpus import Corpus
from embeddings.index.terms import UNSPACED
from embeddings.near_duplicates import overlapping, same_story
from embeddings.types import Hits, StoredPassage, Vector, Where
from qa.language.dates import Period, is_after, known_until, moment
from qa.language.quantities import quantities_of
from qa.language.words import matter, stems
from qa.retrieval.recency import all_older, is_late, preferences, says_when, tells_of_another
from qa.types import Citation, Evidence

RankedBy = Literal["hybrid", "dense", "lexical"]
"""Both lists fused, or one alone: for comparisons, and for corpora where one list misleads."""

_RRF_K = 60.0
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009), as published."""
_STANDS_OUT, _AGAINST = 1.5, 9
"""A hit stands out if its lexical score is 1.5 times that of the tenth: it has a rare name, number or code. Of 1.3,
1.5, 1.7 and 2.0, this value lost least on RealTimeQA with dates and won most without (n = 126, docs/yardsticks.md)."""
_DEEPEST = 800
"""At most so many passages are asked of each list, when the first ones are copies of few stories."""
_TOLD = 0.8
"""A passage repeats its story if this share of its word runs is in the passages kept of that story."""
_STORY_DEPTH = 12
_LIKE = 0.4
"""Cosine of the bundled encoder from which a passage says the same in other words. In 13 searches of 260 news articles
and of the samples, the best passage on another subject had 0.39; most passages on the subject had more than 0.5."""
_WORDS_PER_RUN = 3
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """How far retrieval looks and how much it keeps."""

    listed: int = 50
    """Passages asked of each list, at first."""
    kept: int = 8
    """Passages of evidence kept."""
    per_article: int = 2
    """At most so many of them from one story, over all articles that tell it."""


READ = Depth(listed=60, kept=14, per_article=4)
"""The depth at which passages are read for a question."""


def retrieve(
    corpus: Corpus,
    *,
    text: str,
    vector: Vector,
    where: Where,
    depth: Depth,
    as_of: datetime | None = None,
    period: Period | None = None,
    ranked_by: RankedBy = "hybrid",
) -> tuple[Evidence, ...]:
    """Find the passages most likely to answer, best first; ignore articles published after `as_of`.

    Passages from near `as_of`, or near the `period` that the question names, are preferred (see `recency`). Articles
    that tell the same story count once: the best-ranked one stays, and `also` names the others.
    """
    listed = depth.listed
    while True:
        hits = corpus.search(vector, text, k=listed, where=where)
        ranking = _ranking(hits, ranked_by)
        found = _ranked(corpus, hits, ranking)
        if as_of is not None and where.known_by is None and any(_is_future(item, as_of) for item in found):
            # Only if needed: a filter that changes every second defeats the corpus's cache.
            where = msgspec.structs.replace(where, known_by=known_until(as_of))
            continue
        kept = _one_per_story(_by_date(found, as_of, period), depth)
        if len(kept) >= depth.kept or len(ranking.dense) < listed or listed >= _DEEPEST:
            return tuple(kept)
        listed = min(4 * listed, _DEEPEST)


def fuse(hits: Hits) -> Mapping[int, float]:
    """Reciprocal rank fusion of the two lists, scaled so that a hit at the top of both has 1.

    A hit whose lexical score stands out counts as if the dense list had it at the same rank. Vectors cannot tell
    look-alikes apart by a name, and many passages of middling rank in both lists would drown it.

    >>> from embeddings.types import Hit
    >>> fuse(Hits(dense=(Hit(7, 0.9),), lexical=(Hit(7, 3.2), Hit(8, 1.0))))[7]
    1.0
    """
    scores: dict[int, float] = {}
    for ranking in (hits.dense, hits.lexical):
        for rank, hit in enumerate(ranking):
            scores[hit.key] = scores.get(hit.key, 0.0) + _share(rank)
    for rank, hit in enumerate(hits.lexical[:_AGAINST]):
        if len(hits.lexical) > _AGAINST and hit.score >= _STANDS_OUT * hits.lexical[_AGAINST].score:
            scores[hit.key] = max(scores[hit.key], 2 * _share(rank))
    return scores


def is_near(found: Evidence, question: str) -> bool | None:
    """Whether a passage is likely about a question: it has half of its content words, or a similar vector.

    None if the question has no content words, or its script does not separate words.
    """
    asked = matter(question)
    if not asked or UNSPACED.search(question):
        return None
    return (found.cosine or 0.0) >= _LIKE or len(asked & _stems(found)) >= len(asked) / 2


def _share(rank: int) -> float:
    return 0.5 * (_RRF_K + 1) / (_RRF_K + 1 + rank)


def _ranking(hits: Hits, ranked_by: RankedBy) -> Hits:
    """The two lists to fuse; a single list is used twice, so that scores keep their scale."""
    if ranked_by == "hybrid":
        return hits
    alone = hits.dense if ranked_by == "dense" else hits.lexical
    return Hits(dense=alone, lexical=alone)


def _ranked(corpus: Corpus, hits: Hits, ranking: Hits) -> list[Evidence]:
    """All hits, best first, without keys that the corpus no longer knows."""
    fused = fuse(ranking)
    stored = corpus.passages(fused.keys())
    cosines = {hit.key: hit.score for hit in hits.dense}
    order = sorted((key for key in fused if key in stored), key=lambda key: (-fused[key], key))
    return [Evidence(stored=stored[key], score=fused[key], cosine=cosines.get(key)) for key in order]


def _by_date(found: Sequence[Evidence], as_of: datetime | None, period: Period | None) -> Sequence[Evidence]:
    """The evidence with scores weighted by date, best first; passages too old for a recent period come last."""
    factors = preferences([item.stored.published_at for item in found], as_of=as_of, period=period)
    weighed = [
        msgspec.structs.replace(item, score=item.score * factor, freshness=factor)
        for item, factor in zip(found, factors, strict=True)
    ]
    return sorted(weighed, key=lambda item: (_is_late(item, period), -item.score, item.stored.key))


def _is_future(item: Evidence, as_of: datetime) -> bool:
    return is_after(item.stored.published_at, as_of)


def _is_late(item: Evidence, period: Period | None) -> bool:
    return period is not None and period.recent and all_older([item.stored.published_at], period=period)


def _one_per_story(found: Sequence[Evidence], depth: Depth) -> list[Evidence]:
    """Keep the best passages of different stories, a few each; the best of a story names its other articles.

    An extended copy may hold something that the kept article does not. Its passage is kept too, if the story has room
    and no passage found in the kept article says the same.
    """
    kept: list[Evidence] = []
    story_of = _stories(found)
    places: dict[int, list[int]] = {}  # by story, where in `kept` its passages stand
    for evidence in found:
        article = evidence.article_id
        told = places.setdefault(story_of[article], [])
        tellers = {kept[place].article_id for place in told}
        if len(kept) < depth.kept and len(told) < depth.per_article and not _is_told(evidence, tellers, found):
            told.append(len(kept))
            kept.append(evidence)
        elif told and article not in tellers:
            first = kept[told[0]]
            kept[told[0]] = msgspec.structs.replace(first, also=_with(first.also, evidence.stored))
    return kept


def _stories(found: Sequence[Evidence]) -> Mapping[str, int]:
    """The story number of each article. Two different excerpts of one text belong to its story.

    Every article is compared only with those of the first `_STORY_DEPTH` passages: no later one is kept before them.
    """
    signatures = {item.article_id: item.stored.signature for item in found}
    articles = list(signatures)
    near = overlapping([signatures[article] for article in articles[:_STORY_DEPTH]], list(signatures.values()))
    story_of = {article: number for number, article in enumerate(articles)}
    for first, number in sorted(np.argwhere(near).tolist(), key=itemgetter(1, 0)):
        other, article = articles[first], articles[number]
        if first >= number or story_of[other] == story_of[article]:
            continue
        if same_story(signatures[other], signatures[article]):
            story_of = {a: story_of[other] if s == story_of[article] else s for a, s in story_of.items()}
    return story_of


def _is_told(evidence: Evidence, tellers: Collection[str], found: Sequence[Evidence]) -> bool:
    """Whether other articles of the same story, already kept, say the same as a passage."""
    if not tellers or evidence.article_id in tellers:
        return False
    runs = _runs(evidence.stored.passage.text)
    told: set[tuple[str, ...]] = set()
    told.update(*(_runs(item.stored.passage.text) for item in found if item.article_id in tellers))
    return len(runs & told) >= _TOLD * len(runs)


@lru_cache(maxsize=64)
def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = text.casefold().split()
    return frozenset(tuple(words[i : i + _WORDS_PER_RUN]) for i in range(max(1, len(words) - _WORDS_PER_RUN + 1)))


def _with(also: tuple[StoredPassage, ...], stored: StoredPassage) -> tuple[StoredPassage, ...]:
    known = {passage.passage.article_id for passage in also}
    return also if stored.passage.article_id in known else (*also, stored)


# --- Is what an answer cites old news? Is it about the time asked for?
_OVERTAKEN = timedelta(days=30)
"""News of an event appears within a week or two; an article a month later says how things have gone on."""


def stale(citations: Sequence[Citation], evidence: Sequence[Evidence], *, question: str) -> tuple[str, ...]:
    """Ids of citations that are overtaken: another passage as close to the question is a month or more newer.

    For questions about how things are now; for past events, the first report may be the best. Undated articles are
    never overtaken.
    """
    later = [
        item for item in evidence if any(_is_later(item.stored.published_at, one.published_at) for one in citations)
    ]
    if not later:
        return ()
    asked = matter(question)

    def shared(item: Evidence) -> int:
        return len(asked & _stems(item))

    about = [(item, shared(item)) for item in later if is_near(item, question)]

    def overtaken(one: Citation) -> bool:
        least = max((shared(item) for item in evidence if _holds(item, one)), default=0)
        return any(said >= least and _is_later(item.stored.published_at, one.published_at) for item, said in about)

    return tuple(one.id for one in citations if overtaken(one))


def _is_later(one: str | None, other: str | None) -> bool:
    if not (one and other):
        return False
    return moment(one, field="published_at") - moment(other, field="published_at") >= _OVERTAKEN


def _stems(item: Evidence) -> frozenset[str]:
    return stems(f"{item.stored.title} {item.stored.passage.text}")


def keeps_period(citations: Sequence[Citation], evidence: Sequence[Evidence], *, period: Period | None) -> bool | None:
    """Whether all citations are known to be about the time asked for; an undated article must name that time itself.

    None if no time was asked for, or nothing is cited.
    """
    if period is None or not citations:
        return None
    able = [
        item
        for number, item in enumerate(evidence)
        if not is_late(number, evidence, period) and (_is_dated(item) or says_when(item.stored.passage.text, period))
    ]
    return all(any(_holds(item, one) for item in able) and not _of_another_month(one, period) for one in citations)


def _of_another_month(citation: Citation, period: Period) -> bool:
    """Whether the first figure of the cited words is for another month, quarter or year."""
    text = citation.cited_text
    figure = next(
        (one for one in quantities_of(text) if not (one.ordinal or _YEAR.fullmatch(text[one.start : one.end]))), None
    )
    return figure is not None and tells_of_another(
        text,
        start=figure.start,
        end=figure.end,
        title=citation.title,
        published_at=citation.published_at,
        period=period,
    )


def _is_dated(item: Evidence) -> bool:
    return any(copy.published_at for copy in (item.stored, *item.also))


def _holds(item: Evidence, citation: Citation) -> bool:
    passage = item.stored.passage
    return (
        (passage.article_id, passage.article_version) == (citation.article_id, citation.article_version)
        and passage.start <= citation.start_char_index
        and citation.end_char_index <= passage.end
    )
