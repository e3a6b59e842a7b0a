"""Takes what an example expects and what was retrieved or cited, gives which of it was expected."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from embeddings.cleaning.urls import normalised_url
from qa.evaluation.metrics.spans import overlaps
from qa.evaluation.replies import Cited
from qa.evaluation.types import Example, GoldSpan
from qa.types import AlsoReported, SearchResult

__all__ = ["Ranking", "article_ranking", "gold_articles", "gold_key", "keys_of", "parts_touched", "passage_ranking"]


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """Names in the order of a ranking, and the relevant ones, found or not."""

    names: tuple[str, ...]
    relevant: frozenset[str]


def gold_articles(example: Example) -> frozenset[str]:
    """Keys of the articles that answer: by id where any is known, else by link, else by title."""
    ids = {*example.gold_article_ids, *(span.article_id for span in example.gold if span.article_id)}
    if ids:
        return frozenset(f"id {one}" for one in ids)
    urls = {*example.gold_urls, *(span.url for span in example.gold if span.url)}
    if urls:
        return frozenset(f"url {normalised_url(one) or one}" for one in urls)
    return frozenset(f"title {span.title}" for span in example.gold if span.title)


def keys_of(article: SearchResult | AlsoReported | Cited) -> frozenset[str]:
    """What an article may be expected under: its id, its link, its title."""
    return frozenset((f"id {article.article_id}", f"url {normalised_url(article.url)}", f"title {article.title}"))


def gold_key(article: SearchResult | AlsoReported | Cited, gold: frozenset[str]) -> str | None:
    """The key under which an article is expected; None where it is not."""
    return min(keys_of(article) & gold, default=None)


def article_ranking(example: Example, results: Sequence[SearchResult]) -> Ranking:
    """Articles in the order of their best passage; a story counts as its gold article where that tells it, too."""
    gold = gold_articles(example)
    names = dict.fromkeys(_teller(result, gold) for result in results)
    return Ranking(names=tuple(names), relevant=gold)


def passage_ranking(example: Example, results: Sequence[SearchResult]) -> Ranking:
    """Passages in order, named by the part of the answer that they are first to hold.

    Parts that one passage holds together count as one thing to find.
    """
    parts = _parts(example)
    relevant = {f"part {number}" for number in parts}
    names: list[str] = []
    for result in results:
        held = [number for number, spans in parts.items() if any(_holds(result, span) for span in spans)]
        names.append(f"part {held[0]}" if held else result.passage_id)
        relevant -= {f"part {number}" for number in held[1:]}
        for number in held:
            del parts[number]
    return Ranking(names=tuple(names), relevant=frozenset(relevant))


def parts_touched(example: Example, cited: Sequence[Cited]) -> list[bool]:
    """Of each part of the answer whose words are known: whether a citation touches one of them."""
    return [any(_touches(one, gold) for gold in spans for one in cited) for spans in _parts(example).values()]


def _parts(example: Example) -> dict[int, list[GoldSpan]]:
    """By part of the answer, the alternatives whose words are known."""
    parts: dict[int, list[GoldSpan]] = {}
    for span in example.gold:
        if span.text or span.start is not None:
            parts.setdefault(span.part, []).append(span)
    return parts


def _teller(result: SearchResult, gold: frozenset[str]) -> str:
    tellers: list[SearchResult | AlsoReported] = [result, *result.also_reported_by]
    for one in tellers:
        if key := gold_key(one, gold):
            return key
    return f"id {result.article_id}"


def _same_article(gold: GoldSpan, keys: frozenset[str]) -> bool:
    if gold.article_id:
        return f"id {gold.article_id}" in keys
    if gold.url:
        return f"url {normalised_url(gold.url)}" in keys
    return gold.title is None or f"title {gold.title}" in keys


def _holds(result: SearchResult, gold: GoldSpan) -> bool:
    if not _same_article(gold, keys_of(result)):
        return False
    if gold.start is not None and gold.end is not None:
        return result.start_char_index <= gold.start and gold.end <= result.end_char_index
    return _folded(gold.text) in _folded(result.text)


def _touches(cited: Cited, gold: GoldSpan) -> bool:
    if not _same_article(gold, keys_of(cited)):
        return False
    if cited.span is not None and gold.start is not None and gold.end is not None:
        return overlaps((gold.start, gold.end), cited.span)
    one, other = _folded(gold.text), _folded(cited.text)
    return bool(one and other) and (one in other or other in one)


def _folded(text: str) -> str:
    return " ".join(text.split())
