"""What a search runs on: an immutable picture of the searched generation in one state of the store.

Takes what the store holds, gives segments for `dense` and `lexical` and the keys that are alive. A picture of an
earlier state is brought up to date by reading what came since; nothing that exists is ever changed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import islice

import apsw
import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.encoders.encoder import EncoderIdentity
from embeddings.index import dense, lexical
from embeddings.index.terms import Terms
from embeddings.store.passages import StoredVector, vectors_after
from embeddings.store.reads import State, key_runs, removed_runs, restricted_runs
from embeddings.types import Hits, Vector, Where

__all__ = ["Segment", "Snapshot", "allowed", "caught_up", "empty", "overgrown", "search", "squeezed", "with_merged"]

Mask = npt.NDArray[np.bool_]

_log = logging.getLogger(__name__)

_BATCH = 8_192
"""Passages read into one segment at a time: bounds memory while everything is read."""

_DEAD_SHARE, _DEAD_LEAST = 0.25, 1_000
"""A segment is made anew when this share of it, and at least so many passages, were removed."""

_REMEMBERED_FILTERS = 64


class Segment(msgspec.Struct, frozen=True, eq=False):
    """The same passages twice: by vector and by term."""

    near: dense.Near
    posted: lexical.Segment


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The searched generation as it was in one state of the store."""

    state: State
    top: int
    """The largest key looked at; later ones are newer than this picture."""
    alive: Mask
    """By key, up to `top`: what can be found."""
    segments: tuple[Segment, ...]
    vocabulary: lexical.Vocabulary
    filters: dict[Where, Mask]
    """Keys allowed by the filters asked for lately: a memory, not a value."""


def empty(state: State) -> Snapshot:
    """A picture that shows nothing yet."""
    nothing = np.zeros(1, dtype=np.bool_)
    return Snapshot(state=state, top=0, alive=nothing, segments=(), vocabulary=lexical.Vocabulary(), filters={})


def caught_up(earlier: Snapshot, db: apsw.Connection, state: State, terms: Terms) -> Snapshot:
    """Bring a picture up to the state that `db` sees, or start again where what came between is forgotten."""
    if state.active is None:
        return empty(state)
    known = earlier.state
    if known.store != state.store or known.active != state.active or known.change < state.removals_after:
        earlier = empty(state)
    segments, top = list(earlier.segments), earlier.top
    rows = vectors_after(db, state.active.number, earlier.top)
    while batch := list(islice(rows, _BATCH)):
        top = batch[-1].key if isinstance(batch[-1], StoredVector) else batch[-1]
        intact = [row for row in batch if isinstance(row, StoredVector)]
        if len(intact) < len(batch):
            _log.error(
                "%d passages are damaged and cannot be found; `qa index verify` names them", len(batch) - len(intact)
            )
        if intact:
            segments.append(_segment(intact, state.active.identity, earlier.vocabulary, terms))
    alive = np.zeros(top + 1, dtype=np.bool_)
    alive[: len(earlier.alive)] = earlier.alive
    for first, last in removed_runs(db, since=earlier.state.change):
        alive[first : last + 1] = False
    for segment in segments[len(earlier.segments) :]:
        alive[segment.near.keys] = True
    return msgspec.structs.replace(earlier, state=state, top=top, alive=alive, segments=tuple(segments), filters={})


def allowed(snapshot: Snapshot, db: apsw.Connection, where: Where) -> Mask:
    """The keys of a picture that a filter lets through; `db` must see the same state.

    What may be shown is asked for each time, since it changes with the clock; all the rest is remembered.
    """
    mask = _matching(snapshot, db, msgspec.structs.replace(where, usable_at=None))
    if where.usable_at is None or snapshot.state.active is None:
        return mask
    runs = restricted_runs(db, snapshot.state.active.number, at=where.usable_at)
    if not runs:
        return mask
    mask = mask.copy()
    for first, last in runs:
        mask[first : last + 1] = False
    return mask


def _matching(snapshot: Snapshot, db: apsw.Connection, where: Where) -> Mask:
    if not where.restricts() or snapshot.state.active is None:
        return snapshot.alive
    known = snapshot.filters.get(where)
    if known is not None:
        return known
    runs = key_runs(db, where, snapshot.state.active.number)
    steps = np.zeros(max(snapshot.top, runs.max(initial=0)) + 2, dtype=np.int32)
    steps[runs[:, 0]] += 1
    steps[runs[:, 1] + 1] -= 1
    mask = (np.cumsum(steps)[: snapshot.top + 1] > 0) & snapshot.alive
    if len(snapshot.filters) >= _REMEMBERED_FILTERS:
        snapshot.filters.clear()
    snapshot.filters[where] = mask
    return mask


def search(snapshot: Snapshot, vector: Vector, question: Sequence[str], *, k: int, among: Mask, counted: Mask) -> Hits:
    """Rank passages by cosine to a unit vector and by BM25 for terms, whose rarity counts over those `counted`."""
    return Hits(
        dense=dense.search([segment.near for segment in snapshot.segments], vector, k=k, allowed=among),
        lexical=lexical.search(
            [segment.posted for segment in snapshot.segments],
            question,
            snapshot.vocabulary,
            k=k,
            alive=counted,
            allowed=among,
        ),
    )


def overgrown(snapshot: Snapshot) -> tuple[Segment, ...]:
    """The neighbouring segments that should become one, if any.

    The newest are merged as soon as the next older is less than twice as large as they are together: there are
    never more than log2(passages) segments, and every passage is copied as many times at most.
    """
    segments = snapshot.segments
    start, together = len(segments), 0
    while start and (len(segments[start - 1].near.keys) < 2 * together or not together):
        start -= 1
        together += len(segments[start].near.keys)
    if len(segments) - start > 1:
        return segments[start:]
    for segment in segments:
        dead = len(segment.near.keys) - int(snapshot.alive[segment.near.keys].sum())
        if dead > max(_DEAD_LEAST, _DEAD_SHARE * len(segment.near.keys)):
            return (segment,)
    return ()


def with_merged(snapshot: Snapshot, run: tuple[Segment, ...], merged: Segment) -> Snapshot:
    """Put a merged segment in the place of those it was made of; they lie side by side."""
    at = snapshot.segments.index(run[0])
    segments = (*snapshot.segments[:at], merged, *snapshot.segments[at + len(run) :])
    return msgspec.structs.replace(snapshot, segments=tuple(each for each in segments if len(each.near.keys)))


def squeezed(run: Sequence[Segment], alive: Mask) -> Segment:
    """Merge segments, leaving out what is no longer alive."""
    return Segment(
        dense.merge([segment.near for segment in run], alive),
        lexical.merge([segment.posted for segment in run], alive),
    )


def _segment(
    rows: list[StoredVector], identity: EncoderIdentity, vocabulary: lexical.Vocabulary, terms: Terms
) -> Segment:
    """Make a segment of passages read from the store."""
    vectors = np.frombuffer(b"".join(row.vector for row in rows), dtype="<f4").reshape(-1, identity.dimension)
    if not identity.normalised:
        vectors = dense.directions(vectors)
    keys = np.array([row.key for row in rows], dtype=np.int64)
    return Segment(
        dense.build(keys, vectors),
        lexical.post(((row.key, row.title, row.text) for row in rows), vocabulary, terms),
    )
