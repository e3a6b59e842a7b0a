"""The picture that searches run on, kept up to date: readers take it, nobody waits for a writer.

Publishing a picture is one assignment. A search asks for the picture of the very state that its read transaction
sees; where that is newer than the one at hand, it reads the few passages that came since.

A process that only writes needs no picture: it remembers which files were right before it wrote, and adds to them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import apsw

from embeddings.errors import IndexDamaged
from embeddings.index import files
from embeddings.index.snapshot import (
    Segment,
    Snapshot,
    caught_up,
    empty,
    living,
    overgrown,
    segments_after,
    squeezed,
    unbalanced,
    with_merged,
)
from embeddings.index.terms import Terms
from embeddings.store.database import Fault
from embeddings.store.reads import State

__all__ = ["LiveIndex"]

_log = logging.getLogger(__name__)

_SMALL = 2_048
"""An index of no more passages is saved as one segment without removed ones: that costs milliseconds."""


class LiveIndex:
    """Holds the current picture of one store."""

    def __init__(self, folder: Path, *, terms: Terms, fault: Fault) -> None:
        self.folder = folder
        self._terms = terms
        self._fault = fault
        self._current: Snapshot | None = None
        self._base: files.Manifest | None = None
        """Files that showed a state which this process has seen or made, and what came since can be added to."""
        self._written: dict[Segment, files.SegmentRecord] = {}
        """Of the current picture's segments those that lie on the disk."""
        self._saved: str | None = None
        """Stamp of the state that the files on disk show, as far as this process knows."""
        self._publishing = threading.Lock()
        self._merging = threading.Lock()

    def at(self, db: apsw.Connection, state: State) -> Snapshot | None:
        """The picture of `state`, which is what `db` sees; None where a newer one was published meanwhile."""
        current = self._current
        if current is None or current.state.change < state.change:
            with self._publishing:
                current = self._current
                if current is None:
                    current = self._current = self._first(db, state)
                elif current.state.change < state.change:
                    current = self._current = caught_up(current, db, state, self._terms)
        return current if current.state.change == state.change else None

    def keep_up(self, db: apsw.Connection, state: State) -> None:
        """Be ready for what is written next, or was just written: with a picture, or with files to add to."""
        if self._current is None and self._base is None:
            with self._publishing:
                if self._current is None and self._base is None:
                    self._base = self._matching(state)
                    self._current = None if self._base else self._made(db, state)
        if self._current is not None:
            self.at(db, state)

    def merge(self) -> None:
        """Merge small segments and drop removed passages while searches go on; one thread at a time."""
        if not self._merging.acquire(blocking=False):
            return
        try:
            while self._current is not None and (run := overgrown(self._current)):
                merged = squeezed(run, self._current.alive)
                with self._publishing:
                    if self._current is not None and run[0] in self._current.segments:
                        self._current = with_merged(self._current, run, merged)
        finally:
            self._merging.release()

    def save(self, db: apsw.Connection, state: State) -> None:
        """Write what the files on disk lack of the picture of `state`, unless they show it already."""
        if self._saved == state.stamp:
            return
        try:
            if not self._add(db, state):
                self._save_picture(db, state)
        except OSError as error:
            _log.warning(
                "the indexes could not be saved in %s (%s); the next start makes them again", self.folder, error
            )

    def remake(self, db: apsw.Connection, state: State) -> None:
        """Make the picture of `state` from the store alone, whatever the files on disk say."""
        with self._publishing:
            self._saved = self._base = None
            self._written = {}
            self._current = self._made(db, state)

    def _first(self, db: apsw.Connection, state: State) -> Snapshot:
        """Read the files and what came since, or make the picture from the store where they are not exactly it."""
        base = self._base or self._matching(state)
        if base is not None and state.active is not None and base.generation == state.active.number:
            try:
                loaded = self._loaded(base, db, state)
            except IndexDamaged as reason:
                self._saved = None
                _log.warning("%s; it is not used: making the indexes from the store", reason)
            else:
                return caught_up(loaded, db, state, self._terms)
        return self._made(db, state)

    def _made(self, db: apsw.Connection, state: State) -> Snapshot:
        return _single(caught_up(empty(state), db, state, self._terms))

    def _matching(self, state: State) -> files.Manifest | None:
        """The files of this state, if there are any."""
        if state.active is None:
            return None
        try:
            manifest = files.manifest_of(self.folder, state)
        except files.IndexOutdated as reason:
            _log.info("%s; making the indexes from the store", reason)
        except IndexDamaged as reason:
            _log.warning("%s; it is not used: making the indexes from the store", reason)
        else:
            self._saved = state.stamp
            return manifest
        return None

    def _loaded(self, base: files.Manifest, db: apsw.Connection, state: State) -> Snapshot:
        """What files show, without what was removed since."""
        written = dict(zip(self._opened(base.segments, base), base.segments, strict=True))
        alive = living(db, base.generation, top=base.top, segments=tuple(written))
        self._written = written
        return Snapshot(state=state, top=base.top, alive=alive, segments=tuple(written))

    def _add(self, db: apsw.Connection, state: State) -> bool:
        """Add to files that were right what came since; False where there is a picture, or none such."""
        with self._publishing:
            base, active = self._base, state.active
            if self._current is not None or base is None or active is None or base.generation != active.number:
                return False
            new, top = segments_after(db, active, base.top, self._terms)
            sizes = [record.rows for record in base.segments] + [len(segment.near.keys) for segment in new]
            start = min(unbalanced(sizes), len(base.segments))
            try:
                run = (*self._opened(base.segments[start:], base), *new)
            except IndexDamaged as reason:
                _log.warning("%s; it is not used: making the indexes from the store", reason)
                self._base = self._saved = None
                return False
            records = list(base.segments[:start])
            if run:
                whole = squeezed(run, living(db, active.number, top=top, segments=run))
                records += [files.write(self.folder, whole, fault=self._fault)] if len(whole.near.keys) else []
            files.save(self.folder, state, top, records, fault=self._fault)
            self._base, self._saved = files.manifest_of(self.folder, state), state.stamp
            return True

    def _opened(self, records: Sequence[files.SegmentRecord], base: files.Manifest) -> list[Segment]:
        return [files.opened(self.folder, record, dimension=base.identity.dimension) for record in records]

    def _save_picture(self, db: apsw.Connection, state: State) -> None:
        """Write the segments of the picture of `state` that are not on the disk yet."""
        snapshot = self.at(db, state)
        if snapshot is None:
            return
        with self._merging:
            if len(snapshot.alive) and sum(len(segment.near.keys) for segment in snapshot.segments) <= _SMALL:
                whole = _single(snapshot)
                with self._publishing:
                    if self._current is snapshot:
                        self._current = whole
                snapshot = whole
            records = {segment: self._written.get(segment) for segment in snapshot.segments}
            for segment, record in records.items():
                records[segment] = record or files.write(self.folder, segment, fault=self._fault)
            written = {segment: record for segment, record in records.items() if record}
            files.save(self.folder, state, snapshot.top, tuple(written.values()), fault=self._fault)
            self._written, self._saved = written, state.stamp


def _single(snapshot: Snapshot) -> Snapshot:
    """The same picture in one segment."""
    living = sum(int(snapshot.alive[segment.near.keys].sum()) for segment in snapshot.segments)
    rows = sum(len(segment.near.keys) for segment in snapshot.segments)
    if living == rows and len(snapshot.segments) < 2:
        return snapshot
    return with_merged(snapshot, snapshot.segments, squeezed(snapshot.segments, snapshot.alive))
