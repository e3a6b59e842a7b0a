"""An immutable snapshot of the searched generation in one state of the store; searches run on it.

Takes what the store holds, gives segments for `dense` and `lexical` and the keys that are alive. A snapshot of an
earlier state is brought up to date by reading what came since; nothing that exists is ever changed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import islice

import apsw
import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.encoders import EncoderIdentity
from embeddings.index import dense, lexical
from embeddings.index.terms import Lexicon, Terms
from embeddings.store import passages as store_passages
from embeddings.store.passages import StoredVector, stored_vectors, vectors_after
from embeddings.store.reads import Generation, State, held_keys, held_runs, key_runs, removed_runs, restricted_runs
from embeddings.types import Hits, Vector, Where

Mask = npt.NDArray[np.bool_]

_log = logging.getLogger(__name__)

_BATCH = 8_192
"""Passages read into one segment at a time: bounds memory while everything is read."""

_DEAD_SHARE, _DEAD_LEAST = 0.25, 1_000
"""A segment is made anew when this share of it, and at least so many passages, were removed."""

_REMEMBERED_FILTERS, _REMEMBERED_LEAST, _REMEMBERED_KEYS = 64, 4, 16_000_000
"""Filters remembered with a snapshot: so many, fewer where each is long (two bytes a passage)."""

_EXACT_MOST, _QUANTISED_LEAST = 131_072, 65_536
"""A snapshot of more passages keeps its segments of so many or more quantised (measured: docs/performance.md)."""
_Asked = tuple[Where, tuple[tuple[int, int], ...]]
"""A filter, and the runs of keys of which nothing may be shown."""


class Segment(msgspec.Struct, frozen=True, eq=False):
    """The same passages twice: by vector and by term."""

    near: dense.Near
    posted: lexical.Segment

    @property
    def size(self) -> int:
        """Passages in it, those removed since included."""
        return len(self.near.keys)

    @property
    def quantised(self) -> bool:
        """Whether it was large enough to keep no exact vectors; nothing is merged with it any more."""
        return self.near.sifted is not None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The searched generation as it was in one state of the store."""

    state: State
    top: int
    """The largest key looked at; later ones are newer than this snapshot."""
    alive: Mask
    """By key, up to `top`: what can be found."""
    segments: tuple[Segment, ...]
    filters: dict[_Asked, Chosen] = msgspec.field(default_factory=dict)
    """What the filters asked for lately let through: a memory, not a value."""

    @property
    def size(self) -> int:
        """Passages in its segments, those removed since included."""
        return sum(segment.size for segment in self.segments)


class Chosen:
    """The passages of a snapshot that count for a search, and how each segment looks with them alone."""

    def __init__(self, mask: Mask, segments: Sequence[Segment]) -> None:
        """`mask` says by key which they are."""
        self._mask = mask
        self._segments = segments

    @cached_property
    def near(self) -> tuple[dense.View, ...]:
        """For searching by vector."""
        selector = dense.selector_of(self._mask)
        return tuple(
            dense.view(segment.near, counted, selector)
            for segment, counted in zip(self._segments, self._counted, strict=True)
        )

    @cached_property
    def posted(self) -> tuple[lexical.View, ...]:
        """For searching by term."""
        return tuple(
            lexical.view(segment.posted, counted)
            for segment, counted in zip(self._segments, self._counted, strict=True)
        )

    @cached_property
    def _counted(self) -> tuple[Mask, ...]:
        return tuple(self._mask[segment.near.keys] for segment in self._segments)


def empty(state: State) -> Snapshot:
    """A snapshot that shows nothing yet."""
    return Snapshot(state=state, top=0, alive=np.zeros(1, dtype=np.bool_), segments=())


def caught_up(earlier: Snapshot, db: apsw.Connection, state: State, terms: Terms) -> Snapshot:
    """Bring a snapshot up to the state that `db` sees, or start again where what came between is forgotten."""
    if state.active is None:
        return empty(state)
    known = earlier.state
    if known.store != state.store or known.active != state.active or known.change < state.removals_after:
        earlier = empty(state)
    total = earlier.size or int((np.diff(held_runs(db, state.active.number)) + 1).sum())
    new, top = segments_after(db, state.active, earlier.top, terms, total=total)
    alive = np.zeros(top + 1, dtype=np.bool_)
    alive[: len(earlier.alive)] = earlier.alive
    for first, last in removed_runs(db, since=earlier.state.change):
        alive[first : last + 1] = False
    for segment in new:
        alive[segment.near.keys] = True
    return Snapshot(state=state, top=top, alive=alive, segments=(*earlier.segments, *new))


def segments_after(
    db: apsw.Connection, active: Generation, top: int, terms: Terms, *, total: int
) -> tuple[tuple[Segment, ...], int]:
    """Make segments of the passages whose keys are above `top`; also the largest key looked at.

    `total` is about how many passages the snapshot will have. Segments are merged while they are made: so all of a
    large store is never in memory exact.
    """
    found: list[Segment] = []
    rows = vectors_after(db, active.number, top)
    while batch := list(islice(rows, _BATCH)):
        top = batch[-1].key if isinstance(batch[-1], StoredVector) else batch[-1]
        intact = [row for row in batch if isinstance(row, StoredVector)]
        if len(intact) < len(batch):
            _log.error(
                "%d passages are damaged and cannot be found; `qa index verify` names them", len(batch) - len(intact)
            )
        if intact:
            found.append(_segment(intact, active.identity, terms))
        while run := trailing(found):
            found[-len(run) :] = [squeezed(run, np.ones(top + 1, dtype=np.bool_), total=total)]
    return tuple(found), top


def living(db: apsw.Connection, generation: int, *, top: int, segments: Sequence[Segment]) -> Mask:
    """Which of the passages in some segments the store holds still, by key up to `top`."""
    known = np.zeros(top + 1, dtype=np.bool_)
    for segment in segments:
        known[segment.near.keys] = True
    first = int(known.argmax())
    if top - first > _BATCH:
        return known & _covered(held_runs(db, generation), top=top)
    held = held_keys(db, generation, first=first)
    alive = np.zeros_like(known)
    alive[held[held <= top]] = True
    return known & alive


def allowed(snapshot: Snapshot, db: apsw.Connection, where: Where) -> Chosen:
    """The passages of a snapshot that a filter lets through; `db` must see the same state.

    What may be shown is asked for each time, since it changes with the clock; what follows from it is remembered.
    """
    active = snapshot.state.active
    hidden: tuple[tuple[int, int], ...] = ()
    if where.usable_at is not None and active is not None:
        hidden = tuple(restricted_runs(db, active.number, at=where.usable_at))
    asked = (msgspec.structs.replace(where, usable_at=None), hidden)
    known = snapshot.filters.get(asked)
    if known is not None:
        return known
    mask = _matching(snapshot, db, asked[0])
    if hidden:
        mask = mask.copy()
        for first, last in hidden:
            mask[first : last + 1] = False
    if len(snapshot.filters) >= min(_REMEMBERED_FILTERS, max(_REMEMBERED_LEAST, _REMEMBERED_KEYS // len(mask))):
        snapshot.filters.clear()
    chosen = snapshot.filters[asked] = Chosen(mask, snapshot.segments)
    return chosen


def _matching(snapshot: Snapshot, db: apsw.Connection, where: Where) -> Mask:
    if not where.restricts() or snapshot.state.active is None:
        return snapshot.alive
    runs = key_runs(db, where, snapshot.state.active.number)
    return _covered(runs, top=snapshot.top) & snapshot.alive


def _covered(runs: npt.NDArray[np.int64], *, top: int) -> Mask:
    """The keys up to `top` that lie in one of some runs, given by first and last key."""
    steps = np.zeros(max(top, runs.max(initial=0)) + 2, dtype=np.int32)
    steps[runs[:, 0]] += 1
    steps[runs[:, 1] + 1] -= 1
    found: Mask = np.cumsum(steps)[: top + 1] > 0
    return found


def search(
    vector: Vector, question: Sequence[str], *, k: int, among: Chosen, counted: Chosen, exact: dense.Exact
) -> Hits:
    """Rank passages by cosine to a unit vector and by BM25 for terms, whose rarity counts over those `counted`.

    Both are of one snapshot. `exact` gives vectors as the store has them, for candidates of quantised segments.
    """
    return Hits(
        dense=dense.search(among.near, vector, k=k, exact=exact),
        lexical=lexical.search(counted.posted, question, k=k, allowed=among.posted),
    )


def exact_from(db: apsw.Connection, identity: EncoderIdentity) -> dense.Exact:
    """The vectors of passages as the store has them; one whose bytes have another length is damaged, and left out."""

    def exact(keys: Sequence[int]) -> Mapping[int, Vector]:
        size = 4 * identity.dimension
        found = {key: stored for key, stored in stored_vectors(db, keys).items() if len(stored) == size}
        numbers = np.frombuffer(b"".join(found.values()), dtype="<f4").reshape(-1, identity.dimension)
        return dict(zip(found, numbers if identity.normalised else dense.directions(numbers), strict=True))

    return exact


def unbalanced(sizes: Sequence[int]) -> int:
    """From which on segments of these sizes should become one; as many as there are where none should.

    The newest are merged as soon as the next older is less than twice as large as they are together: there are
    never more than log2(passages) segments, and every passage is copied as many times at most.

    >>> unbalanced([9, 4, 2]), unbalanced([9, 4, 2, 1, 1]), unbalanced([9, 4, 1, 1])
    (3, 0, 2)
    """
    start, together = len(sizes), 0
    while start and (sizes[start - 1] < 2 * together or not together):
        start -= 1
        together += sizes[start]
    return start if len(sizes) - start > 1 else len(sizes)


def trailing(segments: Sequence[Segment]) -> Sequence[Segment]:
    """The newest segments that should become one, if any; quantised ones stay as they are."""
    exact = 1 + max((at for at, segment in enumerate(segments) if segment.quantised), default=-1)
    return segments[exact + unbalanced([segment.size for segment in segments[exact:]]) :]


def overgrown(snapshot: Snapshot) -> Sequence[Segment]:
    """The neighbouring segments that should become one, if any; or one that is to be quantised or holds much that was
    removed."""
    run = trailing(snapshot.segments)
    if run:
        return run
    for segment in snapshot.segments:
        dead = segment.size - int(np.count_nonzero(snapshot.alive[segment.near.keys]))
        if dead > max(_DEAD_LEAST, _DEAD_SHARE * segment.size):
            return (segment,)
        if not segment.quantised and to_quantise(segment.size - dead, total=snapshot.size):
            return (segment,)
    return ()


def to_quantise(size: int, *, total: int) -> bool:
    """Whether a segment of so many passages is quantised, in a snapshot of so many in total."""
    return total > _EXACT_MOST and size >= _QUANTISED_LEAST


def with_merged(snapshot: Snapshot, run: Sequence[Segment], merged: Segment) -> Snapshot:
    """Put a merged segment in the place of those it was made of; they lie side by side."""
    at = snapshot.segments.index(run[0])
    segments = (*snapshot.segments[:at], merged, *snapshot.segments[at + len(run) :])
    kept = tuple(each for each in segments if each.size)
    return msgspec.structs.replace(snapshot, segments=kept, filters={})


def squeezed(run: Sequence[Segment], alive: Mask, *, total: int) -> Segment:
    """Merge segments of a snapshot of so many passages, leaving out what is no longer alive."""
    size = sum(int(np.count_nonzero(alive[segment.near.keys])) for segment in run)
    return Segment(
        dense.merge([segment.near for segment in run], alive, quantise=to_quantise(size, total=total)),
        lexical.merge([segment.posted for segment in run], alive),
    )


def _segment(rows: list[StoredVector], identity: EncoderIdentity, terms: Terms) -> Segment:
    """Make a segment of passages read from the store."""
    vectors = np.frombuffer(b"".join(row.vector for row in rows), dtype="<f4").reshape(-1, identity.dimension)
    if not identity.normalised:
        vectors = dense.directions(vectors)
    keys = np.array([row.key for row in rows], dtype=np.int64)
    return Segment(dense.build(keys, vectors), lexical.post(((row.key, row.title, row.text) for row in rows), terms))


class SnapshotLexicon(Lexicon):
    """What is held among the passages of a snapshot that count; `db` must see the same state."""

    def __init__(self, db: apsw.Connection, *, among: Chosen) -> None:
        self._db = db
        self._among = among

    def like(self, term: str, *, mistakes: int) -> Sequence[str]:  # noqa: ARG002 - comparing all is fast enough
        """All with the same first letter, or that begin with the second: the two may be swapped."""
        beginnings = (term[:1], term[1::-1]) if len(term) > 1 else (term,)
        return sorted({word for beginning in beginnings for word in lexical.terms_from(self._among.posted, beginning)})

    def frequency(self, term: str) -> int:
        """How many passages hold a term."""
        return len(self._keys(term))

    def words(self, term: str, *, passages: int) -> str:
        """Title and text of the first passages that hold a term."""
        stored, _ = store_passages.passages(self._db, self._keys(term)[:passages])
        return " ".join(f"{item.title} {item.passage.text}" for item in stored.values())

    def _keys(self, term: str) -> list[int]:
        return lexical.keys_of(self._among.posted, term)
