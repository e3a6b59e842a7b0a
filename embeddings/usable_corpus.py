"""A corpus restricted to what may be shown: no version of articles that are withheld, canceled or under embargo, and
nothing from collections that the caller may not read.

All code that answers, quotes, counts or lists for somebody uses this corpus, so that no caller has to remember the
rules. It reads the clock at every call: embargoes end, and withdrawals take effect, from one question to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from embeddings.corpus import Corpus, meant, readable, the_one
from embeddings.encoders import EncoderIdentity
from embeddings.errors import InputError
from embeddings.store.schema import moment
from embeddings.types import (
    Article,
    CorpusCounts,
    Hits,
    IndexedArticle,
    Overview,
    SourceTally,
    StoredPassage,
    Vector,
    Where,
)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The current time."""
    return datetime.now(UTC)


def kept_back(article: Article, *, at: datetime) -> Literal["withdrawn", "embargo"] | None:
    """Why an article may not be shown at a moment; None if it may. `article` is its current version."""
    if article.status != "usable":
        return "withdrawn"
    if article.embargoed_until is not None and moment(article.embargoed_until) > moment(at.isoformat()):
        return "embargo"
    return None


class UsableCorpus:
    """A corpus whose reads are restricted to what may be shown, and whose writes go to the same collections only."""

    def __init__(
        self, corpus: Corpus, *, now: Clock = utc_now, within: tuple[str, ...] | None = None, kept_back: bool = False
    ) -> None:
        """`within`: the readable collections (None: all); `kept_back`: also show what readers may not see."""
        self._corpus = corpus
        self._now = now
        self._within = within
        self._kept_back = kept_back

    def narrowed(self, collection: str) -> UsableCorpus:
        """The same, restricted to one collection."""
        within = (collection,) if self._reaches(collection) else ()
        return UsableCorpus(self._corpus, now=self._now, within=within, kept_back=self._kept_back)

    def get(self, article_id: str, *, version: str | None = None) -> Article | None:
        """See `Corpus.get`; what the current version says of when and where it may be shown holds for all of them."""
        current = self._corpus.get(article_id) if version is None else readable(self._corpus, article_id)
        if current is None or self._why_hidden(current):
            return None
        if version is None or version == current.version:
            return current
        earlier = self._corpus.get(article_id, version=version)
        return earlier if earlier is not None and self._reaches(earlier.collection) else None

    def called(self, name: str) -> str | None:
        """The id of the article that a name means: the article with that id, else the one to which a publisher gave it.

        Raises AmbiguousId if several were given it. Articles that may not be shown do not count, unless one is alone.
        """
        found = meant(self._corpus, [name], within=self._within).get(name, {})
        if len(found) < 2 or name in found:
            return next(iter(found), None)
        shown = {one: home for one, home in found.items() if self.why_not(one) is None}
        return the_one(name, shown) or next(iter(found))

    def why_not(self, article_id: str) -> Literal["withdrawn", "embargo", "removed"] | None:
        """Why an article cannot be read here; None if it can. One in another collection counts as removed."""
        current = readable(self._corpus, article_id)
        return "removed" if current is None else self._why_hidden(current)

    def search(self, vector: Vector, text: str, *, k: int, where: Where) -> Hits:
        """See `Corpus.search`."""
        return self._corpus.search(vector, text, k=k, where=self._shown(where))

    def scan(self, *, where: Where, after: str | None, limit: int) -> Sequence[Article]:
        """See `Corpus.scan`."""
        return self._corpus.scan(where=self._shown(where), after=after, limit=limit)

    def count(self, where: Where) -> CorpusCounts:
        """See `Corpus.count`."""
        return self._corpus.count(self._shown(where))

    def overview(self, where: Where, *, newest: int) -> Overview:
        """See `Corpus.overview`."""
        return self._corpus.overview(self._shown(where), newest=newest)

    def tally(self, where: Where, *, since: str) -> Sequence[SourceTally]:
        """See `Corpus.tally`."""
        return self._corpus.tally(self._shown(where), since=since)

    def passages(self, keys: Collection[int]) -> Mapping[int, StoredPassage]:
        """See `Corpus.passages`; an article may have been withdrawn since the search that gave the keys."""
        found = self._corpus.passages(keys)
        names = tuple({stored.passage.article_id for stored in found.values()})
        where = self._usable(self._reached(Where(article_ids=names)))
        shown = {article.id for article in self._corpus.scan(where=where, after=None, limit=max(len(names), 1))}
        return {key: stored for key, stored in found.items() if stored.passage.article_id in shown}

    def spellings(self, words: Collection[str], *, where: Where) -> Mapping[str, tuple[str, ...]]:
        """See `Corpus.spellings`."""
        return self._corpus.spellings(words, where=self._shown(where))

    def fingerprints(self, article_ids: Collection[str]) -> Mapping[str, str]:
        """See `Corpus.fingerprints`."""
        return self._corpus.fingerprints([name for name in article_ids if self.why_not(name) is None])

    def encoded(self, article_ids: Collection[str]) -> Mapping[str, IndexedArticle]:
        """See `Corpus.encoded`."""
        return self._corpus.encoded([name for name in article_ids if self.why_not(name) is None])

    def holders(self, versions: Collection[str], *, collection: str | None) -> Mapping[str, tuple[str, ...]]:
        """See `Corpus.holders`."""
        if collection is not None:
            return self._corpus.holders(versions, collection=collection) if self._reaches(collection) else {}
        return self._within_reach(self._corpus.holders(versions, collection=None))

    def known(self, keys: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """See `Corpus.known`."""
        return self._within_reach(self._corpus.known(keys))

    def homes(self, article_ids: Collection[str]) -> Mapping[str, str]:
        """See `Corpus.homes`."""
        return {name: home for name, home in self._corpus.homes(article_ids).items() if self._reaches(home)}

    def replace(self, articles: Sequence[IndexedArticle]) -> None:
        """See `Corpus.replace`. Raises InputError, before anything is written, for one out of reach."""
        collections = {one.article.collection for one in articles}
        collections.update(self._corpus.homes([one.article.id for one in articles]).values())
        if not all(map(self._reaches, collections)):
            raise InputError("an article or its id belongs to a collection that may not be written to from here")
        self._corpus.replace(articles)

    def delete(self, where: Where) -> int:
        """See `Corpus.delete`; also of what is kept back."""
        return self._corpus.delete(self._reached(where))

    def require_writing(self) -> None:
        """See `Corpus.require_writing`."""
        self._corpus.require_writing()

    def is_written_elsewhere(self) -> bool:
        """See `Corpus.is_written_elsewhere`."""
        return self._corpus.is_written_elsewhere()

    def activate(self, identity: EncoderIdentity) -> None:
        """See `Corpus.activate`."""
        self._corpus.activate(identity)

    def close(self) -> None:
        """See `Corpus.close`."""
        self._corpus.close()

    def _why_hidden(self, current: Article) -> Literal["withdrawn", "embargo", "removed"] | None:
        if not self._reaches(current.collection):
            return "removed"
        return None if self._kept_back else kept_back(current, at=self._now())

    def _reaches(self, collection: str) -> bool:
        return self._within is None or collection in self._within

    def _within_reach(self, found: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        homes = self.homes({name for names in found.values() for name in names})
        return {key: here for key, names in found.items() if (here := tuple(name for name in names if name in homes))}

    def _reached(self, where: Where) -> Where:
        if self._within is None:
            return where
        both = self._within if where.within is None else tuple(one for one in self._within if one in where.within)
        return msgspec.structs.replace(where, within=both)

    def _shown(self, where: Where) -> Where:
        return self._usable(self._named(self._reached(where)))

    def _usable(self, where: Where) -> Where:
        return where if self._kept_back else msgspec.structs.replace(where, usable_at=self._now().isoformat())

    def _named(self, where: Where) -> Where:
        """Let an id in a filter that no article has within its collections stand for those that were given it there."""
        if not where.article_ids:
            return where
        within = where.within
        if where.collection is not None:
            within = (where.collection,) if within is None or where.collection in within else ()
        found = meant(self._corpus, where.article_ids, within=within)
        ids = [one for name in where.article_ids for one in _nearest(name, found.get(name, {}))]
        return msgspec.structs.replace(where, article_ids=tuple(dict.fromkeys(ids)))


def _nearest(name: str, found: Mapping[str, str]) -> Collection[str]:
    """Of the articles that a name may mean, the one that has it as its id, else all; the name itself where none."""
    return [name] if not found or name in found else found
