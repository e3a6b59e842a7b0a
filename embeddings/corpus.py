"""The interface between the online and the offline half."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from embeddings.cleaning.identity import given_key, parted, qualified
from embeddings.encoders import EncoderIdentity
from embeddings.errors import AmbiguousId, StoreCorrupt
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


class Corpus(Protocol):
    """A searchable set of articles. Few calls, each batched; validates before it writes anything.

    Every search sees one consistent state; what `replace` or `delete` acknowledged is durable and is
    seen by every later search. Writes are idempotent.
    """

    def replace(self, articles: Sequence[IndexedArticle]) -> None:
        """Put each article in the place of what the corpus held under its id: all of it or nothing, one by one.

        The superseded version can still be read (`get` with `version`) but is never found again.
        """

    def delete(self, where: Where) -> int:
        """Remove every matching article with all its versions; return how many.

        Raises InputError for a filter that does not restrict.
        """

    def search(self, vector: Vector, text: str, *, k: int, where: Where) -> Hits:
        """Rank passages by cosine to `vector` and by BM25 for `text`, up to `k` each, filter applied first."""

    def spellings(self, words: Collection[str], *, where: Where) -> Mapping[str, tuple[str, ...]]:
        """For each word that no passage holds, the words that passages hold and that may be meant, the nearest first.

        Words that are held are left out of what is given. Of passages that the filter leaves out nothing is known.
        """

    def passages(self, keys: Collection[int]) -> Mapping[int, StoredPassage]:
        """Look up hits; a key that is unknown or was deleted meanwhile is simply absent."""

    def get(self, article_id: str, *, version: str | None = None) -> Article | None:
        """One article: its current version, or the one named. Its text is checked against its hash.

        Raises StoreCorrupt where the stored text was altered.
        """

    def scan(self, *, where: Where, after: str | None, limit: int) -> Sequence[Article]:
        """Current articles in order of id, from the one after `after`."""

    def count(self, where: Where) -> CorpusCounts:
        """Exact counts under a filter."""

    def overview(self, where: Where, *, newest: int) -> Overview:
        """What current articles there are, at a glance, and the newest of them."""

    def tally(self, where: Where, *, since: str) -> Sequence[SourceTally]:
        """Current articles by source, the source with the most first; day by day from the ISO 8601 day `since` on."""

    def fingerprints(self, article_ids: Collection[str]) -> Mapping[str, str]:
        """What each article says and how it was cut, in one name (`indexing.fingerprint`).

        Of those articles only that are held complete and undamaged for this encoder: the others need ingesting.
        """

    def encoded(self, article_ids: Collection[str]) -> Mapping[str, IndexedArticle]:
        """Of these articles those held complete and undamaged for this encoder, with their passages and vectors."""

    def require_writing(self) -> None:
        """Raise StoreError at once where nothing can be written now, so that no work is done in vain."""

    def is_written_elsewhere(self) -> bool:
        """Whether another process writes, so that `require_writing` would raise StoreBusy; takes nothing over."""

    def holders(self, versions: Collection[str], *, collection: str | None) -> Mapping[str, tuple[str, ...]]:
        """Which articles (ids) of a collection (None: of all) hold each of these canonical texts now."""

    def known(self, keys: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Which articles (ids, the earliest first) were written as known by each of these keys, for those held."""

    def homes(self, article_ids: Collection[str]) -> Mapping[str, str]:
        """The collection of each of these articles, damaged ones included, for those held."""

    def activate(self, identity: EncoderIdentity) -> None:
        """Switch searching to the generation of vectors made by this encoder, atomically.

        Raises EncoderMismatch while an article still lacks vectors of that encoder.
        """

    def close(self) -> None:
        """Release files and locks. The corpus cannot be used afterwards."""


def meant(corpus: Corpus, names: Collection[str], *, within: tuple[str, ...] | None) -> Mapping[str, Mapping[str, str]]:
    """The articles of some collections (None: of all) that each of these names may mean, with their collections.

    The article of that very id comes first, then those to which publishers gave it, of several collections perhaps. A
    name that says its collection means one article at most.
    """
    known = corpus.known({given_key(parted(name)[1]) for name in names})
    listed = {name: (name, parted(name)[1], *known.get(given_key(parted(name)[1]), ())) for name in names}
    homes = corpus.homes({one for ids in listed.values() for one in ids})

    def means(name: str) -> dict[str, str]:
        here = {one: home for one in listed[name] if (home := homes.get(one)) and (within is None or home in within)}
        collection, _ = parted(name)
        return dict([each for each in here.items() if each[1] == collection][:1]) if collection else here

    return {name: means(name) for name in names}


def the_one(name: str, found: Mapping[str, str]) -> str | None:
    """The id of the only article that a name means, of those that `meant` gives for it; None where it means none.

    Raises AmbiguousId.
    """
    if len(found) > 1:
        each = ", ".join(sorted(qualified(parted(one)[1], collection=home) for one, home in found.items()))
        raise AmbiguousId(f"{len(found)} articles have the id {name!r}: {each}. Give one of these, or its `collection`")
    return next(iter(found), None)


def readable(corpus: Corpus, article_id: str, *, version: str | None = None) -> Article | None:
    """An article, as `Corpus.get` gives it; None also where what is stored of it is damaged."""
    try:
        return corpus.get(article_id, version=version)
    except StoreCorrupt:
        return None
