"""Retrieval on RealTimeQA: how well each list, alone or with the others, finds the articles that hold the answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from embeddings.cleaning.identity import normalised_url
from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from embeddings.types import Hit, Hits, StoredPassage, Where
from qa.evaluation import Example
from qa.evaluation.metrics.answers import first_rank, reciprocal_rank
from qa.evaluation.metrics.statistics import compare, wilson
from qa.language.dates import moment, stamp
from qa.language.time_expressions import period_of
from qa.retrieval.search import Depth, fuse, retrieve

_LISTED = 200
"""Passages asked of each list: enough to rank more than ten articles."""
_RANKED = 10
_SLACK = timedelta(days=1, seconds=1)
"""As `qa.language.dates.is_after`: a date without a time may be a day ahead."""
List = Literal["dense", "lexical", "fused", "evidence"]


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """One way to rank articles."""

    name: str
    ranking: List
    """The dense or the lexical list, both fused, or what the service shows: one article a story, in fused order."""
    as_of: bool = False
    """Whether articles from after the question are left out."""
    by_date: bool = False
    """Whether, beside that, the service's preference for the question's time is at work (`qa.retrieval.recency`)."""
    window_days: int | None = None
    """Whether only articles of so many days before the question count."""


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """Article-level retrieval over questions with a known article."""

    configuration: str
    n: int
    hit_at_1: float
    hit_at_1_interval: tuple[float, float]
    hit_at_4: float
    hit_at_4_interval: tuple[float, float]
    hit_at_10: float
    hit_at_10_interval: tuple[float, float]
    mrr_at_10: float


def gold_in(corpus: Corpus, questions: Sequence[Example]) -> dict[str, set[str]]:
    """By question, the ids of its gold articles that the corpus holds; questions without any are left out."""
    by_url: dict[str, set[str]] = {}
    after: str | None = None
    while page := corpus.scan(where=Where(), after=after, limit=500):
        for article in page:
            by_url.setdefault(normalised_url(article.url) or "", set()).add(article.id)
        after = page[-1].id
    found = {q.id: set[str]().union(*(by_url.get(url, set()) for url in q.gold_urls)) for q in questions}
    return {name: ids for name, ids in found.items() if ids}


def ranks(
    questions: Sequence[Example],
    gold: dict[str, set[str]],
    *,
    corpus: Corpus,
    encoder: Encoder,
    configurations: Sequence[Configuration],
    told: Callable[[int], None] = lambda _: None,
) -> dict[str, list[int | None]]:
    """By configuration, the place of the first gold article for each question that has one; encodes each once.

    Raises InvalidQuestion for a question without a date.
    """
    found: dict[str, list[int | None]] = {configuration.name: [] for configuration in configurations}
    asked = [question for question in questions if question.id in gold]
    for number, question in enumerate(asked):
        told(number)
        vector = encoder.encode_query(question.question)
        when = moment(question.asked_at or "", field="asked_at")
        for configuration in configurations:
            where = _where(configuration, when)
            if configuration.ranking == "evidence":
                depth = Depth(listed=50, kept=_RANKED, per_article=1)
                asked_at = when if configuration.by_date else None
                period = period_of(question.question, as_of=asked_at) if asked_at else None
                evidence = retrieve(
                    corpus,
                    text=question.question,
                    vector=vector,
                    where=where,
                    depth=depth,
                    as_of=asked_at,
                    period=period,
                )
                articles = [_tellers(item.stored, item.also, gold[question.id]) for item in evidence]
            else:
                hits = corpus.search(vector, question.question, k=_LISTED, where=where)
                articles = _articles(corpus, _order(hits, configuration.ranking))
            found[configuration.name].append(first_rank(articles[:_RANKED], gold[question.id]))
    return found


def scores(configuration: str, places: Sequence[int | None]) -> Scores:
    """Hit rates with Wilson intervals, and mean reciprocal rank."""
    n = len(places)
    hits = {k: sum(place is not None and place <= k for place in places) for k in (1, 4, 10)}
    return Scores(
        configuration=configuration,
        n=n,
        hit_at_1=hits[1] / max(n, 1),
        hit_at_1_interval=wilson(hits[1], n),
        hit_at_4=hits[4] / max(n, 1),
        hit_at_4_interval=wilson(hits[4], n),
        hit_at_10=hits[10] / max(n, 1),
        hit_at_10_interval=wilson(hits[10], n),
        mrr_at_10=sum(reciprocal_rank(place, within=10) for place in places) / max(n, 1),
    )


def _where(configuration: Configuration, asked_at: datetime) -> Where:
    before = stamp(asked_at + _SLACK) if configuration.as_of or configuration.window_days else None
    days = configuration.window_days
    return Where(published_before=before, published_after=stamp(asked_at - timedelta(days=days)) if days else None)


def _order(hits: Hits, ranking: List) -> list[int]:
    if ranking == "fused":
        fused = fuse(hits)
        return sorted(fused, key=lambda key: (-fused[key], key))
    chosen: tuple[Hit, ...] = hits.dense if ranking == "dense" else hits.lexical
    return [hit.key for hit in chosen]


def _articles(corpus: Corpus, keys: Sequence[int]) -> list[str]:
    """Articles in the order of their best passage."""
    stored = corpus.passages(keys)
    return list(dict.fromkeys(stored[key].passage.article_id for key in keys if key in stored))


def _tellers(stored: StoredPassage, also: Sequence[StoredPassage], gold: Collection[str]) -> str:
    """The article that stands for a story; the gold one where it is among those named with it."""
    named = [stored.passage.article_id, *(other.passage.article_id for other in also)]
    return next((name for name in named if name in gold), named[0])


def gain(one: Sequence[float], other: Sequence[float]) -> tuple[float, float, float]:
    """Mean difference (`one` - `other`) over the same questions, each its own group, with its 95 % interval."""
    if not one:
        return 0.0, 0.0, 0.0
    found = compare(one, other, groups=list(map(str, range(len(one)))))
    return found.mean, found.low, found.high
