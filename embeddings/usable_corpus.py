"""A corpus as readers may see it now: what is withheld, canceled or under embargo is not in it, in no version.

Whatever answers, quotes or lists for readers gets its corpus from here, so that no caller has to remember the rule. The
clock is asked at every call: an embargo ends, and a withdrawal holds, from one question to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from embeddings.corpus import Corpus, readable
from embeddings.encoders.encoder import EncoderIdentity
from embeddings.store.filters import moment
from embeddings.types import Article, CorpusCounts, Hits, IndexedArticle, Overview, StoredPassage, Vector, Where

__all__ = ["Clock", "UsableCorpus", "kept_back", "utc_now"]

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The moment it is."""
    return datetime.now(UTC)


def kept_back(article: Article, *, at: datetime) -> Literal["withdrawn", "embargo"] | None:
    """Why nothing of an article may be shown at a moment; None where it may. `article` is its current version."""
    if article.status != "usable":
        return "withdrawn"
    if article.embargoed_until is not None and moment(article.embargoed_until) > moment(at.isoformat()):
        return "embargo"
    return None


class UsableCorpus:
    """Reads of a corpus, restricted to what may be shown; writes go through as they are."""

    def __init__(self, corpus: Corpus, *, now: Clock = utc_now) -> None:
        self._corpus = corpus
        self._now = now

    def get(self, article_id: str, *, version: str | None = None) -> Article | None:
        """See `Corpus.get`; what the current version says of when it may be shown holds for all of them."""
        current = self._corpus.get(article_id) if version is None else readable(self._corpus, article_id)
        if current is None or kept_back(current, at=self._now()):
            return None
        if version is None or version == current.version:
            return current
        return self._corpus.get(article_id, version=version)

    def why_not(self, article_id: str) -> Literal["withdrawn", "embargo", "removed"] | None:
        """Why an article cannot be read here; None where it can."""
        current = readable(self._corpus, article_id)
        return "removed" if current is None else kept_back(current, at=self._now())

    def search(self, vector: Vector, text: str, *, k: int, where: Where) -> Hits:
        """See `Corpus.search`."""
        return self._corpus.search(vector, text, k=k, where=self._usable(where))

    def scan(self, *, where: Where, after: str | None, limit: int) -> Sequence[Article]:
        """See `Corpus.scan`."""
        return self._corpus.scan(where=self._usable(where), after=after, limit=limit)

    def count(self, where: Where) -> CorpusCounts:
        """See `Corpus.count`."""
        return self._corpus.count(self._usable(where))

    def overview(self, where: Where, *, newest: int) -> Overview:
        """See `Corpus.overview`."""
        return self._corpus.overview(self._usable(where), newest=newest)

    def passages(self, keys: Collection[int]) -> Mapping[int, StoredPassage]:
        """See `Corpus.passages`; keys come from a search, which gives none of what is kept back."""
        return self._corpus.passages(keys)

    def spellings(self, words: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """See `Corpus.spellings`; of the words alone nobody can tell which article they are from."""
        return self._corpus.spellings(words)

    def fingerprints(self, article_ids: Collection[str]) -> Mapping[str, str]:
        """See `Corpus.fingerprints`."""
        return self._corpus.fingerprints(article_ids)

    def holders(self, versions: Collection[str], *, collection: str) -> Mapping[str, tuple[str, ...]]:
        """See `Corpus.holders`."""
        return self._corpus.holders(versions, collection=collection)

    def known(self, keys: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """See `Corpus.known`."""
        return self._corpus.known(keys)

    def replace(self, articles: Sequence[IndexedArticle]) -> None:
        """See `Corpus.replace`."""
        self._corpus.replace(articles)

    def delete(self, where: Where) -> int:
        """See `Corpus.delete`."""
        return self._corpus.delete(where)

    def require_writing(self) -> None:
        """See `Corpus.require_writing`."""
        self._corpus.require_writing()

    def activate(self, identity: EncoderIdentity) -> None:
        """See `Corpus.activate`."""
        self._corpus.activate(identity)

    def close(self) -> None:
        """See `Corpus.close`."""
        self._corpus.close()

    def _usable(self, where: Where) -> Where:
        return msgspec.structs.replace(where, usable_at=self._now().isoformat())
