"""Takes a question's text and vector, gives evidence: dense and lexical lists fused, one article per story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from embeddings.corpus import Corpus
from embeddings.duplicates import same_story
from embeddings.types import Hits, StoredPassage, Vector, Where
from qa.types import Evidence

__all__ = ["Depth", "fuse", "retrieve"]

_RRF_K = 60.0
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009), as published."""


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """How far retrieval looks and how much it keeps."""

    listed: int = 50
    """Passages asked of each of the two lists."""
    kept: int = 8
    """Passages of evidence kept."""
    per_article: int = 2
    """Passages of one article among them."""


def retrieve(corpus: Corpus, *, text: str, vector: Vector, where: Where, depth: Depth) -> tuple[Evidence, ...]:
    """Find the passages most likely to answer, best first.

    Articles that tell the same story count once: the best-ranked one stays, the others are named in `also`.
    """
    hits = corpus.search(vector, text, k=depth.listed, where=where)
    fused = fuse(hits)
    stored = corpus.passages(fused.keys())
    cosines = {hit.key: hit.score for hit in hits.dense}
    ranked = sorted((key for key in fused if key in stored), key=lambda key: (-fused[key], key))
    found = [Evidence(stored=stored[key], score=fused[key], cosine=cosines.get(key)) for key in ranked]
    return tuple(_one_per_story(found, depth))


def fuse(hits: Hits) -> Mapping[int, float]:
    """Reciprocal rank fusion of the two lists, scaled so that the top of both is 1.

    >>> from embeddings.types import Hit
    >>> fuse(Hits(dense=(Hit(7, 0.9),), lexical=(Hit(7, 3.2), Hit(8, 1.0))))[7]
    1.0
    """
    scores: dict[int, float] = {}
    for ranking in (hits.dense, hits.lexical):
        for rank, hit in enumerate(ranking):
            scores[hit.key] = scores.get(hit.key, 0.0) + 0.5 * (_RRF_K + 1) / (_RRF_K + 1 + rank)
    return scores


def _one_per_story(found: Sequence[Evidence], depth: Depth) -> list[Evidence]:
    """Keep the best articles of different stories, a few passages each; fold the rest of a story into its best."""
    kept: list[Evidence] = []
    for evidence in found:
        twin = _told_by(kept, evidence.stored)
        if twin is not None:
            kept[twin] = msgspec.structs.replace(kept[twin], also=_with(kept[twin].also, evidence.stored))
        elif len(kept) < depth.kept and _passages_of(kept, evidence.stored) < depth.per_article:
            kept.append(evidence)
    return kept


def _told_by(kept: Sequence[Evidence], stored: StoredPassage) -> int | None:
    """Index of the first kept passage of another article that tells the same story."""
    for index, other in enumerate(kept):
        different = other.stored.passage.article_id != stored.passage.article_id
        if different and same_story(other.stored.signature, stored.signature):
            return index
    return None


def _with(also: tuple[StoredPassage, ...], stored: StoredPassage) -> tuple[StoredPassage, ...]:
    known = {passage.passage.article_id for passage in also}
    return also if stored.passage.article_id in known else (*also, stored)


def _passages_of(kept: Sequence[Evidence], stored: StoredPassage) -> int:
    return sum(evidence.stored.passage.article_id == stored.passage.article_id for evidence in kept)
