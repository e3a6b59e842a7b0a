"""Moves a corpus from one store to another: takes two open corpora, gives what was copied and what was found equal.

The source is read page by page while it serves. Articles that the target holds as they are cost a lookup, so that the
same call goes on after an interruption; what changed behind the reader's back, the next round brings over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from embeddings.opening import KeptCorpus
from embeddings.types import CorpusCounts, Held, HeldPage, Hit, Where

__all__ = ["CopyReport", "copy"]

_PAGE = 64
_ROUNDS = 3
_SAMPLED, _DEPTH = 40, 10
_CLOSE = 1e-4
_ALIKE = 0.95
"""Search in the target may be approximate; so much of each list must be the same."""


class CopyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one copy did, and how the two stores compare at its end."""

    copied: int
    """Articles written; those that were there already are not among them."""
    left_out: tuple[str, ...]
    """Ids of articles that are damaged in the source, or not encoded: nothing is made up for them."""
    source: CorpusCounts
    target: CorpusCounts
    different: int
    """Articles that the two hold differently: other words, passages or vectors, or in the target alone."""
    versions_missing: int
    """Superseded versions that the target lacks."""
    searches: int
    """Searches made in both, each with a vector and words of a stored passage."""
    alike: float
    """Which share of their first ten passages was the same."""

    @property
    def verified(self) -> bool:
        """Whether the target holds exactly what the source does, and finds it."""
        same = self.source == self.target and not (self.different or self.versions_missing or self.left_out)
        return same and self.alike >= _ALIKE


def copy(source: KeptCorpus, target: KeptCorpus, *, progress: Callable[[int], None] = lambda _: None) -> CopyReport:
    """Bring every article of one corpus into another, then compare the two. Raises StoreError.

    `progress` hears how many articles have been looked at. Articles that only the target holds are left alone, and
    counted as different.
    """
    target.require_writing()
    copied = 0
    left_out: set[str] = set()
    for _ in range(_ROUNDS):
        written, left_out = _round(source, target, progress)
        copied += written
        if not written:
            break
    target.rebuild()
    return _compared(source, target, copied=copied, left_out=left_out)


def _round(source: KeptCorpus, target: KeptCorpus, progress: Callable[[int], None]) -> tuple[int, set[str]]:
    seen = written = 0
    left_out: set[str] = set()
    for page in _pages(source):
        new = _unlike(page.held, source, target)
        target.take(new)
        written += len(new)
        left_out.update(page.left_out)
        seen += len(page.held)
        progress(seen)
    return written, left_out


def _pages(source: KeptCorpus) -> Iterator[HeldPage]:
    after = None
    while True:
        page = source.whole(after=after, limit=_PAGE)
        yield page
        after = page.last
        if after is None:
            return


def _unlike(held: Sequence[Held], source: KeptCorpus, target: KeptCorpus) -> list[Held]:
    """Those of some articles that the target does not hold as the source does."""
    names = [each.indexed.article.id for each in held]
    expected, found = source.fingerprints(names), target.fingerprints(names)
    return [each for each, name in zip(held, names, strict=True) if expected.get(name) != found.get(name)]


def _compared(source: KeptCorpus, target: KeptCorpus, *, copied: int, left_out: set[str]) -> CopyReport:
    everything = Where()
    counts = source.count(everything)
    every = max(1, counts.articles // _SAMPLED)
    different = searches = same = wanted = seen = 0
    for page in _pages(source):
        different += len(_unlike(page.held, source, target))
        for held in page.held:
            seen += 1
            if seen % every == 0 and searches < _SAMPLED:
                both, most = _searched(held, source, target)
                searches, same, wanted = searches + 1, same + both, wanted + most
    held_there = target.count(everything)
    return CopyReport(
        copied=copied,
        left_out=tuple(sorted(left_out)),
        source=counts,
        target=held_there,
        different=different + max(0, held_there.articles - seen),
        versions_missing=max(0, source.stats().versions - target.stats().versions),
        searches=searches,
        alike=same / wanted if wanted else 1.0,
    )


def _searched(held: Held, source: KeptCorpus, target: KeptCorpus) -> tuple[int, int]:
    """How many passages of the source's first ones a search finds in the target, too, and how many there are."""
    first = held.indexed.passages[0]
    here, there = (
        corpus.search(first.vector, first.passage.text[:80], k=_DEPTH, where=Where()) for corpus in (source, target)
    )
    both = 0
    for expected, found in ((here.dense, there.dense), (here.lexical, there.lexical)):
        names, least = set(_names(target, found)), min((hit.score for hit in found), default=0.0)
        # Of equally good ones, either store may leave out another.
        both += sum(
            name in names or hit.score <= least * (1 + _CLOSE)
            for name, hit in zip(_names(source, expected), expected, strict=True)
        )
    return both, len(here.dense) + len(here.lexical)


def _names(corpus: KeptCorpus, hits: Sequence[Hit]) -> list[str]:
    found = corpus.passages([hit.key for hit in hits])
    return [found[hit.key].passage.id if hit.key in found else "" for hit in hits]
