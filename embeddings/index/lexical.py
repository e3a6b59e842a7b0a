"""BM25 over passages, in memory: from terms to the keys of passages that have them, best first.

An index is a tuple of immutable segments. Adding makes a small segment, merging makes one of several; searching
several segments gives the very scores of searching them merged. Measured against SQLite FTS5, tantivy and bm25s
(`tests/benchmarks/bench_lexical.py`): as good as an unpruned FTS5, twenty times faster, exact under every filter.
"""

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.errors import IndexDamaged
from embeddings.index import Buffer, pack, unpack
from embeddings.index.terms import Terms
from embeddings.types import Hit

TITLE_WEIGHT = 3
"""A word of the title counts as often as this many words of the passage (measured, see the benchmark)."""

K1, B = 1.2, 0.75
"""How soon repetition stops to matter, and how much length counts: BM25's usual values."""

_SAFE = 0.9999
"""Bounds are compared with so much room for rounding."""

MOST_TERMS = 64
"""Of longer questions only the rarest terms are looked for; the others add time and little else."""
Keys = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Segment(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One segment: for each of its terms, in which rows it occurs and how often. It needs nothing but itself, so that
    it can be read in place from a file."""

    keys: Keys
    """The passage of each row, ascending."""
    lengths: npt.NDArray[np.float32]
    """Terms in each row, the title's counted with their weight."""
    words: npt.NDArray[np.uint8]
    """The terms that occur, as UTF-8, one after the other in order of their bytes."""
    ends: npt.NDArray[np.int64]
    """Term i is `words[ends[i]:ends[i + 1]]`; the first number is 0."""
    heads: npt.NDArray[np.uint64]
    """The first eight bytes of each term as a number, which is in the same order: what a lookup begins with."""
    starts: npt.NDArray[np.int64]
    """`rows[starts[i]:starts[i + 1]]` are those of term i."""
    rows: npt.NDArray[np.int32]
    counts: npt.NDArray[np.unsignedinteger[Any]]
    """In as few bytes as the largest needs."""


class View(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A segment with those of its rows that count."""

    segment: Segment
    counted: Mask
    """By row."""
    passages: int
    """Rows that count."""
    terms: float
    """Sum of their lengths; exact, whatever the order of summing."""

    @property
    def whole(self) -> bool:
        """Whether every row counts."""
        return self.passages == len(self.counted)


def view(segment: Segment, counted: Mask) -> View:
    """See a segment with those of its rows that count."""
    terms = float(segment.lengths[counted].sum(dtype=np.float64))
    return View(segment=segment, counted=counted, passages=int(np.count_nonzero(counted)), terms=terms)


def post(passages: Iterable[tuple[int, str, str]], terms: Terms) -> Segment:
    """Make a segment of (key, title, text), keys ascending."""
    keys: list[int] = []
    lengths: list[int] = []
    numbers = array("i")
    titles: dict[str, list[int]] = {}
    vocabulary = _Numbers()
    number = vocabulary.__getitem__
    for key, title, text in passages:
        if title not in titles:
            titles[title] = list(map(number, terms.of_text(title))) * TITLE_WEIGHT
        held = list(map(number, terms.of_text(text))) + titles[title]
        keys.append(key)
        lengths.append(len(held))
        numbers.extend(held)
    # UTF-8 sorts as code points do.
    words = sorted(vocabulary)
    ranks = np.zeros(len(words), dtype=np.int32)
    ranks[[vocabulary[word] for word in words]] = np.arange(len(words), dtype=np.int32)
    return _grouped(keys, lengths, ranks[np.frombuffer(numbers, dtype=np.int32)], [word.encode() for word in words])


def merge(segments: Sequence[Segment], alive: Mask) -> Segment:
    """Make one segment of several, in order of key, leaving out the rows whose keys are not alive."""
    living = [_living(segment, alive) for segment in segments]
    held = [_words(segment) for segment in living]
    words = sorted(set(chain.from_iterable(held)))
    ranks = dict(zip(words, range(len(words)), strict=True))
    columns = [np.fromiter(map(ranks.__getitem__, each), dtype=np.int64, count=len(each)) for each in held]
    sizes = [np.diff(segment.starts) for segment in living]
    starts = np.zeros(len(words) + 1, dtype=np.int64)
    for column, size in zip(columns, sizes, strict=True):
        starts[column + 1] += size
    starts = np.cumsum(starts)
    rows = np.empty(starts[-1], dtype=np.int32)
    counts = np.empty(
        starts[-1], dtype=max((segment.counts.dtype for segment in living), key=lambda kind: kind.itemsize)
    )
    free, before = starts[:-1].copy(), 0
    for segment, column, size in zip(living, columns, sizes, strict=True):
        place = np.arange(len(segment.rows)) + np.repeat(free[column] - segment.starts[:-1], size)
        rows[place] = segment.rows + before
        counts[place] = segment.counts
        free[column] += size
        before += len(segment.keys)
    return Segment(
        keys=np.concatenate([segment.keys for segment in living]),
        lengths=np.concatenate([segment.lengths for segment in living]),
        **_joined(words),
        starts=starts,
        rows=rows,
        counts=counts,
    )


def search(counted: Sequence[View], question: Sequence[str], *, k: int, allowed: Sequence[View]) -> tuple[Hit, ...]:
    """Rank the allowed passages by BM25; how rare a term is counts over all that are `counted`, filtered or not.

    Both see the same segments.
    """
    wanted = [[_postings(view, term.encode()) for view in counted] for term in question]
    wanted = [held for held in wanted if any(len(rows) for rows, _ in held)]
    if not wanted:
        return ()
    wanted = sorted(wanted, key=_frequency)[:MOST_TERMS]
    passages = sum(view.passages for view in counted)
    mean_length = sum(view.terms for view in counted) / passages
    weights = [math.log(1 + (passages - _frequency(held) + 0.5) / (_frequency(held) + 0.5)) for held in wanted]
    best = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
    for number, (view, filtered) in enumerate(zip(counted, allowed, strict=True)):
        if filtered.passages:
            least = float(best[1][-1]) if len(best[1]) == k else 0.0
            rows, scores = _scored(view, filtered, [held[number] for held in wanted], weights, mean_length, least)
            best = _best(np.append(best[0], view.segment.keys[rows]), np.append(best[1], scores), k)
    return tuple(map(Hit, best[0].tolist(), best[1].tolist()))


def keys_of(views: Sequence[View], term: str) -> list[int]:
    """The passages that count and hold a term, in order of key within each segment."""
    found = ((view, _postings(view, term.encode())[0]) for view in views)
    return [int(key) for view, rows in found for key in view.segment.keys[rows]]


def terms_from(views: Sequence[View], beginning: str) -> frozenset[str]:
    """The terms with this beginning that are held by passages which count."""
    first = beginning.encode()
    held: set[str] = set()
    for view in views:
        start, end = _place(view.segment, first), _place(view.segment, first + b"\xff")
        span = slice(view.segment.starts[start], view.segment.starts[end])
        kept = None if view.whole else np.add.accumulate(view.counted[view.segment.rows[span]], dtype=np.int64)
        for at in range(start, end):
            if kept is None or _between(kept, *(view.segment.starts[at : at + 2] - span.start)):
                held.add(_word(view.segment, at).decode())
    return frozenset(held)


def dump(segment: Segment) -> bytes:
    """Write a segment as one file."""
    return pack({name: getattr(segment, name) for name in Segment.__struct_fields__})


def load(stored: Buffer) -> Segment:
    """Read what `dump` wrote, in place.

    Raises IndexDamaged for anything else; bytes altered with care must be recognised by their hash beforehand.
    """
    try:
        return Segment(**unpack(stored))
    except TypeError as error:
        raise IndexDamaged(
            f"the lexical index file lacks something ({error}); it is made again from the store"
        ) from error


class _Numbers(dict[str, int]):
    """The number of each term; a new term gets the next one."""

    def __missing__(self, term: str) -> int:
        number = self[term] = len(self)
        return number


def _grouped(keys: list[int], lengths: list[int], numbers: npt.NDArray[np.int32], words: list[bytes]) -> Segment:
    """Count and group by term the terms of all rows, given row after row."""
    rows = np.repeat(np.arange(len(keys), dtype=np.int64), lengths)
    # One number per (term, row): sorting groups them by term, then by row.
    pairs = np.sort((numbers.astype(np.int64) << 32) | rows)
    firsts = np.flatnonzero(np.diff(pairs, prepend=-1))
    starts = np.flatnonzero(np.diff(pairs[firsts] >> 32, prepend=-1))
    counts = np.diff(firsts, append=len(pairs))
    return Segment(
        keys=np.array(keys, dtype=np.int64),
        lengths=np.array(lengths, dtype=np.float32),
        **_joined(words),
        starts=np.append(starts, len(firsts)),
        rows=(pairs[firsts] & 0xFFFFFFFF).astype(np.int32),
        counts=counts.astype(np.min_scalar_type(int(counts.max(initial=0)))),
    )


def _joined(words: Sequence[bytes]) -> dict[str, Any]:
    """Terms in order, as a segment keeps them."""
    ends = np.zeros(len(words) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, words), dtype=np.int64, count=len(words)), out=ends[1:])
    heads = np.array(words, dtype="S8").view(">u8").astype(np.uint64)
    return {"words": np.frombuffer(b"".join(words), dtype=np.uint8), "ends": ends, "heads": heads}


def _words(segment: Segment) -> list[bytes]:
    joined, ends = segment.words.tobytes(), segment.ends.tolist()
    return [joined[start:end] for start, end in pairwise(ends)]


def _word(segment: Segment, at: int) -> bytes:
    return segment.words[segment.ends[at] : segment.ends[at + 1]].tobytes()


def _place(segment: Segment, word: bytes) -> int:
    """Where a term stands, or would stand."""
    heads, head = segment.heads, np.uint64(int.from_bytes(word[:8].ljust(8, b"\0"), "big"))
    start = int(heads.searchsorted(head))
    alone = start + 1 >= len(heads) or heads[start + 1] != head
    end = min(start + 1, len(heads)) if alone else int(heads.searchsorted(head, "right"))
    return bisect_left(range(len(heads)), word, start, end, key=lambda at: _word(segment, at))


def _living(segment: Segment, alive: Mask) -> Segment:
    """Drop the rows whose keys are not alive, and the terms that only they held."""
    living = alive[segment.keys]
    if living.all():
        return segment
    kept = living[segment.rows]
    sizes = np.add.reduceat(kept, segment.starts[:-1], dtype=np.int64) if len(kept) else np.zeros(0, dtype=np.int64)
    words = [word for word, size in zip(_words(segment), sizes.tolist(), strict=True) if size]
    return Segment(
        keys=segment.keys[living],
        lengths=segment.lengths[living],
        **_joined(words),
        starts=np.append(np.zeros(1, dtype=np.int64), np.cumsum(sizes[sizes > 0])),
        rows=(np.cumsum(living, dtype=np.int32) - 1)[segment.rows[kept]],
        counts=segment.counts[kept],
    )


_Postings = tuple[npt.NDArray[np.int32], npt.NDArray[np.unsignedinteger[Any]]]


def _postings(view: View, word: bytes) -> _Postings:
    """Rows that count and hold a term, and how often."""
    segment, at = view.segment, _place(view.segment, word)
    if at == len(segment.heads) or _word(segment, at) != word:
        return segment.rows[:0], segment.counts[:0]
    span = slice(segment.starts[at], segment.starts[at + 1])
    rows, counts = segment.rows[span], segment.counts[span]
    if view.whole:
        return rows, counts
    kept = view.counted[rows]
    return rows[kept], counts[kept]


def _between(kept: npt.NDArray[np.int64], start: int, end: int) -> bool:
    """Whether a running count grows from one place to another."""
    return bool(kept[end - 1] > (kept[start - 1] if start else 0))


def _frequency(held: list[_Postings]) -> int:
    return sum(len(rows) for rows, _ in held)


def _scored(
    view: View, filtered: View, held: list[_Postings], weights: list[float], mean_length: float, least: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Rows of a segment with their BM25, in any case those that score `least` or more.

    The order of summing does not depend on how rows lie in segments, nor on what is left out: as soon as the terms to
    come, which are ever more common, could bring no new row to `least`, only rows that can reach it are scored on.
    """
    length = view.segment.lengths * np.float32(K1 * B / mean_length) + np.float32(K1 * (1 - B))
    score = np.zeros(len(length), dtype=np.float32)
    to_come = sum(weights) * (K1 + 1)
    able: npt.NDArray[np.int64] | None = None
    for postings, weight in zip(held, weights, strict=True):
        to_come -= weight * (K1 + 1)
        rows, counts = postings if able is None else _among(postings, able)
        score[rows] += counts * np.float32(weight * (K1 + 1)) / (counts + length[rows])
        missing = (least - to_come) * _SAFE
        if missing > 0 and able is None:
            able = np.flatnonzero((score >= missing) & filtered.counted)
        elif missing > 0 and able is not None:
            able = able[score[able] >= missing]
    if able is None:
        able = np.flatnonzero(score if filtered.whole else score * filtered.counted)
    return able, score[able]


def _among(postings: _Postings, able: npt.NDArray[np.int64]) -> _Postings:
    """Those postings whose rows are among some."""
    rows, counts = postings
    if not len(rows):
        return postings
    at = np.minimum(np.searchsorted(rows, able), len(rows) - 1)
    at = at[rows[at] == able]
    return rows[at], counts[at]


def _best(keys: Keys, scores: npt.NDArray[np.float32], k: int) -> tuple[Keys, npt.NDArray[np.float32]]:
    """The k best, equal scores in order of key."""
    if len(keys) > k:
        least = np.partition(scores, -k)[-k]
        keys, scores = keys[scores >= least], scores[scores >= least]
    order = np.lexsort((keys, -scores))[:k]
    return keys[order], scores[order]
