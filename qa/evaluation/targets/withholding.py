"""A corpus that acts as if it did not hold certain articles: asks what is answered when nothing answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from embeddings.corpus import Corpus
from embeddings.encoders import EncoderIdentity
from embeddings.types import (
    Article,
    CorpusCounts,
    Hit,
    Hits,
    IndexedArticle,
    Overview,
    SourceTally,
    StoredPassage,
    Vector,
    Where,
)

__all__ = ["WithholdingCorpus"]


class WithholdingCorpus:
    """Passes on to a corpus, for reading only; its lists are those of the corpus without the withheld articles.

    What the lists rank by (word statistics) is still that of the whole corpus.
    """

    def __init__(self, corpus: Corpus, withheld: Collection[str]) -> None:
        self._corpus = corpus
        self._withheld = frozenset(withheld)
        self._passages = corpus.count(Where(article_ids=tuple(sorted(self._withheld)))).passages if withheld else 0

    def search(self, vector: Vector, text: str, *, k: int, where: Where) -> Hits:
        """As many more are asked for as could be withheld, so that `k` remain where there are so many."""
        hits = self._corpus.search(vector, text, k=k + self._passages, where=where)
        return Hits(dense=self._kept(hits.dense)[:k], lexical=self._kept(hits.lexical)[:k])

    def spellings(self, words: Collection[str], *, where: Where) -> Mapping[str, tuple[str, ...]]:
        """Passed on."""
        return self._corpus.spellings(words, where=where)

    def passages(self, keys: Collection[int]) -> Mapping[int, StoredPassage]:
        """Only of articles that are not withheld."""
        stored = self._corpus.passages(keys)
        return {key: item for key, item in stored.items() if item.passage.article_id not in self._withheld}

    def get(self, article_id: str, *, version: str | None = None) -> Article | None:
        """None for a withheld one."""
        return None if article_id in self._withheld else self._corpus.get(article_id, version=version)

    def scan(self, *, where: Where, after: str | None, limit: int) -> Sequence[Article]:
        """Pages may be shorter by what is withheld."""
        return [a for a in self._corpus.scan(where=where, after=after, limit=limit) if a.id not in self._withheld]

    def count(self, where: Where) -> CorpusCounts:
        """Passed on: withheld articles still count."""
        return self._corpus.count(where)

    def overview(self, where: Where, *, newest: int) -> Overview:
        """Passed on: withheld articles still count."""
        return self._corpus.overview(where, newest=newest)

    def tally(self, where: Where, *, since: str) -> Sequence[SourceTally]:
        """Passed on: withheld articles still count."""
        return self._corpus.tally(where, since=since)

    def fingerprints(self, article_ids: Collection[str]) -> Mapping[str, str]:
        """Passed on."""
        return self._corpus.fingerprints(article_ids)

    def require_writing(self) -> None:
        """Refused: raises TypeError."""
        raise TypeError("a corpus with articles withheld is for reading only")

    def holders(self, versions: Collection[str], *, collection: str) -> Mapping[str, tuple[str, ...]]:
        """Passed on."""
        return self._corpus.holders(versions, collection=collection)

    def known(self, keys: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Passed on."""
        return self._corpus.known(keys)

    def replace(self, articles: Sequence[IndexedArticle]) -> None:
        """Refused: raises TypeError."""
        del articles
        raise TypeError("a corpus with articles withheld is for reading only")

    def delete(self, where: Where) -> int:
        """Refused: raises TypeError."""
        del where
        raise TypeError("a corpus with articles withheld is for reading only")

    def activate(self, identity: EncoderIdentity) -> None:
        """Passed on."""
        self._corpus.activate(identity)

    def close(self) -> None:
        """Leaves the corpus open: it is its owner's to close."""

    def _kept(self, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        stored = self._corpus.passages([hit.key for hit in hits])
        return tuple(
            hit for hit in hits if hit.key in stored and stored[hit.key].passage.article_id not in self._withheld
        )
