"""Gives for each claim the texts it may rest on: those sent along, or the passages of the articles found for it."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from embeddings.chunking.passages import OVERLAP_SENTENCES, TARGET_TOKENS, split
from embeddings.corpus import Corpus, readable
from embeddings.encoders import Encoder
from embeddings.types import Article, Passage, StoredPassage, Where, article_version
from qa.checking.values import SentText
from qa.generation.prompt import Source, build
from qa.language.words import words_of
from qa.retrieval.search import Depth, RankedBy, retrieve
from qa.types import Evidence

__all__ = ["Found", "Grounds", "Sent"]

_DEPTH = Depth(listed=40, kept=6, per_article=4)
_CARRIED = 2
"""Passages found for the claim before that serve this one, too: "It cost 3 million" is found by what "it" is."""
_READ_WHOLE = 12_000
"""Characters of texts sent along that a claim is held against as they are."""
_NO_BUDGET = sys.maxsize
"""A checker has no window to fill; the number of passages bounds what it reads."""
_ARTICLES_KEPT = 64


class Grounds(Protocol):
    """What claims may rest on; blocking."""

    def sources(self, claims: Sequence[str]) -> list[Sequence[Source]]:
        """For each of some claims that follow each other, the texts to hold it against."""

    def article(self, article_id: str, version: str) -> Article | None:
        """The whole text that a source is from."""


class Sent:
    """Texts sent along; an article's id is its number among them.

    A few pages are held against every claim whole, as a passage of evidence is; of more, cut as an ingest cuts them,
    the passages that share most with the claim.
    """

    def __init__(self, texts: Sequence[SentText], *, encoder: Encoder) -> None:
        """Blocking."""
        self._articles = [
            Article(
                id=str(number),
                version=article_version(sent.text),
                title=sent.title,
                text=sent.text,
                published_at=sent.published_at,
            )
            for number, sent in enumerate(texts)
        ]
        few = sum(len(sent.text) for sent in texts) <= _READ_WHOLE
        passages = [
            (article, passage)
            for article in self._articles
            for passage in ([_whole(article)] if few else _passages(article, encoder))
        ]
        self._stored = [_stored(article, passage, key=key) for key, (article, passage) in enumerate(passages)]
        self._whole = self._among(range(len(passages))) if few else None
        self._words = _Words([] if few else [passage.text for _, passage in passages])

    def sources(self, claims: Sequence[str]) -> list[Sequence[Source]]:
        """See `Grounds`."""
        return [self._whole or self._among(self._words.best(claim)) for claim in claims]

    def article(self, article_id: str, version: str) -> Article | None:
        """See `Grounds`."""
        del version
        return self._articles[int(article_id)]

    def _among(self, rows: Sequence[int]) -> Sequence[Source]:
        evidence = [Evidence(stored=self._stored[row], score=0.0, cosine=None) for row in rows]
        return build(evidence, article=self.article, budget=_NO_BUDGET, most=len(self._stored)).sources


class _Words:
    """What passages share with a claim, rare words counting more."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._stems = [_matter(text) for text in texts]
        holders = Counter(stem for stems in self._stems for stem in stems)
        self._weights = {stem: math.log(1 + len(texts) / number) for stem, number in holders.items()}

    def best(self, claim: str) -> Sequence[int]:
        """Rows of the passages that share most, best first; the first ones where none shares anything."""
        wanted = _matter(claim)
        shared = [sum(self._weights[stem] for stem in wanted & stems) for stems in self._stems]
        return sorted(range(len(shared)), key=lambda row: -shared[row])[: _DEPTH.kept]


class Found:
    """Articles of a corpus: for every claim, the passages that retrieval finds for it."""

    def __init__(
        self, corpus: Corpus, *, encoder: Encoder, where: Where, as_of: datetime | None, ranked_by: RankedBy
    ) -> None:
        self._corpus = corpus
        self._encoder = encoder
        self._where = where
        self._as_of = as_of
        self._ranked_by = ranked_by
        self._before: Sequence[Evidence] = ()
        self.article = lru_cache(maxsize=_ARTICLES_KEPT)(self._article)

    def sources(self, claims: Sequence[str]) -> list[Sequence[Source]]:
        """See `Grounds`; the claims are encoded in one batch."""
        vectors = self._encoder.encode_passages(claims)
        found: list[Sequence[Source]] = []
        for claim, vector in zip(claims, vectors, strict=True):
            evidence = retrieve(
                self._corpus,
                text=claim,
                vector=vector,
                where=self._where,
                depth=_DEPTH,
                as_of=self._as_of,
                ranked_by=self._ranked_by,
            )
            known = {item.stored.key for item in evidence}
            carried = [item for item in self._before if item.stored.key not in known]
            self._before = evidence[:_CARRIED]
            found.append(
                build(
                    [*evidence, *carried], article=self.article, budget=_NO_BUDGET, most=len(evidence) + len(carried)
                ).sources
            )
        return found

    def _article(self, article_id: str, version: str) -> Article | None:
        return readable(self._corpus, article_id, version=version)


def _matter(text: str) -> frozenset[str]:
    return frozenset(word.stem for word in words_of(text) if not word.stop)


def _passages(article: Article, encoder: Encoder) -> Sequence[Passage]:
    return split(
        article,
        max_tokens=encoder.identity.max_tokens,
        target_tokens=TARGET_TOKENS,
        overlap_sentences=OVERLAP_SENTENCES,
        count=encoder.count_tokens,
    )


def _whole(article: Article) -> Passage:
    return Passage(
        id=article.id,
        article_id=article.id,
        article_version=article.version,
        start=0,
        end=len(article.text),
        text=article.text,
    )


def _stored(article: Article, passage: Passage, *, key: int) -> StoredPassage:
    return StoredPassage(
        key=key,
        passage=passage,
        title=article.title,
        source="",
        url=None,
        published_at=article.published_at,
        collection="",
        signature=b"",
    )
