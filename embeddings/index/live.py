"""The current snapshot, kept up to date: searches use it and never wait for a writer.

Publishing a snapshot is one assignment. A search asks for the snapshot of the very state that its read transaction
sees; where that is newer than the one at hand, it reads the few passages that came since.

A process that only writes needs no snapshot: it remembers which files were right before it wrote, and adds to them.
"""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import apsw
import numpy as np

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
    to_quantise,
    unbalanced,
    with_merged,
)
from embeddings.index.terms import Terms
from embeddings.store.database import Fault
from embeddings.store.reads import State, held_keys, was_in

_log = logging.getLogger(__name__)

_SMALL = 2_048
"""An index of no more passages is saved as one segment without removed ones: that costs milliseconds."""


class LiveIndex:
    """Holds the current snapshot of one store."""

    def __init__(self, folder: Path, *, terms: Terms, fault: Fault) -> None:
        self.folder = folder
        self._terms = terms
        self._fault = fault
        self._current: Snapshot | None = None
        self._base: files.Manifest | None = None
        """Files that showed a state which this process has seen or made, and what came since can be added to."""
        self._written: dict[Segment, files.SegmentRecord] = {}
        """Of the current snapshot's segments those that lie on the disk."""
        self._saved: str | None = None
        """Stamp of the state that the files on disk show, as far as this process knows."""
        self._publishing = threading.Lock()
        self._merging = threading.Lock()

    def at(self, db: apsw.Connection, state: State) -> Snapshot | None:
        """The snapshot of `state`, which is what `db` sees; None where a newer one was published meanwhile."""
        current = self._current
        if current is None or current.state.change < state.change:
            with self._publishing:
                current = self._current
                if current is None:
                    current = self._current = self._first(db, state)
                    if current is None:
                        return None
                elif current.state.change < state.change:
                    current = self._current = caught_up(current, db, state, self._terms)
        return current if current.state.change == state.change else None

    def keep_up(self, db: apsw.Connection, state: State) -> None:
        """Be ready for what is written next, or was just written: with a snapshot, or with files to add to."""
        if self._current is None and self._base is None:
            with self._publishing:
                if self._current is None and self._base is None:
                    self._base = self._matching(db, state)
                    self._current = None if self._base else self._made(db, state)
        if self._current is not None:
            self.at(db, state)

    def merge(self) -> None:
        """Merge small segments and drop removed passages while searches go on; one thread at a time."""
        if not self._merging.acquire(blocking=False):
            return
        try:
            while self._current is not None and (run := overgrown(self._current)):
                merged = squeezed(run, self._current.alive, total=self._current.size)
                with self._publishing:
                    if self._current is not None and run[0] in self._current.segments:
                        self._current = with_merged(self._current, run, merged)
        finally:
            self._merging.release()

    def save(self, db: apsw.Connection, state: State) -> None:
        """Write what the files on disk lack of the snapshot of `state`, unless they show it already."""
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
        """Make the snapshot of `state` from the store alone, whatever the files on disk say."""
        with self._publishing:
            self._saved = self._base = None
            self._written = {}
            self._current = self._made(db, state)

    def _first(self, db: apsw.Connection, state: State) -> Snapshot | None:
        """Read the files and what came since, or make the snapshot from the store where they are not of its history.

        None where the files are of a later state, or were exchanged meanwhile: then the store is in another, too.
        """
        if self._base is not None and self._base.change > state.change:
            return None
        base = self._base or self._matching(db, state)
        if base is None or state.active is None or base.generation != state.active.number:
            return self._made(db, state)
        try:
            return caught_up(self._loaded(base, db, state), db, state, self._terms)
        except IndexDamaged as reason:
            self._saved = self._base = None
            if self._exchanged(base):
                return None
            _log.warning("%s; it is not used: making the indexes from the store", reason)
            return self._made(db, state)

    def _exchanged(self, base: files.Manifest) -> bool:
        try:
            return files.read_manifest(self.folder) != base
        except IndexDamaged:
            return False

    def _made(self, db: apsw.Connection, state: State) -> Snapshot:
        return _single(caught_up(empty(state), db, state, self._terms))

    def _matching(self, db: apsw.Connection, state: State) -> files.Manifest | None:
        """The files of this state or of one before it, if there are any of this very history."""
        if state.active is None:
            return None
        try:
            manifest = files.read_manifest(self.folder)
            exact = files.shows(manifest, state)
            if not exact and (manifest.store != state.store or not was_in(db, manifest.change, manifest.stamp)):
                raise files.outdated(self.folder, manifest, state)
            if manifest.generation != state.active.number:
                raise files.outdated(self.folder, manifest, state)
        except files.IndexOutdated as reason:
            _log.info("%s; making the indexes from the store", reason)
        except IndexDamaged as reason:
            _log.warning("%s; it is not used: making the indexes from the store", reason)
        else:
            self._saved = state.stamp if exact else None
            return manifest
        return None

    def _loaded(self, base: files.Manifest, db: apsw.Connection, state: State) -> Snapshot:
        """What files show, without what was removed since."""
        written = dict(zip(self._opened(base.segments, base), base.segments, strict=True))
        alive = living(db, base.generation, top=base.top, segments=tuple(written))
        self._written = written
        return Snapshot(state=state, top=base.top, alive=alive, segments=tuple(written))

    def _add(self, db: apsw.Connection, state: State) -> bool:
        """Add to files that were right what came since; False where there is a snapshot, or none such."""
        with self._publishing:
            base, active = self._base, state.active
            if self._current is not None or base is None or active is None or base.generation != active.number:
                return False
            total = sum(record.rows for record in base.segments)
            total += len(held_keys(db, active.number, first=base.top + 1))
            new, top = segments_after(db, active, base.top, self._terms, total=total)
            large = 1 + max((at for at, segment in enumerate(new) if segment.quantised), default=-1)
            ahead, tail = new[:large], new[large:]
            start = len(base.segments) if ahead else _first_to_join(base.segments, tail, total=total)
            try:
                run = (*self._opened(base.segments[start:], base), *tail)
            except IndexDamaged as reason:
                _log.warning("%s; it is not used: making the indexes from the store", reason)
                self._base = self._saved = None
                return False
            joined = [squeezed(run, living(db, active.number, top=top, segments=run), total=total)] if run else []
            made = [files.write(self.folder, each, fault=self._fault) for each in (*ahead, *joined) if each.size]
            records = (*base.segments[:start], *made)
            files.save(self.folder, state, top, records, fault=self._fault)
            self._base, self._saved = files.manifest_of(self.folder, state), state.stamp
            return True

    def _opened(self, records: Sequence[files.SegmentRecord], base: files.Manifest) -> list[Segment]:
        return [files.opened(self.folder, record, dimension=base.identity.dimension) for record in records]

    def _save_picture(self, db: apsw.Connection, state: State) -> None:
        """Write the segments of the snapshot of `state` that are not on the disk yet."""
        snapshot = self.at(db, state)
        if snapshot is None:
            return
        with self._merging:
            if snapshot.size <= _SMALL:
                whole = _single(snapshot)
                with self._publishing:
                    if self._current is snapshot:
                        self._current = whole
                snapshot = whole
            written = {}
            for segment in snapshot.segments:
                record = self._written.get(segment)
                # Another process may have written since these were read, and have removed them.
                there = record is not None and files.are_there(self.folder, record)
                written[segment] = record if record and there else files.write(self.folder, segment, fault=self._fault)
            files.save(self.folder, state, snapshot.top, tuple(written.values()), fault=self._fault)
            self._written, self._saved = written, state.stamp


def _first_to_join(records: Sequence[files.SegmentRecord], new: Sequence[Segment], *, total: int) -> int:
    """From which on segments in files become one with new ones."""
    exact = 1 + max((at for at, record in enumerate(records) if record.quantised), default=-1)
    sizes = [record.rows for record in records[exact:]]
    added = sum(segment.size for segment in new)
    start = min(unbalanced([*sizes, added] if added else sizes), len(sizes))
    return exact + next((at for at, size in enumerate(sizes[:start]) if to_quantise(size, total=total)), start)


def _single(snapshot: Snapshot) -> Snapshot:
    """The same snapshot in one segment, beside those that are quantised."""
    quantised = [at for at, segment in enumerate(snapshot.segments) if segment.quantised]
    run = snapshot.segments[1 + max(quantised, default=-1) :]
    dead = sum(segment.size - int(np.count_nonzero(snapshot.alive[segment.near.keys])) for segment in run)
    if not dead and len(run) < 2:
        return snapshot
    return with_merged(snapshot, run, squeezed(run, snapshot.alive, total=snapshot.size))
